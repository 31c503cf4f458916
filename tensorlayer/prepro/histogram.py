"""Histograms: contrast that uses the whole range."""

from __future__ import annotations

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.libraries import library
from tensorlayer.prepro.warp import as_type, check_image

__all__ = ["equalize_histogram"]


def equalize_histogram(x: np.ndarray, clip_limit: float | None = None) -> np.ndarray:
    """Spread the values so that each level of brightness occurs about equally often.

    Parameters
    ----------
    x
        Grey, ``(height, width)`` or one channel, or RGB, where only the brightness (the V of HSV)
        changes and the colours stay. Integers, or floating values from 0 to 1.
    clip_limit
        None for one histogram of the whole image. A number in (0, 1] for a local one, in tiles of
        an eighth of the image (CLAHE), where it bounds how much contrast is added; 0.01 is usual.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``, over the whole range of the type.

    Raises
    ------
    InvalidArgument
        ``clip_limit`` is not in (0, 1], or floating values leave 0 to 1.

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
    whole = np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1
    values = image / whole
    if values.min() < 0 or values.max() > 1:
        raise InvalidArgument(
            f"equalize_histogram: floating values lie from 0 to 1, got {values.min():.4g} to "
            f"{values.max():.4g}. Scale them first."
        )
    return as_type(_equalized(values, clip_limit) * whole, image.dtype)


def _equalized(values: np.ndarray, clip_limit: float | None) -> np.ndarray:
    if values.ndim == 3 and values.shape[-1] == 3:
        color = library("skimage.color")
        hsv = color.rgb2hsv(values)
        hsv[..., 2] = _equalized(hsv[..., 2], clip_limit)
        return color.hsv2rgb(hsv)
    if values.ndim == 3:
        return np.stack([_equalized(each, clip_limit) for each in np.moveaxis(values, -1, 0)], -1)
    exposure = library("skimage.exposure")
    if clip_limit is None:
        return exposure.equalize_hist(values)
    return exposure.equalize_adapthist(values, clip_limit=clip_limit)
