"""A network that looks at the right place: a spatial transformer before a classifier.

    python examples/spatial_transformer.py                  # digits of scikit-learn
    python examples/spatial_transformer.py --data folder    # MNIST

Digits are rotated by up to 60 degrees and put anywhere on a canvas of twice their side. Jaderberg
et al., "Spatial transformer networks", NIPS 2015, give a classifier a part that finds them: a small
network looks at the canvas and says six numbers, an affine map, and
``tl.layers.SpatialTransformer2dAffine`` looks at the canvas through that map. Nobody tells it where
a digit is, nor what is upright: the map is learnt with the rest from the labels, since gradients go
through the interpolation between pixels.

The same classifier is trained without that part as well, on the whole canvas: on digits that were
held out, it has to be 10 % less accurate. ``seen.png`` has what goes in, and below each canvas what
the transformer makes of it.
"""

from __future__ import annotations

import time

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import handwritten  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet

DEGREES = 60
MOVED = 0.2  # of the canvas, to each side
SMALLEST = 16  # pixels: smaller digits are enlarged
BAR = 0.1


def distorted(part: handwritten.Part, n_times: int, seed: int) -> handwritten.Part:
    """Return each digit several times, rotated and moved, on canvases of twice its side."""
    rng = np.random.default_rng(seed)
    before = part.images.shape[1]
    size = max(SMALLEST, before)
    canvas = (2 * size, 2 * size)

    def put(image: np.ndarray) -> np.ndarray:
        matrix = tl.prepro.affine_compose(
            tl.prepro.affine_zoom_matrix(size / before),
            tl.prepro.affine_rotation_matrix((-DEGREES, DEGREES), seed=rng),
            tl.prepro.affine_shift_matrix((-MOVED, MOVED), (-MOVED, MOVED), *canvas, seed=rng),
            height=before,
            width=before,
            output_shape=canvas,
        )
        return tl.prepro.affine_transform_cv2(image, matrix, output_shape=canvas)

    images = np.stack([put(image) for _ in range(n_times) for image in part.images])
    return handwritten.Part(images, np.tile(part.labels, n_times))


def transformer(canvas: tl.layers.Network) -> tl.layers.Network:
    """Declare what looks at the whole canvas, and then at half of its side."""
    net = tl.layers.Conv2d(canvas, 16, (5, 5), (2, 2), act="relu", name="look1")
    net = tl.layers.Conv2d(net, 32, (5, 5), (2, 2), act="relu", name="look2")
    net = tl.layers.Flatten(net, name="looked")
    net = tl.layers.Dense(net, 32, act="tanh", name="where")
    size = canvas.outputs.shape[1] // 2
    return tl.layers.SpatialTransformer2dAffine([net, canvas], (size, size), name="transformer")


def classifier(images: tl.layers.Network) -> tl.layers.Network:
    """Declare what tells digits apart."""
    net = tl.layers.Conv2d(images, 16, (3, 3), act="relu", name="conv1")
    net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), name="pool1")
    net = tl.layers.Conv2d(net, 32, (3, 3), act="relu", name="conv2")
    net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), name="pool2")
    net = tl.layers.Flatten(net, name="flat")
    net = tl.layers.Dense(net, 64, act="relu", name="hidden")
    return tl.layers.Dense(net, 10, name="logits")


@arguments.program
def main() -> None:
    """Train both, and compare them."""
    parser = handwritten.parser(__doc__, "spatial_transformer", n_epoch=8)
    parser.add_argument(
        "--times", type=arguments.positive, help="distortions of a digit: 6, or 1 of MNIST's"
    )
    options = parser.parse_args()
    arguments.needed("PIL")
    options.out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    train, test = handwritten.read(options.data)
    n_times = (1 if options.data else 6) if options.times is None else options.times
    train = distorted(train, n_times, options.seed)
    test = distorted(test, 2, seed=1_000_000)
    print(f"{len(train.labels):,} canvases to learn from, {len(test.labels):,} held out")

    reached = {}
    for name in ("without", "with"):
        tf.random.set_seed(options.seed)
        x = tl.layers.Input([None, *train.images.shape[1:]], name="canvas")
        seen = x if name == "without" else transformer(x)
        model = tl.models.Model(x, classifier(seen), name=name)
        handwritten.learn(model, train, options.epochs, rate=0.001)
        reached[name] = handwritten.accuracy(model, test)
        n_params = sum(int(np.prod(each.shape)) for each in model.trainable_weights)
        print(f"{name} the transformer: accuracy {reached[name]:.1%}, {n_params:,} parameters")

    ahead = reached["with"] - reached["without"]
    print(f"{ahead:+.1%} by the transformer; {time.perf_counter() - started:.0f} s")
    given = np.concatenate([test.images[test.labels == i][:2] for i in range(10)])
    found = tl.utils.predict(tl.models.Model(x, seen), given)
    handwritten.draw([given[::2], found[::2], given[1::2], found[1::2]], options.out / "seen.png")
    if options.data is None and ahead < BAR:
        raise SystemExit(f"with the transformer the accuracy should be {BAR:.0%} higher")


if __name__ == "__main__":
    main()
