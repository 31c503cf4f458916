"""The rule by which boxes follow the pixels of an image."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.affine import affine_transform_keypoints
from tensorlayer.prepro.boxes import Box, check_box

__all__ = ["BoxFormat", "box_scale"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoxFormat:
    """How boxes ``[x, y, w, h]`` are written, and which are dropped.

    Examples
    --------
    >>> form = BoxFormat(is_rescale=False, is_center=False, thresh_wh=0.02, thresh_wh2=12)
    >>> matrix = np.array([[1, 0, -5], [0, 1, 0], [0, 0, 1]])  # to the left by 5
    >>> form.follow(["cat"], [[2, 3, 10, 10]], matrix, (100, 100), (100, 100))
    (['cat'], [[0.0, 3.0, 7.0, 10.0]])
    """

    is_rescale: bool  #: relative to width and height instead of in pixels
    is_center: bool  #: from the middle of the box instead of its upper left corner
    thresh_wh: float  #: the least part of the image's width and height that a box keeps
    thresh_wh2: float  #: the most that one side may be as long as the other

    def follow(
        self,
        classes: Sequence | None,
        coords: Sequence[Box] | None,
        matrix: np.ndarray,
        old: Sequence[int],
        new: Sequence[int],
    ) -> tuple[list, list[list[float]]]:
        """Return classes and boxes after ``matrix`` took an image of shape ``old`` to ``new``."""
        coords = [check_box(coord) for coord in (() if coords is None else coords)]
        labels = list(classes) if classes is not None else [None] * len(coords)
        if len(labels) != len(coords):
            raise InvalidArgument(
                f"each box has a class: got {len(labels)} classes for {len(coords)} boxes."
            )
        if not coords:
            return [], []
        corners = _around(matrix, self._corners(np.asarray(coords, np.float64), old))
        corners = np.clip(corners, 0, [new[1], new[0], new[1], new[0]])
        kept = self._kept(corners, new)
        boxes = self._boxes(corners[kept], new).tolist()
        return [label for label, keeps in zip(labels, kept, strict=True) if keeps], boxes

    def _corners(self, boxes: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        boxes = boxes * box_scale(shape) if self.is_rescale else boxes
        first = boxes[:, :2] - boxes[:, 2:] / 2 if self.is_center else boxes[:, :2]
        return np.hstack([first, first + boxes[:, 2:]])

    def _boxes(self, corners: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        first, size = corners[:, :2], corners[:, 2:] - corners[:, :2]
        boxes = np.hstack([first + size / 2 if self.is_center else first, size])
        return boxes / box_scale(shape) if self.is_rescale else boxes

    def _kept(self, corners: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        w, h = (corners[:, 2:] - corners[:, :2]).T
        is_wide_enough = (w >= self.thresh_wh * shape[1]) & (h >= self.thresh_wh * shape[0])
        is_square_enough = (w <= self.thresh_wh2 * h) & (h <= self.thresh_wh2 * w)
        return (w > 0) & (h > 0) & is_wide_enough & is_square_enough


def box_scale(shape: Sequence[int]) -> np.ndarray:
    """Return width, height, width, height of an image of a shape."""
    return np.array([shape[1], shape[0], shape[1], shape[0]], np.float64)


def _around(matrix: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the upright boxes around boxes that a matrix moved.

    A matrix moves the centres of pixels, and the first centre is (0, 0); a box is measured from
    the image's corner, half a pixel before.
    """
    x1, y1, x2, y2 = corners.T - 0.5
    quadrangles = np.stack([x1, y1, x2, y1, x2, y2, x1, y2], axis=1).reshape(-1, 4, 2)
    moved = np.stack(affine_transform_keypoints(quadrangles, matrix))
    return np.hstack([moved.min(axis=1), moved.max(axis=1)]) + 0.5
