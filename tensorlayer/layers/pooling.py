"""Pooling over windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.base import Layer, require_rank

__all__ = ["MaxPool2d", "MeanPool2d"]

_POOL2D_DOC = """{summary}

    Parameters
    ----------
    filter_size
        Height and width of the window; one integer for both.
    strides
        Steps along height and width; None for the size of the window. The default overlaps the
        windows (3 wide, step 2), which AlexNet found to overfit less.
    padding
        ``"SAME"`` or ``"VALID"``. {padding}
    data_format
        ``"channels_last"`` or ``"channels_first"``.
    name
        Unique in the network.

    Notes
    -----
    Input shape: ``(batch, height, width, channels)``.
    Output shape: ``(batch, h, w, channels)`` with ``h = ceil(height / stride)`` for SAME and
    ``h = ceil((height - size + 1) / stride)`` for VALID. No parameters.

    Raises
    ------
    WrongShape
        The input is not of rank 4.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 28, 28, 8])
    >>> tl.layers.{name}(net, filter_size=2, strides=2).outputs.shape
    TensorShape([None, 14, 14, 8])
    """


class _PoolNd(Layer):
    """What pooling of every rank and kind shares."""

    rank: ClassVar[int]
    pool: ClassVar[Callable[..., tf.Tensor]]

    def __init__(
        self, filter_size: Any, strides: Any, padding: str, data_format: str, name: str | None
    ) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        self.filter_size = spatial.sizes(filter_size, self.rank, who, "filter_size")
        steps = self.filter_size if strides is None else strides
        self.strides = spatial.sizes(steps, self.rank, who, "strides")
        self.padding = spatial.padding(padding, who)
        self.data_format = spatial.data_format(data_format, self.rank, who)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Pool the windows."""
        require_rank(self, inputs.shape, (self.rank + 2,), f"Its layout is {self.data_format}.")
        return self.pool(
            inputs, self.filter_size, self.strides, self.padding, data_format=self.data_format
        )


class _Pool2d(_PoolNd):
    rank = 2

    def __init__(
        self,
        filter_size: Any = (3, 3),
        strides: Any = (2, 2),
        padding: str = "SAME",
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        super().__init__(filter_size, strides, padding, data_format, name)


class MaxPool2d(_Pool2d):  # noqa: D101 - made from the shared text
    __doc__ = _POOL2D_DOC.format(
        name="MaxPool2d",
        summary="The largest value of each window, for each channel.",
        padding="Padding never wins: it counts as minus infinity.",
    )
    pool = staticmethod(tf.nn.max_pool)


class MeanPool2d(_Pool2d):  # noqa: D101
    __doc__ = _POOL2D_DOC.format(
        name="MeanPool2d",
        summary="The mean of each window, for each channel.",
        padding="The mean is over real cells only, not over padding.",
    )
    pool = staticmethod(tf.nn.avg_pool)
