"""Images that nobody made: a generator learns from a discriminator, both convolutional.

    python examples/dcgan.py                                   # digits, 16 x 16
    python examples/dcgan.py --images faces                    # faces, 32 x 32
    python examples/dcgan.py --data celebA/img_align_celeba    # a folder of JPEGs, 64 x 64

It is the network of Radford, Metz and Chintala, "Unsupervised representation learning with deep
convolutional generative adversarial networks" (2016), with its batch normalisation, first values
and optimizer. For smaller images it has fewer layers, which are narrower.

1. ``generator`` and ``discriminator`` are functions of networks. The discriminator is applied
   twice, to real and to generated images: the second time, ``reuse=True`` finds its layers by name.
2. A step has two costs, two gradients and two optimizers: the discriminator tells real images from
   generated ones, and the generator wants what it makes to be taken for real.
3. Every few epochs a grid of samples is written, and they are compared with real images that were
   held out: by the Fréchet distance between the features of the ones and the others, as in the FID.
   The features are those of a small network that learnt to tell the digits apart, or faces from
   other pictures. For a folder, which has no labels, they are the pixels of thumbnails.

The distance has to come to a twentieth of what it is before training, else the program ends with an
error. For digits it also says how sure the small network is of what it sees, and how many digits
there are: as many as would have the same entropy if they were equally frequent.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import frechet  # noqa: E402
import pictures  # noqa: E402
import record  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
import trunk  # noqa: E402
from tqdm import tqdm  # noqa: E402

N_NOISE, BATCH, N_SAMPLES = 100, 64, 1000
BAR = 1 / 20  # of the distance before training
# Which pictures, of which size, and for how many epochs the small network looks at them.
READ = {"digits": (pictures.digits, 16, 30), "faces": (pictures.faces, 32, 75)}
W_INIT = tl.initializers.RandomNormal(stddev=0.02)
CONV = {"filter_size": (5, 5), "strides": (2, 2), "W_init": W_INIT}


def generator(noise, side: int, n_channels: int, width: int, reuse=None) -> tl.layers.Network:
    """Declare what makes images, of values from -1 to 1, of noise."""
    widths = [width * 2**i for i in reversed(range(int(math.log2(side)) - 2))]
    with tl.layers.variable_scope("generator", reuse=reuse):
        net = tl.layers.Dense(noise, 16 * widths[0], W_init=W_INIT, b_init=None, name="project")
        net = tl.layers.Reshape(net, [-1, 4, 4, widths[0]], name="square")
        net = tl.layers.BatchNorm2d(net, act="relu", name="norm0")
        for i, n_filter in enumerate(widths[1:], 1):
            net = tl.layers.DeConv2d(net, n_filter, **CONV, b_init=None, name=f"up{i}")
            net = tl.layers.BatchNorm2d(net, act="relu", name=f"norm{i}")
        return tl.layers.DeConv2d(net, n_channels, **CONV, act="tanh", name="images")


def discriminator(images, width: int, reuse=None) -> tl.layers.Network:
    """Declare what gives a logit for each image: the higher, the more real it looks."""
    with tl.layers.variable_scope("discriminator", reuse=reuse):
        net = tl.layers.Conv2d(images, width, **CONV, act="lrelu0.2", name="down0")
        for i in range(1, int(math.log2(images.shape[1])) - 2):
            net = tl.layers.Conv2d(net, width * 2**i, **CONV, b_init=None, name=f"down{i}")
            net = tl.layers.BatchNorm2d(net, act="lrelu0.2", name=f"norm{i}")
        net = tl.layers.Flatten(net, name="flat")
        return tl.layers.Dense(net, 1, W_init=W_INIT, name="logit")


class Gan:
    """Both networks, what trains them, and the discriminator on what the generator makes."""

    def __init__(self, shape: tuple[int, int, int], width: int, seed: int) -> None:
        noise = tl.layers.Input([None, N_NOISE], name="noise")
        images = tl.layers.Input([None, *shape], name="images")
        made = generator(noise, *shape[1:], 2 * width)
        self.fake = tl.models.Model(noise, made, name="generator")
        self.real = tl.models.Model(images, discriminator(images, width), name="discriminator")
        self.judged = discriminator(made, width, reuse=True)  # its parameters are those of `real`
        self.for_fake, self.for_real = (tf.optimizers.Adam(0.0002, beta_1=0.5) for _ in range(2))
        self.draws = tf.random.Generator.from_seed(seed)

    def step(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Train both networks with the same images, real and generated."""
        noise = self.draws.uniform([BATCH, N_NOISE], -1, 1)
        with tf.GradientTape() as on_fake, tf.GradientTape() as on_real:
            real, fake = self.real(images, is_train=True), self.judged(noise, is_train=True)
            cost_real = tl.cost.sigmoid_cross_entropy(real, tf.ones_like(real))
            cost_real += tl.cost.sigmoid_cross_entropy(fake, tf.zeros_like(fake))
            cost_fake = tl.cost.sigmoid_cross_entropy(fake, tf.ones_like(fake))
        gradients = on_real.gradient(cost_real, self.real.trainable_weights)
        self.for_real.apply_gradients(zip(gradients, self.real.trainable_weights, strict=True))
        gradients = on_fake.gradient(cost_fake, self.fake.trainable_weights)
        self.for_fake.apply_gradients(zip(gradients, self.fake.trainable_weights, strict=True))
        return {"generator": cost_fake, "discriminator": cost_real}


