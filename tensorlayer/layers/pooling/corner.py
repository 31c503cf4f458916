"""Pooling towards a corner, to find where boxes begin and end."""

from __future__ import annotations

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer, require_known, require_rank

__all__ = ["CornerPool2d"]

_MODES = ("TopLeft", "Bottomright")


class CornerPool2d(Layer):
    r"""Corner pooling: $y_{ij} = \max_{k \ge i} x_{kj} + \max_{k \ge j} x_{ik}$.

    A corner of a box mostly has nothing of the object in it: what tells the upper left one are the
    topmost border, somewhere to its right, and the leftmost border, somewhere below it.

    Parameters
    ----------
    mode
        `"TopLeft"`, as in the formula, or `"Bottomright"`, with $k \le i$ and $k \le j$. Upper and
        lower case are the same.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, height, width, channels)`, height and width known. Output shape: the same.
    No parameters. The running maxima take $\lceil \log_2 n \rceil$ steps each.

    Raises
    ------
    InvalidArgument
        Another mode, or an unknown height or width.
    WrongShape
        The input is not of rank 4.

    References
    ----------
    Law and Deng, "CornerNet: detecting objects as paired keypoints", ECCV 2018.

    Examples
    --------
    >>> x = tf.reshape(tf.constant([1.0, 0.0, 0.0, 2.0]), [1, 2, 2, 1])
    >>> CornerPool2d("TopLeft")(x).numpy().ravel().tolist()
    [2.0, 2.0, 2.0, 4.0]
    """

    def __init__(self, mode: str = "TopLeft", name: str | None = None) -> None:
        super().__init__(name=name)
        known = {each.lower(): each for each in _MODES}
        if not isinstance(mode, str) or mode.lower() not in known:
            raise InvalidArgument(f"CornerPool2d: mode is one of {_MODES}, got {mode!r}.")
        self.mode = known[mode.lower()]

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Add the running maxima along height and width."""
        require_rank(self, inputs.shape, (4,), "Its layout is NHWC.")
        rows = require_known(self, inputs.shape[1], "the height")
        columns = require_known(self, inputs.shape[2], "the width")
        if self.mode == "TopLeft":
            return _max_from(inputs, 1, rows) + _max_from(inputs, 2, columns)
        turned = tf.reverse(inputs, [1, 2])
        return tf.reverse(_max_from(turned, 1, rows) + _max_from(turned, 2, columns), [1, 2])


def _max_from(x: tf.Tensor, axis: int, size: int) -> tf.Tensor:
    """Return for each place the maximum of it and all after it.

    After each step a place has seen twice as many.
    """
    seen = 1
    while seen < size:
        here, last = tf.split(x, [size - seen, seen], axis)
        there = tf.split(x, [seen, size - seen], axis)[1]
        x = tf.concat([tf.maximum(here, there), last], axis)
        seen *= 2
    return x
