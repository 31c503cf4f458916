"""Every layer on two replicas: ``python -m tests.layers.replicas``.

Prints one JSON list for each layer: its name, and what went wrong or an empty text.
"""

from __future__ import annotations

import faulthandler
import json
import sys
import traceback
from typing import Any

import numpy as np
import tensorflow as tf

import tensorlayer as tl

#: Longer than any layer takes; replicas that wait for each other would wait for ever.
PATIENCE_SECONDS = 30


class Talking(tl.layers.Layer):
    """A layer whose replicas wait for each other in training, as those of Keras's SyncBatchNorm."""

    def build(self, inputs_shape: Any) -> None:
        """Make a scale."""
        self.scale = self._get_weights("scale", inputs_shape[-1:], init=1.0)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Scale, and in training subtract the mean of all replicas."""
        context = tf.distribute.get_replica_context()
        if not self.is_train or context is None:
            return inputs * self.scale
        return inputs * self.scale - context.all_reduce("mean", tf.reduce_mean(inputs, 0))


class TalkingSpec:
    """As in ``specs.py``, of a layer that is none of the library's."""

    name = "Talking"

    def fresh(self) -> TalkingSpec:
        """Return itself."""
        return self

    def network(self) -> tl.layers.Network:
        """Return the layer on an input."""
        return Talking(tl.layers.Input([None, 3]), name="talking")

    def values(self, batch: int, seed: int) -> tf.Tensor:
        """Return random inputs."""
        return tf.random.stateless_normal([batch, 3], [seed, 0])


def check(spec: Any, strategy: tf.distribute.Strategy) -> None:
    """Evaluate and train the layer on both replicas."""
    with strategy.scope():
        net = spec.fresh().network()
        optimizer = tf.keras.optimizers.SGD(0.1)
        optimizer.build(net.trainable_weights)
    before = [variable.numpy() for variable in net.all_params]
    batches = [spec.values(4, seed) for seed in (1, 2)]
    expected = [net(batch, is_train=False) for batch in batches]

    def mine() -> Any:
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        first, second = (tf.nest.flatten(batch) for batch in batches)
        chosen = [tf.where(number == 0, a, b) for a, b in zip(first, second, strict=True)]
        return tf.nest.pack_sequence_as(batches[0], chosen)

    def infer() -> tf.Tensor:
        return net(mine(), is_train=False)

    def train() -> None:
        with tf.GradientTape() as tape:
            outputs = net(mine(), is_train=True)
            # Not all alike: of what was normalised, nothing changes the mean of the squares. The
            # mean: a sum throws weights that are clipped out of the range where they learn.
            parts = tf.reshape(tf.linspace(0.5, 1.5, tf.size(outputs)), tf.shape(outputs))
            loss = tf.reduce_mean(parts * outputs**2)
        gradients = tape.gradient(loss, net.trainable_weights)
        if gradients:
            optimizer.apply_gradients(zip(gradients, net.trainable_weights, strict=True))

    runs = (strategy.run, tf.function(strategy.run, autograph=False))
    for run in runs:
        outputs = strategy.experimental_local_results(run(infer))
        for output, wanted in zip(outputs, expected, strict=True):
            np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=1e-6)
    for run in runs:
        run(train)
        check_copies(net.parameters, before, strategy)
        before = [variable.numpy() for variable in net.all_params]


def check_copies(parameters: dict, before: list, strategy: tf.distribute.Strategy) -> None:
    """Require that both copies of every variable are equal, and have moved."""
    for (name, variable), old in zip(parameters.items(), before, strict=True):
        copies = strategy.experimental_local_results(variable)
        assert len(copies) == 2, f"{name} has {len(copies)} copies"
        np.testing.assert_array_equal(copies[0], copies[1], f"the copies of {name} differ")
        assert not np.array_equal(copies[0], old), f"{name} did not change"


def main() -> None:
    """Check one layer after the other."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    from tests.layers.specs import SPECS  # the list makes variables, which starts TensorFlow

    for spec in (*SPECS, TalkingSpec()):
        faulthandler.dump_traceback_later(PATIENCE_SECONDS, exit=True)
        tf.keras.utils.set_random_seed(0)
        try:
            check(spec, strategy)
            problem = ""
        except Exception:  # noqa: BLE001 - whatever it is, the test of this layer shows it
            problem = traceback.format_exc(limit=-4)
        sys.stdout.write(json.dumps([spec.name, problem]) + "\n")
        sys.stdout.flush()
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
