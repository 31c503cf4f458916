"""Histograms: contrast that uses the whole range."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.libraries import library
from tensorlayer.prepro.tables import lookup
from tensorlayer.prepro.warp import as_type, check_image

__all__ = ["equalize_histogram"]

#: Spreads the values of one channel, and keeps the type: uint8, or float64 from 0 to 1.
Spread = Callable[[np.ndarray], np.ndarray]

#: Tiles of a local histogram in each direction.
_TILES = 8


def equalize_histogram(x: np.ndarray, clip_limit: float | None = None) -> np.ndarray:
    """Spread the values so that each level of brightness occurs about equally often.

    Parameters
    ----------
    x
        Grey, ``(height, width)`` or one channel, or RGB, where only the brightness (the V of HSV)
        changes and the colours stay. Integers, or floating values from 0 to 1.
    clip_limit
        None for one histogram of the whole image: each value becomes the share of pixels that are
        not brighter, of the whole range. A number in (0, 1] for a local one, in tiles of an eighth
        of the image (CLAHE), where it bounds how much contrast is added: it is the share of a
        tile's pixels that count for one of 256 levels; 0.01 is usual.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    Raises
    ------
    InvalidArgument
        ``clip_limit`` is not in (0, 1], integers are negative or floating values leave 0 to 1.

    References
    ----------
    Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994.

    Examples
    --------
    >>> dark = np.arange(64, dtype=np.uint8).reshape(8, 8)
    >>> equalize_histogram(dark).max()
    np.uint8(255)
    """
    image = check_image(x, "equalize_histogram")
    if clip_limit is not None and not 0 < clip_limit <= 1:
        raise InvalidArgument(
            f"equalize_histogram: clip_limit is None or in (0, 1], got {clip_limit!r}."
        )
    spread = _shares if clip_limit is None else functools.partial(_tiles, clip_limit=clip_limit)
    equalize = _brightness if image.shape[2:] == (3,) else _channels
    if image.dtype == np.uint8:
        return equalize(image, spread)
    whole = np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1
    values = image / np.float64(whole)
    if not (values.min() >= 0 and values.max() <= 1):  # NaN is neither
        raise InvalidArgument(
            f"equalize_histogram: floating values lie from 0 to 1, got {values.min():.4g} to "
            f"{values.max():.4g}. Scale them first."
        )
    return as_type(equalize(values, spread) * whole, image.dtype)


def _channels(image: np.ndarray, spread: Spread) -> np.ndarray:
    """Spread each channel by itself."""
    planes = image.reshape(*image.shape[:2], -1)
    each = [spread(np.ascontiguousarray(plane)) for plane in np.moveaxis(planes, -1, 0)]
    return np.stack(each, axis=-1).reshape(image.shape)


def _brightness(image: np.ndarray, spread: Spread) -> np.ndarray:
    """Spread the largest of the three colours, and multiply all three by what it grew by."""
    cv2 = library("cv2")
    kinds = (cv2.CV_8U, cv2.CV_32F) if image.dtype == np.uint8 else (cv2.CV_64F,) * 2
    # In one piece: three fresh pieces of memory take longer than splitting.
    colours = cv2.split(image, list(np.empty((3, *image.shape[:2]), image.dtype)))
    old = cv2.max(cv2.max(colours[0], colours[1]), colours[2])
    new = spread(old)
    factor = cv2.divide(new, old, dtype=kinds[1])
    grown = [cv2.multiply(each, factor, dst=each, dtype=kinds[0]) for each in colours]
    if not old.all():  # of black no factor makes light
        is_black = (old == 0).view(np.uint8)
        grown = [cv2.copyTo(new, is_black, dst=each) for each in grown]
    return cv2.merge(grown)


def _shares(values: np.ndarray) -> np.ndarray:
    """Return the share of pixels that are not brighter, of the whole range."""
    if values.dtype == np.uint8:
        counts = library("cv2").calcHist([values], [0], None, [256], (0, 256)).ravel()
        return lookup(
            as_type(counts.cumsum(dtype=np.float64) * (255 / values.size), np.uint8), values
        )
    counts, edges = np.histogram(values, 256)
    return np.interp(values, (edges[1:] + edges[:-1]) / 2, counts.cumsum() / values.size)


def _tiles(values: np.ndarray, clip_limit: float) -> np.ndarray:
    """Return the values spread by the histograms of the tiles around each pixel."""
    cv2 = library("cv2")
    levels = as_type(values * 255 if values.dtype.kind == "f" else values, np.uint8)
    # OpenCV counts the limit in the mean of the 256 levels.
    local = cv2.createCLAHE(256 * clip_limit, (_TILES, _TILES)).apply(levels)
    if values.dtype == np.uint8:
        return local
    return np.clip(values + cv2.subtract(local, levels, dtype=cv2.CV_64F) / 255, 0, 1)
