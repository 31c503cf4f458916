"""Training by several processes that talk to each other over the network of this machine.

Run as a script in a process of a cluster: ``python -m tests.train.cluster task argument ...``. The
function of that name in this file is called with the arguments, JSON all of them; what it returns
is printed as the last line.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import numpy as np
import tensorflow as tf

import tensorlayer as tl

N_EPOCH, N_SAMPLES, BATCH = 3, 42, 8


def free_ports(n):
    """Return ports that nobody listens on; all are held until the last one is found."""
    sockets = [socket.socket() for _ in range(n)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(n, task, *arguments, per_worker=None):
    """Start the task on so many workers; return the processes, the chief first."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(n)]
    started = []
    for index in range(n):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        own = [*arguments, *((per_worker or {}).get(index, ()))]
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", __name__, task, *map(json.dumps, own)],
                cwd=pathlib.Path(__file__).parents[2],
                env={**os.environ, "TF_CONFIG": json.dumps(config), "TF_CPP_MIN_LOG_LEVEL": "2"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return started


def start_servers(n_workers, *arguments, kills=False):
    """Start a parameter server, workers, and the coordinator, who may kill the last worker."""
    ports = free_ports(n_workers + 2)
    workers = [f"127.0.0.1:{port}" for port in ports[2:]]
    cluster = {"ps": [f"127.0.0.1:{ports[1]}"], "worker": workers}
    cluster["chief"] = [f"127.0.0.1:{ports[0]}"]

    def process(kind, index, name, *given):
        config = json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})
        return subprocess.Popen(
            [sys.executable, "-m", __name__, name, *map(json.dumps, given)],
            cwd=pathlib.Path(__file__).parents[2],
            env={**os.environ, "TF_CONFIG": config, "TF_CPP_MIN_LOG_LEVEL": "2"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    server = process("ps", 0, "serve")
    others = [process("worker", index, "serve") for index in range(n_workers)]
    pid = [others[-1].pid] if kills else []
    return server, others, process("chief", 0, "coordinate", *arguments, *pid)


def ended(started, timeout=200):
    """Wait for all; return what each printed last, or else its exit code."""
    found = []
    for process in started:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            for each in started:
                each.kill()
            raise
        lines = out.strip().splitlines()
        if process.returncode == 0 and not lines:
            raise AssertionError(err)
        sys.stderr.write(err[-3000:])  # which a failing test shows
        found.append(json.loads(lines[-1]) if process.returncode == 0 else process.returncode)
    return found


def dataset():
    """Return samples whose order is another one in each epoch; the last batch is short."""
    x = np.random.default_rng(0).normal(size=[N_SAMPLES, 2]).astype("float32")
    tensors = tf.data.Dataset.from_tensor_slices((x, x[:, :1] - 0.5 * x[:, 1:]))
    return tensors.shuffle(N_SAMPLES, seed=3).batch(BATCH)


def network():
    """Return a small network whose first values are always the same."""
    net = tl.layers.Dense(tl.layers.Input([None, 2]), 5, act="tanh", name="hidden")
    net = tl.layers.Dense(net, 1, name="out")
    for index, weights in enumerate(net.all_weights):
        weights.assign(np.random.default_rng(index).normal(size=weights.shape))
    return net


def trained(folder=None, callbacks=(), every=2, n_epoch=N_EPOCH):
    """Train in the scope that is open; return all there is to compare."""
    net, optimizer, n_traces = network(), tl.optimizers.Adam(0.05), 0

    def cost(output, target):
        nonlocal n_traces
        n_traces += 1
        return tl.cost.mean_squared_error(output, target)

    step = tl.train.GradientStep(net, cost, optimizer, clip_norm=0.5)
    held_out = tl.train.Evaluation(net, {"loss": cost}, dataset())
    values = {"net": net, "optimizer": optimizer}
    saved = tl.train.Checkpoint(folder, values, every=every) if folder else None
    epochs = tl.train.run(
        step,
        dataset(),
        n_epoch=n_epoch,
        evaluate=held_out,
        callbacks=list(callbacks),
        checkpoint=saved,
        progress=False,
    )
    weights = np.concatenate([each.numpy().ravel() for each in net.all_weights])
    metrics = [list(epoch.metrics.values()) for epoch in epochs]
    return {
        "weights": weights.tolist(),
        "metrics": metrics,
        "n_steps": [epoch.n_steps for epoch in epochs],
        "n_traces": n_traces,
    }


def train(folder=None, number=None, at=0, ends_at=0):
    """Train on all workers; perhaps get a signal, or end, after so many steps of the run."""
    with tf.distribute.MultiWorkerMirroredStrategy().scope():

        def after_step(interval):
            if interval.step == at:
                os.kill(os.getpid(), number)
            return interval.step == ends_at

        return trained(folder, [tl.train.Every(1, after_step)])


def unlike():
    """Try to train with callbacks on the chief alone; return what it says."""
    with tf.distribute.MultiWorkerMirroredStrategy().scope():
        callbacks = [lambda epoch: None] if tl.train.Workers().is_chief else []
        try:
            trained(None, callbacks)
        except tl.errors.InvalidArgument as error:
            return str(error)
    return None


def misfits():
    """Try what workers cannot do together, and what they can; return what each comes to."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    found, (x, y) = {}, (each.numpy() for each in next(iter(dataset())))
    index = strategy.cluster_resolver.task_id

    def attempt(name, data, n_epoch=1, held_out=None):
        net, cost = network(), tl.cost.mean_squared_error
        step = tl.train.GradientStep(net, cost, tl.optimizers.SGD(0.1))
        try:
            measured = held_out and tl.train.Evaluation(net, {"cost": cost}, held_out)
            epochs = tl.train.run(step, data, n_epoch=n_epoch, evaluate=measured, progress=False)
            found[name] = [epochs[-1].n_steps, *epochs[-1].metrics.values()]
        except tl.errors.InvalidArgument as error:
            found[name] = str(error)

    def pairs(*lengths):
        return [(x[:n], y[:n]) for n in lengths]

    with strategy.scope():
        attempt("amounts", dataset().take(2 + index))
        attempt("amounts of every epoch", lambda epoch: dataset().take(2 + index))
        attempt("of something else", dataset().map(lambda x, y: (x, y[:, index:])))
        attempt("held out", dataset(), held_out=dataset().take(1 + index))
        attempt("epochs", dataset(), n_epoch=1 + index)
        attempt("lists", pairs(*[3] * (2 + index)))
        attempt("an empty list", pairs(*[3] * index))
        attempt("lists alike", pairs(4, 2), held_out=pairs(1))
        attempt("generators", lambda epoch: (each for each in pairs(*[3] * (2 + index))))
        attempt("unknown", dataset().filter(lambda x, y: True), held_out=dataset().take(1))
        attempt("unknown amounts", dataset().take(2 + 2 * index).filter(lambda x, y: True))
        attempt("a sample", dataset().unbatch().take(1).batch(4), held_out=dataset().take(1))
    return found


def hesitant():
    """Try to train in whichever way is faster; return what it says."""
    with tf.distribute.MultiWorkerMirroredStrategy().scope():
        net = network()
        step = tl.train.GradientStep(net, tl.cost.mean_squared_error, tl.optimizers.SGD(0.1))
        try:
            tl.train.run(step, dataset(), jit_compile="auto", progress=False)
        except tl.errors.InvalidArgument as error:
            return str(error)
    return None


def outside():
    """Try to train outside of the scope; return what it says."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        net = network()
        step = tl.train.GradientStep(net, tl.cost.mean_squared_error, tl.optimizers.SGD(0.1))
    try:
        tl.train.run(step, dataset(), progress=False)
    except tl.errors.InvalidArgument as error:
        return str(error)
    return None


def _trainer():
    """Return what a `Trainer` comes to, whose replicas take 8 samples each; and where it began."""
    x = np.random.default_rng(0).normal(size=[64, 2]).astype("float32")
    y = x[:, :1] - 2 * x[:, 1:]

    def build(x, y):
        net = tl.layers.DenseLayer(tl.layers.InputLayer(x, name="x"), 1, name="out")
        return net, tl.cost.mean_squared_error(net.outputs, y), None

    trainer = tl.distributed.Trainer(
        tf.data.Dataset.from_tensor_slices((x, y)).repeat(20), build,
        tl.optimizers.SGD, {"learning_rate": 0.05}, batch_size=8, log_step_size=100,
    )  # fmt: skip
    weights = trainer.training_network.all_weights
    first = [each.numpy().tolist() for each in weights]
    trainer.train_to_end()
    last = weights[0].numpy().ravel().tolist()
    return {"first": first, "weights": last, "n_steps": trainer.global_step}


def trainer_of_two_workers():
    """Train with a `Trainer` on all workers."""
    with tf.distribute.MultiWorkerMirroredStrategy().scope():
        return _trainer()


def trainer_on_two_devices():
    """Train with a `Trainer` on two devices of this process."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        return _trainer()


def serve():
    """Be a worker or a parameter server until somebody ends this process."""
    found = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    tf.distribute.Server(
        found.cluster_spec(), job_name=found.task_type, task_index=found.task_id, protocol="grpc"
    ).join()


def coordinate(folder, n_epoch, pid=None):
    """Train by parameter servers; perhaps kill a process on the way."""
    found = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    with tf.distribute.ParameterServerStrategy(found).scope():

        def after_step(interval):
            if pid and interval.step == 9:
                os.kill(pid, signal.SIGKILL)

        callbacks = [tl.train.Every(1, after_step)] if pid else []
        return trained(folder, callbacks, every=4, n_epoch=n_epoch)


def alone():
    """Train in this process alone."""
    return trained()


if __name__ == "__main__":
    signal.alarm(200)  # nobody waits for ever
    sys.stdout.write(json.dumps(globals()[sys.argv[1]](*map(json.loads, sys.argv[2:]))))
    sys.stdout.flush()
    os._exit(0)  # the threads of TensorFlow that look after the others may abort while Python ends
