"""Images per second of a typical augmentation, against scikit-image and TensorFlow.

Rotate, shift, zoom, shear, flip and crop 256x256x3 to 224x224. Run with
``python -m benchmarks.prepro``; ``--quick`` takes seconds, ``--check`` exits with 1 if a bar is
missed. What is compared runs in interleaved rounds on the same images with the same random
numbers; a ratio is the median over rounds.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable

import numpy as np
import skimage.transform
import tensorflow as tf

from benchmarks import harness
from benchmarks.harness import Bar, Samples, Spread
from tensorlayer import prepro

SIZE, CROP = 256, 224
#: Ours must be so many times as fast as the other.
BARS = {
    "scikit-image, step by step": Bar(5.0, is_upper=False),
    "tf.image, flip and crop": Bar(1.0, is_upper=False),
}
PACKAGES = ("numpy", "opencv-python-headless", "scikit-image", "scipy", "tensorflow")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draw:
    """The random numbers of one image, the same for every contestant."""

    angle: float  # degrees
    shift_x: float  # part of the width
    shift_y: float
    zoom: float
    shear: float  # pixels per pixel
    flips: bool
    row: int  # of the crop
    col: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Draw:
        """Draw the numbers of a usual augmentation."""
        return cls(
            angle=rng.uniform(-20, 20),
            shift_x=rng.uniform(-0.1, 0.1),
            shift_y=rng.uniform(-0.1, 0.1),
            zoom=rng.uniform(0.9, 1.1),
            shear=rng.uniform(-0.1, 0.1),
            flips=bool(rng.random() < 0.5),
            row=int(rng.integers(SIZE - CROP + 1)),
            col=int(rng.integers(SIZE - CROP + 1)),
        )


def matrices(draw: Draw) -> list[np.ndarray]:
    """Return the transforms of a draw, the crop as a shift from the middle."""
    middle = (SIZE - CROP) / 2
    return [
        prepro.affine_rotation_matrix(draw.angle),
        prepro.affine_shift_matrix(draw.shift_x, draw.shift_y, w=SIZE, h=SIZE),
        prepro.affine_zoom_matrix(draw.zoom),
        prepro.affine_shear_matrix(draw.shear, 0),
        prepro.affine_horizontal_flip_matrix(float(draw.flips)),
        prepro.affine_shift_matrix(middle - draw.col, middle - draw.row, w=1, h=1),
    ]


def composed(draw: Draw) -> np.ndarray:
    """Return the one matrix of a draw."""
    return prepro.affine_compose(
        *matrices(draw), height=SIZE, width=SIZE, output_shape=(CROP, CROP)
    )


def ours(image: np.ndarray, draw: Draw) -> np.ndarray:
    """Use one matrix and one interpolation."""
    return prepro.affine_transform_cv2(
        image, composed(draw), border_mode="replicate", output_shape=(CROP, CROP)
    )


def ours_step_by_step(image: np.ndarray, draw: Draw) -> np.ndarray:
    """Call the functions for one transform each."""
    image = prepro.rotation(image, -draw.angle)
    image = prepro.shift(image, -draw.shift_x, -draw.shift_y)
    image = prepro.zoom(image, draw.zoom, border_mode="replicate")
    image = prepro.shear2(image, (0.0, -draw.shear))
    image = prepro.flip_axis(image, 1) if draw.flips else image
    return image[draw.row : draw.row + CROP, draw.col : draw.col + CROP]


def scikit_image_step_by_step(image: np.ndarray, draw: Draw) -> np.ndarray:
    """Call the functions of scikit-image one after the other, as most scripts do, on floats."""
    options = {"order": 1, "mode": "edge", "preserve_range": True}
    image = skimage.transform.rotate(image.astype(np.float32), draw.angle, **options)
    for matrix in matrices(draw)[1:4]:
        centred = prepro.transform_matrix_offset_center(matrix, SIZE, SIZE)
        image = skimage.transform.warp(image, np.linalg.inv(centred), **options)
    image = image[:, ::-1] if draw.flips else image
    return image[draw.row : draw.row + CROP, draw.col : draw.col + CROP]


def scikit_image_one_matrix(image: np.ndarray, draw: Draw) -> np.ndarray:
    """Use our matrix and their interpolation."""
    return skimage.transform.warp(
        image.astype(np.float32),
        np.linalg.inv(composed(draw)),
        output_shape=(CROP, CROP),
        order=1,
        mode="edge",
        preserve_range=True,
    )


@tf.function
def _tensorflow(image: tf.Tensor, coefficients: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=coefficients,
        output_shape=[CROP, CROP],
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )[0]


def tensorflow_one_matrix(image: np.ndarray, draw: Draw) -> np.ndarray:
    """Use our matrix and TensorFlow's interpolation; tf.image itself can only flip and crop."""
    back = np.linalg.inv(composed(draw))
    return _tensorflow(image, (back / back[2, 2]).ravel()[None, :8].astype(np.float32)).numpy()


