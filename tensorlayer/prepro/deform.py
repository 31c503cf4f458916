"""Deformations that are no affine matrix: swirl, elastic, projective."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.draws import finite, multi
from tensorlayer.prepro.libraries import library
from tensorlayer.prepro.warp import border, check_image, remap, warp
from tensorlayer.seeds import Seed, generator

__all__ = [
    "swirl",
    "swirl_multi",
    "elastic_transform",
    "elastic_transform_multi",
    "projective_transform_by_points",
]

#: A projection whose determinant is below this part of its largest entry has lost a dimension.
_FLAT = 1e-9


def swirl(
    x: np.ndarray,
    center: tuple[float, float] | None = None,
    strength: float = 1,
    radius: float = 100,
    rotation: float = 0,
    output_shape: tuple[int, int] | None = None,
    order: int = 1,
    mode: str = "constant",
    cval: float = 0,
    clip: bool = True,
    preserve_range: bool = False,
    is_random: bool = False,
    *,
    seed: Seed = None,
) -> np.ndarray:
    r"""Swirl an image: turn each pixel by an angle that falls off with its distance.

    The pixel of the result at distance $r$ from the centre comes from where a turn by
    $\theta = \mathrm{rotation} + \mathrm{strength}\; e^{-5 r / (\mathrm{radius} \ln 2)}$
    leads.

    Parameters
    ----------
    x
        ``(height, width[, channels])``.
    center
        ``(x, y)`` in pixels; the middle by default.
    strength
        The turn at the centre, in radians; with ``is_random`` the largest.
    radius
        Where the turn has fallen to a thousandth, in pixels, above 0; with ``is_random`` the
        largest.
    rotation
        A turn of all pixels, in degrees; with ``is_random`` the largest to each side.
    output_shape
        Height and width of the result; those of ``x`` by default.
    order
        Of the interpolation: 0 nearest, 1 linear, 2 to 5 splines.
    mode
        What lies beyond the border: ``"constant"``, ``"edge"``, ``"symmetric"``, ``"reflect"`` or
        ``"wrap"``.
    cval
        The value beyond a ``"constant"`` border.
    clip
        Keep splines of higher order in the range of ``x``.
    preserve_range
        Accepted; the range is always preserved.
    is_random
        Draw ``strength``, ``radius`` and ``rotation`` up to their limits, and the centre anywhere.
    seed
        Of the draws.

    Returns
    -------
    numpy.ndarray
        The type of ``x``.

    Raises
    ------
    InvalidArgument
        ``radius`` is not positive, or another number is not finite.

    Examples
    --------
    >>> swirl(np.ones((5, 5, 3), np.uint8), strength=0).sum()
    np.uint64(75)
    """
    image = check_image(x, "swirl")
    if not radius > 0:
        raise InvalidArgument(f"swirl: radius must be above 0 pixels, got {radius!r}.")
    finite(strength, "swirl: strength")
    height, width = image.shape[:2]
    angle = math.radians(finite(rotation, "swirl: rotation"))
    if is_random:
        rng = generator(seed)
        center = (rng.uniform(0, width - 1), rng.uniform(0, height - 1))
        strength, radius = rng.uniform(0, strength), radius * (1 - rng.random())
        angle = rng.uniform(-abs(angle), abs(angle))
    middle = ((width - 1) / 2, (height - 1) / 2)
    center_x, center_y = middle if center is None else finite(center, "swirl: center")
    rows, cols = np.indices(output_shape or (height, width), np.float64)
    away_x, away_y = cols - center_x, rows - center_y
    distance = np.hypot(away_x, away_y)
    fall = np.exp(-5 * distance / (radius * math.log(2)))
    theta = angle + strength * fall + np.arctan2(away_y, away_x)
    source_x, source_y = center_x + distance * np.cos(theta), center_y + distance * np.sin(theta)
    beyond = border(mode, "mode")
    result = remap(image, source_x, source_y, order=order, beyond=beyond, cval=cval)
    return _clipped(result, image, cval, clip and order > 1)


def elastic_transform(
    x: np.ndarray,
    alpha: float,
    sigma: float,
    mode: str = "constant",
    cval: float = 0,
    is_random: bool = False,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Deform an image by a random, smooth field of displacements.

    Each pixel comes from a place that is moved by noise from -1 to 1, smoothed and multiplied.

    Parameters
    ----------
    x
        ``(height, width[, channels])``; all channels move together.
    alpha
        What the smooth noise is multiplied with, in pixels. The paper's value for a width of 28
        is 34.
    sigma
        Of the Gaussian that smooths, in pixels: the larger, the closer to a plain shift. 4 goes
        with an ``alpha`` of 34.
    mode
        What lies beyond the border, in SciPy's words: ``"constant"``, ``"nearest"``,
        ``"reflect"``, ``"mirror"`` or ``"wrap"``. The noise itself ends in 0.
    cval
        The value beyond a ``"constant"`` border.
    is_random
        Accepted; the field is always drawn.
    seed
        Of the field: the same for the same size and seed.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    References
    ----------
    Simard et al., "Best practices for convolutional neural networks applied to visual document
    analysis", ICDAR 2003.

    Examples
    --------
    >>> image = np.eye(28, dtype=np.float32)
    >>> moved = elastic_transform(image, alpha=34, sigma=4, seed=0)
    >>> moved.shape, moved.dtype
    ((28, 28), dtype('float32'))
    """
    image = check_image(x, "elastic_transform")
    if not sigma > 0:
        raise InvalidArgument(f"elastic_transform: sigma must be above 0 pixels, got {sigma!r}.")
    finite(alpha, "elastic_transform: alpha")
    beyond = border(mode, "fill_mode")
    rng = generator(seed)
    height, width = image.shape[:2]
    noise = rng.uniform(-1, 1, (height, width, 2)).astype(np.float32)
    cv2 = library("cv2")  # 6 times as fast as SciPy's filter, with the same kernel
    field = cv2.GaussianBlur(noise, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    rows, cols = np.indices((height, width), np.float32)
    source_y, source_x = rows + alpha * field[..., 0], cols + alpha * field[..., 1]
    return remap(image, source_x, source_y, beyond=beyond, cval=cval)


def projective_transform_by_points(
    x: np.ndarray,
    src: Sequence[Sequence[float]],
    dst: Sequence[Sequence[float]],
    map_args: Mapping[str, Any] | None = None,
    output_shape: tuple[int, int] | None = None,
    order: int = 1,
    mode: str = "constant",
    cval: float = 0.0,
    clip: bool = True,
    preserve_range: bool = False,
) -> np.ndarray:
    """Move an image so that the points ``src`` come to lie on ``dst``.

    Parameters
    ----------
    x
        ``(height, width[, channels])``.
    src, dst
        Four or more positions (x, y) in pixels, before and after; more than four are fitted by
        least squares.
    map_args
        Of a map that is a function; a projection has none, so only None or empty.
    output_shape
        Height and width of the result; those of ``x`` by default.
    order
        Of the interpolation: 0 nearest, 1 linear, 2 to 5 splines.
    mode
        What lies beyond the border: ``"constant"``, ``"edge"``, ``"symmetric"``, ``"reflect"`` or
        ``"wrap"``.
    cval
        The value beyond a ``"constant"`` border, in the range of the result.
    clip
        Keep splines of higher order in the range of ``x``.
    preserve_range
        Keep values and type. Without it the result is floating, in [0, 1]: values are divided by
        255 if any is above 1.

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    InvalidArgument
        There are fewer than four points, their numbers differ, or they lie on one line.

    Examples
    --------
    >>> image = np.zeros((10, 10), np.float32)
    >>> image[2, 1] = 1  # x is 1, y is 2
    >>> corners = [[0, 0], [0, 9], [9, 9], [9, 0]]
    >>> to_the_right = [[x + 3, y] for x, y in corners]
    >>> moved = projective_transform_by_points(image, src=corners, dst=to_the_right)
    >>> moved[2, 4].round(3).item()
    1.0
    """
    image = check_image(x, "projective_transform_by_points")
    if map_args:
        raise InvalidArgument(
            f"projective_transform_by_points: a projection takes no map_args, got {map_args!r}."
        )
    if not preserve_range:
        image = (image / 255 if image.max() > 1 else image * 1.0).astype(
            image.dtype if image.dtype.kind == "f" else np.float64
        )
    matrix = _projection(src, dst)
    size = tuple(output_shape or image.shape[:2])
    result = warp(image, matrix, size, order=order, beyond=border(mode, "mode"), cval=cval)
    return _clipped(result, image, cval, clip and order > 1)


swirl_multi = multi(swirl, "swirl_multi")
elastic_transform_multi = multi(elastic_transform, "elastic_transform_multi")


def _projection(src: Sequence[Sequence[float]], dst: Sequence[Sequence[float]]) -> np.ndarray:
    """Return the 3x3 matrix that leads from ``src`` to ``dst``, by least squares."""
    start, end = np.asarray(src, np.float64), np.asarray(dst, np.float64)
    if start.ndim != 2 or start.shape != end.shape or start.shape[1] != 2 or len(start) < 4:
        raise InvalidArgument(
            "projective_transform_by_points: src and dst are the same number of positions (x, y), "
            f"at least four, got shapes {start.shape} and {end.shape}."
        )
    matrix, _ = library("cv2").findHomography(start, end, 0)
    if matrix is None or abs(np.linalg.det(matrix)) < _FLAT * np.abs(matrix).max():
        raise InvalidArgument(
            "projective_transform_by_points: three of four points must not lie on one line, got "
            f"src={start.tolist()} and dst={end.tolist()}."
        )
    return matrix


def _clipped(result: np.ndarray, image: np.ndarray, cval: float, clips: bool) -> np.ndarray:
    """Keep what a spline overshot in the range of the image."""
    if not clips:
        return result
    return np.clip(result, min(image.min(), cval), max(image.max(), cval))
