"""Pooling over everything: one value for each channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import tensorflow as tf

from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.base import Layer, require_rank
from tensorlayer.layers.precision import mean, require_floats

__all__ = [
    "GlobalMaxPool1d",
    "GlobalMaxPool2d",
    "GlobalMaxPool3d",
    "GlobalMeanPool1d",
    "GlobalMeanPool2d",
    "GlobalMeanPool3d",
]

_DOC = """The {what} of each channel over {axes}: `{formula}`.

    Parameters
    ----------
    data_format
        `"channels_last"` or `"channels_first"`.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, {axes_}, channels)`, the channels second for channels first.
    Output shape: `(batch, channels)`. No parameters.

    Raises
    ------
    WrongShape
        The input is not of rank {rank}.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> tl.layers.{name}(tl.layers.Input({example})).outputs.shape
    TensorShape([None, 8])
    """
_KINDS = {"Max": ("largest value", "reduce_max"), "Mean": ("mean", "reduce_mean")}
_AXES = {1: ["length"], 2: ["height", "width"], 3: ["depth", "height", "width"]}


def _doc(kind: str, rank: int) -> str:
    """Return the documentation of one kind of pooling in one rank."""
    what, reduction = _KINDS[kind]
    return _DOC.format(
        name=f"Global{kind}Pool{rank}d",
        what=what,
        axes=" and ".join(["the length"] if rank == 1 else _AXES[rank]),
        axes_=", ".join(_AXES[rank]),
        formula=f"tf.{reduction}(x, {list(range(1, rank + 1))})",
        rank=rank + 2,
        example=[None, *[7] * rank, 8],
    )


class _GlobalPool(Layer):
    """What pooling over everything shares in every rank and kind."""

    rank: ClassVar[int]
    reduce: ClassVar[Callable[..., tf.Tensor]]

    def __init__(self, data_format: str = "channels_last", name: str | None = None) -> None:
        super().__init__(name=name)
        self.data_format = spatial.data_format(data_format, self.rank, type(self).__name__)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Reduce the spatial axes."""
        require_rank(self, inputs.shape, (self.rank + 2,), f"Its layout is {self.data_format}.")
        if self.reduce is mean:
            require_floats(self, inputs)
        axes = [axis for axis, letter in enumerate(self.data_format) if letter not in "NC"]
        return self.reduce(inputs, axes)


class GlobalMaxPool1d(_GlobalPool):  # noqa: D101 - made from the shared text
    __doc__ = _doc("Max", 1)
    rank, reduce = 1, staticmethod(tf.reduce_max)


class GlobalMaxPool2d(_GlobalPool):  # noqa: D101
    __doc__ = _doc("Max", 2)
    rank, reduce = 2, staticmethod(tf.reduce_max)


class GlobalMaxPool3d(_GlobalPool):  # noqa: D101
    __doc__ = _doc("Max", 3)
    rank, reduce = 3, staticmethod(tf.reduce_max)


class GlobalMeanPool1d(_GlobalPool):  # noqa: D101
    __doc__ = _doc("Mean", 1)
    rank, reduce = 1, staticmethod(mean)


class GlobalMeanPool2d(_GlobalPool):  # noqa: D101
    __doc__ = _doc("Mean", 2)
    rank, reduce = 2, staticmethod(mean)


class GlobalMeanPool3d(_GlobalPool):  # noqa: D101
    __doc__ = _doc("Mean", 3)
    rank, reduce = 3, staticmethod(mean)
