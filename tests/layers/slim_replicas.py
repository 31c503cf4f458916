"""TF-Slim on two replicas, in a process of its own: it raises where something is wrong.

python -m tests.layers.slim_replicas
"""

from __future__ import annotations

import warnings

import numpy as np
import tensorflow as tf
import tf_slim as slim

warnings.simplefilter("ignore")

DECAY = 0.5


def two_devices() -> tf.distribute.MirroredStrategy:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def normed(x: tf.Tensor) -> tf.Tensor:
    with tf.compat.v1.variable_scope("n"):
        return slim.batch_norm(x, decay=DECAY, scale=True, scope="bn")


def decayed(x: tf.Tensor) -> tf.Tensor:
    with slim.arg_scope([slim.fully_connected], weights_regularizer=slim.l2_regularizer(1.0)):
        x = slim.fully_connected(x, 2, normalizer_fn=slim.batch_norm, scope="fc")
    w = tf.compat.v1.get_variable("w", [2], regularizer=half_of_squares)
    u = tf.compat.v1.get_variable("u", [2])
    tf.compat.v1.add_to_collection("regularization_losses", half_of_squares(u))
    return x * w * u


def half_of_squares(variable: tf.Variable) -> tf.Tensor:
    with tf.device("CPU:0"):  # wherever the replica is
        return 0.5 * tf.reduce_sum(variable**2)


def check_statistics(strategy: tf.distribute.MirroredStrategy, shape: list[int]) -> None:
    """Require the mean over both replicas in the statistics, alike on both."""
    from tensorlayer.layers import Input, SlimNetsLayer

    with strategy.scope():
        net = SlimNetsLayer(Input([None, *shape]), slim_layer=normed, name="n")
    values = np.random.default_rng(0).normal(3, 2, size=[2, 8, *shape]).astype("float32")
    mean = net.parameters["n/bn/moving_mean"]
    variance = net.parameters["n/bn/moving_variance"]

    @tf.function
    def step(is_train: bool) -> None:
        def replica() -> tf.Tensor:
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            return net(tf.where(number == 0, values[0], values[1]), is_train=is_train)

        strategy.run(replica)

    step(is_train=False)
    np.testing.assert_array_equal(mean.numpy(), np.zeros(shape[-1]))
    expected = np.zeros(shape[-1])
    axes = tuple(range(1, len(shape) + 1))
    for _ in range(2):
        step(is_train=True)
        expected = DECAY * expected + (1 - DECAY) * values.mean(axes).mean(0)
        for copy in strategy.experimental_local_results(mean):
            np.testing.assert_allclose(copy, expected, rtol=1e-3, atol=1e-4)
    one, other = strategy.experimental_local_results(variance)
    np.testing.assert_array_equal(one, other)
    assert not np.allclose(one, 1.0)


def check_losses(strategy: tf.distribute.MirroredStrategy) -> None:
    """Require that each replica has its own losses, with gradients to its own copies."""
    from tensorlayer.layers import Input, Lambda

    with strategy.scope():
        net = Lambda(Input([None, 3]), decayed, name="f")
        optimizer = tf.optimizers.SGD(0.1)
        optimizer.build(net.trainable_weights)
    ends = ("weights:0", "w:0", "u:0")
    weights = [each for each in net.trainable_weights if each.name.endswith(ends)]
    before = [each.numpy() for each in weights]

    @tf.function
    def step() -> None:
        def replica() -> None:
            with tf.GradientTape() as tape:
                net(tf.ones([2, 3]), is_train=True)
                losses = net.regularization_losses
                assert len(losses) == 3, losses
                total = tf.add_n(losses)
            gradients = tape.gradient(total, weights)
            optimizer.apply_gradients(zip(gradients, weights, strict=True))

        strategy.run(replica)

    step()
    assert len(weights) == 3
    for variable, value in zip(weights, before, strict=True):
        for copy in strategy.experimental_local_results(variable):
            np.testing.assert_allclose(copy, value - 0.1 * 2 * value, rtol=1e-5)  # of two replicas


if __name__ == "__main__":
    STRATEGY = two_devices()
    check_statistics(STRATEGY, [3])
    check_statistics(STRATEGY, [4, 4, 3])
    check_losses(STRATEGY)
