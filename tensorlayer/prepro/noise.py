"""Noise: pixels that drop, and values that waver."""

from __future__ import annotations

import numpy as np

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.prepro.draws import finite
from tensorlayer.prepro.libraries import library
from tensorlayer.prepro.warp import as_type, check_image
from tensorlayer.seeds import Seed, generator

__all__ = ["drop", "gaussian_noise"]


def drop(x: np.ndarray, keep: float = 0.5, *, seed: Seed = None) -> np.ndarray:
    """Set random pixels to zero: pepper without salt.

    Parameters
    ----------
    x
        ``(height, width, channels)``, where a pixel drops with all its channels; or of rank 1 or 2.
    keep
        The probability that a pixel stays.
    seed
        Of the draws.

    Returns
    -------
    numpy.ndarray
        A new array of the shape and type of ``x``.

    Raises
    ------
    InvalidArgument
        ``keep`` is not in [0, 1].

    Examples
    --------
    >>> drop(np.ones((2, 2)), keep=1.0).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    x = np.asarray(x)
    if not 0 <= keep <= 1:
        raise InvalidArgument(f"drop: keep is a probability in [0, 1], got {keep!r}.")
    if x.ndim not in (1, 2, 3):
        raise WrongShape(f"drop: an image or a vector has rank 1 to 3, got shape {x.shape}.")
    kept = generator(seed).random(x.shape[:2]) < keep
    return x * (kept[..., None] if x.ndim == 3 else kept).astype(x.dtype)


def gaussian_noise(x: np.ndarray, stddev: float = 0.05, *, seed: Seed = None) -> np.ndarray:
    r"""Add normal noise: $y = x + \sigma r\,\epsilon$, $\epsilon \sim N(0, 1)$.

    OpenCV draws it, three times as fast as NumPy, from a seed that is one draw from ``seed``; so
    the state of OpenCV's own generator in this thread (``cv2.randn``) changes.

    Parameters
    ----------
    x
        An image.
    stddev
        The standard deviation, as a share of the range r: that of an integer type, and 1 for
        floating values. 0.05 is what the eye takes for a grainy photograph.
    seed
        Of the draws.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``; integers saturate.

    Raises
    ------
    InvalidArgument
        ``stddev`` is negative or not finite.

    Examples
    --------
    >>> image = np.full((100, 100), 128, np.uint8)
    >>> noisy = gaussian_noise(image, stddev=0.1, seed=0)
    >>> noisy.dtype, abs(float(noisy.std()) / 255 - 0.1) < 0.01
    (dtype('uint8'), True)
    """
    image = check_image(x, "gaussian_noise")
    if finite(stddev, "gaussian_noise: stddev") < 0:
        raise InvalidArgument(f"gaussian_noise: stddev must not be negative, got {stddev!r}.")
    scale = np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1
    cv2 = library("cv2")
    noise = np.empty((len(image), image[0].size), np.float32)
    cv2.setRNGSeed(int(generator(seed).integers(2**31)))  # of this thread
    cv2.randn(noise, 0.0, float(stddev * scale))
    noise = noise.reshape(image.shape)
    if image.dtype == np.uint8:
        return cv2.add(image, noise, dtype=cv2.CV_8U).reshape(image.shape)
    return as_type(image + noise, image.dtype)
