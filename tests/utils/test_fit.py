from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument

RNG = np.random.default_rng(0)
X = RNG.normal(size=(103, 2)).astype("float32")
Y = (X[:, 0] > X[:, 1]).astype("int64")


def network():
    return tl.layers.Dense(tl.layers.Input([None, 2], name="x"), 2, name="logits")


def accuracy(output, target):
    return tf.reduce_mean(tf.cast(tf.argmax(output, 1) == target, tf.float32))


@pytest.mark.parametrize("as_model", [False, True])
def test_fit_trains_and_shows_lines(capsys, as_model):
    net = network()
    if as_model:
        net = tl.models.Model(net.input_nodes, net)

    epochs = tl.utils.fit(
        net, tf.optimizers.Adam(0.05), tl.cost.cross_entropy, X, Y, acc=accuracy, batch_size=10,
        n_epoch=10, print_freq=5, X_val=X[:50], y_val=Y[:50],
    )  # fmt: skip

    assert epochs[-1].metrics["acc"] > 0.95
    assert [e.n_steps for e in epochs] == [10] * 10
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch")]
    assert [line.split()[1] for line in lines] == ["1", "5", "10"]
    assert all("train loss" in line and "val acc" in line for line in lines)


def test_fit_writes_for_tensorboard(tmp_path):
    tl.utils.fit(
        network(), tf.optimizers.SGD(0.1), tl.cost.cross_entropy, X, Y, n_epoch=3,
        tensorboard_dir=tmp_path, tensorboard_epoch_freq=1,
    )  # fmt: skip

    tags, graphs = set(), []
    for path in tmp_path.glob("events*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            tags |= {(event.step, value.tag) for value in event.summary.value}
            graphs += [event.graph_def] if event.graph_def else []
    assert {(1, "loss"), (3, "loss"), (3, "logits/weights")} <= tags
    names = {node.name for node in tf.compat.v1.GraphDef.FromString(graphs[0]).node}
    assert "logits/MatMul" in names


def test_test_is_the_mean_over_all_samples_in_inference_mode():
    net = tl.layers.Dropout(network(), keep=0.5)
    expected = np.mean(np.argmax(net(X, is_train=False), 1) == Y)

    assert tl.utils.test(net, accuracy, X, Y, batch_size=10) == pytest.approx(expected)
    acc, cost = tl.utils.test(net, accuracy, X, Y, batch_size=None, cost=tl.cost.cross_entropy)
    assert acc == pytest.approx(expected)
    assert cost == pytest.approx(float(tl.cost.cross_entropy(net(X, is_train=False), Y)), rel=1e-5)


@pytest.mark.parametrize("batch_size", [None, 1, 50, 103, 1000])
def test_predict_covers_every_sample_with_any_batch_size(batch_size):
    net = network()

    np.testing.assert_allclose(
        tl.utils.predict(net, X, batch_size), net(X, is_train=False), rtol=1e-5, atol=1e-6
    )


def test_errors():
    optimizer = tf.optimizers.SGD(0.1)
    with pytest.raises(
        InvalidArgument, match="are 103 samples, fewer than the batch_size 200: not one"
    ):
        tl.utils.fit(network(), optimizer, tl.cost.cross_entropy, X, Y, batch_size=200)
    with pytest.raises(InvalidArgument, match="same length and not empty, got 103 and 50"):
        tl.utils.fit(network(), optimizer, tl.cost.cross_entropy, X, Y[:50])
    with pytest.raises(InvalidArgument, match="not empty, got 0"):
        tl.utils.predict(network(), X[:0])
