"""Convolutions whose filters look where another branch of the network tells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.base import require_rank
from tensorlayer.layers.convolution.base import ConvNd, text
from tensorlayer.layers.precision import widened
from tensorlayer.layers.spatial_arguments import sizes_of

__all__ = ["DeformableConv2d", "bilinear"]


class DeformableConv2d(ConvNd):  # noqa: D101 - made with the shared text
    __doc__ = text(
        """Convolution with a displacement for every tap at every position.

    $y(p) = \\mathrm{{act}}(\\sum_k W_k x(p + p_k + \\Delta p_k(p)) + b)$, where $p_k$ are the taps
    around a position, $\\Delta p_k$ comes from another branch, usually a convolution of the same
    features, and $x$ is interpolated between pixels.

    Parameters
    ----------
    offset_layer
        The network that gives the displacements, with `2 * height * width` (of the filter)
        channels: a pair of rows down and columns to the right for each tap, the taps row by row.
        It is an input like the features; a call with tensors takes it by this name as well, or
        features and displacements as a list.
    n_filter
        {n_filter}
    filter_size
        Height and width of a filter; one integer for both.
    act
        {act}
    padding
        `"SAME"` alone: there is an output for each displacement. What lies outside has the value of
        the border.
    W_init
        {W_init}
    b_init
        {b_init}
    in_channels
        {in_channels}
    name
        {name}

    Notes
    -----
    Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, height, width, n_filter)`.
    Parameters: `W_deformableconv2d` (1, 1, taps, channels, n_filter) and `b_deformableconv2d`
    (n_filter). Displacements that start as zeros (`W_init=0.0` in their branch) start with an
    ordinary convolution, as the paper does. Positions are computed in 32 bits at least.

    Raises
    ------
    InvalidArgument
        There is no `offset_layer`, or padding is not SAME.
    WrongShape
        Features or displacements are not of rank 4, or do not fit to each other.

    References
    ----------
    Dai et al., *Deformable convolutional networks*, 2017.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> features = tl.layers.Input([None, 16, 16, 8], name="x")
    >>> offsets = tl.layers.Conv2d(features, 18, (3, 3), W_init=0.0, name="offsets")
    >>> net = DeformableConv2d(features, offset_layer=offsets, n_filter=32, name="deformable")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 16, 16, 32]), 3650)
    """
    )
    rank = 2
    parameter_names = ("W_deformableconv2d", "b_deformableconv2d")

    def __init__(
        self,
        offset_layer: Any = None,
        n_filter: int = 32,
        filter_size: Any = (3, 3),
        act: Any = None,
        padding: str = "SAME",
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        if offset_layer is not None:  # a network never comes here: it is an input of the call
            raise InvalidArgument(
                "DeformableConv2d: offset_layer is a network, got "
                f"{type(offset_layer).__name__}. Give a tensor with the call: layer(x, "
                "offset_layer=tensor)."
            )
        super().__init__(
            n_filter, filter_size, 1, act, padding, None, 1, W_init, b_init, in_channels, name
        )
        if self.padding != "SAME":
            raise InvalidArgument(
                f"DeformableConv2d: padding is 'SAME', got {padding!r}. Cut the output instead."
            )

    @property
    def n_taps(self) -> int:
        """The number of taps of a filter."""
        height, width = self.filter_size
        return height * width

    def build(self, inputs_shape: Any, offset_layer: Any = None) -> None:
        """Make the parameters for features, or for features and displacements."""
        is_list = offset_layer is None and isinstance(inputs_shape[0], (list, tuple))
        super().build(inputs_shape[0] if is_list else inputs_shape)

    def make_filters(self, n_in: int) -> None:
        """Make the filters: one matrix for each tap."""
        shape = [1, 1, self.n_taps, n_in, self.n_filter]
        self.W = self._get_weights(self.parameter_names[0], shape, self.W_init)

    def transform(self, inputs: Any, offset_layer: tf.Tensor | None = None) -> tf.Tensor:
        """Compute `inputs`, displaced by `offset_layer`, times `W` plus `b`."""
        features, offsets = self._both(inputs, offset_layer)
        self.require_fitting(features.shape)
        self._require_displacements(offsets.shape, features.shape)
        batch, height, width, channels = sizes_of(features)
        samples = bilinear(features, *self._positions(offsets, height, width))
        samples = tf.reshape(samples, [batch, height, width, self.n_taps * channels])
        filters = tf.reshape(self.W, [1, 1, self.n_taps * channels, self.n_filter])
        return self.add_biases(tf.nn.conv2d(samples, filters, 1, "VALID"))

    def _both(self, inputs: Any, offsets: Any) -> Sequence[tf.Tensor]:
        if offsets is not None:
            return inputs, offsets
        if isinstance(inputs, (list, tuple)) and len(inputs) == 2:
            return inputs
        raise InvalidArgument(f"{self!r}: it needs displacements. Give offset_layer=network.")

    def _require_displacements(self, found: tf.TensorShape, features: tf.TensorShape) -> None:
        require_rank(self, found, (4,), "These are the displacements.")
        wanted = features[:3].concatenate(2 * self.n_taps)
        if not found.is_compatible_with(wanted):
            raise WrongShape(
                f"{self!r}: the displacements must be of shape {tuple(wanted)}, a pair for each "
                f"tap, got {tuple(found)}. Make them with a convolution of {2 * self.n_taps} "
                "filters and strides of 1."
            )

    def _positions(
        self, offsets: tf.Tensor, height: Any, width: Any
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return rows and columns, of shape `(batch, height, width, taps)`."""
        batch = sizes_of(offsets)[0]
        # With 16 bits neighbours fall together.
        pairs = widened(tf.reshape(offsets, [batch, height, width, self.n_taps, 2]))
        rows, columns = (
            tf.range(size)[:, None] + tf.range(taps) - (taps - 1) // 2
            for size, taps in zip((height, width), self.filter_size, strict=True)
        )
        rows = tf.repeat(rows[:, None], self.filter_size[1], axis=-1)
        columns = tf.tile(columns[None], [1, 1, self.filter_size[0]])
        return (
            tf.cast(rows, pairs.dtype) + pairs[..., 0],
            tf.cast(columns, pairs.dtype) + pairs[..., 1],
        )


def bilinear(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Return the values of images between their pixels; outside, those of the border.

    Parameters
    ----------
    images
        Of shape `(batch, height, width, channels)`.
    rows
        In pixels, of shape `(batch, ...)`.
    columns
        As many.

    Examples
    --------
    >>> image = tf.reshape(tf.range(4.0), [1, 2, 2, 1])
    >>> bilinear(image, tf.constant([[0.5, 0.0]]), tf.constant([[0.5, 9.0]])).numpy().ravel()
    array([1.5, 1. ], dtype=float32)
    """
    batch, height, width, channels = sizes_of(images)
    pixels = tf.reshape(images, [batch, height * width, channels])
    top, bottom, down = _between(rows, height, images.dtype)
    left, right, along = _between(columns, width, images.dtype)

    def at(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        return tf.gather(pixels, row * width + column, batch_dims=1)

    upper = _mixed(at(top, left), at(top, right), along)
    lower = _mixed(at(bottom, left), at(bottom, right), along)
    return _mixed(upper, lower, down)


def _between(
    positions: tf.Tensor, size: Any, dtype: tf.DType
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the pixels before and after positions on an axis, and how far on the way they are."""
    last = tf.cast(size - 1, positions.dtype)
    positions = tf.clip_by_value(positions, tf.zeros([], positions.dtype), last)
    before = tf.floor(positions)
    # Once more as integers: what is no number is no index either.
    first = tf.clip_by_value(tf.cast(before, tf.int32), 0, size - 1)
    second = tf.minimum(first + 1, size - 1)
    return first, second, tf.cast(positions - before, dtype)[..., None]


def _mixed(one: tf.Tensor, other: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    return one + (other - one) * share
