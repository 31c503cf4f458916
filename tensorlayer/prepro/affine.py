"""Affine geometry: one matrix for any number of transforms, one interpolation per image.

Compose the matrices of [`tensorlayer.prepro.matrices`][], then transform the image, its key
points and its boxes by the one result:

    matrix = tl.prepro.affine_compose(
        tl.prepro.affine_rotation_matrix((-20, 20)),
        tl.prepro.affine_zoom_matrix((0.8, 1.1)),
        tl.prepro.affine_horizontal_flip_matrix(0.5),
        height=height, width=width,
    )
    image = tl.prepro.affine_transform_cv2(image, matrix)
    points = tl.prepro.affine_transform_keypoints(points, matrix)

The same by hand, where the right-most is applied first:

    matrix = tl.prepro.transform_matrix_offset_center(flip @ zoom @ rotate, y=height, x=width)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tensorlayer.prepro.matrices import as_matrix, inverse
from tensorlayer.prepro.warp import border, channels_last, check_image, warp

__all__ = [
    "affine_transform",
    "apply_transform",
    "affine_transform_cv2",
    "affine_transform_keypoints",
]

# OpenCV's numbers of interpolations, and of the flag that says that a matrix is already inverted.
_NEAREST, _LINEAR, _CUBIC, _AREA, _LANCZOS4 = range(5)
_WARP_INVERSE_MAP = 16


def affine_transform(
    x: np.ndarray,
    transform_matrix: np.ndarray,
    channel_index: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Transform an image by a matrix in SciPy's format: rows first, from the result to the image.

    The pixel (row, col) of the result comes from ``transform_matrix @ (row, col, 1)``, so the
    matrix is the inverse of the one that [`affine_transform_cv2`][] takes, with x and y swapped.

    Parameters
    ----------
    x
        An image of rank 3, or of rank 2 without channels.
    transform_matrix
        3x3, or the first two rows of it.
    channel_index
        The axis of the channels.
    fill_mode
        What lies beyond the border, in SciPy's words: ``"nearest"``, ``"constant"``,
        ``"reflect"``, ``"mirror"`` or ``"wrap"`` (with the image's own period).
    cval
        The value beyond a ``"constant"`` border.
    order
        0 nearest, 1 linear, 2 to 5 splines. One interpolation is made.

    Returns
    -------
    numpy.ndarray
        The shape and type of ``x``.

    Examples
    --------
    >>> image = np.arange(6.0).reshape(2, 3)
    >>> affine_transform(image, np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]]))  # from one column on
    array([[1., 2., 2.],
           [4., 5., 5.]])
    """
    rows, cols = (axis for axis in range(3) if axis != channel_index % 3)
    image, back = channels_last(x, (rows, cols, channel_index), "affine_transform")
    forward = inverse(transform_matrix)[[1, 0, 2]][:, [1, 0, 2]]  # x before y
    beyond = border(fill_mode, "fill_mode")
    return back(warp(image, forward, image.shape[:2], order=order, beyond=beyond, cval=cval))


apply_transform = affine_transform


def affine_transform_cv2(
    x: np.ndarray,
    transform_matrix: np.ndarray,
    flags: int | None = None,
    border_mode: str = "constant",
    *,
    cval: float = 0.0,
    output_shape: tuple[int, int] | None = None,
) -> np.ndarray:
    """Transform an image by a matrix in OpenCV's format: x first, from the image to the result.

    One interpolation is made, however many transforms the matrix is composed of.

    Parameters
    ----------
    x
        ``(height, width[, channels])``, any real type, any number of channels.
    transform_matrix
        3x3 or 2x3; takes (x, y, 1) of a pixel to its new position.
    flags
        An interpolation of OpenCV (``cv2.INTER_NEAREST``, ...); None for linear.
    border_mode
        What lies beyond the border, in OpenCV's words: ``"constant"``, ``"replicate"``,
        ``"reflect"``, ``"reflect_101"`` or ``"wrap"``.
    cval
        The value beyond a ``"constant"`` border.
    output_shape
        Height and width of the result; those of ``x`` by default.

    Returns
    -------
    numpy.ndarray
        The type of ``x``; integers are rounded and saturate.

    Raises
    ------
    InvalidArgument
        The matrix has no inverse, or an argument is not one of those above.

    Examples
    --------
    >>> image = np.arange(6.0).reshape(2, 3)
    >>> affine_transform_cv2(image, np.array([[1, 0, 1], [0, 1, 0]]))  # to the right by one
    array([[0., 0., 1.],
           [0., 3., 4.]])
    """
    image = check_image(x, "affine_transform_cv2")
    matrix, flags = as_matrix(transform_matrix), _LINEAR if flags is None else int(flags)
    if flags & _WARP_INVERSE_MAP:
        matrix, flags = inverse(matrix), flags - _WARP_INVERSE_MAP
    return warp(
        image,
        matrix,
        tuple(output_shape or image.shape[:2]),
        order=3 if flags in (_CUBIC, _LANCZOS4) else min(flags, 1),
        flags=_LINEAR if flags == _AREA else flags,  # an area is no interpolation of a warp
        beyond=border(border_mode, "border_mode"),
        cval=cval,
    )


def affine_transform_keypoints(
    coords_list: Sequence[Sequence[Sequence[float]]] | np.ndarray, transform_matrix: np.ndarray
) -> list[np.ndarray]:
    """Move key points as [`affine_transform_cv2`][] moves the pixels under them.

    Parameters
    ----------
    coords_list
        For each object an array (n, 2) of positions (x, y), in pixels.
    transform_matrix
        The matrix that the image was transformed with. A projective one is right too.

    Returns
    -------
    list of numpy.ndarray
        Arrays (n, 2), float64. Points may come to lie outside of the image.

    Examples
    --------
    >>> from tensorlayer.prepro import affine_compose, affine_horizontal_flip_matrix
    >>> flip = affine_compose(affine_horizontal_flip_matrix(1), height=10, width=10)
    >>> affine_transform_keypoints([[[0, 3], [9, 9]]], flip)[0].tolist()
    [[9.0, 3.0], [0.0, 9.0]]
    """
    matrix = as_matrix(transform_matrix, is_affine=False)
    moved = []
    for coords in coords_list:
        points = np.asarray(coords, np.float64).reshape(-1, 2) if len(coords) else np.empty((0, 2))
        result = np.column_stack([points, np.ones(len(points))]) @ matrix.T
        moved.append(result[:, :2] / result[:, 2:])
    return moved
