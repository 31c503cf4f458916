"""The matrices of affine geometry, and how they are put together.

A transform is a 3x3 matrix that takes a position (x, y, 1) to its new position; x grows to the
right, y downwards, in pixels, and a pixel's position is its centre (the first is (0, 0)).
"""

from __future__ import annotations

import math

import numpy as np

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.prepro.draws import Limits, coin, draw
from tensorlayer.seeds import Seed, generator

__all__ = [
    "affine_rotation_matrix",
    "affine_horizontal_flip_matrix",
    "affine_vertical_flip_matrix",
    "affine_shift_matrix",
    "affine_shear_matrix",
    "affine_zoom_matrix",
    "affine_respective_zoom_matrix",
    "transform_matrix_offset_center",
    "affine_compose",
    "as_matrix",
    "inverse",
]


def affine_rotation_matrix(angle: Limits = (-20, 20), *, seed: Seed = None) -> np.ndarray:
    """Return the matrix of a rotation about the origin.

    Parameters
    ----------
    angle
        Degrees, counter-clockwise as one sees it; or a pair to draw from. 20 to each side keeps
        natural pictures natural.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        3x3, float64.

    Examples
    --------
    >>> affine_rotation_matrix(90).round(6) + 0.0  # what is right goes up
    array([[ 0.,  1.,  0.],
           [-1.,  0.,  0.],
           [ 0.,  0.,  1.]])
    """
    theta = math.radians(draw(angle, generator(seed), "affine_rotation_matrix: angle"))
    cos, sin = math.cos(theta), math.sin(theta)
    return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])


def affine_horizontal_flip_matrix(prob: float = 0.5, *, seed: Seed = None) -> np.ndarray:
    """Return the matrix that swaps left and right, or the identity.

    Parameters
    ----------
    prob
        The probability of the flip; 1 always flips.
    seed
        Of the draw.

    Examples
    --------
    >>> affine_horizontal_flip_matrix(1).diagonal().tolist()
    [-1.0, 1.0, 1.0]
    """
    flips = coin(prob, generator(seed), "affine_horizontal_flip_matrix: prob")
    return np.diag([-1.0 if flips else 1.0, 1.0, 1.0])


def affine_vertical_flip_matrix(prob: float = 0.5, *, seed: Seed = None) -> np.ndarray:
    """Return the matrix that swaps top and bottom, or the identity.

    Parameters
    ----------
    prob
        The probability of the flip; 1 always flips.
    seed
        Of the draw.

    Examples
    --------
    >>> affine_vertical_flip_matrix(1).diagonal().tolist()
    [1.0, -1.0, 1.0]
    """
    flips = coin(prob, generator(seed), "affine_vertical_flip_matrix: prob")
    return np.diag([1.0, -1.0 if flips else 1.0, 1.0])


def affine_shift_matrix(
    wrg: Limits = (-0.1, 0.1),
    hrg: Limits = (-0.1, 0.1),
    w: int = 200,
    h: int = 200,
    *,
    seed: Seed = None,
) -> np.ndarray:
    """Return the matrix that moves what is seen to the right and downwards.

    Parameters
    ----------
    wrg, hrg
        By which part of the width and of the height; or pairs to draw from.
    w, h
        Width and height of the image, in pixels.
    seed
        Of the draws.

    Examples
    --------
    >>> affine_shift_matrix(wrg=0.1, hrg=-0.5, w=100, h=50)[:2, 2].tolist()
    [10.0, -25.0]
    """
    rng = generator(seed)
    shift_x = draw(wrg, rng, "affine_shift_matrix: wrg") * w
    shift_y = draw(hrg, rng, "affine_shift_matrix: hrg") * h
    return _shift(shift_x, shift_y)


def affine_shear_matrix(
    x_shear: Limits = (-0.1, 0.1), y_shear: Limits = (-0.1, 0.1), *, seed: Seed = None
) -> np.ndarray:
    """Return the matrix that slants: x moves by ``x_shear * y``, y by ``y_shear * x``.

    Parameters
    ----------
    x_shear, y_shear
        Pixels per pixel; or pairs to draw from.
    seed
        Of the draws.

    Examples
    --------
    >>> affine_shear_matrix(x_shear=0.5, y_shear=0)[0].tolist()
    [1.0, 0.5, 0.0]
    """
    rng = generator(seed)
    along_x = draw(x_shear, rng, "affine_shear_matrix: x_shear")
    along_y = draw(y_shear, rng, "affine_shear_matrix: y_shear")
    return np.array([[1.0, along_x, 0.0], [along_y, 1.0, 0.0], [0.0, 0.0, 1.0]])


def affine_zoom_matrix(zoom_range: Limits = (0.8, 1.1), *, seed: Seed = None) -> np.ndarray:
    """Return the matrix that scales width and height alike.

    Parameters
    ----------
    zoom_range
        Above 1 what is seen becomes larger; or a pair to draw from.
    seed
        Of the draw.

    Examples
    --------
    >>> affine_zoom_matrix(2).diagonal().tolist()
    [2.0, 2.0, 1.0]
    """
    scale = draw(zoom_range, generator(seed), "affine_zoom_matrix: zoom_range")
    return np.diag([scale, scale, 1.0])


