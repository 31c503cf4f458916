"""Image files: read one or many, save one or a grid, of any type and range."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tensorlayer import logging
from tensorlayer.damage import is_damage, reason
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.logging import printed
from tensorlayer.prepro.libraries import library
from tensorlayer.prepro.warp import as_type

__all__ = ["read_image", "read_images", "save_image", "save_images", "to_uint8"]

#: By which part interpolation may overshoot a range that still counts as this one.
OVERSHOOT = 0.05

# How Pillow calls what is not already grey or colour in 8, 16 or 32 bits.
_CONVERTED = {"1": "L", "P": "RGB", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB"}


def read_image(image: str | os.PathLike[str], path: str | os.PathLike[str] = "") -> np.ndarray:
    """Read an image file.

    Parameters
    ----------
    image
        The name of the file.
    path
        The folder it is in.

    Returns
    -------
    numpy.ndarray
        ``(height, width)`` for grey, else ``(height, width, channels)``; uint8, or what the file
        holds (16 bits, floating). A palette becomes colours; a photograph is turned as the
        camera was held.

    Raises
    ------
    OSError
        There is no such file, it holds no image, or it is broken.

    Examples
    --------
    >>> save_image(np.full((4, 6, 3), 7, np.uint8), "grey.png")
    'grey.png'
    >>> read_image("grey.png").shape
    (4, 6, 3)
    """
    file = os.path.join(path, image)
    try:
        with library("PIL.Image").open(file) as picture:
            return _pixels(picture, file)
    except Exception as error:  # Pillow has many words for a broken file
        if not is_damage(error):
            raise
        raise OSError(f"{file}: {reason(error)}. The file is broken; get it again.") from error


def _pixels(picture: Any, file: str) -> np.ndarray:
    if picture.mode in ("RGB", "RGBA") and any(";16" in str(tile[3]) for tile in picture.tile):
        return _pixels_of_16_bits(file)
    upright = library("PIL.ImageOps").exif_transpose(picture)  # as the camera was held
    mode = _CONVERTED.get(picture.mode, picture.mode)
    if picture.mode == "P" and "transparency" in picture.info:
        mode = "RGBA"
    return np.array(upright.convert(mode) if mode != picture.mode else upright)


def _pixels_of_16_bits(file: str) -> np.ndarray:
    """Read colours that Pillow would cut to 8 bits."""
    cv2 = library("cv2")
    pixels = cv2.imread(file, cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("its colours of 16 bits cannot be decoded")
    code = cv2.COLOR_BGRA2RGBA if pixels.shape[-1] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(pixels, code)


def read_images(
    img_list: Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str] = "",
    n_threads: int = 10,
    printable: bool = True,
) -> list[np.ndarray]:
    """Read image files, in threads.

    Parameters
    ----------
    img_list
        The names of the files.
    path
        The folder they are in.
    n_threads
        Files at a time. Ten keep a disk and the decoders busy.
    printable
        Log how many were read, at INFO.

    Returns
    -------
    list of numpy.ndarray
        In the order of ``img_list``: see [`read_image`][].

    Raises
    ------
    OSError
        Of the first file, in that order, that cannot be read; it names the file.

    Examples
    --------
    >>> for name in ("a.png", "b.png"):
    ...     _ = save_image(np.zeros((4, 6), np.uint8), name)
    >>> [image.shape for image in read_images(["a.png", "b.png"], printable=False)]
    [(4, 6), (4, 6)]
    """
    if n_threads < 1:
        raise InvalidArgument(f"read_images: n_threads must be 1 or more, got {n_threads!r}.")
    with ThreadPoolExecutor(n_threads) as pool:
        images = list(pool.map(lambda name: read_image(name, path), img_list))
    if printable:
        printed.info("read %d images from %r", len(images), os.fspath(path))
    return images


def save_image(
    image: np.ndarray, image_path: str | os.PathLike[str] = "_temp.png"
) -> str | os.PathLike[str]:
    """Save an image.

    Parameters
    ----------
    image
        ``(height, width)``, or ``(height, width, channels)`` with 1, 3 or 4 channels; of others
        the first is saved. Any type and range: see [`to_uint8`][].
    image_path
        The file; its ending says the format. JPEG has no transparency, which is left out.

    Returns
    -------
    str or path
        ``image_path``.

    Raises
    ------
    WrongShape
        It has another rank.

    Examples
    --------
    >>> save_image(np.random.default_rng(0).random((4, 6, 3)), "noise.png")
    'noise.png'
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise WrongShape(
            "save_image: an image is (height, width) or (height, width, channels), got shape "
            f"{image.shape}. For a batch there is save_images."
        )
    if image.ndim == 3 and image.shape[2] not in (3, 4):
        if image.shape[2] > 1:
            logging.warning("save_image: of %d channels the first is saved", image.shape[2])
        image = image[..., 0]
    picture = library("PIL.Image").fromarray(np.ascontiguousarray(to_uint8(image)))
    if picture.mode == "RGBA" and os.fspath(image_path).lower().endswith((".jpg", ".jpeg")):
        picture = picture.convert("RGB")
    picture.save(image_path)
    return image_path


