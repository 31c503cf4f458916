"""A checkpoint of TensorFlow 1 in a net of TF-Slim, by the names of its variables.

    python examples/tfslim_pretrained.py                          # writes the checkpoint itself
    python examples/tfslim_pretrained.py --checkpoint model.ckpt  # one of the same net

Without ``--checkpoint`` a net of TF-Slim is trained as in 2017, in a graph and a session
of TensorFlow alone, on digits from 0 to 4, and ``tf.train.Saver`` writes it. Then
``tl.layers.SlimNetsLayer`` takes the same function. Its variables have the names that they had
there, since the layer is called as the scope of the function, so ``tl.files.load_and_assign_ckpt``
reads the file; what the optimizer left there is passed over.

What was learnt is of use for digits that the net has never seen: frozen as it is, with one new
layer, it is shown ten images of each digit from 5 to 9. It tells more of the others than the
same net with random filters. What is read has to tell 97 % of held-out digits from 0 to 4, and to
be ahead on the others. The nets of ``tf_slim.nets``, and the checkpoints that were published for
them, are read in the same way.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import handwritten  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
import tf_slim as slim  # noqa: E402

from tensorlayer.layers.slim import repaired  # noqa: E402

SHOWN = 10  # images of each new digit
BAR = 0.97
v1 = tf.compat.v1
warnings.simplefilter("ignore", UserWarning)  # TF-Slim uses what is deprecated
repaired()  # TF-Slim itself: its batch normalisation, in a session too


def digits_net(images: tf.Tensor, is_training: bool = False) -> tuple[tf.Tensor, dict[str, Any]]:
    """Give logits of five digits, and the features that they are made of."""
    norm = {"is_training": is_training, "decay": 0.9}
    with v1.variable_scope("DigitsNet"):
        with slim.arg_scope([slim.conv2d], normalizer_fn=slim.batch_norm, normalizer_params=norm):
            net = slim.conv2d(images, 32, [3, 3], scope="conv1")
            net = slim.conv2d(net, 32, [3, 3], stride=2, scope="conv2")
            net = slim.conv2d(net, 64, [3, 3], scope="conv3")
        features = slim.flatten(net, scope="features")
        logits = slim.fully_connected(features, 5, activation_fn=None, scope="logits")
    return logits, {"features": features}


def train_in_session(part: handwritten.Part, n_epoch: int, seed: int, path: Path) -> str:
    """Train in TensorFlow 1, and return where its saver has written the checkpoint."""
    order = np.random.default_rng(seed)
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(seed)
        images = v1.placeholder(tf.float32, [None, *part.images.shape[1:]])
        labels = v1.placeholder(tf.int32, [None])
        logits, _ = digits_net(images, is_training=True)
        loss = v1.losses.sparse_softmax_cross_entropy(labels, logits)
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            train_op = v1.train.AdamOptimizer(0.003).minimize(loss)
        session.run(v1.global_variables_initializer())
        for _ in range(n_epoch):
            shuffled = order.permutation(len(part.labels))
            for chosen in shuffled[: len(shuffled) // 50 * 50].reshape(-1, 50):
                feed = {images: part.images[chosen], labels: part.labels[chosen]}
                session.run(train_op, feed)
        return v1.train.Saver().save(session, str(path))


def classifier(side: int) -> tuple[tl.models.Model, tl.models.Model]:
    """Return the net of TF-Slim, and a new layer on its frozen features."""
    x = tl.layers.Input([None, side, side, 1], name="images")
    net = tl.layers.SlimNetsLayer(x, slim_layer=digits_net, name="DigitsNet")
    net.trainable = False
    new = tl.layers.Dense(net.end_points["features"], 5, name="new")
    return tl.models.Model(x, net, name="five"), tl.models.Model(x, new, name="others")


def parts(part: handwritten.Part) -> tuple[handwritten.Part, handwritten.Part]:
    """Return the digits from 0 to 4, and those from 5 to 9 with labels from 0 on."""
    is_low = part.labels < 5
    low = handwritten.Part(part.images[is_low], part.labels[is_low])
    return low, handwritten.Part(part.images[~is_low], part.labels[~is_low] - 5)


def first_of_each(part: handwritten.Part, n: int) -> handwritten.Part:
    """Return the first images of each digit."""
    chosen = np.concatenate([np.flatnonzero(part.labels == digit)[:n] for digit in range(5)])
    return handwritten.Part(part.images[chosen], part.labels[chosen])


def options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = handwritten.parser(__doc__, "tfslim_pretrained", n_epoch=10)
    parser.add_argument("--checkpoint", help="of this net, instead of one that is written")
    given = arguments.parse(parser, quick={"epochs": 5}, takes="half a minute")
    if given.checkpoint and not v1.train.checkpoint_exists(given.checkpoint):
        parser.error(f"--checkpoint {given.checkpoint}: no checkpoint begins with this path")
    return given


def read_by_name(path: str, model: tl.models.Model) -> None:
    """Give the variables of a model what a checkpoint has by their names."""
    try:
        tl.files.load_and_assign_ckpt(path, model, skip=False)
    except tl.errors.TensorLayerError as error:
        raise SystemExit(f"{path} is no checkpoint of this net: {error}") from error


@arguments.program
def main() -> None:
    """Write a checkpoint in TensorFlow 1, read it by name, and learn other digits with it."""
    given = options()
    started = time.perf_counter()
    given.out.mkdir(parents=True, exist_ok=True)
    train, test = handwritten.read(given.data)
    (low, high), (low_test, high_test) = parts(train), parts(test)
    path = given.checkpoint or train_in_session(low, given.epochs, given.seed, given.out / "net")

    reached = {}
    for name in ("random", "pretrained"):
        tf.keras.utils.set_random_seed(given.seed)
        five, others = classifier(train.images.shape[1])
        if name == "pretrained":
            read_by_name(path, five)
            known = handwritten.accuracy(five, low_test)
            print(f"read by name: accuracy on digits from 0 to 4 {known:.1%}")
        handwritten.learn(others, first_of_each(high, SHOWN), n_epoch=100)
        reached[name] = handwritten.accuracy(others, high_test)
        print(f"{name} features: accuracy on digits from 5 to 9 {reached[name]:.1%}")

    ahead = reached["pretrained"] - reached["random"]
    print(f"{ahead:+.1%} by the checkpoint; {time.perf_counter() - started:.0f} s")
    if given.data is None and given.checkpoint is None and (known < BAR or ahead <= 0):
        raise SystemExit(f"what is read should tell {BAR:.0%} of 0 to 4, and be ahead on 5 to 9")


if __name__ == "__main__":
    main()
