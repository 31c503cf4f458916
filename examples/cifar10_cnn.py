"""What is in the picture? A convolutional network that sees each picture differently every time.

    python examples/cifar10_cnn.py                  # pieces of ten photographs
    python examples/cifar10_cnn.py --data folder    # CIFAR-10, from folder/cifar-10-batches-py

The network is that of TensorFlow's tutorial on CIFAR-10: two convolutions, here with batch
normalisation, and three dense layers.

1. Pictures are 32 x 32, and the network sees 24 x 24 of them. ``augmented`` draws which part,
   whether it is mirrored, and how bright and contrasty it is; ``tf.data`` calls it meanwhile.
   ``plain`` is for pictures held out: their middle, as it is. ``augmented.png`` shows both.
2. The cost is the cross-entropy and the squares of the hidden dense layers' weights.
3. Each epoch is measured on what was held out, and kept: its numbers and a version of the model.

Without ``--data`` the question is which photograph a piece was cut from. Those to learn from come
from the left three quarters of each photograph, those held out from the rest, which nobody has
seen: the sky beside the rocket, the other half of a cup. Of those, 70 % have to be told right with
``--quick`` and without; chance is 10 %.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import classifying  # noqa: E402
import pictures  # noqa: E402
import record  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
from tqdm import tqdm  # noqa: E402

NAMES = (
    "astronaut", "brick", "cat", "coffee", "grass", "gravel", "hubble_deep_field",
    "immunohistochemistry", "retina", "rocket",
)  # fmt: skip
WHOLE, SIDE, BATCH = 32, 24, 128
N_TEST = 100  # pieces of each photograph that are held out
DECAY = 0.004  # of the squares of weights, as in the tutorial
BAR = 0.7


class Data(NamedTuple):
    """Pictures, (n, 32, 32, 3) of uint8, which take less memory, their classes, and others."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def read(folder: Path | None, n_pieces: int) -> Data:
    """Return CIFAR-10 of a folder, or so many pieces of each photograph and those held out."""
    if folder is not None:
        X, y, X_test, y_test = classifying.loaded(tl.files.load_cifar10_dataset, folder)
        return Data(X.astype("uint8"), y, X_test.astype("uint8"), y_test)
    shipped = (getattr(pictures.skimage(), name)() for name in NAMES)
    wholes, rng = [pictures.in_colours(each) for each in shipped], np.random.default_rng(0)
    ends = [3 * whole.shape[1] // 4 for whole in wholes]
    left = [whole[:, :end] for whole, end in zip(wholes, ends, strict=True)]
    right = [whole[:, end:] for whole, end in zip(wholes, ends, strict=True)]
    return Data(*pieces(left, n_pieces, rng), *pieces(right, N_TEST, rng))


def pieces(
    wholes: list[np.ndarray], n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return so many pieces of each photograph, cut at random, and whose they are."""
    found = []
    for whole in wholes:
        rows, columns = (rng.integers(0, size - WHOLE + 1, n) for size in whole.shape[:2])
        found += [
            whole[row : row + WHOLE, column : column + WHOLE]
            for row, column in zip(rows, columns, strict=True)
        ]
    return np.stack(found), np.repeat(np.arange(len(wholes)), n)


def augmented(picture: tf.Tensor) -> tf.Tensor:
    """Return a part of a picture, as somebody else might have taken it."""
    picture = tf.image.random_crop(tf.cast(picture, tf.float32), [SIDE, SIDE, 3])
    picture = tf.image.random_flip_left_right(picture)
    picture = tf.image.random_brightness(picture, max_delta=63)
    picture = tf.image.random_contrast(picture, lower=0.2, upper=1.8)
    return tf.image.per_image_standardization(picture)


def plain(picture: tf.Tensor) -> tf.Tensor:
    """Return the middle of a picture."""
    picture = tf.image.resize_with_crop_or_pad(tf.cast(picture, tf.float32), SIDE, SIDE)
    return tf.image.per_image_standardization(picture)


def network(n_classes: int) -> tl.models.Model:
    """Declare the network."""

    def normal(stddev: float) -> tl.initializers.Initializer:
        return tl.initializers.TruncatedNormal(stddev=stddev)

    tenth = tl.initializers.Constant(0.1)
    conv = {"filter_size": (5, 5), "W_init": normal(0.05), "b_init": None}
    dense = {"act": "relu", "W_init": normal(0.04), "b_init": tenth}
    x = tl.layers.Input([None, SIDE, SIDE, 3], name="pictures")
    net = tl.layers.Conv2d(x, 64, **conv, name="conv1")
    net = tl.layers.BatchNorm2d(net, act="relu", name="norm1")
    net = tl.layers.MaxPool2d(net, (3, 3), (2, 2), name="pool1")
    net = tl.layers.Conv2d(net, 64, **conv, name="conv2")
    net = tl.layers.BatchNorm2d(net, act="relu", name="norm2")
    net = tl.layers.MaxPool2d(net, (3, 3), (2, 2), name="pool2")
    net = tl.layers.Flatten(net, name="flat")
    net = tl.layers.Dense(net, 384, **dense, name="dense1")
    net = tl.layers.Dense(net, 192, **dense, name="dense2")
    net = tl.layers.Dense(net, n_classes, W_init=normal(1 / 192), name="logits")
    return tl.models.Model(x, net, name="cifar10")


class Training:
    """The network, what trains it, and its step."""

    def __init__(self, n_classes: int, n_steps: int) -> None:
        self.model = network(n_classes)
        falling = tf.keras.optimizers.schedules.CosineDecay(0.001, n_steps)
        self.optimizer = tf.optimizers.Adam(falling)
        self.decaying = tl.layers.get_variables_with_name("dense", net=self.model)
        self.metrics = {"accuracy": classifying.accuracy}
        self.step = tl.train.GradientStep(
            self.model, self.cost, self.optimizer, metrics=self.metrics
        )

    def cost(self, logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
        """Return the cross-entropy and the squares of the weights that decay, not of biases."""
        squares = tf.add_n([tf.nn.l2_loss(each) for each in self.decaying if each.shape.rank > 1])
        return tl.cost.cross_entropy(logits, classes) + DECAY * squares


def batches(data: Data, seed: int) -> tf.data.Dataset:
    """Return what to train with: other parts of the pictures, in another order, in each pass."""
    whole = tf.data.Dataset.from_tensor_slices((data.X_train, data.y_train))
    whole = whole.shuffle(len(data.X_train), seed=seed)
    drawn = whole.map(lambda picture, label: (augmented(picture), label), tf.data.AUTOTUNE)
    return drawn.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def train(training: Training, data: Data, n_epoch: int, run: record.Record, seed: int) -> float:
    """Train, and return the share of the pictures held out that are told right."""
    held_out = tf.data.Dataset.from_tensor_slices((data.X_test, data.y_test))
    held_out = held_out.map(lambda picture, label: (plain(picture), label)).batch(500)

    def after_epoch(epoch: tl.train.Epoch) -> None:
        shown = ", ".join(f"{name} {value:.3f}" for name, value in epoch.metrics.items())
        tqdm.write(f"epoch {epoch.number}: {shown}")
        run.log(epoch.metrics, epoch.number)
        run.save(training.model, epoch.number)

    saved = run.checkpoint({"model": training.model, "optimizer": training.optimizer})
    epochs = tl.train.run(
        training.step, batches(data, seed), n_epoch=n_epoch, callbacks=[after_epoch],
        evaluate=tl.train.Evaluation(training.model, training.metrics, held_out), checkpoint=saved,
    )  # fmt: skip
    return epochs[-1].metrics["val_accuracy"]


def draw(data: Data, path: str) -> None:
    """Write ten pictures: the middle of each, and seven times what the network may see of it."""
    chosen = np.linspace(0, len(data.X_train) - 1, 10).astype(int)
    rows = [[plain(each), *(augmented(each) for _ in range(7))] for each in data.X_train[chosen]]
    flat = np.array(rows).reshape(-1, SIDE, SIDE, 3)
    tl.visualize.save_images(np.clip(flat / 6 + 0.5, 0, 1), [10, 8], path)  # 3 spreads either way


@arguments.program
def main() -> None:
    """Train, and measure on what was held out."""
    parser = arguments.parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder of CIFAR-10; it is downloaded to it")
    number = arguments.positive
    parser.add_argument("--epochs", type=number, default=25, help="passes over the pictures")
    parser.add_argument("--pieces", type=number, default=400, help="of each photograph")
    record.add_options(parser, "cifar10")
    options = arguments.parse(parser, quick={"epochs": 10, "pieces": 200}, takes="a minute")

    started = time.perf_counter()
    tf.keras.utils.set_random_seed(options.seed)
    data = read(options.data, options.pieces)
    if len(data.X_train) < BATCH:
        more = f"more in {options.data}" if options.data else "more --pieces"
        raise SystemExit(f"{len(data.X_train)} pictures are no batch of {BATCH}: {more}")
    with record.Record(options, "cifar10") as run:
        draw(data, run.picture("augmented.png"))
        n_steps = options.epochs * (len(data.X_train) // BATCH)
        training = Training(int(data.y_train.max()) + 1, n_steps)
        reached = train(training, data, options.epochs, run, options.seed)
    print(f"{reached:.1%} of {len(data.X_test):,} pictures held out are told right")
    print(f"{time.perf_counter() - started:.0f} s")
    if not options.data and reached < BAR:
        raise SystemExit(f"it should be {BAR:.0%} at least")


if __name__ == "__main__":
    main()
