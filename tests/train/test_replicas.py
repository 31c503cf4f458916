"""One replica is no detour; what several do is in test_gradient_step.py and test_evaluation.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.train.replicas import Replicas, n_samples, required, share_of, with_samples
from tests.operations import operations


def test_one_replica_adds_no_operation():
    def double(x):
        return {"loss": 2 * x}

    replicas, spec = Replicas(), tf.TensorSpec([], tf.float32)

    assert replicas.n == 1
    assert operations(tf.function(lambda x: replicas.run(double, (x,))), spec) == operations(
        tf.function(double), spec
    )


def test_one_replica_of_a_strategy_is_one():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        replicas = Replicas()

    assert replicas.n == 1
    assert replicas.summed([1.0, None]) == [1.0, None]


def trained(accumulate=1):
    """Return what a network comes to in the scope that is open."""
    x = np.random.default_rng(0).normal(size=[21, 2]).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(5)
    ones = tf.initializers.Ones()
    net = tl.layers.BatchNorm(tl.layers.Input([None, 2]), gamma_init=ones, name="norm")
    net = tl.layers.Dense(net, 1, W_init=ones, name="out")
    cost = tl.cost.mean_squared_error
    step = tl.train.GradientStep(
        net, cost, tl.optimizers.Adam(0.1), clip_norm=1.0, accumulate=accumulate
    )
    held_out = tl.train.Evaluation(net, {"loss": cost}, data)
    epochs = tl.train.run(step, data, n_epoch=2, evaluate=held_out, progress=False)
    return [list(epoch.metrics.values()) for epoch in epochs], net.all_weights


@pytest.mark.parametrize(
    "make",
    [
        lambda: tf.distribute.MirroredStrategy(["CPU:0"]),
        lambda: tf.distribute.OneDeviceStrategy("CPU:0"),
        tf.distribute.MultiWorkerMirroredStrategy,
    ],
)
@pytest.mark.parametrize("accumulate", [1, 2])
def test_one_replica_of_a_strategy_trains_as_none_does(make, accumulate):
    expected, weights = trained(accumulate)
    with make().scope():
        found, theirs = trained(accumulate)

    np.testing.assert_allclose(found, expected, rtol=1e-4)
    for each, wanted in zip(theirs, weights, strict=True):
        np.testing.assert_allclose(each.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-6)


def test_the_length_is_that_of_the_first_tensor():
    assert int(n_samples(({"b": np.zeros([3, 2])}, np.zeros([9])))) == 3
    assert int(n_samples(tf.ragged.constant([[1], [2, 3]]))) == 2


@pytest.mark.parametrize(
    ("value", "share", "wanted"),
    [(8.0, 0.25, 2.0), (float("nan"), 0.0, 0.0), (float("inf"), 0.0, 0.0), (3, 0.5, 1.5)],
)
def test_a_share_of_nothing_is_nothing(value, share, wanted):
    assert float(share_of(value, tf.constant(share))) == wanted


def test_a_batch_is_asked_for_samples_where_it_is_computed():
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def target(y):
        return with_samples(("input", {"a": 0.5, "y": y}))[1]["y"]

    assert target(tf.ones([1, 2])).shape == [1, 2]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"training: a batch has no sample, so"
    ):
        target(tf.zeros([0, 2]))


def test_the_samples_of_all_replicas_are_asked_for_where_they_are_computed():
    asked = tf.function(required, input_signature=[tf.TensorSpec([], tf.int32)])

    assert int(asked(3)) == 3
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"training: a batch has no sample, so"
    ):
        asked(0)


def test_inputs_may_be_empty_or_numbers():
    batch = {"beta": 0.5, "edges": tf.zeros([0, 2]), "none": None}, tf.zeros([3])

    assert with_samples(batch) is batch
    assert with_samples((tf.zeros([0]), "target"))[1] == "target"


def test_a_batch_of_known_length_is_as_it_was():
    batch = tf.zeros([3, 2]), tf.zeros([3])

    assert with_samples(batch) is batch
    with pytest.raises(InvalidArgument, match=r"training: a batch has no sample, so"):
        with_samples((tf.zeros([0, 2]), tf.zeros([0])))


def test_shares_of_16_bits_add_up():
    shares = tf.math.accumulate_n([share_of(tf.constant(1.0, tf.bfloat16), 1 / 512)] * 512)

    assert float(shares) == pytest.approx(1.0)


def test_shares_of_64_bits_are_not_rounded():
    third = tf.constant(1, tf.int32) / tf.constant(3, tf.int32)

    assert float(3 * share_of(tf.constant(1.0, tf.float64), third)) == 1.0


def test_data_of_replicas_is_refused_where_there_is_one():
    class Spread(tf.distribute.DistributedValues):
        """Values of several replicas, of which TensorFlow makes none on one device."""

    with pytest.raises(InvalidArgument, match=r"outside of the scope of the strategy .*Make it"):
        Replicas().run(lambda x: {"loss": x}, ((Spread(),), 1.0))


def test_the_type_is_kept():
    assert share_of(tf.constant(2.0, tf.float64), tf.constant(0.5)).dtype == tf.float64
    assert share_of(tf.constant(value=True), tf.constant(0.5)).dtype == tf.float32
