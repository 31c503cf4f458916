"""What quantised layers share: a dense or convolution layer whose factors are rounded first."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.base import Layer
from tensorlayer.layers.convolution.base import SHARED
from tensorlayer.layers.convolution.conv import Conv2d
from tensorlayer.layers.dense import Dense

__all__ = ["Quantized", "QuantizedConv2d", "QuantizedDense", "text"]

# What the docstrings of all quantised layers say of the arguments that they share.
_SHARED = {
    **SHARED,
    "n_units": "The number of outputs.",
    "filter_size": "Height and width of a filter; one integer for both.",
    "strides": "Steps along height and width; 2 halves the size.",
    "bitW": "Bits of the weights, 1 to 32; 32 leaves them exact.",
    "bitA": "Bits of the inputs, 1 to 32; 32 leaves them exact.",
    "use_gemm": """Only False: weights and inputs are multiplied as the floating-point numbers that
        they are rounded to.""",
    "dilation_rate": "Steps between the taps of a filter; not together with strides above 1.",
    "W_init": "Of the exact weights.",
    "b_init": "Of the biases, which stay exact; None for a layer without biases.",
    "in_channels": """The number of inputs or input channels. With it the parameters are made in the
        constructor.""",
    "invalid": """A number of bits, a size or a padding is none, or `use_gemm` is True.""",
}


def text(template: str, **own: str) -> str:
    """Return a docstring: the template with the words of its class and those that all share."""
    return template.format(**_SHARED | own)


class Quantized(Layer):
    """A layer that multiplies inputs with weights, both of which may be rounded.

    The method, from [`tensorlayer.layers.quantized.methods`][], says how. The parameters are exact:
    they are trained and saved.
    """

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Compute `q(inputs) q(W) + b`."""
        return self.add_biases(
            self.multiply(self.quantize_inputs(inputs), self.quantize_weights(self.W))
        )


class QuantizedDense(Quantized, Dense):
    """The base of quantised fully connected layers."""

    def __init__(
        self,
        n_units: int = 100,
        act: Any = None,
        use_gemm: bool = False,
        W_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        _require_no_gemm(use_gemm, type(self).__name__)
        super().__init__(n_units, act, W_init, b_init, in_channels, name)


class QuantizedConv2d(Quantized, Conv2d):
    """The base of quantised two-dimensional convolutions."""

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = (3, 3),
        strides: Any = (1, 1),
        act: Any = None,
        padding: str = "SAME",
        use_gemm: bool = False,
        data_format: str | None = "channels_last",
        dilation_rate: Any = (1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        _require_no_gemm(use_gemm, type(self).__name__)
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

    def multiply(self, inputs: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Compute `inputs * weights`, a convolution."""
        self.require_fitting(inputs.shape)
        convolve = functools.partial(self.convolve_with, weights)
        return spatial.with_kernel(convolve, inputs, self.data_format)


def _require_no_gemm(use_gemm: bool, who: str) -> None:
    if use_gemm:
        raise InvalidArgument(
            f"{who}: use_gemm must be False, got {use_gemm!r}: TensorFlow has no product of packed "
            "bits. Leave it out, which multiplies the rounded numbers; for arithmetic of integers "
            "export the trained model and convert it with TensorFlow Lite."
        )
