"""Flip and crop: the pixels stay what they are, and the result is a view."""

from __future__ import annotations

import math

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.draws import coin, multi
from tensorlayer.seeds import Seed, generator

__all__ = ["crop", "crop_multi", "flip_axis", "flip_axis_multi", "inner_rectangle", "window"]


def flip_axis(
    x: np.ndarray, axis: int = 1, is_random: bool = False, *, seed: Seed = None
) -> np.ndarray:
    """Flip an image along an axis.

    Parameters
    ----------
    x
        An array of any rank.
    axis
        0 swaps top and bottom, 1 left and right, 2 turns RGB into BGR.
    is_random
        Flip in half of the calls only.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        A view of ``x``.

    Examples
    --------
    >>> flip_axis(np.array([[1, 2], [3, 4]]), axis=0).tolist()
    [[3, 4], [1, 2]]
    """
    x = np.asarray(x)
    if not -x.ndim <= axis < x.ndim:
        raise InvalidArgument(f"flip_axis: shape {x.shape} has no axis {axis!r}.")
    keeps = is_random and not coin(0.5, generator(seed), "flip_axis")
    return x if keeps else np.flip(x, axis)


def crop(
    x: np.ndarray,
    wrg: int,
    hrg: int,
    is_random: bool = False,
    row_index: int = 0,
    col_index: int = 1,
    channel_index: int = 2,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Crop an image: its middle, or a random window.

    Parameters
    ----------
    x
        An image.
    wrg, hrg
        Width, then height of the result, in pixels; at most those of the image.
    is_random
        Draw the window; every position is as likely, the last ones too.
    row_index, col_index
        The axes of the height and of the width.
    channel_index
        From 1.x; the other axes stay whole.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        A view of ``x``.

    Raises
    ------
    InvalidArgument
        The window is empty or larger than the image.

    Examples
    --------
    >>> crop(np.arange(12).reshape(3, 4), wrg=2, hrg=1).tolist()
    [[5, 6]]
    """
    x = np.asarray(x)
    rng = generator(seed) if is_random else None
    view = [slice(None)] * x.ndim
    for axis, size in ((row_index, hrg), (col_index, wrg)):
        view[axis] = window(x.shape[axis], size, rng, x.shape)
    return x[tuple(view)]


flip_axis_multi = multi(flip_axis, "flip_axis_multi")
crop_multi = multi(crop, "crop_multi")


def window(whole: int, size: int, rng: np.random.Generator | None, shape: tuple[int, ...]) -> slice:
    """Return where a window lies in an axis: in its middle, or anywhere if there is a generator.

    Parameters
    ----------
    whole, size
        Of the axis and of the window, in pixels.
    rng
        Draws the position; None for the middle.
    shape
        Of the image, for the error.

    Raises
    ------
    InvalidArgument
        The window is empty or larger than the axis.

    Examples
    --------
    >>> window(10, 4, None, (10, 10))
    slice(3, 7, None)
    """
    if not 0 < size <= whole:
        raise InvalidArgument(
            f"crop: a window of {size} pixels does not fit into {whole} of an image of shape "
            f"{shape}. wrg is the width, hrg the height."
        )
    first = (whole - size) // 2 if rng is None else int(rng.integers(whole - size + 1))
    return slice(first, first + int(size))


def inner_rectangle(width: float, height: float, angle: float) -> tuple[float, float]:
    """Return width and height of the largest upright rectangle in a rotated one.

    Its corners touch two sides of the rotated one if that is long and narrow, else all four.

    Parameters
    ----------
    width, height
        Of the rotated rectangle, before it was.
    angle
        Of the rotation, in radians.

    Examples
    --------
    >>> [round(side, 3) for side in inner_rectangle(2, 2, math.pi / 4)]
    [1.414, 1.414]
    """
    sin, cos = abs(math.sin(angle)), abs(math.cos(angle))
    long, short = max(width, height), min(width, height)
    if short <= 2 * sin * cos * long or abs(sin - cos) < 1e-10:
        half = short / 2
        inner = (half / sin, half / cos) if width >= height else (half / cos, half / sin)
    else:
        double = cos * cos - sin * sin
        inner = (width * cos - height * sin) / double, (height * cos - width * sin) / double
    return min(inner[0], width), min(inner[1], height)
