"""Images made larger and smaller."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.base import Layer, require_rank

__all__ = ["DownSampling2d", "DownSampling2dLayer", "UpSampling2d", "UpSampling2dLayer"]

#: The methods, those that TensorLayer 1.x numbered first.
METHODS = (
    "bilinear", "nearest", "bicubic", "area", "gaussian", "lanczos3", "lanczos5", "mitchellcubic"
)  # fmt: skip
_NUMBERED = 4
_DOC = """Images {what}, by `tf.image.resize`.

    Parameters
    ----------
    scale
        The factor {by} height and width {are}; a number for both, or a pair.
    method
        {method} Also `"nearest"`, `"bicubic"`, `"area"`, `"gaussian"`, `"lanczos3"`, `"lanczos5"`
        and `"mitchellcubic"`; or 0 to 3 for the first four, as in TensorLayer 1.x.
    antialias
        Whether to filter out what is too fine for the new size. Only a smaller size needs it.
    data_format
        `"channels_last"` or `"channels_first"`.
    name
        Unique in the network.
    size
        In the place of `scale`, as in TensorLayer 1.x: a pair that height and width are multiplied
        with.
    is_scale
        False if what is given is the new height and width itself.
    align_corners
        Whether the centres of the corner cells stay where they are, as TensorFlow 1 could do, and
        not the corners of the image.

    Notes
    -----
    Input shape: `(batch, height, width, channels)` or, without a batch, of rank 3. Height and width
    may be free. Output shape: `(batch, floor({formula}), ..., channels)`. No parameters.
    The result has the type of the input; TensorFlow computes it in float32, and has no gradient of
    `"area"`. XLA compiles `"bilinear"` and `"nearest"` alone, and the first with wrong values for
    odd factors.

    Raises
    ------
    InvalidArgument
        The size is given twice, not at all or is not positive; the method is unknown.
    WrongShape
        The input is not of rank 4 (or 3).

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 16, 16, 3])
    >>> tl.layers.{name}(net, scale=2).outputs.shape
    TensorShape([None, {result}, {result}, 3])
    """


class _Sampling2d(Layer):
    """What both directions share."""

    divides: ClassVar[bool]

    def __init__(
        self,
        scale: Any = None,
        method: str | int = "bilinear",
        antialias: bool = False,
        data_format: str = "channels_last",
        name: str | None = None,
        size: Any = None,
        is_scale: bool = True,
        align_corners: bool = False,
    ) -> None:
        super().__init__(name=name)
        self.is_scale = is_scale
        self.scale = self._factors(scale, size)
        self.method = self._method(method)
        self.antialias = antialias
        self.align_corners = align_corners
        who = type(self).__name__
        if antialias and align_corners:
            raise InvalidArgument(
                f"{who}: align_corners is of TensorFlow 1, which knew no antialias. Choose one."
            )
        written = {"channel_last": "channels_last", "channel_first": "channels_first"}
        self.data_format = spatial.data_format(written.get(data_format, data_format), 2, who)

    def _factors(self, scale: Any, size: Any) -> tuple[float, float]:
        """Return what height and width are multiplied with, or become."""
        who, given = type(self).__name__, scale if size is None else size
        if (scale is None) == (size is None):
            raise InvalidArgument(f"{who}: it takes a scale, or a size as TensorLayer 1.x did.")
        pair = tuple(given) if isinstance(given, (list, tuple)) else (given, given)
        numbers = [each for each in pair if isinstance(each, (int, float)) and each > 0]
        if len(pair) != 2 or len(numbers) != 2:
            raise InvalidArgument(f"{who}: a size is a positive number or two, got {given!r}.")
        if not self.is_scale:
            return int(pair[0]), int(pair[1])
        if size is not None or not self.divides:
            return pair
        if min(pair) < 1:
            raise InvalidArgument(
                f"{who}: scale divides height and width, so it is 1 or more; got {scale!r}. The "
                f"factor that TensorLayer 1.x multiplied with is size={scale!r}."
            )
        return 1 / pair[0], 1 / pair[1]

    def _method(self, method: str | int) -> str:
        numbered = dict(enumerate(METHODS[:_NUMBERED]))
        name = method if isinstance(method, (str, bool)) else numbered.get(method)
        if name not in METHODS:
            raise InvalidArgument(
                f"{type(self).__name__}: method is one of {METHODS} or 0 to 3, got {method!r}. "
                "The second argument of TensorLayer 1.x is is_scale=."
            )
        return name

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Resize."""
        is_last = self.data_format.endswith("C")
        require_rank(self, inputs.shape, (3, 4) if is_last else (4,), "Its layout is NHWC or HWC.")
        resized = spatial.as_channels_last(self._resize, inputs, self.data_format)
        return tf.cast(resized, inputs.dtype)

    def _resize(self, images: tf.Tensor, data_format: str) -> tf.Tensor:
        del data_format
        size = self.scale
        if self.is_scale:
            axes = zip((-3, -2), self.scale, strict=True)
            size = [_scaled(spatial.size_of(images, axis), factor) for axis, factor in axes]
        if self.align_corners:
            return tf.compat.v1.image.resize(images, size, self.method, align_corners=True)
        return tf.image.resize(images, size, self.method, antialias=self.antialias)


def _scaled(size: Any, factor: float) -> Any:
    """Return the new size; a hair above an integer is that: 1 / 3 is not exact."""
    exact = 1e-4
    if isinstance(size, int):
        return math.floor(size * factor + exact)
    return tf.cast(tf.floor(tf.cast(size, tf.float32) * factor + exact), tf.int32)


class UpSampling2d(_Sampling2d):  # noqa: D101 - made from the shared text
    __doc__ = _DOC.format(
        name="UpSampling2d",
        what="made larger",
        by="that",
        are="are multiplied with",
        method='`"bilinear"` is smooth; `"nearest"` repeats each cell.',
        formula="height * scale",
        result=32,
    )
    divides = False


class DownSampling2d(_Sampling2d):  # noqa: D101
    __doc__ = _DOC.format(
        name="DownSampling2d",
        what="made smaller",
        by="that",
        are="are divided by, at least 1",
        method='`"bilinear"` takes four cells; `"area"` the mean of all.',
        formula="height / scale",
        result=8,
    )
    divides = True


UpSampling2dLayer = UpSampling2d
DownSampling2dLayer = DownSampling2d
