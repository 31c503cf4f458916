"""One network, trained by several processes together: each takes its share of every batch.

    python examples/multi_worker.py                        # two workers on this machine
    python examples/multi_worker.py --workers 3 --kill     # one is killed on the way

A worker is told by the variable ``TF_CONFIG`` where the others are and which of them it is, and
everything else follows: ``tf.distribute`` copies the weights and adds up gradients over the
network, ``tl.train.run`` gives each worker its share of every batch, and the first one, the chief,
writes the checkpoint. The update is that of the whole batch, so the result is that of one process.

Started without ``TF_CONFIG``, the program is a supervisor: it starts the workers, and when one of
them ends too early it ends the others, which have nobody to add up with, and starts all again. They
go on at the last checkpoint. On a cluster it is the scheduler that does so: start this very file on
every machine, with ``TF_CONFIG`` (https://www.tensorflow.org/guide/distributed_training) and
``--out`` in a folder that all can read.

Of the digits held out, 95 % have to be read.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import record  # noqa: E402

import tensorlayer as tl  # noqa: E402

BATCH, BAR = 60, 0.95


def train(options: argparse.Namespace) -> None:
    """Be one of the workers."""
    import classifying
    import handwritten
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()  # before TensorFlow computes anything
    tf.keras.utils.set_random_seed(options.seed)  # all begin with the same
    learned, held_out = handwritten.read(options.data)
    batches, test = (
        tf.data.Dataset.from_tensor_slices(tuple(each)) for each in (learned, held_out)
    )
    batches = batches.shuffle(len(learned.labels), seed=options.seed).batch(BATCH)

    with strategy.scope():
        x = tl.layers.Input([None, *learned.images.shape[1:]], name="pixels")
        net = tl.layers.Conv2d(x, 16, (3, 3), act="relu", name="conv")
        net = tl.layers.MaxPool2d(net, name="pool")
        net = tl.layers.Dense(tl.layers.Flatten(net, name="flat"), 10, name="logits")
        optimizer = tl.optimizers.Adam(0.003)
        step = tl.train.GradientStep(net, tl.cost.cross_entropy, optimizer)
        accuracy = tl.train.Evaluation(net, {"accuracy": classifying.accuracy}, test.batch(BATCH))
        saved = tl.train.Checkpoint(
            options.out / "checkpoint", {"net": net, "optimizer": optimizer}
        )
        is_chief = tl.train.Workers().is_chief

        def after_epoch(epoch: tl.train.Epoch) -> None:
            if is_chief:
                with tl.files.whole_file(options.out / "epoch") as file:
                    file.write_text(str(epoch.number))
                found = ", ".join(f"{name} {value:.4f}" for name, value in epoch.metrics.items())
                print(f"epoch {epoch.number}: {found}", flush=True)

        epochs = tl.train.run(
            step,
            batches,
            n_epoch=options.epochs,
            evaluate=accuracy,
            callbacks=[after_epoch],
            checkpoint=saved,
            progress=False,
        )
    reached = epochs[-1].metrics["val_accuracy"]
    if is_chief:
        print(f"{reached:.1%} of {len(held_out.labels):,} digits held out are read", flush=True)
    if is_chief and not options.data and reached < BAR:
        raise SystemExit(f"it should be {BAR:.0%} at least")


def addresses(n: int) -> list[str]:
    """Return addresses on this machine that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    found = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return found


@contextlib.contextmanager
def started(n: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start so many workers, with the options of this program; none outlives the block."""
    workers, found = addresses(n), []
    try:
        with tl.train.signals.Postponed():  # one that has begun is in the list before a signal acts
            for index in range(n):
                task = {"type": "worker", "index": index}
                config = json.dumps({"cluster": {"worker": workers}, "task": task})
                environment = {**os.environ, "TF_CONFIG": config}
                found.append(subprocess.Popen([sys.executable, *sys.argv], env=environment))
        yield found
    finally:
        for each in found:
            each.kill()
        for each in found:
            each.wait()


def supervise(options: argparse.Namespace) -> None:
    """Start workers until all of them have come to the end."""
    kill, before = options.kill, -1
    if done := _epoch(options.out):
        print(f"on after epoch {done}; to begin anew, remove {options.out}", flush=True)
    while before < _epoch(options.out):  # else they would end at once, again and again
        before = _epoch(options.out)
        with started(options.workers) as begun:
            while all(each.poll() is None for each in begun):
                if kill and _epoch(options.out) >= max(before + 1, options.epochs // 2):
                    print("the last worker is killed now", flush=True)
                    begun[-1].kill()
                    kill = False
                time.sleep(0.2)
            if _epoch(options.out) >= options.epochs:  # the chief says what was reached, and ends
                with contextlib.suppress(subprocess.TimeoutExpired):
                    begun[0].wait(timeout=30)
            if begun[0].poll() == 0:  # whatever others come to while they end
                return
        failed = max(each.returncode for each in begun) > 0
        if failed and _epoch(options.out) >= options.epochs:
            sys.exit(1)  # it has said why: what was reached is too little
        print("a worker has ended too early: all are started again", flush=True)
    raise SystemExit("workers have ended before the end of an epoch; what they say is above")


def _epoch(folder: Path) -> int:
    try:
        return int((folder / "epoch").read_text() or 0)
    except FileNotFoundError:
        return 0


@arguments.program
def main() -> None:
    """Train, or look after those that do."""
    parser = arguments.parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder of MNIST; files are downloaded to it")
    parser.add_argument("--workers", type=arguments.positive, default=2, help="processes")
    parser.add_argument("--epochs", type=arguments.positive, default=40, help="passes")
    parser.add_argument("--kill", action="store_true", help="kill a worker half-way")
    arguments.add_seed(parser, "of weights and order")
    parser.add_argument(
        "--out",
        type=arguments.folder_to_write,
        default="multi_worker",
        help="the folder of the run",
    )
    options = arguments.parse(parser, quick={"epochs": 15}, takes="half a minute; checked")
    if "TF_CONFIG" in os.environ:
        train(options)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended, and so are the workers"))
    with record.alone(options.out):
        supervise(options)


if __name__ == "__main__":
    main()
