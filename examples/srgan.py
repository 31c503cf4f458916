"""Photographs four times as high and wide, with details that look right.

    python examples/srgan.py                             # the photographs of two Python packages
    python examples/srgan.py --vgg models/vgg19.npy --data DIV2K/DIV2K_train_HR \\
        --blocks 16 --width 64 --side 96 --batch 16 --pretrain 10000 --epochs 2000

It is the network of Ledig et al., "Photo-realistic single image super-resolution using a generative
adversarial network" (2017): residual blocks at the small size, then convolutions whose channels
become pixels. The second command has its sizes; the first one has smaller ones. One thing is added,
so that minutes of training show: the generator computes what is missing in bicubic interpolation.

1. Squared error: the generator learns to come close to the original, pixel by pixel. Where it does
   not know the details it makes the mean of all that could be there: a blur.
2. Adversarial: a discriminator, with an optimizer of its own, learns to tell originals from what is
   generated. The generator wants to be taken for an original, and wants the same features to be
   seen by VGG19; without ``--vgg``, by a small network that learnt to tell photographs apart.

Three photographs are held out, made small by antialiased bicubic interpolation, and made large
again. PSNR and SSIM compare the luminance with the original, value by value. ``spectrum`` compares
how strong each frequency is, wherever it is: the mean difference in dB, which is 0 if blur, noise
and patterns are as strong as in the original. The second part makes the spectrum better, and PSNR
and SSIM worse, as in the paper: details at the wrong place cost more than none.

The program ends with an error if the first part is not 0.3 dB (PSNR) ahead of bicubic
interpolation, or if the second one does not bring the spectrum nearer by 1 dB. In the first epochs
much of what the second part adds is a fine regular pattern.
"""

from __future__ import annotations

import argparse
import functools
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import pictures  # noqa: E402
import record  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
import trunk  # noqa: E402
from tqdm import tqdm  # noqa: E402

PER_PHOTO = 16  # patches that are taken from a photograph each time it is read
STEPS = 100  # of an epoch
SQUARE = 32  # side of the squares of which the frequencies are compared
AHEAD, NEARER = 0.3, 1.0  # in dB: what is asked of the first part, and of the second
CONTENT, ADVERSARIAL = 0.02, 0.001  # weights of the costs, that of the squared error is 1
FILTER = (3, 3)

Photo = np.ndarray | Path
Enlarge = Callable[[np.ndarray], np.ndarray]


# -- networks


def generator(low, scale: int, n_blocks: int, width: int) -> tl.layers.Network:
    """Declare what makes large images, of values from -1 to 1, of small ones."""
    with tl.layers.variable_scope("generator"):
        net = tl.layers.Conv2d(low, width, (9, 9), name="first")
        first = net = tl.layers.PRelu(net, name="prelu")
        for i in range(1, n_blocks + 1):
            net = Residual(net, width, name=f"block{i}")
        net = tl.layers.Conv2d(net, width, FILTER, b_init=None, name="last")
        net = tl.layers.BatchNorm2d(net, name="norm")
        net = tl.layers.Elementwise([net, first], tf.add, name="sum")
        for i in range(1, int(math.log2(scale)) + 1):
            net = tl.layers.Conv2d(net, 4 * width, FILTER, name=f"conv_up{i}")
            net = tl.layers.SubpixelConv2d(net, 2, name=f"up{i}")
            net = tl.layers.PRelu(net, name=f"prelu_up{i}")
        missing = tl.layers.Conv2d(net, 3, (9, 9), name="missing")
        smooth = tl.layers.UpSampling2d(low, (scale, scale), "bicubic", name="smooth")
        return tl.layers.Elementwise([smooth, missing], tf.add, name="images")


