"""Pooling over regions of interest."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_rank

__all__ = ["ROIPoolingLayer"]

_COLUMNS = 5  # image, x_min, y_min, x_max, y_max


class ROIPoolingLayer(Layer):
    r"""The content of boxes, each pooled to the same size.

    A box is sampled bilinearly at a grid of `(2 * pool_height, 2 * pool_width)` points that reaches
    from its first cell to its last; the result is the largest value of each 2 by 2 points.

    Parameters
    ----------
    rois
        The boxes: a network, a tensor or a list of rows `(image, x_min, y_min, x_max, y_max)`. The
        first is the number of the image in the batch; the others are cells of the feature map, the
        last ones included. A list belongs to the layer; boxes of every batch come from a network.
    pool_height
        Rows of the result.
    pool_width
        Columns of the result.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, height, width, channels)` and `(n, 5)`.
    Output shape: `(n, pool_height, pool_width, channels)`. No parameters. It computes in float32.

    Fast R-CNN rounds the borders of boxes and bins to cells; sampling does not, so that the result
    changes smoothly with the box. No gradient reaches the boxes.

    Raises
    ------
    WrongShape
        The input is not of rank 4, or the boxes have not five columns.

    References
    ----------
    Girshick, "Fast R-CNN", ICCV 2015; Chen and Gupta, "An implementation of Faster R-CNN with study
    for region sampling", 2017, for the sampling.

    Examples
    --------
    >>> x = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
    >>> pooled = ROIPoolingLayer([[0, 0, 0, 3, 3]], pool_height=2, pool_width=2)(x)
    >>> pooled.numpy().ravel().tolist()
    [5.0, 7.0, 13.0, 15.0]
    """

    keeps_precision = True  # 8 bits of bfloat16 do not tell cell 257 from 256

    def __init__(
        self, rois: Any, pool_height: int = 2, pool_width: int = 2, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.pool_height = positive(pool_height, "ROIPoolingLayer", "pool_height")
        self.pool_width = positive(pool_width, "ROIPoolingLayer", "pool_width")
        self.rois = rois
        if rois is not None and not tf.is_tensor(rois):
            self.rois = np.asarray(rois, "float32")
            self._require_columns(self.rois.shape)

    def forward(self, inputs: tf.Tensor, rois: tf.Tensor | None = None) -> tf.Tensor:
        """Sample the boxes, and pool the samples."""
        require_rank(self, inputs.shape, (4,), "Its layout is NHWC.")
        rois = self.rois if rois is None else rois
        if rois is None:
            raise InvalidArgument(f"{self!r}: it needs rois, at its construction or at the call.")
        self._require_columns(rois.shape)
        rois = tf.cast(rois, tf.float32)
        last = tf.cast(tf.shape(inputs)[1:3] - 1, tf.float32)  # where TensorFlow's box ends at 1
        sizes = tf.maximum(tf.gather(last, [0, 1, 0, 1]), 1.0)
        boxes = tf.gather(rois, [2, 1, 4, 3], axis=1) / sizes
        sampled = tf.image.crop_and_resize(
            tf.cast(inputs, tf.float32),
            boxes,
            tf.cast(rois[:, 0], tf.int32),
            [2 * self.pool_height, 2 * self.pool_width],
        )
        return tf.cast(tf.nn.max_pool2d(sampled, 2, 2, "VALID"), inputs.dtype)

    def _require_columns(self, shape: Any) -> None:
        if len(shape) != 2 or shape[1] != _COLUMNS:
            raise WrongShape(
                f"{type(self).__name__}: rois are rows (image, x_min, y_min, x_max, y_max), got "
                f"shape {tuple(shape)}."
            )
