"""What all convolutions share: their arguments, parameters and the order of computation."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_known, require_rank

__all__ = ["SHARED", "ConvNd", "full_shape", "require_equal", "text"]

# What the docstrings of all convolutions say of the arguments that they share.
SHARED = {
    "n_filter": "The number of filters, which is the number of output channels.",
    "act": "The activation, applied last; None for a linear layer.",
    "padding": '`"SAME"` (zeros around) or `"VALID"` (none).',
    "data_format": """`"channels_last"` or `"channels_first"`. Without a GPU the latter is computed
        around two transpositions.""",
    "dilation_rate": """Steps between the taps of a filter, which then sees further at the same
        cost; not together with strides above 1.""",
    "W_init": """Of the filters. A truncated normal of 0.02 is the custom of GANs and of
        TensorLayer 1.x.""",
    "b_init": "Of the biases; None for a layer without biases.",
    "in_channels": """The number of input channels. With it the parameters are made in the
        constructor.""",
    "name": "Unique in the network.",
}


def text(template: str, **own: str) -> str:
    """Return a docstring: the template with the words of its class and those that all share."""
    return template.format(**SHARED | own)


def full_shape(shape: Any, rank: int, who: str) -> tuple[int, ...]:
    """Return the shape of filters, as the layers take it that are told all of it.

    Examples
    --------
    >>> full_shape([5, 5, 3, 32], 2, "Conv2dLayer")
    (5, 5, 3, 32)
    """
    return spatial.sizes(tuple(shape), rank + 2, who, "shape")


def require_equal(strides: tuple[int, ...], who: str) -> None:
    """Raise InvalidArgument unless all strides are the same."""
    if len(set(strides)) > 1:
        raise InvalidArgument(
            f"{who}: strides must be equal along all axes, since TensorFlow has no kernel for "
            f"others; got {strides}. Leave out positions of the output with a Lambda instead."
        )


class ConvNd(Layer):
    """The base of all convolutions; leaves give the rank and their defaults."""

    rank: ClassVar[int]
    #: of the filters and of the biases
    parameter_names: ClassVar[tuple[str, str]] = ("filters", "biases")
    n_in: int | None = None

    def __init__(
        self,
        n_filter: int,
        filter_size: Any,
        strides: Any,
        act: Any,
        padding: str,
        data_format: str | None,
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
        self.in_channels = (
            None if in_channels is None else positive(in_channels, who, "in_channels")
        )
        self.require_steps(who)

    def require_steps(self, who: str) -> None:
        """Raise InvalidArgument unless strides and dilation go together."""
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise InvalidArgument(
                f"{who}: strides and dilation_rate cannot both be above 1, got {self.strides} and "
                f"{self.dilation_rate}. Leave one of them at 1."
            )

    def shape_to_build_for(self) -> Any:
        """Return what `in_channels` tells."""
        if self.in_channels is None:
            return None
        return [self.in_channels if axis == "C" else None for axis in self.data_format]

    def build(self, inputs_shape: Any) -> None:
        """Make the filters and, unless `b_init` is None, the biases."""
        require_rank(self, inputs_shape, (self.rank + 2,), f"Its layout is {self.data_format}.")
        channels = inputs_shape[self.data_format.index("C")]
        self.n_in = require_known(self, channels, "the number of channels")
        self.make_filters(self.n_in)
        if self.b_init is not None:
            self.b = self._get_weights(self.parameter_names[1], [self.n_out], self.b_init)

    @property
    def n_out(self) -> int:
        """The number of output channels."""
        return self.n_filter

    def make_filters(self, n_in: int) -> None:
        """Make the filters for this number of input channels."""
        shape = [*self.filter_size, n_in, self.n_filter]
        self.W = self._get_weights(self.parameter_names[0], shape, self.W_init)

    def convolve(self, inputs: tf.Tensor, data_format: str) -> tf.Tensor:
        """Compute `inputs * W` in a data format."""
        return self.convolve_with(self.W, inputs, data_format)

    def convolve_with(self, filters: tf.Tensor, inputs: tf.Tensor, data_format: str) -> tf.Tensor:
        """Compute `inputs * filters` in a data format."""
        return tf.nn.convolution(
            inputs,
            filters,
            strides=self.strides,
            padding=self.padding,
            data_format=data_format,
            dilations=self.dilation_rate,
        )

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Compute `inputs * W + b`."""
        self.require_fitting(inputs.shape)
        return self.add_biases(spatial.with_kernel(self.convolve, inputs, self.data_format))

    def add_biases(self, z: tf.Tensor) -> tf.Tensor:
        """Compute `z + b`, or `z` of a layer without biases."""
        if self.b_init is None:
            return z
        layout = "N..C" if self.data_format.endswith("C") else "NC.."
        return tf.nn.bias_add(z, self.b, data_format=layout)

    def require_fitting(self, shape: tf.TensorShape) -> None:
        """Raise WrongShape unless the filters fit to inputs of this shape."""
        if shape.rank != self.rank + 2:
            require_rank(self, shape, (self.rank + 2,), f"Its layout is {self.data_format}.")
        channels = shape[self.data_format.index("C")]
        if channels not in {None, self.n_in}:
            raise WrongShape(
                f"{self!r}: its filters are for {self.n_in} input channels, got shape "
                f"{tuple(shape)} in the layout {self.data_format}. Make another layer for it, or "
                "correct the shape of the filters."
            )
