"""Handwritten digits from end to end: a dataset, a network, a task, versions, predictions.

    python examples/quickstart.py

1. The digits of scikit-learn go into a dataset in MongoDB.
2. ``train`` is submitted as a task. An agent, which is a process of its own, streams the training
   split into a small convolutional network, logs the metrics and publishes a version after every
   epoch. If it is killed, another attempt goes on after the latest version.
3. ``predict`` is submitted as a second task, to a fresh process: it finds the best version by its
   validation accuracy, loads it, and stores its predictions of the test split as a dataset.
4. This script prints a table and writes the learning curves to ``quickstart.png``.

Nothing has to be configured: without a URI, ``tl.connect()`` starts or joins a private MongoDB
server. Run it again to see versions added; kill any of the processes to see it go on.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
from pathlib import Path

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()  # no start-up messages; with TF_CPP_MIN_LOG_LEVEL=0 they are there

KEY = "digits"
PREDICTIONS = "digits-predictions"


def network() -> tl.models.Model:
    """Declare the network: named layers, stacked."""
    x = tl.layers.Input([None, 8, 8, 1], name="images")
    net = tl.layers.Conv2d(x, 32, (3, 3), act="relu", name="conv1")
    net = tl.layers.Conv2d(net, 64, (3, 3), act="relu", name="conv2")
    net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), name="pool")
    net = tl.layers.Flatten(net, name="flat")
    net = tl.layers.Dropout(net, keep=0.6, name="drop")
    net = tl.layers.Dense(net, n_units=10, name="logits")
    return tl.models.Model(x, net, name="digits-cnn")


@tl.workflow.task
def train(n_epoch: int, seed: int) -> int:
    """Train on the training split; the metrics and a version after every epoch."""
    import tensorflow as tf

    tf.random.set_seed(seed)
    task = tl.workflow.current()
    digits = task.hub.datasets[KEY]
    data = digits.where(split="train").to_tf(batch_size=32, shuffle=True, seed=seed)
    valid_images, valid_labels = digits.where(split="valid").arrays()

    latest = task.hub.models.latest_checkpoint(KEY)  # of an attempt before this one
    model = network() if latest is None else task.hub.models.load(KEY, latest)
    n_before = 0 if latest is None else latest.step
    optimizer = tf.optimizers.Adam(0.002)

    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = tl.cost.cross_entropy(model(images, is_train=True), labels)
        gradients = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        return {"loss": loss}

    def after_epoch(epoch: tl.train.Epoch) -> None:
        accuracy = tl.utils.test(model, correct, valid_images, valid_labels)
        metrics = {"loss": epoch.metrics["loss"], "valid_accuracy": accuracy}
        task.hub.models.log(KEY, metrics, step=epoch.number)
        task.hub.flush()  # so that each version has its metrics, also after a kill
        task.hub.models.checkpoint(KEY, model, step=epoch.number)
        task.progress(epoch.number / n_epoch, f"epoch {epoch.number}, accuracy {accuracy:.3f}")

    tl.train.run(
        step, data, n_epoch=n_epoch - n_before, first_epoch=n_before + 1, callbacks=[after_epoch],
        progress=False,
    )  # fmt: skip
    return n_epoch


@tl.workflow.task
def predict() -> dict[str, float | int]:
    """Load the best version, and store its predictions of the test split."""
    hub = tl.workflow.current().hub
    best = hub.models.best(KEY, "valid_accuracy")
    model = hub.models.load(KEY, best.number)
    test = hub.datasets[KEY].where(split="test")
    predictions = hub.datasets.create(PREDICTIONS)
    right = total = 0
    for batch in test.batches(batch_size=100):
        found = tl.utils.predict(model, batch.samples).argmax(axis=1)
        predictions.append(
            found,
            batch.labels,
            tags={"version": best.number},
            keys=[f"v{best.number}-{key}" for key in batch.keys],
        )
        right += int(np.sum(found == batch.labels))
        total += len(found)
    return {"version": best.number, "accuracy": right / total}


def correct(logits, labels):
    """Return the share of logits whose largest value is that of the label."""
    import tensorflow as tf

    return tf.reduce_mean(tf.cast(tf.argmax(logits, 1) == tf.cast(labels, tf.int64), tf.float32))


def store_digits(hub: tl.hub.Hub) -> None:
    """Append the digits; what is there already stays as it is."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.images[..., None] / 16.0).astype("float32")
    order = np.random.default_rng(0).permutation(len(images))
    splits = np.array(["train", "valid", "test"])[np.searchsorted([0.6, 0.8], order / len(order))]
    dataset = hub.datasets.create(KEY, indexes=["split"])
    dataset.append(
        images,
        digits.target.astype("int64"),
        tags=[{"split": str(split)} for split in splits],
        keys=[f"digit-{index:04}" for index in range(len(images))],
    )