class Residual(tl.layers.Layer):
    """What is added to the input by two convolutions."""

    def __init__(self, width: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.conv1 = tl.layers.Conv2d(width, FILTER, b_init=None, in_channels=width)
        self.norm1 = tl.layers.BatchNorm2d(num_features=width)
        self.prelu = tl.layers.PRelu(in_channels=width)
        self.conv2 = tl.layers.Conv2d(width, FILTER, b_init=None, in_channels=width)
        self.norm2 = tl.layers.BatchNorm2d(num_features=width)

    def forward(self, inputs):
        net = self.prelu(self.norm1(self.conv1(inputs)))
        return inputs + self.norm2(self.conv2(net))


def discriminator(images, width: int) -> tl.layers.Network:
    """Declare what gives a logit for each image: the higher, the more original it looks."""
    with tl.layers.variable_scope("discriminator"):
        net = tl.layers.Conv2d(images, width, FILTER, act="lrelu0.2", name="conv0")
        for i in range(1, 8):
            size = {"n_filter": width * 2 ** (i // 2), "strides": (1 + i % 2,) * 2}
            net = tl.layers.Conv2d(net, **size, filter_size=FILTER, b_init=None, name=f"conv{i}")
            net = tl.layers.BatchNorm2d(net, act="lrelu0.2", name=f"norm{i}")
        net = tl.layers.Flatten(net, name="flat")
        net = tl.layers.Dense(net, 16 * width, act="lrelu0.2", name="dense")
        return tl.layers.Dense(net, 1, name="logit")


class Srgan:
    """Both networks, the two steps that train them, and what is seen in images."""

    def __init__(self, features: tl.models.Model, options: argparse.Namespace) -> None:
        self.features = features
        low = tl.layers.Input([None, None, None, 3], name="low")
        high = tl.layers.Input([None, options.side, options.side, 3], name="high")
        net = generator(low, options.scale, options.blocks, options.width)
        self.generator = tl.models.Model(low, net, name="generator")
        net = discriminator(high, options.width)
        self.discriminator = tl.models.Model(high, net, name="discriminator")
        # Shorter steps at the end: the noise of single batches would show in PSNR.
        falling = tf.optimizers.schedules.CosineDecay(0.001, STEPS * options.pretrain)
        self.for_pixels = tf.optimizers.Adam(falling)
        self.for_generator, self.for_discriminator = (tf.optimizers.Adam(0.0001) for _ in range(2))

    def seen(self, images: tf.Tensor) -> tf.Tensor:
        """Return the features by which images are compared."""
        if isinstance(self.features, tl.models.VGG):
            return self.features((images + 1) / 2, is_train=False)
        return self.features(images, is_train=False)[0]

    def by_pixels(self, low: tf.Tensor, high: tf.Tensor) -> dict[str, tf.Tensor]:
        """Train the generator alone."""
        with tf.GradientTape() as tape:
            cost = tl.cost.mean_squared_error(self.generator(low, is_train=True), high, True)
        weights = self.generator.trainable_weights
        gradients = tape.gradient(cost, weights)
        self.for_pixels.apply_gradients(zip(gradients, weights, strict=True))
        return {"pixels": cost}

    def adversarial(self, low: tf.Tensor, high: tf.Tensor) -> dict[str, tf.Tensor]:
        """Train both, with the same patches."""
        with tf.GradientTape() as of_generator, tf.GradientTape() as of_discriminator:
            made = self.generator(low, is_train=True)
            on_high = self.discriminator(high, is_train=True)
            on_made = self.discriminator(made, is_train=True)
            cost = tl.cost.sigmoid_cross_entropy(on_high, tf.ones_like(on_high))
            cost += tl.cost.sigmoid_cross_entropy(on_made, tf.zeros_like(on_made))
            pixels = tl.cost.mean_squared_error(made, high, True)
            wanted, found = self.seen(high), self.seen(made)
            content = tl.cost.mean_squared_error(found, wanted, True)
            content /= tf.reduce_mean(wanted**2)  # so that it does not depend on the network
            fooled = tl.cost.sigmoid_cross_entropy(on_made, tf.ones_like(on_made))
            whole = pixels + CONTENT * content + ADVERSARIAL * fooled
        weights = self.discriminator.trainable_weights
        gradients = of_discriminator.gradient(cost, weights)
        self.for_discriminator.apply_gradients(zip(gradients, weights, strict=True))
        weights = self.generator.trainable_weights
        gradients = of_generator.gradient(whole, weights)
        self.for_generator.apply_gradients(zip(gradients, weights, strict=True))
        parts = {"pixels": pixels, "content": content, "fooled": fooled}
        return {**parts, "discriminator": cost}

    def enlarge(self, photo: np.ndarray) -> np.ndarray:
        """Return a photograph at the large size."""
        made = self.generator(scaled(photo[np.newaxis]), is_train=False)[0].numpy()
        return np.round((made.clip(-1, 1) + 1) * 127.5).astype("uint8")


# -- photographs


class Patches:
    """Squares of photographs, and the same ones smaller.

    A patch is decided by the numbers of its epoch and its photograph alone, so that a run that goes
    on sees what it would have seen.
    """

    def __init__(self, photos: Sequence[Photo], options: argparse.Namespace) -> None:
        self.photos, self.options = photos, options

    def __call__(self, epoch: int) -> tf.data.Dataset:
        """Return the batches of an epoch, made in threads."""
        side, batch = self.options.side, self.options.batch

        def read(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            of_one = functools.partial(self.of_one_photo, epoch)
            low, high = tf.numpy_function(of_one, [number], [tf.uint8, tf.uint8], stateful=False)
            small = side // self.options.scale
            low = tf.ensure_shape(low, [PER_PHOTO, small, small, 3])
            return scaled(low), scaled(tf.ensure_shape(high, [PER_PHOTO, side, side, 3]))

        data = tf.data.Dataset.range(-(-STEPS * batch // PER_PHOTO)).map(read, tf.data.AUTOTUNE)
        data = data.unbatch().shuffle(64 * PER_PHOTO, epoch).batch(batch, drop_remainder=True)
        return data.take(STEPS).prefetch(tf.data.AUTOTUNE)

    def of_one_photo(self, epoch: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return small and large patches of a photograph that is drawn."""
        rng = np.random.default_rng([self.options.seed, epoch, number])
        photo = read_photo(self.photos[rng.integers(len(self.photos))])
        side = self.options.side
        high = [tl.prepro.crop(photo, side, side, True, seed=rng) for _ in range(PER_PHOTO)]
        high = [tl.prepro.flip_axis(each, 1, True, seed=rng) for each in high]
        return np.stack([smaller(each, self.options.scale) for each in high]), np.stack(high)


def read_photo(photo: Photo) -> np.ndarray:
    """Return the pixels, of a file as well."""
    return pictures.in_colours(tl.visualize.read_image(photo)) if isinstance(photo, Path) else photo


def smaller(photo: np.ndarray, scale: int) -> np.ndarray:
    """Return a photograph smaller by a factor."""
    return tl.prepro.imresize(photo, [size // scale for size in photo.shape[:2]], "bicubic")


def fitting(photo: np.ndarray, scale: int) -> np.ndarray:
    """Return a photograph without its last rows and columns, if they do not fit."""
    height, width = (size // scale * scale for size in photo.shape[:2])
    return photo[:height, :width]


def larger(photo: np.ndarray, scale: int, interp: str = "bicubic") -> np.ndarray:
    """Return a photograph larger by a factor, without any learning."""
    return tl.prepro.imresize(photo, [size * scale for size in photo.shape[:2]], interp)


def scaled(pixels: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Return values from -1 to 1."""
    return tf.cast(pixels, tf.float32) / 127.5 - 1


def read_photos(options: argparse.Namespace) -> tuple[Sequence[Photo], HeldOut]:
    """Return photographs to learn from, and those that are held out."""
    if options.data is None:
        photos, held_out = pictures.photographs()
        if options.side > (least := min(min(each.shape[:2]) for each in photos)):
            raise SystemExit(f"--side {options.side}: the smallest photograph has {least} pixels")
    else:
        least = max(options.side, SQUARE + 2 * options.scale)
        paths = pictures.photographs_of(options.data, least, 4)
        photos, held_out = paths[:-3], {path.name: read_photo(path) for path in paths[-3:]}
    return photos, HeldOut(held_out, options.scale)


# -- how good they are


def quality(photo: np.ndarray, original: np.ndarray, border: int) -> dict[str, float]:
    """Return how close the luminance is, without the border: see above."""
    color = pictures.module("skimage.color", "tensorlayer[vision]")
    metrics = pictures.module("skimage.metrics", "tensorlayer[vision]")
    inner = (slice(border, -border),) * 2
    found, wanted = (color.rgb2ycbcr(each)[inner][..., 0] for each in (photo, original))
    decibels = 10 * np.log10(spectrum(found) / spectrum(wanted))
    return {
        "psnr": metrics.peak_signal_noise_ratio(wanted, found, data_range=255),
        "ssim": metrics.structural_similarity(wanted, found, data_range=255),
        "spectrum": np.abs(decibels).mean(),
    }


def spectrum(luminance: np.ndarray, side: int = SQUARE) -> np.ndarray:
    """Return the mean power of each frequency in squares of so many pixels."""
    height, width = (size // side for size in luminance.shape)
    blocks = luminance[: height * side, : width * side].reshape(height, side, width, side)
    window = np.hanning(side)[:, None, None] * np.hanning(side)
    return np.mean(np.abs(np.fft.rfftn(blocks * window, axes=(1, 3))) ** 2, axis=(0, 2))


class HeldOut:
    """Photographs that are made small, and large again."""

    def __init__(self, photos: dict[str, np.ndarray], scale: int) -> None:
        self.scale = scale
        self.photos = {name: fitting(photo, scale) for name, photo in photos.items()}
        self.small = {name: smaller(photo, scale) for name, photo in self.photos.items()}

    def score(self, enlarge: Enlarge, title: str) -> dict[str, float]:
        """Return the mean quality of what is made large, and show it."""
        scores = [
            quality(enlarge(self.small[name]), photo, self.scale)
            for name, photo in self.photos.items()
        ]
        mean = {key: float(np.mean([each[key] for each in scores])) for key in scores[0]}
        tqdm.write(f"{title}: " + ", ".join(f"{key} {value:.4g}" for key, value in mean.items()))
        return mean

    def compare(self, path: str, ways: Sequence[Enlarge], side: int = 192) -> None:
        """Write the middle of each photograph: made large in several ways, and the original.

        All are as large as the smallest of them lets them be, so that they fit side by side.
        """
        side = min(side, *(size for photo in self.photos.values() for size in photo.shape[:2]))
        made = [
            (*(way(self.small[name]) for way in ways), self.photos[name]) for name in self.small
        ]
        cells = [tl.prepro.crop(each, side, side) for row in made for each in row]
        tl.visualize.save_images(cells, [len(made), len(ways) + 1], path)


# -- the run


def network_that_sees(
    photos: Sequence[Photo], options: argparse.Namespace, run: record.Record
) -> tl.models.Model:
    """Return VGG19, or else what learns to tell from which photograph a patch is."""
    if options.vgg is not None:
        return trunk.vgg(options.vgg)
    rng = np.random.default_rng(options.seed)
    which = rng.integers(min(len(photos), 100), size=1000)
    patches = [tl.prepro.crop(read_photo(photos[i]), 32, 32, True, seed=rng) for i in which]
    return trunk.learn(scaled(np.stack(patches)).numpy(), which, 8, run, options.seed)


def read_options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = arguments.parser(__doc__)
    number = arguments.positive
    parser.add_argument("--data", type=Path, help="a folder of photographs, such as DIV2K's")
    parser.add_argument("--vgg", type=Path, help="a file of weights for tl.models.vgg19")
    parser.add_argument("--scale", type=int, choices=[2, 4], default=4, help="of both sides")
    parser.add_argument("--blocks", type=number, default=4, help="residual ones of the generator")
    parser.add_argument("--width", type=number, default=32, help="filters of a convolution")
    parser.add_argument("--side", type=number, default=64, help="of a large patch, in pixels")
    parser.add_argument("--batch", type=number, default=8, help="patches in a step")
    parser.add_argument("--pretrain", type=number, default=6, help="epochs of the first part")
    parser.add_argument("--epochs", type=number, default=6, help="of the second; each is 100 steps")
    record.add_options(parser, "srgan")
    options = arguments.parse(parser, quick={"pretrain": 2, "epochs": 2}, takes="two minutes")
    if options.side % options.scale:
        parser.error(f"--side {options.side} is no multiple of --scale {options.scale}")
    return options


@arguments.program
def main() -> None:
    """Train in two parts, and compare."""
    options, started = read_options(), time.perf_counter()
    tf.random.set_seed(options.seed)
    photos, held_out = read_photos(options)
    patches = Patches(photos, options)
    nearest = functools.partial(larger, scale=options.scale, interp="nearest")
    bicubic = functools.partial(larger, scale=options.scale)
    first = held_out.score(bicubic, "bicubic")
    with record.Record(options, "srgan") as run:
        gan = Srgan(network_that_sees(photos, options, run), options)

        def train(part: str, values: dict[str, Any], n_before: int, n_epoch: int):
            def after_epoch(epoch: tl.train.Epoch) -> None:
                n_steps = STEPS * (n_before + epoch.number)
                score = held_out.score(gan.enlarge, f"{part}, epoch {epoch.number}")
                run.log({**epoch.metrics, **score}, n_steps)
                run.save(gan.generator, n_steps, part)

            how = {"callbacks": [after_epoch], "checkpoint": run.checkpoint(values, part=part)}
            tl.train.run(getattr(gan, part), patches, n_epoch=n_epoch, **how)
            return held_out.score(gan.enlarge, part)

        pixels = {"generator": gan.generator, "optimizer": gan.for_pixels}
        second = train("by_pixels", pixels, 0, options.pretrain)
        third = train("adversarial", vars(gan), options.pretrain, options.epochs)
        ahead, nearer = second["psnr"] - first["psnr"], second["spectrum"] - third["spectrum"]
        print(f"{ahead:.2f} dB ahead of bicubic by pixels, a spectrum nearer by {nearer:.2f} dB")
        print(
            f"{time.perf_counter() - started:.0f} s, {time.process_time():.0f} s of processor time"
        )
        held_out.compare(run.picture("comparison.png"), [nearest, bicubic, gan.enlarge])
    if ahead < AHEAD or nearer < NEARER:
        raise SystemExit(f"should be {AHEAD} dB ahead, and then nearer by {NEARER} dB")


if __name__ == "__main__":
    main()
