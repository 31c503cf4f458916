"""Values around an input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.base import Layer, require_rank

__all__ = ["PadLayer", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d"]

_MODES = ("CONSTANT", "REFLECT", "SYMMETRIC")
_DOC = """Zeros around {axes}.

    Parameters
    ----------
    padding
        An integer for all sides{symmetric}, or pairs `(before, after)`: `{pairs}`.
    name
        Unique in the network.
    data_format
        `"channels_last"` or `"channels_first"`.

    Notes
    -----
    Input shape: `{shape}`. Output shape: each spatial axis is longer by `before + after`. No
    parameters.

    Raises
    ------
    InvalidArgument
        Another `padding`, or a negative number in it.
    WrongShape
        The input is not of rank {rank}.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input({example})
    >>> tl.layers.{name}(net, padding=1).outputs.shape
    TensorShape({result})
    """


def _doc(rank: int, axes: Sequence[str], symmetric: str) -> str:
    """Return the documentation for one rank."""
    pairs = ", ".join(f"({axis}_before, {axis}_after)" for axis in axes)
    return _DOC.format(
        name=f"ZeroPad{rank}d",
        axes=" and ".join(["the length"] if rank == 1 else axes),
        symmetric=symmetric,
        pairs="(before, after)" if rank == 1 else f"({pairs})",
        shape=f"(batch, {', '.join(axes)}, channels)",
        rank=rank + 2,
        example=[None, *[8] * rank, 3],
        result=[None, *[10] * rank, 3],
    )


def _is_size(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool) and value >= 0


def _is_pair(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_size, value))


class PadLayer(Layer):
    """Values around any axes: `tf.pad`.

    Parameters
    ----------
    padding
        A pair `(before, after)` for every axis of the input, batch and channels included.
    mode
        `"CONSTANT"` (zeros), `"REFLECT"` (mirrored at the last value) or `"SYMMETRIC"` (mirrored
        behind it).
    name
        Unique in the network.

    Notes
    -----
    Input shape: any with an axis for each pair. Output shape: each axis is longer by
    `before + after`. No parameters.

    Raises
    ------
    InvalidArgument
        `padding` is not a list of pairs of sizes, or the mode is another one.
    WrongShape
        The input has not one axis for each pair, or fewer values than are to be mirrored.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 224, 224, 3])
    >>> PadLayer(net, [[0, 0], [3, 3], [3, 3], [0, 0]], "REFLECT").outputs.shape
    TensorShape([None, 230, 230, 3])
    """

    def __init__(
        self, padding: Any = None, mode: str = "CONSTANT", name: str | None = None
    ) -> None:
        super().__init__(name=name)
        if not isinstance(padding, (list, tuple)) or not all(map(_is_pair, padding)):
            raise InvalidArgument(
                "PadLayer: padding is a pair (before, after) of sizes for every axis of the input, "
                f"such as [[0, 0], [3, 3], [3, 3], [0, 0]]; got {padding!r}."
            )
        if not isinstance(mode, str) or mode.upper() not in _MODES:
            raise InvalidArgument(f"PadLayer: mode is one of {_MODES}, got {mode!r}.")
        self.padding = [list(pair) for pair in padding]
        self.mode = mode.upper()

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Pad."""
        require_rank(self, inputs.shape, (len(self.padding),), "padding has a pair for each axis.")
        self._require_values(inputs.shape)
        return tf.pad(inputs, self.padding, self.mode)

    def _require_values(self, shape: tf.TensorShape) -> None:
        """Raise WrongShape if there are fewer values to be mirrored than are to be put around."""
        if self.mode == "CONSTANT":
            return
        for axis, (size, pair) in enumerate(zip(shape, self.padding, strict=True)):
            at_most = None if size is None else size - (self.mode == "REFLECT")
            if at_most is not None and max(pair) > at_most:
                raise WrongShape(
                    f"{self!r}: of axis {axis} at most {at_most} values can be mirrored, got "
                    f"shape {tuple(shape)} and padding {tuple(pair)}. Pad less, or with CONSTANT."
                )


class _ZeroPad(Layer):
    """What zeros around every rank share."""

    rank: ClassVar[int]

    def __init__(
        self, padding: Any, name: str | None = None, data_format: str = "channels_last"
    ) -> None:
        super().__init__(name=name)
        self.padding = self._pairs(padding)
        self.data_format = spatial.data_format(data_format, self.rank, type(self).__name__)

    def _pairs(self, padding: Any) -> list[list[int]]:
        """Return (before, after) for each spatial axis."""
        if _is_size(padding):
            return [[padding, padding]] * self.rank
        if self.rank == 1 and _is_pair(padding):
            return [list(padding)]
        if isinstance(padding, (list, tuple)) and len(padding) == self.rank:
            if all(map(_is_pair, padding)):
                return [list(pair) for pair in padding]
            if self.rank > 1 and all(map(_is_size, padding)):
                return [[each, each] for each in padding]
        raise InvalidArgument(
            f"{type(self).__name__}: padding is a size, or {self.rank} pair(s) (before, after) of "
            f"sizes; got {padding!r}."
        )

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Put zeros around."""
        require_rank(self, inputs.shape, (self.rank + 2,), f"Its layout is {self.data_format}.")
        if self.data_format.endswith("C"):
            return tf.pad(inputs, [[0, 0], *self.padding, [0, 0]])
        return tf.pad(inputs, [[0, 0], [0, 0], *self.padding])


class ZeroPad1d(_ZeroPad):  # noqa: D101 - made from the shared text
    __doc__ = _doc(1, ["length"], "")
    rank = 1


class ZeroPad2d(_ZeroPad):  # noqa: D101
    __doc__ = _doc(2, ["height", "width"], ", one for each axis")
    rank = 2


class ZeroPad3d(_ZeroPad):  # noqa: D101
    __doc__ = _doc(3, ["depth", "height", "width"], ", one for each axis")
    rank = 3