def show(hub: tl.hub.Hub, best: int, accuracy: float, seconds: float) -> None:
    """Print the newest versions and the result."""
    from rich.console import Console
    from rich.table import Table

    metrics = {}
    for event in hub.models.events(KEY):
        metrics[event.run, event.step, event.name] = event.value
    table = Table("version", "epoch", "loss", "validation accuracy", "")
    for version in hub.models.list(KEY)[-8:]:
        place = version.run, version.step
        values = [metrics.get((*place, name), np.nan) for name in ("loss", "valid_accuracy")]
        mark = "best" if version.number == best else ""
        table.add_row(
            str(version.number), str(version.step), *(f"{value:.4f}" for value in values), mark
        )
    console = Console()
    console.print(table)
    console.print(f"version {best}: test accuracy {accuracy:.2%}, {seconds:.0f} s")


def plot(hub: tl.hub.Hub, run: str, path: Path) -> None:
    """Write the curves of one run."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    events = [event for event in hub.models.events(KEY) if event.run == run]
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for axis, name in zip(axes, ("loss", "valid_accuracy"), strict=True):
        points = sorted((event.step, event.value) for event in events if event.name == name)
        axis.plot(*zip(*points, strict=True), marker="o")
        axis.set(title=name.replace("_", " "), xlabel="epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--uri", help="MongoDB replica set; without it a private server")
    parser.add_argument("--epochs", type=int, default=12, help="passes over the training split")
    parser.add_argument("--seed", type=int, default=0, help="of weights, dropout and order")
    parser.add_argument("--png", type=Path, default="quickstart.png", help="where the curves go")
    options = parser.parse_args()
    for name, least in (("epochs", 1), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name} {getattr(options, name)}: it has to be {least} at least")
    for name in ("matplotlib", "sklearn"):
        if importlib.util.find_spec(name) is None:
            parser.error(f"{name} is missing: pip install 'tensorlayer[examples]'")
    if options.png.suffix.lower() != ".png" or options.png.is_dir():
        parser.error(f"--png {options.png}: give the name of a file that ends with .png")
    options.png.parent.mkdir(parents=True, exist_ok=True)  # after the training is too late
    if not os.access(options.png.parent, os.W_OK):
        parser.error(f"--png {options.png}: its folder cannot be written to")

    started = time.perf_counter()
    try:
        connected = tl.connect(options.uri, project="quickstart")
    except (tl.errors.StoreError, tl.errors.InvalidArgument) as error:
        raise SystemExit(str(error)) from error
    with connected as hub:
        store_digits(hub)
        print(f"{len(hub.datasets[KEY])} digits in {hub}")
        with hub.workflow.agent(imports=[__file__]):
            training = hub.workflow.submit(
                train, options.epochs, options.seed, input=KEY, model=KEY, rerun=True
            )
            training.wait()
        with hub.workflow.agent(imports=[__file__]):  # a fresh process
            prediction = hub.workflow.submit(
                predict, input=KEY, model=KEY, output=PREDICTIONS, rerun=True
            )
            result = prediction.wait()
        show(hub, result["version"], result["accuracy"], time.perf_counter() - started)
        plot(hub, training.id, options.png)
        stored = hub.datasets[PREDICTIONS].where(version=result["version"])
        print(f"{len(stored)} predictions of version {result['version']} in {PREDICTIONS!r}")
        print(f"curves in {options.png}")
    if result["accuracy"] < 0.96:
        raise SystemExit(f"test accuracy {result['accuracy']:.2%} is below 96 %")


if __name__ == "__main__":
    main()
