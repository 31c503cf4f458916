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
START_OF_JPEG, END_OF_JPEG = b"\xff\xd8", b"\xff\xd9"


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
    """Return a photograph with red, green and blue of 8 bits, also if it is grey or transparent."""
    if photo.dtype == np.uint16:
        photo = (photo >> 8).astype("uint8")
    grey = photo if photo.ndim == 2 else photo[..., 0]
    has_colours = photo.ndim == 3 and photo.shape[2] >= 3
    return photo[..., :3] if has_colours else np.stack([grey] * 3, axis=-1)


def files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files of a folder with these suffixes, in small letters or in capitals.

    Hidden ones are none: beside each picture some systems have a file of its name after `._`.
    """
    if not folder.is_dir():
        raise SystemExit(f"{folder} is no folder: give --data a folder of photographs")
    found = (path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    return sorted(path for path in found if path.name[0] != "." and path.is_file())


def photographs_of(folder: Path, least_side: int, n_least: int) -> list[Path]:
    """Return the photographs of a folder; print which are left out, being broken or too small."""
    image = module("PIL.Image", "tensorlayer[vision]")
    found, others = [], []
    for path in files(folder, (".jpg", ".jpeg", ".png")):
        try:
            with image.open(path) as photo:
                is_fit = min(photo.size) >= least_side and _is_whole(path, photo.format)
        except OSError:  # no picture, whatever its name says
            is_fit = False
        (found if is_fit else others).append(path)
    return _enough(found, others, n_least, f"or less than {least_side} pixels high or wide", folder)


def _is_whole(path: Path, kind: str) -> bool:
    """Whether a file goes on to the end of the picture: nothing was cut off."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))  # some programs write more behind it
        return (b"IEND" if kind == "PNG" else END_OF_JPEG) in file.read()


def portraits(folder: Path, n_least: int) -> tf.data.Dataset:
    """Return the paths of a folder's JPEGs, always in the same random order."""
    found, others = [], []
    for path in files(folder, (".jpg", ".jpeg")):
        with open(path, "rb") as file:
            (found if file.read(2) == START_OF_JPEG else others).append(path)
    paths = [str(path) for path in _enough(found, others, n_least, "or no JPEGs", folder)]
    return tf.data.Dataset.from_tensor_slices(np.random.default_rng(0).permutation(paths))


def _enough(
    found: list[Path], others: list[Path], n_least: int, why: str, folder: Path
) -> list[Path]:
    if others:
        names = ", ".join(path.name for path in others[:3])
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        print(f"left out, since they are broken {why}: {names}{more}")
    if len(found) < n_least:
        raise SystemExit(f"{folder} has {len(found)} photographs, and {n_least} are needed")
    return found


def portrait(path: tf.Tensor, side: int = 64) -> tf.Tensor:
    """Read a JPEG, and return the face in its middle, (side, side, 3) of values from -1 to 1."""
    pixels = tf.io.decode_jpeg(  # what a download has cut off is grey
        tf.io.read_file(path), channels=3, try_recover_truncated=True, acceptable_fraction=0.0
    )
    width = tf.cast(tf.round(FACE * tf.cast(tf.shape(pixels)[1], tf.float32)), tf.int32)
    square = tf.image.resize_with_crop_or_pad(pixels, width, width)
    return tf.image.resize(square, [side, side], antialias=True) / 127.5 - 1


def _resized(images: np.ndarray, side: int) -> np.ndarray:
    larger = [tl.prepro.imresize(each.astype("float32"), [side, side]) for each in images]
    return np.stack(larger)[..., None].clip(-1, 1)  # bicubic, which overshoots