def save_images(
    images: np.ndarray | Sequence[np.ndarray],
    size: Sequence[int],
    image_path: str | os.PathLike[str] = "_temp.png",
) -> str | os.PathLike[str]:
    """Save a batch of images as one grid.

    Parameters
    ----------
    images
        ``(batch, height, width[, channels])``. Type and range: see [`to_uint8`][]; the range is
        that of the whole batch.
    size
        Rows and columns of the grid. Cells without an image stay black.
    image_path
        The file; its ending says the format.

    Returns
    -------
    str or path
        ``image_path``.

    Raises
    ------
    InvalidArgument
        There are more images than cells.
    WrongShape
        It is no batch of images.

    Examples
    --------
    >>> save_images(np.random.default_rng(0).random((5, 8, 8, 3)), [2, 3], "grid.png")
    'grid.png'
    >>> read_image("grid.png").shape
    (16, 24, 3)
    """
    batch = np.asarray(images)
    batch = batch[..., None] if batch.ndim == 3 else batch
    if batch.ndim != 4:
        raise WrongShape(
            "save_images: a batch is (batch, height, width[, channels]), got shape "
            f"{np.shape(images)}."
        )
    rows, cols = size
    count, height, width, channels = batch.shape
    if count > rows * cols:
        raise InvalidArgument(
            f"save_images: {count} images do not fit into {rows} rows of {cols}. Give a larger "
            "size, or fewer images."
        )
    cells = np.zeros((rows * cols, height, width, channels), np.uint8)
    cells[:count] = to_uint8(batch)
    grid = cells.reshape(rows, cols, height, width, channels).swapaxes(1, 2)
    return save_image(grid.reshape(rows * height, cols * width, channels), image_path)


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Return an image as uint8, stretched as its type and range say.

    Parameters
    ----------
    image
        Of any shape:

        - uint8: as it is;
        - bool: 0 and 255; uint16: its upper 8 bits;
        - values from 0 to 1, or else from -1 to 1: stretched to 0 to 255;
        - or else from 0 to 255: rounded (interpolation may overshoot each range by 5 percent);
        - anything else: stretched so that the smallest is 0 and the largest 255.

        What is not a number becomes 0, infinity the end of the range.

    Returns
    -------
    numpy.ndarray
        The same shape.

    Examples
    --------
    >>> to_uint8(np.array([0.0, 0.5, 1.0])).tolist()
    [0, 128, 255]
    >>> to_uint8(np.array([-1.0, 0.0, 1.0])).tolist()
    [0, 128, 255]
    >>> to_uint8(np.array([0.0, 127.6, 255.0], np.float32)).tolist()
    [0, 128, 255]
    """
    image = np.asarray(image)
    if image.dtype == np.uint8 or not image.size:
        return image.astype(np.uint8, copy=False)
    if image.dtype.kind not in "biuf":
        raise InvalidArgument(f"an image holds real numbers, got dtype {image.dtype}.")
    if image.dtype.kind == "b":
        return image.astype(np.uint8) * 255
    if image.dtype == np.uint16 and image.max() > 255:
        return (image >> 8).astype(np.uint8)
    values = image.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    low, high = _range(float(low), float(high))
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    return as_type((values - low) * (255 / ((high - low) or 1)), np.uint8)


def _range(low: float, high: float) -> tuple[float, float]:
    """Return which values become 0 and 255."""
    if high <= 1 + OVERSHOOT and low >= -OVERSHOOT:
        return 0.0, 1.0
    if high <= 1 + OVERSHOOT and low >= -1 - OVERSHOOT:
        return -1.0, 1.0
    if low >= -OVERSHOOT * high and high <= 255 * (1 + OVERSHOOT):
        return 0.0, 255.0
    return low, high