def affine_respective_zoom_matrix(
    w_range: Limits = 0.8, h_range: Limits = 1.1, *, seed: Seed = None
) -> np.ndarray:
    """Return the matrix that scales width and height each by its own factor.

    Parameters
    ----------
    w_range, h_range
        Above 1 what is seen becomes larger; or pairs to draw from.
    seed
        Of the draws.

    Examples
    --------
    >>> affine_respective_zoom_matrix(w_range=0.5, h_range=2).diagonal().tolist()
    [0.5, 2.0, 1.0]
    """
    rng = generator(seed)
    scale_x = draw(w_range, rng, "affine_respective_zoom_matrix: w_range")
    scale_y = draw(h_range, rng, "affine_respective_zoom_matrix: h_range")
    return np.diag([scale_x, scale_y, 1.0])


def transform_matrix_offset_center(matrix: np.ndarray, y: float, x: float) -> np.ndarray:
    """Return the matrix that does about the middle of an image what ``matrix`` does about (0, 0).

    Parameters
    ----------
    matrix
        3x3 (or the first two rows of it).
    y, x
        Height and width of the image, in pixels. In this order, as in TensorLayer 2.x; 1.x had the
        rows first in the matrix, here x is first.

    Examples
    --------
    >>> turned = transform_matrix_offset_center(affine_rotation_matrix(180), y=3, x=5)
    >>> (turned @ [0, 0, 1]).round(6).tolist()  # the first pixel becomes the last
    [4.0, 2.0, 1.0]
    """
    middle_x, middle_y = (x - 1) / 2, (y - 1) / 2
    return _shift(middle_x, middle_y) @ as_matrix(matrix) @ _shift(-middle_x, -middle_y)


def affine_compose(
    *matrices: np.ndarray,
    height: int,
    width: int,
    output_shape: tuple[int, int] | None = None,
) -> np.ndarray:
    """Return one matrix that does all of ``matrices``, the first one first, about the middle.

    Parameters
    ----------
    matrices
        From the functions above.
    height, width
        Of the image, in pixels.
    output_shape
        Height and width of the window that will be kept, about the middle; the whole by default. A
        crop costs nothing this way, and a shift at the end makes it a random one.

    Returns
    -------
    numpy.ndarray
        For [`affine_transform_cv2`][] (with the same ``output_shape``) and
        [`affine_transform_keypoints`][].

    Examples
    --------
    >>> from tensorlayer.prepro import affine_transform_cv2
    >>> image = np.zeros((100, 120, 3), np.uint8)
    >>> matrix = affine_compose(
    ...     affine_rotation_matrix((-20, 20)),
    ...     affine_zoom_matrix((0.9, 1.1)),
    ...     affine_horizontal_flip_matrix(0.5),
    ...     height=100, width=120, output_shape=(64, 64),
    ... )
    >>> affine_transform_cv2(image, matrix, output_shape=(64, 64)).shape
    (64, 64, 3)
    """
    kept_height, kept_width = output_shape or (height, width)
    matrix = _shift((1 - width) / 2, (1 - height) / 2)
    for each in matrices:
        matrix = as_matrix(each) @ matrix
    return _shift((kept_width - 1) / 2, (kept_height - 1) / 2) @ matrix


def as_matrix(matrix: np.ndarray, is_affine: bool = True) -> np.ndarray:
    """Return a 3x3 matrix of float64 that has an inverse.

    Parameters
    ----------
    matrix
        3x3, or its first two rows.
    is_affine
        The last row must be (0, 0, 1).

    Raises
    ------
    WrongShape
        It is neither 3x3 nor 2x3.
    InvalidArgument
        It is not affine, or it has no inverse (a zoom by 0, for example).
    """
    matrix = np.asarray(matrix, np.float64)
    if matrix.shape == (2, 3):
        matrix = np.vstack([matrix, (0.0, 0.0, 1.0)])
    if matrix.shape != (3, 3):
        raise WrongShape(f"an affine matrix is 3x3 or 2x3, got shape {matrix.shape}.")
    (a, b, _), (c, d, _), last = matrix.tolist()
    if is_affine and last != [0.0, 0.0, 1.0]:
        raise InvalidArgument(
            f"the last row of an affine matrix is (0, 0, 1), got {last}. For a projection use "
            "projective_transform_by_points."
        )
    if is_affine and not abs(a * d - b * c) > 1e-12:  # also when it is not a number
        raise InvalidArgument(
            f"the matrix {matrix.tolist()} has no inverse, so no pixel has a source. "
            "Does it zoom by 0?"
        )
    return matrix


def inverse(matrix: np.ndarray) -> np.ndarray:
    """Return the affine matrix that undoes another one.

    Examples
    --------
    >>> (inverse(affine_zoom_matrix(2)) @ affine_zoom_matrix(2)).tolist() == np.eye(3).tolist()
    True
    """
    result = np.linalg.inv(as_matrix(matrix))
    result[2] = (0.0, 0.0, 1.0)  # exactly: rounding must not make it projective
    return result


def _shift(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
