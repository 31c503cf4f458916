"""Images with boxes: flip, resize, crop, shift, zoom, or any affine matrix; the boxes follow.

A box that a transform turns becomes the smallest upright box around it; one that reaches beyond
the result is cut there; one that is then too thin, or too long for its width, is dropped with its
class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.boxes import Box, check_box
from tensorlayer.prepro.draws import coin, finite, up_to
from tensorlayer.prepro.follow import BoxFormat, box_scale
from tensorlayer.prepro.matrices import (
    affine_shift_matrix,
    as_matrix,
    transform_matrix_offset_center,
)
from tensorlayer.prepro.resize import imresize
from tensorlayer.prepro.warp import border, channels_last, check_image, warp
from tensorlayer.prepro.windows import window
from tensorlayer.seeds import Seed, generator

__all__ = [
    "obj_box_horizontal_flip",
    "obj_box_left_right_flip",
    "obj_box_imresize",
    "obj_box_crop",
    "obj_box_shift",
    "obj_box_zoom",
    "obj_box_affine_transform",
]

Boxes = Sequence[Box]
#: An image, the classes of its objects, and their boxes.
Objects = tuple[np.ndarray, list, list[list[float]]]


def obj_box_horizontal_flip(
    im: np.ndarray,
    coords: Boxes | None = None,
    is_rescale: bool = False,
    is_center: bool = False,
    is_random: bool = False,
    *,
    seed: Seed = None,
) -> tuple[np.ndarray, list[list[float]]]:
    """Swap left and right of an image and of its boxes.

    Parameters
    ----------
    im
        ``(height, width[, channels])``.
    coords
        Boxes ``[x, y, w, h]``.
    is_rescale
        They are relative instead of in pixels.
    is_center
        They are given from their middle instead of their upper left corner.
    is_random
        Flip in half of the calls only.
    seed
        Of the draw.

    Returns
    -------
    tuple
        The image (a view) and its boxes, in the format in which they came.

    Examples
    --------
    >>> im = np.zeros((80, 100))
    >>> obj_box_horizontal_flip(im, coords=[[0.2, 0.4, 0.3, 0.3]], is_rescale=True)[1]
    [[0.5, 0.4, 0.3, 0.3]]
    """
    image = check_image(im, "obj_box_horizontal_flip")
    boxes = [list(check_box(coord)) for coord in (() if coords is None else coords)]
    if is_random and not coin(0.5, generator(seed), "obj_box_horizontal_flip"):
        return image, boxes
    side = 1.0 if is_rescale else image.shape[1]
    return image[:, ::-1], [[side - x - (0 if is_center else w), y, w, h] for x, y, w, h in boxes]


obj_box_left_right_flip = obj_box_horizontal_flip


def obj_box_imresize(
    im: np.ndarray,
    coords: Boxes | None = None,
    size: int | float | Sequence[int] | None = None,
    interp: str = "bicubic",
    mode: str | None = None,
    is_rescale: bool = False,
) -> tuple[np.ndarray, list[list[float]]]:
    """Resize an image and its boxes.

    Parameters
    ----------
    im
        ``(height, width[, channels])``.
    coords
        Boxes ``[x, y, w, h]``, from their middle or their corner.
    size, interp, mode
        As for [`tensorlayer.prepro.imresize`][].
    is_rescale
        The boxes are relative, so they stay as they are.

    Returns
    -------
    tuple
        The image and its boxes; in pixels they are floating, not rounded.

    Examples
    --------
    >>> im = np.zeros((80, 100, 3), np.uint8)
    >>> obj_box_imresize(im, coords=[[20, 40, 30, 30]], size=[160, 200])[1]
    [[40.0, 80.0, 60.0, 60.0]]
    """
    resized = imresize(im, size, interp, mode)
    boxes = np.asarray([check_box(each) for each in (() if coords is None else coords)], float)
    if not is_rescale and len(boxes):
        boxes = boxes * (box_scale(resized.shape) / box_scale(np.shape(im)))
    return resized, boxes.tolist()


def obj_box_crop(
    im: np.ndarray,
    classes: Sequence | None = None,
    coords: Boxes | None = None,
    wrg: int = 100,
    hrg: int = 100,
    is_rescale: bool = False,
    is_center: bool = False,
    is_random: bool = False,
    thresh_wh: float = 0.02,
    thresh_wh2: float = 12.0,
    *,
    seed: Seed = None,
) -> Objects:
    """Crop an image, and keep the boxes that are left in it.

    Parameters
    ----------
    im
        ``(height, width[, channels])``.
    classes
        One for each box.
    coords
        Boxes ``[x, y, w, h]``.
    wrg, hrg
        Width and height of the result, in pixels; at most those of the image.
    is_rescale
        Boxes are relative, before and after.
    is_center
        Boxes are given from their middle.
    is_random
        Crop a random window instead of the middle.
    thresh_wh
        A box is dropped that is thinner than this part of the result.
    thresh_wh2
        A box is dropped that is more than so many times as long as wide.
    seed
        Of the draw.

    Returns
    -------
    tuple
        The image (a view), the classes and the boxes that are left, in their format.

    Raises
    ------
    InvalidArgument
        The window is larger than the image, or classes and boxes differ in number.

    Examples
    --------
    >>> im = np.zeros((80, 100))
    >>> obj_box_crop(im, ["cat", "dog"], [[0, 0, 5, 5], [40, 30, 20, 20]], wrg=60, hrg=40)[1:]
    (['dog'], [[20.0, 10.0, 20.0, 20.0]])
    """
    image = check_image(im, "obj_box_crop")
    rng = generator(seed) if is_random else None
    rows = window(image.shape[0], hrg, rng, image.shape)
    cols = window(image.shape[1], wrg, rng, image.shape)
    cropped = image[rows, cols]
    matrix = np.array([[1.0, 0.0, -cols.start], [0.0, 1.0, -rows.start], [0.0, 0.0, 1.0]])
    form = BoxFormat(
        is_rescale=is_rescale, is_center=is_center, thresh_wh=thresh_wh, thresh_wh2=thresh_wh2
    )
    return cropped, *form.follow(classes, coords, matrix, image.shape, cropped.shape)


def obj_box_shift(
    im: np.ndarray,
    classes: Sequence | None = None,
    coords: Boxes | None = None,
    wrg: float = 0.1,
    hrg: float = 0.1,
    row_index: int = 0,
    col_index: int = 1,
    channel_index: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
    is_rescale: bool = False,
    is_center: bool = False,
    is_random: bool = False,
    thresh_wh: float = 0.02,
    thresh_wh2: float = 12.0,
    *,
    seed: Seed = None,
) -> Objects:
    """Shift the window on an image, and the boxes with what is seen.

    Parameters
    ----------
    im, classes, coords
        As for [`obj_box_crop`][].
    wrg, hrg, is_random, row_index, col_index, channel_index, fill_mode, cval, order
        As for [`tensorlayer.prepro.shift`][]: above 0 what is seen goes left and up.
    is_rescale, is_center, thresh_wh, thresh_wh2, seed
        As for [`obj_box_crop`][].

    Returns
    -------
    tuple
        The image, the classes and the boxes that are left, in their format.

    Examples
    --------
    >>> im = np.zeros((80, 100))
    >>> obj_box_shift(im, ["cat"], [[40, 30, 20, 20]], wrg=0.1, hrg=0.5)[1:]
    (['cat'], [[30.0, 0.0, 20.0, 10.0]])
    """
    image, back = channels_last(im, (row_index, col_index, channel_index), "obj_box_shift")
    rng = generator(seed)
    part_x = up_to(wrg, is_random, rng, "obj_box_shift: wrg")
    part_y = up_to(hrg, is_random, rng, "obj_box_shift: hrg")
    matrix = affine_shift_matrix(-part_x, -part_y, w=image.shape[1], h=image.shape[0])
    moved, *objects = obj_box_affine_transform(
        image,
        classes,
        coords,
        matrix,
        fill_mode,
        cval,
        order,
        is_rescale,
        is_center,
        thresh_wh,
        thresh_wh2,
    )
    return back(moved), *objects


def obj_box_zoom(
    im: np.ndarray,
    classes: Sequence | None = None,
    coords: Boxes | None = None,
    zoom_range: tuple[float, float] = (0.9, 1.1),
    row_index: int = 0,
    col_index: int = 1,
    channel_index: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
    is_rescale: bool = False,
    is_center: bool = False,
    is_random: bool = False,
    thresh_wh: float = 0.02,
    thresh_wh2: float = 12.0,
    *,
    seed: Seed = None,
) -> Objects:
    """Zoom the window on an image about its middle, and the boxes with what is seen.

    Parameters
    ----------
    im, classes, coords
        As for [`obj_box_crop`][].
    zoom_range
        The factors of the window's height and width: below 1 what is seen becomes larger (the
        other way round than [`tensorlayer.prepro.zoom`][], as it always was). With ``is_random``
        the range to draw both from.
    is_random
        Draw the factors.
    row_index, col_index, channel_index, fill_mode, cval, order
        As for [`tensorlayer.prepro.rotation`][].
    is_rescale, is_center, thresh_wh, thresh_wh2, seed
        As for [`obj_box_crop`][].

    Returns
    -------
    tuple
        The image, the classes and the boxes that are left, in their format.

    Raises
    ------
    InvalidArgument
        ``zoom_range`` is no pair of factors above 0.

    Examples
    --------
    >>> im = np.zeros((80, 100))
    >>> obj_box_zoom(im, ["cat"], [[40, 30, 20, 20]], zoom_range=(0.5, 0.5))[1:]
    (['cat'], [[30.0, 20.0, 40.0, 40.0]])
    """
    if np.shape(zoom_range) != (2,) or min(zoom_range) <= 0:
        raise InvalidArgument(
            f"obj_box_zoom: zoom_range is a pair of factors above 0, got {zoom_range!r}."
        )
    finite(zoom_range, "obj_box_zoom: zoom_range")
    image, back = channels_last(im, (row_index, col_index, channel_index), "obj_box_zoom")
    height, width = image.shape[:2]
    rng = generator(seed)
    rows, cols = rng.uniform(*sorted(zoom_range), size=2) if is_random else zoom_range
    zoom = np.diag([1 / cols, 1 / rows, 1.0])
    matrix = transform_matrix_offset_center(zoom, y=height, x=width)
    moved, *objects = obj_box_affine_transform(
        image,
        classes,
        coords,
        matrix,
        fill_mode,
        cval,
        order,
        is_rescale,
        is_center,
        thresh_wh,
        thresh_wh2,
    )
    return back(moved), *objects


def obj_box_affine_transform(
    im: np.ndarray,
    classes: Sequence | None = None,
    coords: Boxes | None = None,
    transform_matrix: np.ndarray | None = None,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
    is_rescale: bool = False,
    is_center: bool = False,
    thresh_wh: float = 0.02,
    thresh_wh2: float = 12.0,
    *,
    output_shape: tuple[int, int] | None = None,
) -> Objects:
    """Transform an image by any affine matrix, and its boxes with it: one interpolation for all.

    Parameters
    ----------
    im, classes, coords
        As for [`obj_box_crop`][].
    transform_matrix
        As for [`tensorlayer.prepro.affine_transform_cv2`][], for example from
        [`tensorlayer.prepro.affine_compose`][].
    fill_mode, cval, order
        As for [`tensorlayer.prepro.rotation`][].
    is_rescale, is_center, thresh_wh, thresh_wh2
        As for [`obj_box_crop`][].
    output_shape
        Height and width of the result; those of the image by default.

    Returns
    -------
    tuple
        The image, the classes and the boxes that are left, in their format.

    Examples
    --------
    >>> turn = transform_matrix_offset_center([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], y=100, x=100)
    >>> obj_box_affine_transform(np.zeros((100, 100)), ["cat"], [[0, 0, 20, 30]], turn)[1:]
    (['cat'], [[0.0, 80.0, 30.0, 20.0]])
    """
    image = check_image(im, "obj_box_affine_transform")
    matrix = as_matrix(np.eye(3) if transform_matrix is None else transform_matrix)
    size = tuple(output_shape or image.shape[:2])
    beyond = border(fill_mode, "fill_mode")
    moved = warp(image, matrix, size, order=order, beyond=beyond, cval=cval)
    form = BoxFormat(
        is_rescale=is_rescale, is_center=is_center, thresh_wh=thresh_wh, thresh_wh2=thresh_wh2
    )
    return moved, *form.follow(classes, coords, matrix, image.shape, size)
