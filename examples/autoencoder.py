"""What images teach without labels: a stacked denoising autoencoder, and a classifier from it.

    python examples/autoencoder.py                  # digits of scikit-learn
    python examples/autoencoder.py --data folder    # MNIST

Images are plenty and labels are few: here all training images, and ten labels of each digit.
Vincent et al., "Stacked denoising autoencoders", JMLR 2010, let a network learn from the images
before it sees a label, one layer after the other.

1. Part of the pixels is dropped, and the first layer learns to reconstruct the whole image. What
   it finds it has to use for that are strokes.
2. The second layer learns to reconstruct what the first one gives, part of which is dropped.
3. A layer of logits is put on top, and all of it is trained with the few labels.

Each step of the pre-training is one call of ``pretrain`` of a ``tl.layers.ReconLayer``, which
trains itself and the layer before it. Its cost has weights, which a subclass sets.

The last step is also done without the first two, from the same first values. On digits that were
held out, the mean accuracy of four draws of labels has to be 2 % higher with pre-training. How far
one comes without it in four times as many passes is printed too: closer, but not as far.

Pictures show digits, what is left of them after the noise, and what the first layer and both layers
make of that; and the weights of the first layer.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import handwritten  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet

N_LABELS = 10  # of each digit
N_PASSES = 200  # over the images with labels
BAR = 0.02


class Recon(tl.layers.ReconLayer):
    """Squared error above all, for images of few pixels."""

    learning_rate = 0.003
    l2 = 0.0002
    kl = 0.02


def network(
    n_pixels: int, widths: tuple[int, ...]
) -> tuple[tl.models.Model, list[tl.layers.Network]]:
    """Declare the classifier, and a layer that reconstructs what each hidden layer was given."""
    x = net = tl.layers.Input([None, n_pixels], name="x")
    recons = []
    for i, width in enumerate(widths, 1):
        below = net
        net = tl.layers.Dropout(below, keep=0.7, name=f"noise{i}")
        net = tl.layers.Dense(net, width, act="sigmoid", name=f"hidden{i}")
        n_units = below.outputs.shape[1]
        recons.append(Recon(net, below, n_units, act="sigmoid", name=f"recon{i}"))
    net = tl.layers.Dense(net, 10, name="logits")
    return tl.models.Model(x, net, name="classifier"), recons


def pretrain(recons: list[tl.layers.Network], images: np.ndarray, n_epoch: int) -> None:
    """Train the hidden layers, from the lowest on, without labels."""
    for i, recon in enumerate(recons, 1):
        costs = recon.pretrain(images, denoise_name=f"noise{i}", n_epoch=n_epoch)
        print(f"layer {i}: cost {costs[0]:.3f} in the first epoch, {costs[-1]:.3f} in the last")


def decoder(recons: list[tl.layers.Network]) -> tl.layers.Network:
    """Return the image that the highest layer stands for: each one below reconstructs in turn."""
    net = recons[-1]
    for recon in reversed(recons[:-1]):
        net = recon.layer(net)
    return net


def few(part: handwritten.Part, rng: np.random.Generator) -> handwritten.Part:
    """Return as many images of each digit, drawn at random."""
    places = [rng.choice(np.flatnonzero(part.labels == i), N_LABELS, False) for i in range(10)]
    return handwritten.Part(*(each[np.concatenate(places)] for each in part))


def values(model: tl.models.Model) -> list[np.ndarray]:
    """Return the weights as they are now."""
    return [variable.numpy() for variable in model.trainable_weights]


def fine_tuned(
    model: tl.models.Model,
    start: list[np.ndarray],
    n_passes: int,
    parts: list[handwritten.Part],
    test: handwritten.Part,
) -> float:
    """Train with few labels, from the same values for each draw; return the mean accuracy."""
    reached = []
    for part in parts:
        for variable, value in zip(model.trainable_weights, start, strict=True):
            variable.assign(value)
        handwritten.learn(model, part, n_passes)
        reached.append(handwritten.accuracy(model, test))
    return float(np.mean(reached))


def draw(recons: list[tl.layers.Network], test: handwritten.Part, side: int, folder: Path) -> None:
    """Write the pictures."""
    x = recons[0].input_nodes[0]
    noise = tl.models.Model(x, tl.layers.Dropout(x, keep=0.7))
    both = tl.models.Model(x, [recons[0], decoder(recons)])
    given = np.stack([test.images[test.labels == i][0] for i in range(10)])
    noisy = noise(given, is_train=True).numpy()
    rows = [given, noisy, *both(noisy, is_train=False)]
    rows = [np.reshape(row, [-1, side, side, 1]) for row in rows]
    handwritten.draw(rows, folder / "reconstructed.png")
    weights = recons[0].parameters["hidden1/weights"].numpy()[:, :64]
    figure = tl.visualize.draw_weights(weights, shape=(side, side), second=0, saveable=False)
    figure.savefig(folder / "weights.png", dpi=40)


@arguments.program
def main() -> None:
    """Learn from images, then from labels, and compare with labels alone."""
    parser = handwritten.parser(__doc__, "autoencoder", n_epoch=100)
    parser.add_argument(
        "--draws", type=arguments.positive, default=4, help="of labels, which are averaged over"
    )
    options = parser.parse_args()
    arguments.needed("PIL", "matplotlib")
    started = time.perf_counter()
    tf.random.set_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    train, test = handwritten.read(options.data)
    side = train.images.shape[1]
    train, test = (
        handwritten.Part(each.images.reshape(-1, side**2), each.labels) for each in (train, test)
    )

    model, recons = network(side**2, widths=(200, 100))
    before = values(model)
    pretrain(recons, train.images, options.epochs)
    error = tl.utils.predict(decoder(recons), test.images) - test.images
    left = np.mean(error**2) / np.mean((test.images - train.images.mean(axis=0)) ** 2)
    print(f"of what tells images held out from the mean one, {1 - left:.1%} is reconstructed")
    draw(recons, test, side, options.out)

    rng = np.random.default_rng(options.seed)
    parts = [few(train, rng) for _ in range(options.draws)]
    reached = fine_tuned(model, values(model), N_PASSES, parts, test)
    without, longer = (fine_tuned(model, before, N_PASSES * n, parts, test) for n in (1, 4))
    print(
        f"accuracy with {10 * N_LABELS} labels {reached:.1%}; without pre-training {without:.1%}, "
        f"and {longer:.1%} after four times as many passes"
    )
    print(f"pictures in {options.out}, {time.perf_counter() - started:.0f} s")
    if options.data is None and reached < without + BAR:
        raise SystemExit(f"with pre-training the accuracy should be {BAR:.0%} higher")


if __name__ == "__main__":
    main()
