"""Real pictures: those that scikit-learn and scikit-image ship, and those of a folder."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import tensorflow as tf

import tensorlayer as tl

N_FACES = 100  # of the 200 pictures that `lfw_subset` has; they come first
FACE = 108 / 178  # of the width of a portrait: what DCGAN and others take of CelebA


def module(name: str, install: str) -> ModuleType:
    """Return a module, or end the program with the command that installs it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise SystemExit(f"{name} is needed: pip install '{install}'") from error


sklearn = functools.partial(module, "sklearn.datasets", "scikit-learn")
skimage = functools.partial(module, "skimage.data", "tensorlayer[vision]")


def digits(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 1,797 digits, (n, side, side, 1) of values from -1 to 1, and which they are."""
    found = sklearn().load_digits()
    return _resized(found.images / 8 - 1, side), found.target.astype("int64")


def faces(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 100 faces and 100 other pictures, as `digits` are, and whether they are faces."""
    found = skimage().lfw_subset()
    return _resized(found * 2 - 1, side), (np.arange(len(found)) < N_FACES).astype("int64")


def photographs() -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Return photographs, (height, width, 3) of uint8, to learn from, and others held out."""
    names = "coffee rocket camera coins hubble_deep_field immunohistochemistry retina"
    shipped = [getattr(skimage(), name)() for name in (names + " brick grass gravel").split()]
    china, flower = sklearn().load_sample_images().images
    held_out = {"astronaut": skimage().astronaut(), "cat": skimage().chelsea(), "flower": flower}
    return [in_colours(each) for each in (*shipped, china)], held_out


def in_colours(photo: np.ndarray) -> np.ndarray:
    """Return a photograph with red, green and blue, also if it is grey or transparent."""
    return np.stack([photo] * 3, axis=-1) if photo.ndim == 2 else photo[..., :3]


def portraits(folder: Path, n_least: int) -> tf.data.Dataset:
    """Return the paths of a folder's JPEGs, always in the same random order."""
    paths = sorted(str(path) for path in folder.glob("*.jpg"))
    if len(paths) < n_least:
        raise SystemExit(f"{folder} has {len(paths)} files *.jpg, and {n_least} are needed")
    return tf.data.Dataset.from_tensor_slices(np.random.default_rng(0).permutation(paths))


def portrait(path: tf.Tensor, side: int = 64) -> tf.Tensor:
    """Read a JPEG, and return the face in its middle, (side, side, 3) of values from -1 to 1."""
    pixels = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
    width = tf.cast(tf.round(FACE * tf.cast(tf.shape(pixels)[1], tf.float32)), tf.int32)
    square = tf.image.resize_with_crop_or_pad(pixels, width, width)
    return tf.image.resize(square, [side, side], antialias=True) / 127.5 - 1


def _resized(images: np.ndarray, side: int) -> np.ndarray:
    larger = [tl.prepro.imresize(each.astype("float32"), [side, side]) for each in images]
    return np.stack(larger)[..., None].clip(-1, 1)  # bicubic, which overshoots
