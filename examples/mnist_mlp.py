"""Which digit is it? The multilayer perceptron with dropout, written in three ways.

    python examples/mnist_mlp.py                      # digits of scikit-learn, 8 x 8
    python examples/mnist_mlp.py --kind subclassed    # the same network, as a class
    python examples/mnist_mlp.py --kind siamese       # are two digits the same?
    python examples/mnist_mlp.py --data folder        # MNIST, 28 x 28: folder/*.gz

``static``
    Layers are stacked on an input, and ``tl.models.Model`` is what lies between the two ends.
``subclassed``
    The constructor makes the layers, and ``forward`` says in Python what is computed.
``siamese``
    One network is applied to two images, and gives each a place: images of the same digit should
    be near each other, others at least 1 apart (Hadsell, Chopra and LeCun, "Dimensionality
    reduction by learning an invariant mapping", 2006). ``Model.as_layer()`` makes it a layer;
    applied twice, its weights are shared. Two images are said to be the same nearer than half.

The first two are trained by ``tl.utils.fit``; the pairs of the third are drawn anew for each epoch,
and go through a step of its own. Every fifth digit is held out: of those 95 % have to be read, and
of pairs of them 96 % told right, where chance is 10 % and 50 %. A picture has the 64 of them that
the network is least sure of.
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
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
from tqdm import tqdm  # noqa: E402

WIDTH, N_CLASSES, BATCH = 800, 10, 50
N_PLACE, MARGIN = 10, 1.0  # numbers of a place, and how far apart different digits should be
BARS = {"static": 0.95, "subclassed": 0.95, "siamese": 0.96}  # for the digits of scikit-learn

Split = tuple[np.ndarray, np.ndarray]


class Judged(NamedTuple):
    """The share that is right, how sure the network is of each, and what it looked at."""

    share: float
    sure: np.ndarray
    images: np.ndarray


class Digits(NamedTuple):
    """Images as rows of numbers from 0 to 1, and which digits they are."""

    train: Split
    valid: Split
    test: Split


def read(folder: Path | None) -> Digits:
    """Return MNIST of a folder, or the digits that scikit-learn ships."""
    if folder is not None:
        parts = classifying.mnist(folder, shape=(-1, 784))
        return Digits(parts[:2], parts[2:4], parts[4:])
    images, labels = pictures.sklearn().load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order].astype("float32") / 16, labels[order]
    ends = [3 * len(images) // 5, 4 * len(images) // 5]
    return Digits(*zip(np.split(images, ends), np.split(labels, ends), strict=True))


def static(n_pixels: int) -> tl.models.Model:
    """Declare the network: named layers, stacked."""
    x = tl.layers.Input([None, n_pixels], name="pixels")
    net = tl.layers.Dropout(x, keep=0.8, name="drop1")
    net = tl.layers.Dense(net, WIDTH, act="relu", name="hidden1")
    net = tl.layers.Dropout(net, keep=0.5, name="drop2")
    net = tl.layers.Dense(net, WIDTH, act="relu", name="hidden2")
    net = tl.layers.Dropout(net, keep=0.5, name="drop3")
    net = tl.layers.Dense(net, N_CLASSES, name="logits")
    return tl.models.Model(x, net, name="mlp")


class Subclassed(tl.models.Model):
    """The same network, computed by a function of one's own."""

    def __init__(self, n_pixels: int) -> None:
        super().__init__(name="mlp")
        self.drop1 = tl.layers.Dropout(keep=0.8)
        self.hidden1 = tl.layers.Dense(WIDTH, act="relu", in_channels=n_pixels)
        self.drop2 = tl.layers.Dropout(keep=0.5)
        self.hidden2 = tl.layers.Dense(WIDTH, act="relu", in_channels=WIDTH)
        self.drop3 = tl.layers.Dropout(keep=0.5)
        self.logits = tl.layers.Dense(N_CLASSES, in_channels=WIDTH)

    def forward(self, x: tf.Tensor) -> tf.Tensor:
        """Return the logits of images."""
        x = self.hidden1(self.drop1(x))
        x = self.hidden2(self.drop2(x))
        return self.logits(self.drop3(x))


def siamese(n_pixels: int) -> tl.models.Model:
    """Declare a network that gives an image a place, and apply it to two images."""
    x = tl.layers.Input([None, n_pixels], name="pixels")
    net = tl.layers.Dense(x, WIDTH, act="relu", name="hidden1")
    net = tl.layers.Dropout(net, keep=0.8, name="drop1")
    net = tl.layers.Dense(net, WIDTH, act="relu", name="hidden2")
    net = tl.layers.Dropout(net, keep=0.8, name="drop2")
    net = tl.layers.Dense(net, N_PLACE, name="place")
    shared = tl.models.Model(x, net, name="shared").as_layer()
    left, right = (tl.layers.Input([None, n_pixels], name=name) for name in ("left", "right"))
    return tl.models.Model([left, right], [shared(left), shared(right)], name="siamese")


