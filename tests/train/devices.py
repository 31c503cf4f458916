"""Programs on two devices of this machine, as users write them.

Run as a script: ``python -m tests.train.devices``. It imports TensorFlow once, and forks a process
for each program; what they return is printed as one JSON dictionary, by their names.
"""

from __future__ import annotations

import json
import pathlib
import signal
import subprocess
import sys
import tempfile

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from tests.train import killed

X = np.random.default_rng(0).normal(size=[21, 2]).astype("float32")
PROGRAMS = {}


def results():
    """Run all programs; return what each has returned, by name, or what has gone wrong."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        cwd=pathlib.Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def program(function):
    """Note a program."""
    PROGRAMS[function.__name__] = function
    return function


def error(output, target):
    """Return a cost."""
    return tf.reduce_mean((output - target) ** 2)


def data(n=21, size=5):
    """Return samples; the last batch has a single one."""
    return tf.data.Dataset.from_tensor_slices((X[:n], X[:n, :1])).batch(size)


def network(name="out"):
    """Return a network whose first weights are always the same."""
    net = tl.layers.BatchNorm(tl.layers.Input([None, 2]), gamma_init=1.0, name=f"{name}_norm")
    return tl.layers.Dense(net, 1, W_init=0.5, name=name)


def numbers(*networks):
    """Return all weights as one list."""
    return np.concatenate([w.numpy().ravel() for net in networks for w in net.all_weights]).tolist()


def on_one_and_two(train):
    """Return what a program comes to on one device and on two."""
    strategy = killed.devices()
    one = train(lambda data: data)
    with strategy.scope():
        return [one, train(strategy.experimental_distribute_dataset)]


def refused(train):
    """Return the words of the error by which a program is refused."""
    try:
        train()
    except tl.errors.InvalidArgument as found:
        return str(found)
    return None


def trained(make=lambda: tl.optimizers.SGD(0.1), spread=lambda data: data, **options):
    """Train a network in the scope that is open; return its weights."""
    net = network()
    step = tl.train.GradientStep(net, error, make())
    tl.train.run(step, spread(data()), progress=False, **options)
    return numbers(net)


# -- what has to be right


@program
def inputs_in_a_dictionary():
    """Inputs by name and a tuple of targets; more replicas than samples in the last batch."""

    class Sum(tl.models.Model):
        def __init__(self):
            super().__init__()
            self.dense = tl.layers.Dense(n_units=1, in_channels=2, W_init=0.5, name="dense")

        def forward(self, inputs):
            return self.dense(inputs["a"]) + self.dense(inputs["b"])

    def cost(output, target):
        return error(output, target["y"]) + 0.1 * error(output, target["z"])

    def train(spread):
        model = Sum()
        inputs = {"a": X, "b": X[:, ::-1]}, {"y": X[:, :1], "z": X[:, 1:]}
        batches = spread(tf.data.Dataset.from_tensor_slices(inputs).batch(5))
        step = tl.train.GradientStep(model, cost, tl.optimizers.Adam(0.1), accumulate=2)
        epochs = tl.train.run(step, batches, n_epoch=2, progress=False)
        return numbers(model), [each.metrics["loss"] for each in epochs]

    return on_one_and_two(train)


@program
def several_inputs_and_metrics():
    """Two inputs, metrics of one's own, callbacks that stop, and little that is held out."""

    def train(spread):
        a, b = tl.layers.Input([None, 2], name="a"), tl.layers.Input([None, 1], name="b")
        net = tl.layers.Dense(tl.layers.Concat([a, b]), 1, W_init=0.5, name="out")
        net = tl.models.Model(inputs=[a, b], outputs=net)
        triples = tf.data.Dataset.from_tensor_slices((X, X[:, 1:], X[:, :1]))
        metrics = {"largest": lambda output, target: tf.reduce_mean(tf.abs(output - target))}
        step = tl.train.GradientStep(net, error, tl.optimizers.SGD(0.05), metrics=metrics)
        held_out = tl.train.Evaluation(net, metrics, spread(triples.take(1).batch(4)))
        seen = []

        def after(interval):
            seen.append([interval.step, *interval.metrics.values()])
            return interval.step == 12

        epochs = tl.train.run(
            step, spread(triples.batch(5)), n_epoch=5, evaluate=held_out, progress=False,
            callbacks=[tl.train.Every(4, after)],
        )  # fmt: skip
        return numbers(net), seen, [list(each.metrics.values()) for each in epochs]

    return on_one_and_two(train)


