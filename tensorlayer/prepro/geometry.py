"""Rotate, shift, shear and zoom one image, or a list of images with one draw.

Each function makes one interpolation. For several transforms at once, and for key points that
follow, compose matrices: see [`tensorlayer.prepro.affine`][].
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.affine import affine_transform_cv2
from tensorlayer.prepro.draws import Limits, multi, up_to
from tensorlayer.prepro.matrices import (
    affine_respective_zoom_matrix,
    affine_rotation_matrix,
    affine_shift_matrix,
    affine_zoom_matrix,
    inverse,
    transform_matrix_offset_center,
)
from tensorlayer.prepro.warp import border, channels_last, warp
from tensorlayer.seeds import Seed, generator

__all__ = [
    "rotation",
    "rotation_multi",
    "shift",
    "shift_multi",
    "shear",
    "shear_multi",
    "shear2",
    "shear_multi2",
    "zoom",
    "zoom_multi",
    "respective_zoom",
]


def rotation(
    x: np.ndarray,
    rg: float = 20,
    is_random: bool = False,
    row_index: int = 0,
    col_index: int = 1,
    channel_index: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Rotate an image about its middle, clockwise.

    Parameters
    ----------
    x
        An image of rank 3, or of rank 2 without channels.
    rg
        Degrees; with ``is_random`` the largest angle to each side. 20 keeps natural pictures
        natural.
    is_random
        Draw the angle from -rg to rg.
    row_index, col_index, channel_index
        The axes of ``x``.
    fill_mode
        What lies beyond the border, in SciPy's words: ``"nearest"``, ``"constant"``,
        ``"reflect"``, ``"mirror"`` or ``"wrap"``.
    cval
        The value beyond a ``"constant"`` border.
    order
        Of the interpolation: 0 nearest, 1 linear, 2 to 5 splines.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    Examples
    --------
    >>> rotation(np.array([[1, 2], [3, 4]]), rg=90)
    array([[3, 1],
           [4, 2]])
    """
    angle = up_to(rg, is_random, generator(seed), "rotation: rg")
    axes = (row_index, col_index, channel_index)
    return _moved(
        x,
        lambda height, width: affine_rotation_matrix(-angle),
        axes,
        fill_mode,
        cval,
        order,
        "rotation",
    )


