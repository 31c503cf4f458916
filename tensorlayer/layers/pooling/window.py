"""Pooling over windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_rank
from tensorlayer.layers.precision import require_floats, widened

__all__ = [
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MeanPool1d",
    "MeanPool2d",
    "MeanPool3d",
    "PoolLayer",
]

_DOC = """{summary}

    Parameters
    ----------
    filter_size
        {axes} of the window; one integer for all.
    strides
        Steps along the same; None for the size of the window. The default overlaps the windows
        (3 wide, step 2), which AlexNet found to overfit less.
    padding
        `"SAME"` or `"VALID"`. {padding}
    data_format
        `"channels_last"` or `"channels_first"`.{dilation}
    name
        Unique in the network.

    Notes
    -----
    Input shape: `{shape}`.
    Output shape: the same with `ceil(size / stride)` cells along an axis for SAME and
    `ceil((size - window + 1) / stride)` for VALID. No parameters.

    Raises
    ------
    WrongShape
        The input is not of rank {rank}.{error}

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input({example})
    >>> tl.layers.{name}(net, filter_size=2, strides=2).outputs.shape
    TensorShape({result})
    """
_KINDS = {
    "Max": (
        "The largest value of each window, for each channel.",
        "Padding never wins: it counts as minus infinity.",
    ),
    "Mean": (
        "The mean of each window, for each channel.",
        "The mean is over real cells only, not over padding.",
    ),
}
_RANKS = {
    1: ("The length", "(batch, length, channels)"),
    2: ("Height and width", "(batch, height, width, channels)"),
    3: ("Depth, height and width", "(batch, depth, height, width, channels)"),
}
_DILATION = """
    dilation_rate
        Steps between the cells of a window. Above 1 only with `strides=1` and `padding="VALID"`:
        TensorFlow has no kernel for the others."""
_DILATION_ERROR = """
    InvalidArgument
        `dilation_rate` is above 1 with other strides or padding."""


def _doc(kind: str, rank: int) -> str:
    """Return the documentation of one kind of pooling in one rank."""
    summary, padding = _KINDS[kind]
    axes, shape = _RANKS[rank]
    return _DOC.format(
        name=f"{kind}Pool{rank}d",
        summary=summary,
        axes=axes,
        shape=shape,
        padding=padding,
        rank=rank + 2,
        dilation=_DILATION if rank == 1 else "",
        error=_DILATION_ERROR if rank == 1 else "",
        example=[None, *[28] * rank, 8],
        result=[None, *[14] * rank, 8],
    )


class _PoolNd(Layer):
    """What pooling of every rank and kind shares."""

    rank: ClassVar[int]
    pool: ClassVar[Callable[..., tf.Tensor]]
    is_mean: ClassVar[bool] = False

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
        if not self.is_mean:
            return self._windows(inputs)
        require_floats(self, inputs)
        return tf.cast(self._windows(widened(inputs)), inputs.dtype)

    def _windows(self, inputs: tf.Tensor) -> tf.Tensor:
        return spatial.with_kernel(self._pool, inputs, self.data_format)

    def _pool(self, inputs: tf.Tensor, data_format: str) -> tf.Tensor:
        return self.pool(
            inputs, self.filter_size, self.strides, self.padding, data_format=data_format
        )


class _Pool1d(_PoolNd):
    rank = 1
    kind: ClassVar[str]

    def __init__(
        self,
        filter_size: Any = 3,
        strides: Any = 2,
        padding: str = "SAME",
        data_format: str = "channels_last",
        dilation_rate: int = 1,
        name: str | None = None,
    ) -> None:
        super().__init__(filter_size, strides, padding, data_format, name)
        who = type(self).__name__
        self.dilation_rate = spatial.sizes(dilation_rate, 1, who, "dilation_rate")
        if self.dilation_rate != (1,) and (self.strides != (1,) or self.padding == "SAME"):
            raise InvalidArgument(
                f"{who}: dilation_rate {self.dilation_rate[0]} needs strides=1 and "
                f"padding='VALID', got {self.strides[0]} and {self.padding!r}."
            )

    def _pool(self, inputs: tf.Tensor, data_format: str) -> tf.Tensor:
        if self.dilation_rate == (1,):
            return super()._pool(inputs, data_format)
        return tf.nn.pool(
            inputs,
            self.filter_size,
            self.kind,
            padding="VALID",
            dilations=self.dilation_rate,
            data_format=data_format,
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


class _Pool3d(_PoolNd):
    rank = 3

    def __init__(
        self,
        filter_size: Any = (3, 3, 3),
        strides: Any = (2, 2, 2),
        padding: str = "VALID",
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        super().__init__(filter_size, strides, padding, data_format, name)

    def _windows(self, inputs: tf.Tensor) -> tf.Tensor:
        if inputs.dtype == tf.float32:
            return super()._windows(inputs)
        return spatial.as_channels_last(self._by_planes, inputs, self.data_format)

    def _by_planes(self, inputs: tf.Tensor, data_format: str) -> tf.Tensor:
        """Pool height and width, and then the depth: kernels of rank 3 know only float32.

        This is the same: a maximum of maxima is the maximum, and every row of a window has the
        same number of real cells.
        """
        del data_format
        _, depth, height, width, channels = spatial.sizes_of(inputs)
        planes = tf.reshape(inputs, [-1, height, width, channels])
        planes = self.pool(planes, self.filter_size[1:], self.strides[1:], self.padding)
        height, width = spatial.size_of(planes, 1), spatial.size_of(planes, 2)
        lines = tf.reshape(planes, [-1, depth, height * width, channels])
        size, step = self.filter_size[0], self.strides[0]
        lines = self.pool(lines, (size, 1), (step, 1), self.padding)
        return tf.reshape(lines, [-1, spatial.size_of(lines, 1), height, width, channels])


class MaxPool1d(_Pool1d):  # noqa: D101 - made from the shared text
    __doc__ = _doc("Max", 1)
    pool, kind = staticmethod(tf.nn.max_pool), "MAX"


class MeanPool1d(_Pool1d):  # noqa: D101
    __doc__ = _doc("Mean", 1)
    pool, kind, is_mean = staticmethod(tf.nn.avg_pool), "AVG", True


class MaxPool2d(_Pool2d):  # noqa: D101
    __doc__ = _doc("Max", 2)
    pool = staticmethod(tf.nn.max_pool)


class MeanPool2d(_Pool2d):  # noqa: D101
    __doc__ = _doc("Mean", 2)
    pool, is_mean = staticmethod(tf.nn.avg_pool), True


class MaxPool3d(_Pool3d):  # noqa: D101
    __doc__ = _doc("Max", 3)
    pool = staticmethod(tf.nn.max_pool)


class MeanPool3d(_Pool3d):  # noqa: D101
    __doc__ = _doc("Mean", 3)
    pool, is_mean = staticmethod(tf.nn.avg_pool), True


class PoolLayer(Layer):
    """Any pooling function of `tf.nn`, with its own arguments.

    Parameters
    ----------
    filter_size
        The size of the window along every axis of the input, batch and channels included.
    strides
        Steps along every axis.
    padding
        `"SAME"` or `"VALID"`.
    pool
        The function, called as `pool(inputs, filter_size, strides, padding)`.
    name
        Unique in the network.
    ksize
        What TensorLayer 1.x called `filter_size`.

    Notes
    -----
    Input shape: what the function takes. Output shape: what it gives. No parameters.

    Raises
    ------
    InvalidArgument
        `filter_size` and `strides` differ in length, or `pool` is no function.
    WrongShape
        The input has not one axis for each number of `filter_size`.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 28, 28, 8])
    >>> PoolLayer(net, (1, 2, 2, 1), (1, 2, 2, 1), pool=tf.nn.avg_pool).outputs.shape
    TensorShape([None, 14, 14, 8])
    """

    def __init__(
        self,
        filter_size: Sequence[int] = (1, 2, 2, 1),
        strides: Sequence[int] = (1, 2, 2, 1),
        padding: str = "SAME",
        pool: Callable[..., tf.Tensor] = tf.nn.max_pool,
        name: str | None = None,
        ksize: Sequence[int] | None = None,
    ) -> None:
        super().__init__(name=name)
        who, given = "PoolLayer", filter_size if ksize is None else ksize
        self.filter_size = tuple(positive(each, who, "filter_size") for each in given)
        self.strides = tuple(positive(each, who, "strides") for each in strides)
        self.padding = spatial.padding(padding, who)
        if len(self.filter_size) != len(self.strides):
            raise InvalidArgument(
                f"{who}: filter_size and strides have one number for every axis of the input, got "
                f"{self.filter_size} and {self.strides}."
            )
        if not callable(pool):
            raise InvalidArgument(f"{who}: pool is a function such as tf.nn.max_pool, got {pool!r}")
        self.pool = pool

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Call the function."""
        require_rank(
            self, inputs.shape, (len(self.filter_size),), "It has an axis for each filter_size."
        )
        return self.pool(inputs, self.filter_size, self.strides, self.padding)
