"""A script of TensorLayer 1.x: placeholders, a session, and dropout that is fed.

    python examples/tf1_graph.py                  # digits of scikit-learn
    python examples/tf1_graph.py --data folder    # MNIST
    python examples/tf1_graph.py --without-v2     # after tf.disable_v2_behavior()

It is the first tutorial of TensorLayer 1.x, a multilayer perceptron with dropout. All that such a
script changes is the line that imports TensorFlow, ``import tensorflow.compat.v1 as tf``; it then
runs after ``tf.disable_v2_behavior()``, or within ``with tf.Graph().as_default():``, as this one
does unless it is told otherwise.

What a program of today says when it evaluates a network, a graph is told when it is run: the
probabilities of keeping of all dropout layers are placeholders, ``network.all_drop``. Training
feeds their values, and everything else ones, ``tl.utils.dict_to_one(network.all_drop)``;
``tl.utils.fit``, ``test`` and ``predict`` do so where a session comes first.

At the end the weights are written, and read in a second graph, whose predictions have to be the
same. 95 % of the digits that were held out have to be read.
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
import handwritten  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402 - after it was told to be quiet

N_CLASSES, N_VALID, BATCH, RATE = 10, 200, 50, 0.001
BAR = 0.95


class Tensors(NamedTuple):
    """What a session runs."""

    network: tl.layers.Network
    x: tf.Tensor
    y_: tf.Tensor
    cost: tf.Tensor
    acc: tf.Tensor
    y_op: tf.Tensor


def build(n_pixels: int, n_units: int) -> Tensors:
    """Make the network, the cost and what is measured in the default graph."""
    x = tf.placeholder(tf.float32, shape=[None, n_pixels], name="x")
    y_ = tf.placeholder(tf.int64, shape=[None], name="y_")

    network = tl.layers.InputLayer(x, name="input")
    network = tl.layers.DropoutLayer(network, keep=0.8, name="drop1")
    network = tl.layers.DenseLayer(network, n_units, act=tf.nn.relu, name="relu1")
    network = tl.layers.DropoutLayer(network, keep=0.5, name="drop2")
    network = tl.layers.DenseLayer(network, n_units, act=tf.nn.relu, name="relu2")
    network = tl.layers.DropoutLayer(network, keep=0.5, name="drop3")
    network = tl.layers.DenseLayer(network, N_CLASSES, act=None, name="output")

    y = network.outputs
    cost = tl.cost.cross_entropy(y, y_, name="cost")
    acc = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(y, 1), y_), tf.float32))
    return Tensors(network, x, y_, cost, acc, tf.argmax(y, 1))


def rows(part: handwritten.Part) -> tuple[np.ndarray, np.ndarray]:
    """Return images as rows of pixels, and which digits they are."""
    return part.images.reshape(len(part.images), -1), part.labels.astype("int64")


def train(train_part: handwritten.Part, n_epoch: int, n_units: int, path: Path) -> Tensors:
    """Train in the default graph, and write the weights."""
    X, y = rows(train_part)
    made = build(X.shape[1], n_units)
    train_op = tf.train.AdamOptimizer(RATE).minimize(made.cost, var_list=made.network.all_params)
    with tf.Session() as sess:
        tl.layers.initialize_global_variables(sess)
        made.network.print_params(False)
        made.network.print_layers()
        tl.utils.fit(
            sess, made.network, train_op, made.cost, X[N_VALID:], y[N_VALID:], made.x, made.y_,
            acc=made.acc, batch_size=BATCH, n_epoch=n_epoch, print_freq=max(1, n_epoch // 4),
            X_val=X[:N_VALID], y_val=y[:N_VALID], eval_train=False,
        )  # fmt: skip
        tl.files.save_npz(made.network.all_params, name=path, sess=sess)
    return made


def judge(part: handwritten.Part, n_units: int, path: Path) -> tuple[float, np.ndarray]:
    """Return the accuracy on images, and the digits that are read, with the weights of a file."""
    X, y = rows(part)
    with tf.Graph().as_default(), tf.Session() as sess:
        made = build(X.shape[1], n_units)
        tl.files.load_and_assign_npz(sess=sess, name=path, network=made.network)
        accuracy = tl.utils.test(
            sess, made.network, made.acc, X, y, made.x, made.y_, batch_size=500
        )
        found = tl.utils.predict(sess, made.network, X, made.x, made.y_op, batch_size=500)
    return accuracy, found


@arguments.program
def main() -> None:
    """Train, and measure on what was held out."""
    parser = handwritten.parser(__doc__, "tf1_graph", n_epoch=40)
    parser.add_argument("--units", type=arguments.positive, default=400, help="of a hidden layer")
    parser.add_argument(
        "--without-v2", action="store_true", help="call tf.disable_v2_behavior() first"
    )
    options = arguments.parse(parser, quick={"epochs": 25}, takes="some seconds; checked")
    if options.without_v2:
        tf.disable_v2_behavior()
    options.out.mkdir(parents=True, exist_ok=True)

    started, path = time.perf_counter(), options.out / "model.npz"
    np.random.seed(options.seed)
    learnt, held_out = handwritten.read(options.data)
    with tf.Graph().as_default():
        tf.set_random_seed(options.seed)
        train(learnt, options.epochs, options.units, path)
    accuracy, found = judge(held_out, options.units, path)
    right = np.mean(found == held_out.labels)
    print(f"{accuracy:.1%} of {len(found):,} digits held out are read; {path}")
    print(f"{time.perf_counter() - started:.0f} s")
    if abs(right - accuracy) > 1e-4:
        raise SystemExit(f"what is predicted is right for {right:.1%}, and not for {accuracy:.1%}")
    if not options.data and accuracy < BAR:
        raise SystemExit(f"it should be {BAR:.0%} at least")


if __name__ == "__main__":
    main()