@program
def two_networks_by_turns():
    """Two networks, with an optimizer and a cost each, in one step."""

    def train(spread):
        x = tl.layers.Input([None, 2])
        made, judge = (tl.layers.Dense(x, 1, W_init=0.5, name=name) for name in ("made", "judge"))

        def tell(output, target):
            return tf.reduce_mean(tf.nn.softplus(-output) + tf.nn.softplus(output * target))

        first = tl.train.GradientStep(made, error, tl.optimizers.SGD(0.1))
        second = tl.train.GradientStep(judge, tell, tl.optimizers.SGD(0.1))

        def step(x, y):
            return {"made": first(x, y)["loss"], "judge": second(x, y)["loss"]}

        epochs = tl.train.run(step, spread(data()), n_epoch=2, progress=False)
        return numbers(made), numbers(judge), [list(each.metrics.values()) for each in epochs]

    return on_one_and_two(train)


@program
def a_run_that_goes_on():
    """A run in two parts, with its checkpoint."""
    strategy = killed.devices()
    with tempfile.TemporaryDirectory() as folder, strategy.scope():

        def train(place, n_epoch):
            net, optimizer = network(), tl.optimizers.Adam(0.1)
            step = tl.train.GradientStep(net, error, optimizer, clip_norm=0.5)
            values = {"net": net, "optimizer": optimizer}
            tl.train.run(
                step, strategy.experimental_distribute_dataset(data()), n_epoch=n_epoch,
                checkpoint=tl.train.Checkpoint(f"{folder}/{place}", values), progress=False,
            )  # fmt: skip
            return numbers(net)

        train("parts", 1)
        return train("whole", 3), train("parts", 3)


@program
def one_training_after_another():
    """Trainings of different networks by one strategy, one of them scaled."""
    strategy = killed.devices()
    with strategy.scope():
        spread = strategy.experimental_distribute_dataset
        first = trained(spread=spread)
        scaled = trained(lambda: tl.optimizers.LossScaleOptimizer(tl.optimizers.SGD(0.1)), spread)
        return first, scaled


@program
def another_strategy_with_reduction_to_one_device():
    """What the error of two strategies advises."""
    killed.devices()
    found = []
    for _ in range(2):
        strategy = tf.distribute.MirroredStrategy(
            ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
        )
        with strategy.scope():
            found.append(trained(spread=strategy.experimental_distribute_dataset))
            tl.layers.Dense(tl.layers.Input([None, 7]), 3)
    return found


@program
def data_that_nobody_has_spread():
    """A dataset as it is: every replica has the whole batch, and the update is the same."""
    strategy = killed.devices()
    one = trained()
    with strategy.scope():
        return one, trained()


@program
def a_trainer():
    """A Trainer that validates on less than there are replicas, and ends with a single sample."""
    strategy = killed.devices()

    def declared(x, reuse):
        with tl.layers.variable_scope("mlp", reuse=reuse):
            x = tl.layers.InputLayer(x, name="x")
            return tl.layers.DenseLayer(x, 1, W_init=tf.initializers.Ones(), name="out")

    def build(x, y):
        net = declared(x, reuse=False)
        return net, error(net.outputs, y), {"mean": tf.reduce_mean(net.outputs)}

    def build_validation(x, y):
        net = declared(x, reuse=True)
        return net, {"error": error(net.outputs, y)}

    def train(batch_size):
        pairs = tf.data.Dataset.from_tensor_slices((X, X[:, :1]))
        trainer = tl.distributed.Trainer(
            pairs, build, tl.optimizers.SGD, {"learning_rate": 0.1}, batch_size=batch_size,
            scaling_learning_rate=False, validation_dataset=pairs.take(1),
            build_validation_func=build_validation,
        )  # fmt: skip
        trainer.train_and_validate_to_end(1)
        return numbers(trainer.training_network), trainer.validation_metrics["error"]

    one = train(10)
    with strategy.scope():
        return one, train(5)


