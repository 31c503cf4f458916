"""Training in real processes that are killed, interrupted, or have two devices.

Run as a script: ``python -m tests.train.killed name argument ...``. It imports TensorFlow once and
forks a process for each argument, one after the other, since a fork costs milliseconds and the
import seconds. The function of that name in this file is called with the argument; what it returns,
or else the signal (negative) or exit code of the process, is printed as one JSON list.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import numpy as np
import tensorflow as tf

import tensorlayer as tl

N_EPOCH, N_BATCHES = 3, 5


def run(name, *arguments, patience=110):
    """Run this script for so many seconds at most; return a list of results."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, name, *map(json.dumps, arguments)],
        cwd=pathlib.Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def samples(seed=0):
    """Return the samples of an epoch in batches, as a list."""
    x = np.random.default_rng(seed).normal(size=(N_BATCHES, 4, 2)).astype("float32")
    return [(batch, batch[:, :1]) for batch in x]


def data_of(kind):
    """Return data whose state TensorFlow saves, or one of those that are passed over again."""
    arrays = [np.concatenate(each) for each in zip(*samples(), strict=True)]
    tensors = tf.data.Dataset.from_tensor_slices(tuple(arrays))
    spec = (tf.TensorSpec([4, 2]), tf.TensorSpec([4, 1]))
    return {
        "shuffled": lambda: tensors.shuffle(20, seed=3).batch(4).prefetch(2),
        "accumulated": lambda: tensors.shuffle(20, seed=3).batch(4),
        "stateful": lambda: tf.data.Dataset.from_generator(samples, output_signature=spec).shuffle(
            5, seed=3
        ),
        "list": lambda: samples,  # a function of the epoch's number
        "distributed": lambda: tf.distribute.get_strategy().experimental_distribute_dataset(
            tensors.shuffle(20, seed=3).batch(4)
        ),
    }[kind]()


class Network:
    """A network, an optimizer and random numbers, trained together."""

    def __init__(self, optimizer="Adam"):
        shape = tl.layers.Dense(tl.layers.Input([None, 2]), 3, act="tanh", name="hidden")
        self.net = tl.layers.Dense(shape, 1, name="out")
        for index, weights in enumerate(self.net.all_weights):
            weights.assign(np.random.default_rng(index).normal(size=weights.shape))
        library = tl.optimizers if optimizer == "AMSGrad" else tf.optimizers
        self.optimizer = getattr(library, optimizer)(0.1)
        self.random = tf.random.Generator.from_seed(5)

    def step(self, x, y, scale=1.0):
        """Train on a batch."""
        with tf.GradientTape() as tape:
            loss = tl.cost.mean_squared_error(self.net(x, is_train=True), y) * scale
        weights = self.net.trainable_weights
        gradients = tape.gradient(loss, weights)
        self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return loss / scale

    def noisy_step(self, x, y):
        """Train on a batch and random numbers."""
        return self.step(x + self.random.normal(tf.shape(x), stddev=0.1), y)

    def weights(self):
        """Return all weights as one list."""
        return np.concatenate([w.numpy().ravel() for w in self.net.all_weights]).tolist()


