"""Convolutions described by the number of filters and their size."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_known, require_rank

__all__ = ["Conv2d"]


class _ConvNd(Layer):
    """What convolutions of every rank share; leaves give the rank and their defaults."""

    rank: ClassVar[int]

    def __init__(
        self,
        n_filter: int,
        filter_size: Any,
        strides: Any,
        act: Any,
        padding: str,
        data_format: str,
        dilation_rate: Any,
        W_init: Any,
        b_init: Any,
        in_channels: int | None,
        name: str | None,
    ) -> None:
        super().__init__(name=name, act=act)
        who = type(self).__name__
        self.n_filter = positive(n_filter, who, "n_filter")
        self.filter_size = spatial.sizes(filter_size, self.rank, who, "filter_size")
        self.strides = spatial.sizes(strides, self.rank, who, "strides")
        self.dilation_rate = spatial.sizes(dilation_rate, self.rank, who, "dilation_rate")
        self.padding = spatial.padding(padding, who)
        self.data_format = spatial.data_format(data_format, self.rank, who)
        self.W_init = W_init
        self.b_init = b_init
        self.in_channels = in_channels

    def shape_to_build_for(self) -> Any:
        """Return what ``in_channels`` tells."""
        if self.in_channels is None:
            return None
        return [self.in_channels if axis == "C" else None for axis in self.data_format]

    def build(self, inputs_shape: Any) -> None:
        """Make the filters and, unless ``b_init`` is None, the biases."""
        require_rank(self, inputs_shape, (self.rank + 2,), f"Its layout is {self.data_format}.")
        channels = inputs_shape[self.data_format.index("C")]
        n_in = require_known(self, channels, "the number of channels")
        self.W = self._get_weights("filters", [*self.filter_size, n_in, self.n_filter], self.W_init)
        if self.b_init is not None:
            self.b = self._get_weights("biases", [self.n_filter], self.b_init)

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Compute ``inputs * W + b``."""
        z = tf.nn.convolution(
            inputs,
            self.W,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilations=self.dilation_rate,
        )
        if self.b_init is None:
            return z
        layout = "N..C" if self.data_format.endswith("C") else "NC.."
        return tf.nn.bias_add(z, self.b, data_format=layout)


class Conv2d(_ConvNd):
    r"""Two-dimensional convolution: $y = \mathrm{act}(x \ast W + b)$.

    Parameters
    ----------
    n_filter
        The number of filters, which is the number of output channels.
    filter_size
        Height and width of a filter; one integer for both.
    strides
        Steps along height and width.
    act
        The activation, applied last.
    padding
        ``"SAME"`` (zeros around) or ``"VALID"`` (none).
    data_format
        ``"channels_last"`` or ``"channels_first"``. Most CPU kernels know the first alone.
    dilation_rate
        Steps between the taps of a filter; not together with ``strides`` above 1.
    W_init
        Of the filters. A truncated normal of 0.02 is the custom of GANs and of TensorLayer 1.x.
    b_init
        Of the biases; None for a layer without biases.
    in_channels
        The number of input channels. With it the parameters are made in the constructor.
    name
        Unique in the network.

    Notes
    -----
    Input shape: ``(batch, height, width, channels)``.
    Output shape: ``(batch, h, w, n_filter)`` with ``h = ceil(height / stride)`` for SAME and
    ``h = ceil((height - (size - 1) * dilation) / stride)`` for VALID.
    Parameters: ``filters`` (height, width, channels, n_filter) and ``biases`` (n_filter).

    Raises
    ------
    WrongShape
        The input is not of rank 4.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 28, 28, 1], name="x")
    >>> net = Conv2d(net, 32, (5, 5), (2, 2), act="relu", padding="VALID", name="conv1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 12, 12, 32]), 832)
    """

    rank = 2

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = (3, 3),
        strides: Any = (1, 1),
        act: Any = None,
        padding: str = "SAME",
        data_format: str = "channels_last",
        dilation_rate: Any = (1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            n_filter,
            filter_size,
            strides,
            act,
            padding,
            data_format,
            dilation_rate,
            W_init,
            b_init,
            in_channels,
            name,
        )