# -- what is refused


@program
def a_step_from_outside_on_replicas():
    """A step that was made outside of the scope, and runs on replicas."""
    strategy = killed.devices()
    with strategy.scope():
        net, optimizer = network(), tl.optimizers.SGD(0.1)
    step = tl.train.GradientStep(net, error, optimizer)
    before = numbers(net)
    on_replicas = tf.function(lambda batch: strategy.run(step, args=batch))
    batch = next(iter(strategy.experimental_distribute_dataset(data())))
    return refused(lambda: on_replicas(batch)), before == numbers(net)


@program
def a_step_from_outside():
    """A step that was made outside of the scope, and is called within and without."""
    strategy = killed.devices()
    with strategy.scope():
        net, optimizer = network(), tl.optimizers.SGD(0.1)
    step = tl.train.GradientStep(net, error, optimizer)
    apart = tl.train.GradientStep(network(), error, tl.optimizers.SGD(0.1))
    without = refused(lambda: tl.train.run(step, data(), progress=False))
    with strategy.scope():
        within = [
            refused(lambda e=e: tl.train.run(e, data(), progress=False)) for e in (step, apart)
        ]
    return [without, *within]


@program
def two_strategies():
    """Another strategy for another network."""
    strategy = killed.devices()
    with strategy.scope():
        trained(spread=strategy.experimental_distribute_dataset)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        net = tl.layers.Dense(tl.layers.Input([None, 2]), 1)
        step = tl.train.GradientStep(net, error, tl.optimizers.SGD(0.1))
        batches = strategy.experimental_distribute_dataset(data())
        return refused(lambda: tl.train.run(step, batches, progress=False))


@program
def changes_within_a_condition():
    """Options of Keras's optimizers that replicas cannot do."""
    strategy = killed.devices()
    options = {"use_ema": True, "ema_overwrite_frequency": 2}, {"gradient_accumulation_steps": 2}
    spread = strategy.experimental_distribute_dataset
    with strategy.scope():
        return [
            refused(lambda o=option: trained(lambda: tf.optimizers.SGD(0.1, **o), spread))
            for option in options
        ]


@program
def compiled():
    """XLA for two devices."""
    strategy = killed.devices()
    spread = strategy.experimental_distribute_dataset
    with strategy.scope():
        return refused(lambda: trained(spread=spread, jit_compile=True))


@program
def no_sample():
    """A batch that is empty on both devices, and before it one that is on the second."""
    strategy = killed.devices()
    with strategy.scope():
        net = network()
        step = tl.train.GradientStep(net, error, tl.optimizers.SGD(0.1))

        def few(at, x, y):
            return x[: 1 - at], y[: 1 - at]

        pairs = data().take(2).enumerate()
        batches = pairs.map(lambda at, pair: few(tf.cast(at, tf.int32), *pair))
        spread = strategy.experimental_distribute_dataset(batches)
        return refused(lambda: tl.train.run(step, spread, progress=False)), numbers(net)


def main():
    """Run the script."""
    found = {}
    for name, function in PROGRAMS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "result")
            status = killed.forked(limited(function), (), path)
            found[name] = json.loads(path.read_text()) if status == 0 else status
    sys.stdout.write(json.dumps(found))


def limited(function):
    """Return a function that is ended after a minute: nobody waits for ever."""

    def run():
        signal.alarm(60)
        return function()

    return run


if __name__ == "__main__":
    main()