def read(options: argparse.Namespace, run: record.Record) -> tuple[tf.data.Dataset, frechet.Judge]:
    """Return images to learn from, and what compares others with those that are held out."""
    if options.data:
        paths = pictures.portraits(options.data, 4 * BATCH)
        n_held_out = min(N_SAMPLES, len(paths) // 4)
        data = paths.skip(n_held_out).shuffle(len(paths), options.seed)
        held_out = np.stack([pictures.portrait(path) for path in paths.take(n_held_out)])
        return data.map(pictures.portrait, tf.data.AUTOTUNE), frechet.Judge(held_out)
    pictures_of, side, n_epoch = READ[options.images]
    images, labels = pictures_of(side)
    order = np.random.default_rng(0).permutation(len(images))
    few, many = np.split(order, [len(images) // 3])
    model = trunk.learn(images[many], labels[many], n_epoch, run, options.seed)
    if options.images == "faces":
        few, many = few[labels[few] == 1], many[labels[many] == 1]
    data = tf.data.Dataset.from_tensor_slices(images[many]).repeat(1 + 500 // len(many))
    return data.shuffle(len(images) * 10, options.seed), frechet.Judge(images[few], model)


def train(gan: Gan, data: tf.data.Dataset, judge: frechet.Judge, n_epoch: int, run: record.Record):
    """Train; return the distances before and after."""
    noise = np.random.default_rng(0).uniform(-1, 1, [N_SAMPLES, N_NOISE]).astype("float32")

    def look(epoch: int) -> dict[str, float]:
        images = gan.fake(noise, is_train=False).numpy()
        tl.visualize.save_images(images[:64], [8, 8], run.picture(f"samples-{epoch:03}.png"))
        return judge.score(images)

    def after_epoch(epoch: tl.train.Epoch) -> None:
        run.log(epoch.metrics, epoch.number)
        if epoch.number % 10 == 0 or epoch.number == n_epoch:
            score = look(epoch.number)
            tqdm.write(f"epoch {epoch.number}: " + frechet.text(score))
            run.log(score, epoch.number)
            run.save(gan.fake, epoch.number, "generator")
            run.save(gan.real, epoch.number, "discriminator")

    before = look(0)
    print(f"before training: {frechet.text(before)}")
    batches = data.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
    saved = run.checkpoint(vars(gan))
    tl.train.run(gan.step, batches, n_epoch=n_epoch, callbacks=[after_epoch], checkpoint=saved)
    return before["distance"], look(n_epoch)["distance"]


@arguments.program
def main() -> None:
    """Train, and compare."""
    parser = arguments.parser(__doc__)
    parser.add_argument("--images", choices=["digits", "faces"], default="digits")
    parser.add_argument("--data", type=Path, help="a folder of JPEGs, such as those of CelebA")
    number = arguments.positive
    parser.add_argument("--width", type=number, default=32, help="of the networks; the paper: 64")
    parser.add_argument("--epochs", type=number, default=150, help="passes over the images")
    record.add_options(parser, "dcgan")
    options = arguments.parse(parser, quick={"epochs": 40}, takes="a minute")

    started = time.perf_counter()
    tf.random.set_seed(options.seed)
    with record.Record(options, "dcgan") as run:
        data, judge = read(options, run)
        tl.visualize.save_images(judge.held_out[:64], [8, 8], run.picture("real.png"))
        gan = Gan(judge.held_out.shape[1:], options.width, options.seed)
        before, after = train(gan, data, judge, options.epochs, run)
    print(f"distance {before:.4g} before, {after:.4g} after, {time.perf_counter() - started:.0f} s")
    if after > BAR * before:
        raise SystemExit(f"the distance should come to {BAR} of what it was")


if __name__ == "__main__":
    main()
