"""How weights and inputs are rounded: what a quantised layer is, beside dense or a convolution."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer.layers.quantized import quantizers

__all__ = ["Binary", "Dorefa", "Quan", "Ternary"]


class _OnlyWeights:
    """A method that leaves inputs as they are: a Sign layer or an activation may come before."""

    def quantize_inputs(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the inputs."""
        return inputs


class Binary(_OnlyWeights):
    """Weights are -1 or 1."""

    def quantize_weights(self, weights: tf.Tensor) -> tf.Tensor:
        """Compute `sign(W)`."""
        return quantizers.quantize(weights)


class Ternary(_OnlyWeights):
    """Weights are 0, or plus or minus one size."""

    def quantize_weights(self, weights: tf.Tensor) -> tf.Tensor:
        """Compute `alpha T(W)`."""
        return quantizers.quantize_ternary(weights)


class _Bits:
    """A method with numbers of bits, of weights and of inputs."""

    def set_bits(self, bitW: Any, bitA: Any) -> None:
        """Check and store them."""
        who = type(self).__name__
        self.bitW = quantizers.bits(bitW, who, "bitW")
        self.bitA = quantizers.bits(bitA, who, "bitA")


class Dorefa(_Bits):
    """Weights from -1 to 1, inputs from 0 to 1."""

    def quantize_weights(self, weights: tf.Tensor) -> tf.Tensor:
        """Round to levels from -1 to 1."""
        return quantizers.quantize_weight(weights, self.bitW)

    def quantize_inputs(self, inputs: tf.Tensor) -> tf.Tensor:
        """Round `min(1, |x|)` to levels from 0 to 1."""
        return quantizers.quantize_active(quantizers.cabs(inputs), self.bitA)


class Quan(_Bits):
    """Weights and inputs over the range that they have."""

    def quantize_weights(self, weights: tf.Tensor) -> tf.Tensor:
        """Round to levels over the range of the weights."""
        return quantizers.quantize_weight_overflow(weights, self.bitW)

    def quantize_inputs(self, inputs: tf.Tensor) -> tf.Tensor:
        """Round to levels over the range of the inputs."""
        return quantizers.quantize_active_overflow(inputs, self.bitA)
