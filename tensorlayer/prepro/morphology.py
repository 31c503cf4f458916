"""Dilation and erosion by a disk, contours, and maps of points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.libraries import library
from tensorlayer.prepro.warp import as_type, by_channels, check_image

__all__ = [
    "binary_dilation",
    "dilation",
    "binary_erosion",
    "erosion",
    "find_contours",
    "pt2map",
]

# What OpenCV has morphology for; a type that is not here fits into one that is.
_TYPES = {np.dtype(each) for each in (np.uint8, np.uint16, np.int16, np.float32, np.float64)}


def binary_dilation(x: np.ndarray, radius: int = 3) -> np.ndarray:
    """Widen what is not zero by a disk.

    Parameters
    ----------
    x
        ``(height, width)``, or with channels, each on its own.
    radius
        Of the disk, in pixels.

    Returns
    -------
    numpy.ndarray
        The shape of ``x``, bool.

    Examples
    --------
    >>> binary_dilation(np.array([[0, 0, 1, 0, 0]]), radius=1).astype(int).tolist()
    [[0, 1, 1, 1, 0]]
    """
    return dilation(np.asarray(x) != 0, radius)


def dilation(x: np.ndarray, radius: int = 3) -> np.ndarray:
    """Give each pixel the largest value in the disk around it.

    Parameters
    ----------
    x
        ``(height, width)``, or with channels, each on its own; any real type.
    radius
        Of the disk, in pixels. Beyond the border there is nothing.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    Examples
    --------
    >>> dilation(np.array([[0, 0, 9, 5, 0]]), radius=1).tolist()
    [[0, 9, 9, 9, 5]]
    """
    return _morphed(x, radius, library("cv2").dilate, "dilation")


def binary_erosion(x: np.ndarray, radius: int = 3) -> np.ndarray:
    """Keep what is not zero in the whole disk around it.

    Parameters
    ----------
    x
        ``(height, width)``, or with channels, each on its own.
    radius
        Of the disk, in pixels.

    Returns
    -------
    numpy.ndarray
        The shape of ``x``, bool.

    Examples
    --------
    >>> binary_erosion(np.array([[0, 1, 1, 1, 0]]), radius=1).astype(int).tolist()
    [[0, 0, 1, 0, 0]]
    """
    return erosion(np.asarray(x) != 0, radius)


def erosion(x: np.ndarray, radius: int = 3) -> np.ndarray:
    """Give each pixel the smallest value in the disk around it.

    Parameters
    ----------
    x
        ``(height, width)``, or with channels, each on its own; any real type.
    radius
        Of the disk, in pixels. Beyond the border there is nothing.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    Examples
    --------
    >>> erosion(np.array([[3, 7, 9, 5, 8]]), radius=1).tolist()
    [[3, 3, 5, 5, 5]]
    """
    return _morphed(x, radius, library("cv2").erode, "erosion")


def find_contours(
    x: np.ndarray,
    level: float = 0.8,
    fully_connected: str = "low",
    positive_orientation: str = "low",
) -> list[np.ndarray]:
    """Find the lines of constant value, by marching squares.

    Parameters
    ----------
    x
        ``(height, width)``.
    level
        The value along the lines.
    fully_connected
        ``"low"`` or ``"high"``: which side of a crossing hangs together.
    positive_orientation
        ``"low"`` or ``"high"``: which side the lines wind around counter-clockwise.

    Returns
    -------
    list of numpy.ndarray
        Each (n, 2): positions (row, column), in pixels.

    Examples
    --------
    >>> contours = find_contours(np.pad(np.ones((1, 1)), 1), level=0.5)
    >>> len(contours), contours[0].shape
    (1, (5, 2))
    """
    image = check_image(x, "find_contours")
    if image.ndim != 2:
        raise InvalidArgument(f"find_contours: x is (height, width), got shape {image.shape}.")
    find = library("skimage.measure").find_contours
    return find(image, level, fully_connected, positive_orientation)


def pt2map(
    list_points: Sequence[Sequence[Sequence[float]]] | None = None,
    size: tuple[int, int] = (100, 100),
    val: float = 1,
) -> np.ndarray:
    """Draw points into an empty map.

    Parameters
    ----------
    list_points
        For each contour its points (row, column), in pixels, which are rounded.
    size
        Height and width of the map.
    val
        What a point becomes.

    Returns
    -------
    numpy.ndarray
        ``size``, float64, zero beside the points.

    Raises
    ------
    InvalidArgument
        A point lies outside of the map.

    Examples
    --------
    >>> pt2map([[(0, 1), (1.2, 0)]], size=(2, 2)).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    result = np.zeros(size)
    for points in list_points if list_points is not None else ():
        rows, cols = np.rint(np.asarray(points, np.float64).reshape(-1, 2)).astype(int).T
        outside = (rows < 0) | (rows >= size[0]) | (cols < 0) | (cols >= size[1])
        if outside.any():
            first = points[int(np.argmax(outside))]
            raise InvalidArgument(
                f"pt2map: the point {tuple(first)} lies outside of a map of {size} (rows, columns)."
            )
        result[rows, cols] = val
    return result


def _morphed(x: np.ndarray, radius: int, function: Callable, who: str) -> np.ndarray:
    image = check_image(x, who)
    if not isinstance(radius, (int, np.integer)) or radius < 0:
        raise InvalidArgument(f"{who}: radius is a number of pixels, 0 or above, got {radius!r}.")
    distances = np.arange(-radius, radius + 1)
    disk = (distances[:, None] ** 2 + distances**2 <= radius**2).astype(np.uint8)
    work = image.dtype if image.dtype in _TYPES else np.dtype(np.float64)
    if image.dtype.kind == "b":
        work = np.dtype(np.uint8)
    return as_type(
        by_channels(image, lambda part: function(part, disk), work_type=work), image.dtype
    )
