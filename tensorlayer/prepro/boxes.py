"""Boxes: their formats, and the rule by which they follow pixels.

A box is four numbers. In pixels they are lengths from the upper left corner of the image, so the
whole of an image is ``[0, 0, width, height]`` from its upper left corner; relative boxes are
divided by width and height. *Centroid* is ``[x, y, w, h]`` from the middle of the box, *upleft*
from its upper left corner, *upleft_butright* is both corners, ``[x1, y1, x2, y2]``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tensorlayer.errors import InvalidArgument

__all__ = [
    "obj_box_coord_rescale",
    "obj_box_coords_rescale",
    "obj_box_coord_scale_to_pixelunit",
    "obj_box_coord_centroid_to_upleft_butright",
    "obj_box_coord_upleft_butright_to_centroid",
    "obj_box_coord_centroid_to_upleft",
    "obj_box_coord_upleft_to_centroid",
    "parse_darknet_ann_str_to_list",
    "parse_darknet_ann_list_to_cls_box",
    "check_box",
]

Box = Sequence[float]


def obj_box_coord_rescale(coord: Box | None = None, shape: Sequence[int] | None = None) -> list:
    """Return a box in pixels as a relative one.

    Parameters
    ----------
    coord
        ``[x, y, w, h]`` in pixels, from its middle or its corner.
    shape
        Of the image: ``(height, width, ...)``.

    Returns
    -------
    list of float

    Raises
    ------
    InvalidArgument
        It has not four numbers, or the shape is missing.

    Examples
    --------
    >>> obj_box_coord_rescale(coord=[30, 40, 50, 50], shape=[100, 200])
    [0.15, 0.4, 0.25, 0.5]
    """
    x, y, w, h = check_box(coord)
    height, width = _size(shape)
    return [x / width, y / height, w / width, h / height]


def obj_box_coords_rescale(
    coords: Sequence[Box] | None = None, shape: Sequence[int] | None = None
) -> list[list[float]]:
    """Return boxes in pixels as relative ones: see [`obj_box_coord_rescale`][].

    Examples
    --------
    >>> obj_box_coords_rescale(coords=[[30, 40, 50, 50]], shape=[100, 200])
    [[0.15, 0.4, 0.25, 0.5]]
    """
    return [obj_box_coord_rescale(coord, shape) for coord in ([] if coords is None else coords)]


def obj_box_coord_scale_to_pixelunit(coord: Box, shape: Sequence[int] | None = None) -> list[int]:
    """Return a relative box in whole pixels, rounded down.

    Parameters
    ----------
    coord
        ``[x, y, w, h]``, relative, from its middle or its corner.
    shape
        Of the image: ``(height, width, ...)``.

    Returns
    -------
    list of int

    Examples
    --------
    >>> obj_box_coord_scale_to_pixelunit([0.2, 0.29, 0.5, 1.0], shape=(100, 200, 3))
    [40, 29, 100, 100]
    """
    x, y, w, h = check_box(coord)
    height, width = _size(shape)
    # 0.29 * 100 is 28.999999999999996: what is a whole number but for rounding stays that number
    return [int(round(each, 6)) for each in (x * width, y * height, w * width, h * height)]


def obj_box_coord_centroid_to_upleft_butright(coord: Box, to_int: bool = False) -> list:
    """Return ``[x_centre, y_centre, w, h]`` as ``[x1, y1, x2, y2]``.

    Parameters
    ----------
    coord
        A box of either unit.
    to_int
        Cut the numbers to integers.

    Examples
    --------
    >>> obj_box_coord_centroid_to_upleft_butright([30, 40, 20, 20])
    [20.0, 30.0, 40.0, 50.0]
    """
    x, y, w, h = check_box(coord)
    corners = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
    return [int(each) for each in corners] if to_int else corners


def obj_box_coord_upleft_butright_to_centroid(coord: Box) -> list[float]:
    """Return ``[x1, y1, x2, y2]`` as ``[x_centre, y_centre, w, h]``.

    Examples
    --------
    >>> obj_box_coord_upleft_butright_to_centroid([20.0, 30.0, 40.0, 50.0])
    [30.0, 40.0, 20.0, 20.0]
    """
    x1, y1, x2, y2 = check_box(coord)
    return [x1 + (x2 - x1) / 2, y1 + (y2 - y1) / 2, x2 - x1, y2 - y1]


def obj_box_coord_centroid_to_upleft(coord: Box) -> list[float]:
    """Return ``[x_centre, y_centre, w, h]`` as ``[x1, y1, w, h]``.

    Examples
    --------
    >>> obj_box_coord_centroid_to_upleft([30, 40, 20, 20])
    [20.0, 30.0, 20, 20]
    """
    x, y, w, h = check_box(coord)
    return [x - w / 2, y - h / 2, w, h]


def obj_box_coord_upleft_to_centroid(coord: Box) -> list[float]:
    """Return ``[x1, y1, w, h]`` as ``[x_centre, y_centre, w, h]``.

    Examples
    --------
    >>> obj_box_coord_upleft_to_centroid([20, 30, 20, 20])
    [30.0, 40.0, 20, 20]
    """
    x, y, w, h = check_box(coord)
    return [x + w / 2, y + h / 2, w, h]


def parse_darknet_ann_str_to_list(annotations: str) -> list[list[float]]:
    """Parse the text of a Darknet annotation.

    Parameters
    ----------
    annotations
        A line for each object: its class number, then a relative centroid box.

    Returns
    -------
    list of list
        ``[class, x, y, w, h]`` each, the class an int.

    Raises
    ------
    InvalidArgument
        A line has not five numbers.

    Examples
    --------
    >>> parse_darknet_ann_str_to_list("11 0.5 0.25 0.1 0.2")
    [[11, 0.5, 0.25, 0.1, 0.2]]
    """
    objects = []
    for number, line in enumerate(annotations.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            label, x, y, w, h = words
            objects.append([int(label), float(x), float(y), float(w), float(h)])
        except ValueError as error:
            raise InvalidArgument(
                f"line {number} of a Darknet annotation is 'class x y w h', got {line!r}."
            ) from error
    return objects


def parse_darknet_ann_list_to_cls_box(
    annotations: Sequence[Sequence[float]],
) -> tuple[list[int], list[list[float]]]:
    """Split ``[class, x, y, w, h]`` into classes and boxes.

    Examples
    --------
    >>> parse_darknet_ann_list_to_cls_box([[1, 0.5, 0.25, 0.1, 0.2]])
    ([1], [[0.5, 0.25, 0.1, 0.2]])
    """
    return [each[0] for each in annotations], [list(each[1:]) for each in annotations]


def check_box(coord: Box | None) -> Box:
    """Return a box that has four numbers.

    Raises
    ------
    InvalidArgument
        It has another number of them.
    """
    if coord is None or np.shape(coord) != (4,):
        raise InvalidArgument(f"a box has four numbers, such as [x, y, w, h]; got {coord!r}.")
    return coord


def _size(shape: Sequence[int] | None) -> tuple[int, int]:
    if shape is None or len(shape) < 2 or min(shape[:2]) < 1:
        raise InvalidArgument(
            f"the shape of the image of a box is (height, width, ...), got {shape!r}."
        )
    return shape[0], shape[1]