def devices():
    """Return a strategy for two devices of this machine."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def train(folder, kind="shuffled", number=None, at=0, every=2):
    """Train; get a signal in the middle of a step of this process."""
    strategy = devices() if kind == "distributed" else tf.distribute.get_strategy()
    with strategy.scope():
        network = Network()
        data = data_of(kind)
    calls = 0

    def call():
        nonlocal calls
        calls += 1
        if calls == at:
            os.kill(os.getpid(), number)

    parts = tl.train.GradientStep(
        network.net, tl.cost.mean_squared_error, network.optimizer, accumulate=3, clip_norm=0.1
    )

    def step(x, y):
        tf.py_function(call, [], [])
        if kind == "accumulated":
            return parts(x, y)
        if kind != "distributed":
            return network.noisy_step(x, y)
        losses = strategy.run(network.step, args=(x, y))
        return strategy.reduce(tf.distribute.ReduceOp.MEAN, losses, axis=None)

    values = {name: value for name, value in vars(network).items() if name != "random"}
    if kind != "distributed":
        values["random"] = network.random
    saved = folder and tl.train.Checkpoint(folder, values, every=every)
    try:
        epochs = tl.train.run(step, data, n_epoch=N_EPOCH, checkpoint=saved, progress=False)
    except KeyboardInterrupt:
        return "KeyboardInterrupt"
    losses = [epoch.metrics["loss"] for epoch in epochs]
    steps = [epoch.n_steps for epoch in epochs]
    return {"weights": network.weights(), "losses": losses, "steps": steps, "calls": calls}


def train_on_two_devices(optimizer):
    """Return the weights on one device and on two, and the steps in calls of TensorFlow."""
    strategy = devices()
    alone = Network(optimizer)
    with strategy.scope():
        spread = Network(optimizer)
    data = tf.data.Dataset.from_tensor_slices(np.ones([42, 2], "float32"))
    noise = tf.random.stateless_normal([42, 2], seed=[1, 2])
    data = tf.data.Dataset.zip(data, tf.data.Dataset.from_tensor_slices(noise))
    data = data.map(lambda x, y: (x + y, y[:1])).batch(4)  # the last batch is shorter

    def step(x, y):
        losses = strategy.run(spread.step, args=(x, y, 0.5))
        return strategy.reduce(tf.distribute.ReduceOp.MEAN, losses, axis=None)

    distributed = strategy.experimental_distribute_dataset(data)
    first = tl.train.run(alone.step, data, n_epoch=5, progress=False)
    second = tl.train.run(step, distributed, n_epoch=5, progress=False)
    weights = [alone.weights(), spread.weights()]
    losses = [[epoch.metrics["loss"] for epoch in each] for each in (first, second)]
    running = tl.train.loop.Loop.of(step).begin(distributed)
    calls = []
    while not running.is_over:
        calls.append(running.advance(at_most=100)[0])
    return {"weights": weights, "losses": losses, "calls": calls}


#: Options of a `GradientStep` by name; on two devices each of them is the step of one.
STEPS = {
    "plain": {},
    "scaled": {"is_scaled": True},
    "clipped": {"clip_norm": 0.05},
    "accumulated": {"accumulate": 3},
    "all": {"accumulate": 2, "clip_norm": 0.05, "is_scaled": True},
}


class Words:
    """A table of words, averaged, and a network on it."""

    def __init__(self, *, is_scaled=False, **options):
        x = tl.layers.Embedding(tl.layers.Input([None, 3], "int64"), 12, 4, name="words")
        x = tl.layers.Lambda(x, lambda x: tf.reduce_mean(x, 1))
        self.net = tl.layers.Dense(x, 1, name="out")
        for index, weights in enumerate(self.net.all_weights):
            weights.assign(np.random.default_rng(index).normal(size=weights.shape))
        self.optimizer = tl.optimizers.Adagrad(0.1)
        if is_scaled:
            self.optimizer = tl.optimizers.LossScaleOptimizer(self.optimizer, initial_scale=64.0)
        cost = tl.cost.mean_squared_error
        metrics = {"largest": lambda output, target: tf.reduce_mean(tf.abs(target))}
        self.step = tl.train.GradientStep(
            self.net, cost, self.optimizer, metrics=metrics, **options
        )
        self.measures = {"loss": cost}

    def train(self, spread=lambda data: data, *, n):
        """Train for three epochs; return weights, losses and what is measured afterwards."""
        random = np.random.default_rng(7)
        arrays = random.integers(0, 12, [n, 3]), random.normal(size=[n, 1]).astype("float32")
        data = spread(tf.data.Dataset.from_tensor_slices(arrays).batch(4))  # the last has 1
        held_out = tl.train.Evaluation(self.net, self.measures, data)
        epochs = tl.train.run(self.step, data, n_epoch=3, evaluate=held_out, progress=False)
        weights = np.concatenate([w.numpy().ravel() for w in self.net.all_weights]).tolist()
        return weights, [list(epoch.metrics.values()) for epoch in epochs]


def step_on_two_devices(name, n):
    """Return weights and metrics on one device and on two."""
    strategy = devices()
    one = Words(**STEPS[name]).train(n=n)
    with strategy.scope():
        words = Words(**STEPS[name])
        two = words.train(strategy.experimental_distribute_dataset, n=n)
    return dict(zip(("weights", "losses"), zip(one, two, strict=True), strict=True))


def normalised_on_two_devices():
    """Return weights and moving averages of one device and of two; all parts are alike."""
    strategy = devices()
    x = np.tile(np.array([[1.0, 2.0], [3.0, -1.0]], "float32"), [4, 1])
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(8)

    def train(data):
        net = tl.layers.BatchNorm(tl.layers.Input([None, 2]), gamma_init=1.0, name="norm")
        net = tl.layers.Dense(net, 1, W_init=0.5, name="out")
        optimizer = tl.optimizers.SGD(0.1)
        step = tl.train.GradientStep(net, tl.cost.mean_squared_error, optimizer, accumulate=2)
        tl.train.run(step, data, n_epoch=3, progress=False)
        return np.concatenate([w.numpy().ravel() for w in net.all_weights]).tolist()

    one = train(data)
    with strategy.scope():
        return one, train(strategy.experimental_distribute_dataset(data))


def overflow_on_one_device():
    """Return weights before and after an update that is not finite on the second device only."""
    strategy = devices()
    with strategy.scope():
        words = Words(is_scaled=True)
        before = np.concatenate([w.numpy().ravel() for w in words.net.all_weights]).tolist()

        def data(*targets):
            given = np.ones([4, 3], "int64"), np.array(targets, "float32")[:, None]
            pairs = tf.data.Dataset.from_tensor_slices(given).batch(4)
            return strategy.experimental_distribute_dataset(pairs)

        def weights():
            return np.concatenate([w.numpy().ravel() for w in words.net.all_weights]).tolist()

        tl.train.run(words.step, data(1, 1, 1, np.inf), progress=False)
        after = weights()
        scale = words.optimizer.dynamic_scale.value
        scales = [float(each) for each in strategy.experimental_local_results(scale)]
        tl.train.run(words.step, data(1, 1, 1, 1), progress=False)
        return {"before": before, "after": after, "scales": scales, "finally": weights()}


def grow(n_runs):
    """Return by how many MB the process grows in so many short runs of one step."""
    network = Network()
    data = tf.data.Dataset.from_tensor_slices(samples()[0]).batch(2)

    def train(times):
        for _ in range(times):
            tl.train.run(network.step, data, progress=False)
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

    before = train(10)
    return train(n_runs) - before


def train_until_saved(folder, *arguments):
    """Train, and be killed from outside so many milliseconds after the first checkpoint."""
    *arguments, milliseconds = arguments
    state = pathlib.Path(folder, "checkpoint")
    before = state.read_bytes() if state.exists() else None
    pid = os.fork()
    if not pid:
        train(folder, *arguments)
        os._exit(0)
    while (state.read_bytes() if state.exists() else None) == before:
        time.sleep(0.0005)
    time.sleep(milliseconds / 1000)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forked(function, arguments, path):
    pid = os.fork()
    if not pid:
        try:
            path.write_text(json.dumps(function(*arguments)))
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the exit code and the traceback tell
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(name, *lines):
    """Run the script."""
    results = []
    for line in lines:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "result")
            status = forked(globals()[name], json.loads(line), path)
            results.append(json.loads(path.read_text()) if status == 0 else status)
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
