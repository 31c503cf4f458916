"""Boxes with labels, and people, drawn into a copy of an image."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.boxes import (
    obj_box_coord_centroid_to_upleft_butright,
    obj_box_coord_upleft_to_centroid,
)
from tensorlayer.prepro.libraries import library
from tensorlayer.prepro.warp import check_image
from tensorlayer.visualize.pictures import save_image, to_uint8

__all__ = [
    "draw_boxes_and_labels_to_image",
    "draw_mpii_people_to_image",
    "draw_mpii_pose_to_image",
]

#: Height plus width over this is the width of a line, so that it is seen at any size, in pixels.
_SIDES_PER_LINE = 430
#: The size of letters for each pixel of height, in OpenCV's unit (about 22 pixels), and the least
#: that can be read.
_TEXT, _LEAST_TEXT = 1.5e-3, 0.4

_BOX_COLOUR = (0, 255, 0)
_TEXT_COLOUR = (0, 0, 0)
_JOINT_COLOUR = (200, 200, 200)
_HEAD_COLOUR = (180, 180, 180)

# The bones of a person of MPII: two joints and a colour. Right leg green, left leg blue, spine
# yellow, right arm orange, left arm violet.
_BONES = (
    (0, 1, (100, 255, 100)),
    (1, 2, (50, 255, 50)),
    (2, 6, (0, 255, 0)),
    (3, 4, (100, 100, 255)),
    (4, 5, (50, 50, 255)),
    (6, 3, (0, 0, 255)),
    (6, 7, (255, 255, 100)),
    (7, 8, (255, 255, 50)),
    (8, 9, (255, 255, 0)),
    (10, 11, (255, 180, 100)),
    (11, 12, (255, 160, 50)),
    (12, 7, (255, 140, 0)),
    (7, 13, (200, 100, 255)),
    (13, 14, (180, 50, 255)),
    (14, 15, (160, 0, 255)),
)


def draw_boxes_and_labels_to_image(
    image: np.ndarray,
    classes: Sequence[int],
    coords: Sequence[Sequence[float]],
    scores: Sequence[float],
    classes_list: Sequence[str],
    is_center: bool = True,
    is_rescale: bool = True,
    save_name: str | os.PathLike[str] | None = None,
) -> np.ndarray:
    """Draw boxes with the names and scores of their classes.

    Parameters
    ----------
    image
        ``(height, width, 3)``, or grey. Any type and range: see
        [`tensorlayer.visualize.to_uint8`][].
    classes
        For each box a number in ``classes_list``.
    coords
        Boxes ``[x, y, w, h]``.
    scores
        For each box; empty for none.
    classes_list
        The names of all classes.
    is_center
        Boxes are given from their middle instead of their upper left corner.
    is_rescale
        Boxes are relative to width and height instead of in pixels.
    save_name
        A file to save the result to.

    Returns
    -------
    numpy.ndarray
        A new image, uint8, ``(height, width, 3)``.

    Raises
    ------
    InvalidArgument
        The numbers of boxes, classes and scores differ, or a class has no name.

    Examples
    --------
    >>> image = np.zeros((100, 200, 3), np.uint8)
    >>> drawn = draw_boxes_and_labels_to_image(image, [0], [[0.5, 0.5, 0.2, 0.4]], [0.9], ["cat"])
    >>> drawn[70, 100].tolist(), image.max().item()
    ([0, 255, 0], 0)
    """
    if len(coords) != len(classes) or (len(scores) and len(scores) != len(classes)):
        raise InvalidArgument(
            "draw_boxes_and_labels_to_image: each box has a class and, if there are any, a score; "
            f"got {len(coords)} boxes, {len(classes)} classes and {len(scores)} scores."
        )
    canvas = _canvas(image, "draw_boxes_and_labels_to_image")
    height, width = canvas.shape[:2]
    for index, (label, coord) in enumerate(zip(classes, coords, strict=True)):
        box = coord if is_center else obj_box_coord_upleft_to_centroid(coord)
        corners = np.array(obj_box_coord_centroid_to_upleft_butright(box), np.float64)
        corners *= (width, height, width, height) if is_rescale else 1
        x1, y1, x2, y2 = (int(each) for each in corners)
        library("cv2").rectangle(canvas, (x1, y1), (x2, y2), _BOX_COLOUR, _line(canvas))
        score = f" {scores[index]:.2f}" if len(scores) else ""
        _write(canvas, _name(classes_list, label) + score, x1, y1)
    if save_name is not None:
        save_image(canvas, save_name)
    return canvas


def draw_mpii_pose_to_image(
    image: np.ndarray,
    poses: Sequence[Mapping[str, Any]],
    save_name: str | os.PathLike[str] | None = "image.png",
) -> np.ndarray:
    """Draw people with the joints of the MPII data set.

    Parameters
    ----------
    image
        ``(height, width, 3)``, or grey. Any type and range.
    poses
        For each person a dictionary: ``joint_pos`` has the position (x, y) in pixels for the
        numbers of the joints that are there (0 to 2 right ankle, knee, hip; 3 to 5 left hip, knee,
        ankle; 6 pelvis, 7 thorax, 8 neck, 9 head; 10 to 12 right wrist, elbow, shoulder; 13 to 15
        left shoulder, elbow, wrist); ``head_rect``, if any, the corners (x1, y1, x2, y2) of the
        head.
    save_name
        A file to save the result to; None for none.

    Returns
    -------
    numpy.ndarray
        A new image, uint8, ``(height, width, 3)``.

    Examples
    --------
    >>> person = {"joint_pos": {0: (20, 80), 1: (20, 50)}, "head_rect": (10, 10, 30, 30)}
    >>> drawn = draw_mpii_pose_to_image(np.zeros((100, 200, 3)), [person], save_name=None)
    >>> drawn[65, 20].tolist(), drawn[10, 20].tolist()
    ([100, 255, 100], [180, 180, 180])
    """
    canvas = _canvas(image, "draw_mpii_pose_to_image")
    line = _line(canvas)
    cv2 = library("cv2")
    for person in poses:
        joints = {int(k): _pixel(xy) for k, xy in person.get("joint_pos", {}).items()}
        for start, end, colour in _BONES:
            if start in joints and end in joints:
                cv2.line(canvas, joints[start], joints[end], colour, line)
        for position in joints.values():
            cv2.circle(canvas, position, line + line // 2, _JOINT_COLOUR, -1)
        head = person.get("head_rect")
        if head is not None and len(head):
            cv2.rectangle(canvas, _pixel(head[:2]), _pixel(head[2:]), _HEAD_COLOUR, line)
    if save_name is not None:
        save_image(canvas, save_name)
    return canvas


draw_mpii_people_to_image = draw_mpii_pose_to_image


def _canvas(image: np.ndarray, who: str) -> np.ndarray:
    """Return a new, contiguous RGB image to draw into."""
    pixels = to_uint8(check_image(image, who))
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.shape[2] not in (1, 3):
        raise InvalidArgument(f"{who}: an image has 1 or 3 channels, got {pixels.shape[2]}.")
    return np.array(np.broadcast_to(pixels, (*pixels.shape[:2], 3)), order="C")


def _line(canvas: np.ndarray) -> int:
    return max(1, round(sum(canvas.shape[:2]) / _SIDES_PER_LINE))


def _write(canvas: np.ndarray, text: str, x: int, y: int) -> None:
    """Write a label on the upper edge of a box, or below it where there is no room above."""
    cv2 = library("cv2")
    font, line = cv2.FONT_HERSHEY_SIMPLEX, _line(canvas)
    size = max(_LEAST_TEXT, _TEXT * canvas.shape[0])
    (width, height), below = cv2.getTextSize(text, font, size, line)
    left = max(0, min(x, canvas.shape[1] - width))
    bottom = y if y >= height + below else max(0, y) + height + below
    top = bottom - height - below
    cv2.rectangle(canvas, (left, top), (left + width, bottom), _BOX_COLOUR, -1)
    cv2.putText(canvas, text, (left, bottom - below), font, size, _TEXT_COLOUR, line)


def _name(classes_list: Sequence[str], label: int) -> str:
    if not 0 <= label < len(classes_list):
        raise InvalidArgument(
            f"draw_boxes_and_labels_to_image: class {label!r} is none of the {len(classes_list)} "
            "in classes_list."
        )
    return str(classes_list[int(label)])


def _pixel(position: Sequence[float]) -> tuple[int, int]:
    return round(float(position[0])), round(float(position[1]))
