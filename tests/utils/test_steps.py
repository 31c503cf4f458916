from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer import train
from tensorlayer.errors import InvalidArgument
from tensorlayer.utils import steps
from tensorlayer.utils.steps import measure, measuring_step, output_of, require_pairs, training_step

X = np.random.default_rng(0).normal(size=(7, 2)).astype("float32")


def network():
    net = tl.layers.Dropout(tl.layers.Input([None, 2]), keep=0.5)
    return tl.layers.Dense(net, 1, W_init=1.0, name="d")


def test_a_training_step_descends_and_returns_every_measure():
    net, mse = network(), tl.cost.mean_squared_error
    step = training_step(net, tf.optimizers.SGD(0.1), mse, {"twice": lambda o, y: 2 * mse(o, y)})
    before = net.all_params[0].numpy()

    found = step(tf.constant(X), tf.zeros([7, 1]))

    assert float(found["twice"]) == pytest.approx(2 * float(found["loss"]))
    assert not np.array_equal(net.all_params[0], before)


def test_rows_that_a_batch_names_twice_are_one_row_to_the_optimizer_of_keras():
    net = tl.layers.Embedding(tl.layers.Input([None], "int64"), 5, 1, E_init=1.0)
    optimizer = tf.optimizers.Adagrad(0.1, initial_accumulator_value=0.0)
    step = training_step(net, optimizer, lambda output, y: tf.reduce_sum(output), {})

    step(tf.constant([1, 3, 3], tf.int64), tf.zeros([3]))

    np.testing.assert_allclose(net.all_params[0][:, 0], [1, 0.9, 1, 0.9, 1], rtol=1e-5)


def test_measuring_is_in_inference_mode_and_weighs_the_last_batch_by_its_size():
    net = network()
    step = measuring_step(net, {"mean": lambda o, y: tf.reduce_mean(o)})

    found = measure(step, X, np.zeros([7, 1]), batch_size=3)

    assert found["mean"] == pytest.approx(X.sum(1).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("X", "y", "size", "message"),
    [
        (X, X[:3], 2, "same length and not empty, got 7 and 3"),
        (X[:0], X[:0], 2, "same length and not empty, got 0 and 0"),
        (X, X, 0, "batch_size has to be at least 1, got 0"),
        (X, X, 8, "are 7 samples, fewer than the batch_size 8: not one full batch"),
    ],
)
def test_pairs_that_make_no_batch_are_refused(X, y, size, message):
    with pytest.raises(InvalidArgument, match=message):
        require_pairs(X, y, size, full_batch=True)


@pytest.mark.parametrize("said", [None, True, False])
@pytest.mark.parametrize("is_train", [True, False])
def test_a_model_computes_in_the_mode_of_the_step_whatever_it_was_told(said, is_train):
    x = tl.layers.Input([None, 2])
    model = tl.models.Model(x, tl.layers.Dropout(x, keep=0.5), name="m")
    model.is_train = said

    outputs = [output_of(model, tf.ones([50, 2]), is_train).numpy() for _ in range(2)]

    assert np.array_equal(*outputs) is not is_train
    assert model.is_train is said


def test_validation_needs_samples_and_targets():
    X, y = np.ones([2, 3]), np.ones(2)

    assert steps.both(X, y) == (X, y)
    with pytest.raises(InvalidArgument, match=r"fit: y_val is missing. Give X_val and y_val"):
        steps.both(X, None)
    with pytest.raises(InvalidArgument, match="fit: X_val is missing"):
        steps.both(None, y)


def test_a_line_shows_what_was_measured():
    epoch = train.Epoch(number=1, n_steps=3, seconds=1.5, metrics={"loss": 1 / 3})
    measured = {"train": {"loss": 0.25}, "val": {"loss": 0.5, "acc": 1.0}}

    shown = steps.line(epoch, 9, measured, eval_train=True)
    means = steps.line(epoch, 9, {}, eval_train=False)

    assert shown == "epoch 1 of 9  1.50 s  train loss 0.25  val loss 0.5  val acc 1"
    assert means == "epoch 1 of 9  1.50 s  train loss 0.333333"


def test_a_training_step_is_in_training_mode():
    modes = []

    class Noting(tl.layers.Layer):
        def forward(self, x):
            modes.append(self.is_train)
            return x

    net = tl.layers.Dense(Noting(tl.layers.Input([None, 2]), name="n"), 1, name="d")
    step = training_step(net, tf.optimizers.SGD(0.1), tl.cost.mean_squared_error, {})
    modes.clear()

    step(tf.constant(X), tf.zeros([7, 1]))

    assert modes == [True]