def shift(
    x: np.ndarray,
    wrg: float = 0.1,
    hrg: float = 0.1,
    is_random: bool = False,
    row_index: int = 0,
    col_index: int = 1,
    channel_index: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Shift the window on an image to the right and downwards: what is seen goes left and up.

    Parameters
    ----------
    x
        An image of rank 3, or of rank 2 without channels.
    wrg, hrg
        By which part of the width and of the height; with ``is_random`` the largest part to each
        side. A tenth keeps centred objects in view.
    is_random
        Draw both from -limit to limit.
    row_index, col_index, channel_index, fill_mode, cval, order, seed
        As for [`rotation`][].

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    Examples
    --------
    >>> shift(np.array([[1, 2, 3, 4]]), wrg=0.25, hrg=0).tolist()
    [[2, 3, 4, 4]]
    """
    rng = generator(seed)
    part_x = up_to(wrg, is_random, rng, "shift: wrg")
    part_y = up_to(hrg, is_random, rng, "shift: hrg")

    def move(height: int, width: int) -> np.ndarray:
        return affine_shift_matrix(-part_x, -part_y, w=width, h=height)

    axes = (row_index, col_index, channel_index)
    return _moved(x, move, axes, fill_mode, cval, order, "shift")


def shear(
    x: np.ndarray,
    intensity: float = 0.1,
    is_random: bool = False,
    row_index: int = 0,
    col_index: int = 1,
    channel_index: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Shear an image by an angle about its middle: columns slide, the right ones downwards.

    Parameters
    ----------
    x
        An image of rank 3, or of rank 2 without channels.
    intensity
        The angle in radians, below pi/2; with ``is_random`` the largest to each side.
    is_random
        Draw the angle from -intensity to intensity.
    row_index, col_index, channel_index, fill_mode, cval, order, seed
        As for [`rotation`][].

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    Examples
    --------
    >>> shear(np.eye(3), intensity=0.0).tolist() == np.eye(3).tolist()
    True
    """
    angle = up_to(intensity, is_random, generator(seed), "shear: intensity")
    back = [[math.cos(angle), 0.0, 0.0], [-math.sin(angle), 1.0, 0.0], [0.0, 0.0, 1.0]]
    axes = (row_index, col_index, channel_index)
    return _moved(x, lambda height, width: inverse(back), axes, fill_mode, cval, order, "shear")


def shear2(
    x: np.ndarray,
    shear: tuple[float, float] = (0.1, 0.1),
    is_random: bool = False,
    row_index: int = 0,
    col_index: int = 1,
    channel_index: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Shear an image along both axes about its middle.

    The pixel (row, col) of the result comes from (row + s0 col, col + s1 row).

    Parameters
    ----------
    x
        An image of rank 3, or of rank 2 without channels.
    shear
        ``(s0, s1)``, pixels per pixel along the height and along the width; with ``is_random`` the
        largest to each side.
    is_random
        Draw both from -limit to limit.
    row_index, col_index, channel_index, fill_mode, cval, order, seed
        As for [`rotation`][].

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    Raises
    ------
    InvalidArgument
        ``shear`` is no pair, or both axes fall into one (s0 * s1 = 1).

    Examples
    --------
    >>> shear2(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), shear=(0, 1)).tolist()
    [[1, 1, 2], [4, 5, 6], [8, 9, 9]]
    """
    if np.shape(shear) != (2,):
        raise InvalidArgument(f"shear2: shear is a pair (height, width), got {shear!r}.")
    rng = generator(seed)
    along_height, along_width = (up_to(limit, is_random, rng, "shear2: shear") for limit in shear)
    if math.isclose(along_height * along_width, 1.0):
        raise InvalidArgument(f"shear2: shear {shear!r} lets both axes fall into one.")
    back = [[1.0, along_width, 0.0], [along_height, 1.0, 0.0], [0.0, 0.0, 1.0]]
    axes = (row_index, col_index, channel_index)
    return _moved(x, lambda height, width: inverse(back), axes, fill_mode, cval, order, "shear2")


def zoom(
    x: np.ndarray,
    zoom_range: Limits = (0.9, 1.1),
    flags: int | None = None,
    border_mode: str = "constant",
    *,
    is_random: bool | None = None,
    row_index: int = 0,
    col_index: int = 1,
    channel_index: int = 2,
    fill_mode: str | None = None,
    cval: float = 0.0,
    order: int = 1,
    seed: Seed = None,
) -> np.ndarray:
    """Zoom an image about its middle; width and height alike.

    Parameters
    ----------
    x
        An image of rank 3, or of rank 2 without channels.
    zoom_range
        Above 1 what is seen becomes larger, as in TensorLayer 2.x (smaller in 1.x); or a pair to
        draw from. A tenth to each side changes the size and keeps the object.
    flags
        An interpolation of OpenCV, which wins over ``order``.
    border_mode
        What lies beyond the border, in OpenCV's words; zeros by default.
    is_random
        From 1.x, where it said what the pair already says: a pair is drawn from.
    row_index, col_index, channel_index, cval, order, seed
        As for [`rotation`][].
    fill_mode
        What lies beyond the border, in SciPy's words, as in 1.x; wins over ``border_mode``.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    Raises
    ------
    InvalidArgument
        The factor is 0, or ``is_random=False`` with a pair.

    Examples
    --------
    >>> zoom(np.array([[1, 2, 3]]), zoom_range=3, border_mode="replicate").tolist()
    [[2, 2, 2]]
    """
    if is_random is False and np.ndim(zoom_range):
        raise InvalidArgument(
            f"zoom: is_random=False goes with one factor, got zoom_range={zoom_range!r}."
        )
    beyond = border(fill_mode, "fill_mode") if fill_mode else border(border_mode, "border_mode")
    matrix = affine_zoom_matrix(zoom_range, seed=seed)
    axes = (row_index, col_index, channel_index)
    return _zoomed(x, matrix, axes, flags, beyond, cval, order, "zoom")


def respective_zoom(
    x: np.ndarray,
    h_range: Limits = (0.9, 1.1),
    w_range: Limits = (0.9, 1.1),
    flags: int | None = None,
    border_mode: str = "constant",
    *,
    row_index: int = 0,
    col_index: int = 1,
    channel_index: int = 2,
    fill_mode: str | None = None,
    cval: float = 0.0,
    order: int = 1,
    seed: Seed = None,
) -> np.ndarray:
    """Zoom an image about its middle; width and height each by its own factor.

    Parameters
    ----------
    x
        An image of rank 3, or of rank 2 without channels.
    h_range, w_range
        Factors of the height and of the width, or pairs to draw from: see [`zoom`][].
    flags, border_mode, row_index, col_index, channel_index, fill_mode, cval, order, seed
        As for [`zoom`][].

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    Examples
    --------
    >>> respective_zoom(np.array([[1], [2], [3]]), h_range=1, w_range=1).ravel().tolist()
    [1, 2, 3]
    """
    beyond = border(fill_mode, "fill_mode") if fill_mode else border(border_mode, "border_mode")
    matrix = affine_respective_zoom_matrix(w_range=w_range, h_range=h_range, seed=seed)
    axes = (row_index, col_index, channel_index)
    return _zoomed(x, matrix, axes, flags, beyond, cval, order, "respective_zoom")


rotation_multi = multi(rotation, "rotation_multi")
shift_multi = multi(shift, "shift_multi")
shear_multi = multi(shear, "shear_multi")
shear_multi2 = multi(shear2, "shear_multi2")
zoom_multi = multi(zoom, "zoom_multi")


def _moved(
    x: np.ndarray,
    matrix: Callable[[int, int], np.ndarray],
    axes: tuple[int, int, int],
    fill_mode: str,
    cval: float,
    order: int,
    who: str,
) -> np.ndarray:
    """Move an image by a matrix about its middle; ``matrix`` is called with height and width."""
    image, back = channels_last(x, axes, who)
    height, width = image.shape[:2]
    centred = transform_matrix_offset_center(matrix(height, width), y=height, x=width)
    beyond = border(fill_mode, "fill_mode")
    return back(warp(image, centred, (height, width), order=order, beyond=beyond, cval=cval))


def _zoomed(
    x: np.ndarray,
    matrix: np.ndarray,
    axes: tuple[int, int, int],
    flags: int | None,
    beyond: int,
    cval: float,
    order: int,
    who: str,
) -> np.ndarray:
    image, back = channels_last(x, axes, who)
    height, width = image.shape[:2]
    centred = transform_matrix_offset_center(matrix, y=height, x=width)
    if flags is not None:
        return back(affine_transform_cv2(image, centred, flags, beyond, cval=cval))
    return back(warp(image, centred, (height, width), order=order, beyond=beyond, cval=cval))
