from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

import tensorlayer as tl

X = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")


def test_lists_are_arrays():
    net = tl.layers.Dense(tl.layers.Input([None, 2]), 1, name="d")
    cost = tl.cost.mean_squared_error

    epochs = tl.utils.fit(
        net, tf.optimizers.SGD(0.1), cost, X.tolist(), X[:, :1].tolist(), batch_size=5, n_epoch=30,
        print_freq=0,
    )  # fmt: skip

    assert epochs[-1].metrics["loss"] < 0.1 * epochs[0].metrics["loss"]
    np.testing.assert_array_equal(tl.utils.predict(net, X.tolist(), 3), tl.utils.predict(net, X, 3))


def test_files_for_tensorboard_are_closed(tmp_path):
    net = tl.layers.Dense(tl.layers.Input([None, 2]), 1, name="d")
    tl.utils.fit(
        net, tf.optimizers.SGD(0.1), tl.cost.mean_squared_error, X, X[:, :1], batch_size=5,
        n_epoch=2, print_freq=0, tensorboard_dir=tmp_path,
    )  # fmt: skip

    assert len(list(tmp_path.glob("events*"))) == 1
    assert not [each for each in open_files() if each.startswith(str(tmp_path))]


def open_files():
    """Return the paths of the files that this process has open."""
    places = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    return [os.readlink(place) for place in places if os.path.lexists(place)]
