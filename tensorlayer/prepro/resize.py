"""Resizing, and arrays as Pillow images."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tensorlayer.errors import InvalidArgument, did_you_mean
from tensorlayer.prepro.libraries import library
from tensorlayer.prepro.warp import as_type, by_channels, check_image

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["array_to_img", "imresize", "target_size"]

_FILTERS = {
    "nearest": "NEAREST",
    "bilinear": "BILINEAR",
    "bicubic": "BICUBIC",
    "cubic": "BICUBIC",
    "lanczos": "LANCZOS",
}


def imresize(
    x: np.ndarray,
    size: int | float | Sequence[int] | None = None,
    interp: str = "bicubic",
    mode: str | None = None,
) -> np.ndarray:
    """Resize an image.

    Each filter widens when an image shrinks, so fine patterns do not turn into false ones, as they
    do with OpenCV's bicubic. Pillow computes all but ``"area"``, with the numbers of TensorLayer 1;
    ``"area"`` is OpenCV's, in a half (to 112x112) down to a thirtieth (to 128x128) of the time.

    Parameters
    ----------
    x
        ``(height, width[, channels])``, any real type.
    size
        Height and width in pixels; or an integer, a percentage; or a float, a factor. 100x100 by
        default.
    interp
        ``"nearest"``, ``"bilinear"``, ``"bicubic"`` (or ``"cubic"``) or ``"lanczos"``; or
        ``"area"``, the mean of what a pixel of the result covers.
    mode
        A mode of Pillow to convert a uint8 image to first, such as ``"L"`` for grey; not with
        ``"area"``.

    Returns
    -------
    numpy.ndarray
        The type of ``x`` (computed in float32 unless it is uint8). Values keep their range, also
        those of floating images, which TensorLayer 1 and 2 stretched to 0 to 255.

    Raises
    ------
    InvalidArgument
        A size of no pixel, or an unknown filter.

    Examples
    --------
    >>> imresize(np.zeros((10, 20, 3), np.uint8), size=0.5).shape
    (5, 10, 3)
    """
    image = check_image(x, "imresize")
    height, width = target_size(size, image.shape)
    if interp == "area" and mode is None:
        return _by_area(image, height, width)
    if interp not in _FILTERS:
        known = [*_FILTERS, "area (without a mode)"]
        raise InvalidArgument(f"unknown interp {interp!r}. {did_you_mean(str(interp), known)}")
    pillow = library("PIL.Image")
    method = pillow.Resampling[_FILTERS[interp]]
    if mode is not None:
        if image.dtype != np.uint8:
            raise InvalidArgument(f"imresize: mode={mode!r} is for uint8, got {image.dtype}.")
        converted = pillow.fromarray(image.squeeze()).convert(mode)
        return np.array(converted.resize((width, height), method))
    if image.dtype == np.uint8 and (image.ndim == 2 or image.shape[2] == 3):
        resized = pillow.fromarray(np.ascontiguousarray(image)).resize((width, height), method)
        return np.array(resized)  # asarray would give Pillow's bytes, which cannot be written to
    planes = image[..., None] if image.ndim == 2 else image
    resized = [
        pillow.fromarray(np.ascontiguousarray(plane, np.float32)).resize((width, height), method)
        for plane in np.moveaxis(planes, 2, 0)
    ]
    result = as_type(np.stack([np.asarray(each) for each in resized], axis=2), image.dtype)
    return result[..., 0] if image.ndim == 2 else result


def _by_area(image: np.ndarray, height: int, width: int) -> np.ndarray:
    cv2 = library("cv2")
    is_exact = image.dtype in (np.uint8, np.uint16, np.float32)
    return by_channels(
        image,
        lambda part: cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA),
        work_type=image.dtype if is_exact else np.dtype(np.float64),
    )


def target_size(size: int | float | Sequence[int] | None, shape: Sequence[int]) -> tuple[int, int]:
    """Return height and width that ``size`` of [`imresize`][] stands for.

    Examples
    --------
    >>> target_size(50, (10, 20)), target_size(2.0, (10, 20)), target_size([3, 4], (10, 20))
    ((5, 10), (20, 40), (3, 4))
    """
    pair = (100, 100) if size is None else size
    if isinstance(size, numbers.Real):
        factor = size / 100 if isinstance(size, numbers.Integral) else size
        pair = [side * factor for side in shape[:2]]
    if np.shape(pair) != (2,) or not all(1 <= side < math.inf for side in pair):
        raise InvalidArgument(
            "a size is (height, width), a percentage (int) or a factor (float), and gives at "
            f"least one pixel; got {size!r} for shape {tuple(shape)}."
        )
    return int(pair[0]), int(pair[1])


def array_to_img(
    x: np.ndarray, dim_ordering: Sequence[int] = (0, 1, 2), scale: bool = True
) -> Image.Image:
    """Return an array as a Pillow image.

    Parameters
    ----------
    x
        Rank 3, with 1 or 3 channels.
    dim_ordering
        Which axes of ``x`` are the rows, the columns and the channels.
    scale
        Stretch the values to 0 to 255; else they are rounded as they are.

    Returns
    -------
    PIL.Image.Image
        Mode ``"RGB"`` or ``"L"``.

    Raises
    ------
    InvalidArgument
        There are other channels than 1 or 3.

    Examples
    --------
    >>> array_to_img(np.zeros((3, 20, 10)), dim_ordering=(1, 2, 0)).size
    (10, 20)
    """
    image = check_image(np.asarray(x), "array_to_img")
    if image.ndim != 3 or sorted(dim_ordering) != [0, 1, 2]:
        raise InvalidArgument(
            "array_to_img: x has rank 3 and dim_ordering names each axis once, got shape "
            f"{image.shape} and {tuple(dim_ordering)}."
        )
    image = image.transpose(dim_ordering)
    if image.shape[2] not in (1, 3):
        raise InvalidArgument(f"array_to_img: channels are 1 or 3, got shape {image.shape}.")
    if scale:
        lifted = image - min(0.0, float(image.min()))
        image = lifted * (255 / (lifted.max() or 1))
    pixels = as_type(image, np.uint8)
    return library("PIL.Image").fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