def pairs(labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a partner of the same class for each sample, never itself, and one of another."""
    order, n_of = np.argsort(labels, kind="stable"), np.bincount(labels)
    starts = np.cumsum(n_of) - n_of
    place = np.empty_like(order)
    place[order] = np.arange(len(labels)) - np.repeat(starts, n_of)  # among those of the class
    further = rng.integers(1, n_of[labels])
    same = order[starts[labels] + (place + further) % n_of[labels]]
    others = (labels + rng.integers(1, len(n_of), len(labels))) % len(n_of)
    return same, order[starts[others] + rng.integers(n_of[others])]


def paired(images: np.ndarray, labels: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
    """Return images, a partner of each, and whether both are the same; half of the pairs are."""
    same, other = pairs(labels, np.random.default_rng(seed))
    left = np.concatenate([images, images])
    right = np.concatenate([images[same], images[other]])
    return left, right, np.repeat(np.float32([1, 0]), len(images))


def distances(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Return how far places are from each other, (batch)."""
    squares = tf.reduce_sum((left - right) ** 2, axis=1)
    return tf.sqrt(tf.maximum(squares, 1e-12))  # the root has no slope at 0


def contrastive(distance: tf.Tensor, are_same: tf.Tensor) -> tf.Tensor:
    """Return what pulls the same together, and pushes others to the margin."""
    short = tf.maximum(MARGIN - distance, 0.0)
    return tf.reduce_mean(are_same * distance**2 + (1 - are_same) * short**2)


def told_right(distance: tf.Tensor, are_same: tf.Tensor) -> tf.Tensor:
    """Return the share of pairs that are rightly said to be the same, or not."""
    return tf.reduce_mean(tf.cast((distance < MARGIN / 2) == (are_same > 0.5), tf.float32))


def judge_digits(model: tl.models.Model, split: Split) -> Judged:
    """Look at digits; one is sure where a logit is well above all others."""
    logits = tl.utils.predict(model, split[0], batch_size=500)
    best = np.sort(logits)[:, -2:]
    share = float(classifying.accuracy(logits, split[1]))
    return Judged(share, best[:, 1] - best[:, 0], squares(split[0]))


def judge_pairs(model: tl.models.Model, split: Split) -> Judged:
    """Look at pairs of digits; one is sure of those that are very near, or very far."""
    left, right, are_same = paired(*split, seed=0)
    distance = distances(*model([left, right], is_train=False))
    sure = np.abs(distance - MARGIN / 2)
    both = np.concatenate([squares(left), squares(right)], axis=2)
    return Judged(float(told_right(distance, are_same)), sure, both)


def squares(rows: np.ndarray) -> np.ndarray:
    """Return images of as many rows as columns."""
    side = round(rows.shape[1] ** 0.5)
    return rows.reshape(-1, side, side)


def train_classifier(model: tl.models.Model, digits: Digits, n_epoch: int) -> None:
    """Train."""
    tl.utils.fit(
        model,
        train_op=tf.optimizers.Adam(0.001),
        cost=tl.cost.cross_entropy,
        X_train=digits.train[0],
        y_train=digits.train[1],
        acc=classifying.accuracy,
        batch_size=BATCH,
        n_epoch=n_epoch,
        print_freq=max(1, n_epoch // 5),
        X_val=digits.valid[0],
        y_val=digits.valid[1],
        eval_train=False,
    )


def train_siamese(model: tl.models.Model, digits: Digits, n_epoch: int, seed: int) -> None:
    """Train with other pairs in each epoch."""
    optimizer = tf.optimizers.Adam(0.001)

    def batches(epoch: int) -> tf.data.Dataset:
        each = paired(*digits.train, seed=seed * 1_000_003 + epoch)
        data = tf.data.Dataset.from_tensor_slices(each).shuffle(len(each[0]), seed=epoch)
        return data.batch(2 * BATCH, drop_remainder=True)

    def step(left, right, are_same):
        with tf.GradientTape() as tape:
            loss = contrastive(distances(*model([left, right], is_train=True)), are_same)
        gradients = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        return {"loss": loss}

    def after_epoch(epoch: tl.train.Epoch) -> None:
        if epoch.number % max(1, n_epoch // 5) == 0:
            found = judge_pairs(model, digits.valid)
            line = f"loss {epoch.metrics['loss']:.4f}, validation {found.share:.1%}"
            tqdm.write(f"epoch {epoch.number} of {n_epoch}: {line}")

    tl.train.run(step, batches, n_epoch=n_epoch, callbacks=[after_epoch])


@arguments.program
def main() -> None:
    """Train, and measure on what was held out."""
    parser = arguments.parser(__doc__)
    parser.add_argument("--kind", choices=list(BARS), default="static", help="how it is written")
    parser.add_argument("--data", type=Path, help="folder of MNIST; files are downloaded to it")
    parser.add_argument(
        "--epochs", type=arguments.positive, default=60, help="passes: 60, or 20 over MNIST"
    )
    parser.add_argument(
        "--out", type=arguments.picture_to_write, default="mnist_mlp.png", help="a picture"
    )
    arguments.add_seed(parser, "of weights, dropout and order")
    few = {"epochs": 20}
    options = arguments.parse(parser, quick=few, with_data=few, takes="some seconds; checked")

    started = time.perf_counter()
    tf.keras.utils.set_random_seed(options.seed)
    digits = read(options.data)
    n_pixels = digits.train[0].shape[1]
    if options.kind == "siamese":
        model = siamese(n_pixels)
        train_siamese(model, digits, options.epochs, options.seed)
        judged, what = judge_pairs(model, digits.test), "pairs held out are told right"
    else:
        model = static(n_pixels) if options.kind == "static" else Subclassed(n_pixels)
        train_classifier(model, digits, options.epochs)
        judged, what = judge_digits(model, digits.test), "digits held out are read"
    print(f"{judged.share:.1%} of {len(judged.sure):,} {what}; {options.out}")
    print(f"{time.perf_counter() - started:.0f} s")
    tl.visualize.save_images(judged.images[np.argsort(judged.sure)[:64]], [8, 8], options.out)
    if not options.data and judged.share < BARS[options.kind]:
        raise SystemExit(f"it should be {BARS[options.kind]:.0%} at least")


if __name__ == "__main__":
    main()
