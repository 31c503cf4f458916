"""Inception V3 of TF-Slim as the trunk of a classifier.

    python examples/slim_bridge.py                  # digits of scikit-learn, enlarged
    python examples/slim_bridge.py --data folder    # MNIST

``tl.layers.SlimNetsLayer`` takes a function of TF-Slim, with the ``slim.arg_scope`` that it needs,
as TensorLayer 1.x did. It computes up to ``Mixed_6a``, in the middle of Inception, where a
classifier of this library takes over. The statistics of batch normalisation follow the mode of the
network, since nobody says ``is_training``; they move in training only.

The trunk is trained from the start on digits of 75 x 75 pixels, the smallest that Inception takes,
with a quarter of its filters. It has to tell 90 % of digits that were held out. Szegedy et al.,
"Rethinking the Inception architecture for computer vision", CVPR 2016.
"""

from __future__ import annotations

import time
import warnings

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import handwritten  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
import tf_slim as slim  # noqa: E402
from tf_slim.nets import inception  # noqa: E402

warnings.simplefilter("ignore", UserWarning)  # TF-Slim uses what is deprecated

SIDE = 75
END_POINT = "Mixed_6a"
BAR = 0.9


def network() -> tl.models.Model:
    """Declare the classifier on an end point of Inception V3."""
    x = tl.layers.Input([None, SIDE, SIDE, 1], name="images")
    # The averages of Inception remember 10,000 batches; there are a few hundred.
    with slim.arg_scope(inception.inception_v3_arg_scope(batch_norm_decay=0.9)):
        net = tl.layers.SlimNetsLayer(
            x,
            slim_layer=inception.inception_v3_base,
            slim_args={"final_endpoint": END_POINT, "depth_multiplier": 0.25},
            name="InceptionV3",
        )
    net = tl.layers.GlobalMeanPool2d(net, name="means")
    return tl.models.Model(x, tl.layers.Dense(net, 10, name="logits"), name="slim-bridge")


def enlarged(part: handwritten.Part, n_most: int | None) -> handwritten.Part:
    """Return the first digits of a part, with 75 x 75 pixels."""
    images = tf.image.resize(part.images[:n_most], [SIDE, SIDE], "bicubic")
    return handwritten.Part(tf.clip_by_value(images, 0, 1).numpy(), part.labels[:n_most])


@arguments.program
def main() -> None:
    """Train the classifier with its trunk, and measure it."""
    parser = handwritten.parser(__doc__, "slim_bridge", n_epoch=10)
    parser.add_argument("--images", type=arguments.positive, help="learn from so many")
    options = arguments.parse(parser, quick={"epochs": 5}, takes="a minute")
    started = time.perf_counter()
    tf.keras.utils.set_random_seed(options.seed)
    train, test = (enlarged(part, options.images) for part in handwritten.read(options.data))

    model = network()
    n_all = len(model.parameters)
    print(f"{n_all} variables, those of TF-Slim called as {next(iter(model.parameters))}")
    handwritten.learn(model, train, options.epochs, rate=0.002)
    reached = handwritten.accuracy(model, test)
    options.out.mkdir(parents=True, exist_ok=True)
    model.save_weights(options.out / "weights.npz", format="npz_dict")

    print(f"accuracy on {len(test.labels):,} held-out digits {reached:.1%}")
    print(f"{time.perf_counter() - started:.0f} s")
    if options.data is None and reached < BAR:
        raise SystemExit(f"the accuracy should be {BAR:.0%}")


if __name__ == "__main__":
    main()