def ours_flip_and_crop(image: np.ndarray, draw: Draw) -> np.ndarray:
    """Do what tf.image has operations for; copy, so that the work is done."""
    image = prepro.flip_axis(image, 1) if draw.flips else image
    return np.ascontiguousarray(image[draw.row : draw.row + CROP, draw.col : draw.col + CROP])


@tf.function
def _tf_image(image: tf.Tensor, flips: tf.Tensor, row: tf.Tensor, col: tf.Tensor) -> tf.Tensor:
    image = tf.cond(flips, lambda: tf.image.flip_left_right(image), lambda: image)
    return tf.image.crop_to_bounding_box(image, row, col, CROP, CROP)


def tf_image_flip_and_crop(image: np.ndarray, draw: Draw) -> np.ndarray:
    """Do the same by tf.image, traced."""
    return _tf_image(
        image, tf.constant(draw.flips), tf.constant(draw.row), tf.constant(draw.col)
    ).numpy()


Contestant = Callable[[np.ndarray, Draw], np.ndarray]
CONTESTANTS: dict[str, Contestant] = {
    "TensorLayer": ours,
    "TensorLayer, step by step": ours_step_by_step,
    "scikit-image, step by step": scikit_image_step_by_step,
    "scikit-image, one matrix": scikit_image_one_matrix,
    "TensorFlow, one matrix": tensorflow_one_matrix,
    "TensorLayer, flip and crop": ours_flip_and_crop,
    "tf.image, flip and crop": tf_image_flip_and_crop,
}
#: What each is compared with.
RIVALS = {
    name: "TensorLayer, flip and crop" if "flip" in name else "TensorLayer"
    for name in CONTESTANTS
    if name not in ("TensorLayer", "TensorLayer, flip and crop")
}


def smooth_images(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return pictures without detail, on which interpolations can be compared."""
    small = rng.integers(0, 256, (count, 8, 8, 3), np.uint8)
    return np.stack([prepro.imresize(each, (SIZE, SIZE)) for each in small])


def check_that_they_agree(images: np.ndarray, draws: list[Draw]) -> dict[str, float]:
    """Return by how much each differs from ours, in levels of 255, in the mean."""
    differences = {}
    for name, rival in RIVALS.items():
        pairs = [
            (CONTESTANTS[name](image, draw), CONTESTANTS[rival](image, draw))
            for image, draw in zip(images, draws, strict=True)
        ]
        differences[name] = float(np.mean([np.abs(a - b.astype(float)).mean() for a, b in pairs]))
        if differences[name] > 4:
            sys.exit(f"{name} shows something else than {rival}: {differences[name]:.1f} of 255")
    return differences


def augment(function: Contestant, images: np.ndarray, draws: list[Draw]) -> None:
    """Transform all images."""
    for image, draw in zip(images, draws, strict=True):
        function(image, draw)


def measure(images: np.ndarray, draws: list[Draw], n_rounds: int) -> Samples:
    """Return images per second of each contestant in each round."""
    samples = harness.rounds(
        {
            name: functools.partial(augment, function, images, draws)
            for name, function in CONTESTANTS.items()
        },
        n_rounds,
    )
    return {name: [len(images) / each for each in taken] for name, taken in samples.items()}


def table(result: dict, ratios: dict[str, Spread]) -> str:
    """Return the result as a Markdown table."""
    what = f"Augmentation of {SIZE}x{SIZE}x3 to {CROP}x{CROP}, one image at a time"
    lines = [
        f"{what}; {harness.where(result)}.",
        "",
        "| | images/s | ours is so many times as fast | bar |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {median:,.0f} | {ratios.get(name, '')} | {BARS.get(name, '')} |"
        for name, median in result["medians"].items()
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    options = harness.options(__doc__, arguments)
    rng = np.random.default_rng(0)
    n_images, n_rounds = (16, 5) if options.quick else (64, 15)
    images = smooth_images(n_images, rng)
    draws = [Draw.random(rng) for _ in images]
    differences = check_that_they_agree(images, draws)  # and warms up
    samples = measure(images, draws, n_rounds)
    ratios = {name: Spread.of_ratios(samples[our], samples[name]) for name, our in RIVALS.items()}
    result = {
        "name": "prepro",
        "machine": harness.machine(*PACKAGES),
        "n_images": n_images,
        "n_rounds": n_rounds,
        "unit": "images per second",
        "samples": samples,
        "medians": {name: float(np.median(rates)) for name, rates in samples.items()},
        "ratios": {name: dataclasses.asdict(ratio) for name, ratio in ratios.items()},
        "bars": {name: bar.limit for name, bar in BARS.items()},
        "mean_difference_of_255": differences,
    }
    chart = harness.keep(result, table(result, ratios), options.output)
    colours = ["tab:blue" if name.startswith("TensorLayer") else "tab:gray" for name in samples]
    harness.bars_chart(chart, result["medians"], colours, "images per second (more is better)")
    return harness.verdict(ratios, BARS, options.check)


if __name__ == "__main__":
    sys.exit(main())
