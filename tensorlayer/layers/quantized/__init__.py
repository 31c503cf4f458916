"""Layers whose weights, and inputs, are rounded to few values while they train.

Names of TensorLayer 1.x stand beside the class that they mean.
"""

from tensorlayer.layers.quantized.conv import BinaryConv2d, DorefaConv2d, QuanConv2d, TernaryConv2d
from tensorlayer.layers.quantized.dense import (
    BinaryDense,
    BinaryDenseLayer,
    DorefaDense,
    DorefaDenseLayer,
    QuanDense,
    QuanDenseLayer,
    TernaryDense,
    TernaryDenseLayer,
)
from tensorlayer.layers.quantized.quantizers import (
    cabs,
    compute_alpha,
    quantize,
    quantize_active,
    quantize_active_overflow,
    quantize_weight,
    quantize_weight_overflow,
    ternary_operation,
)
from tensorlayer.layers.quantized.with_batch_norm import (
    QuanConv2dWithBN,
    QuanDenseLayerWithBN,
    QuanDenseWithBN,
)

__all__ = [
    "BinaryConv2d",
    "BinaryDense",
    "BinaryDenseLayer",
    "DorefaConv2d",
    "DorefaDense",
    "DorefaDenseLayer",
    "QuanConv2d",
    "QuanConv2dWithBN",
    "QuanDense",
    "QuanDenseLayer",
    "QuanDenseLayerWithBN",
    "QuanDenseWithBN",
    "TernaryConv2d",
    "TernaryDense",
    "TernaryDenseLayer",
    "cabs",
    "compute_alpha",
    "quantize",
    "quantize_active",
    "quantize_active_overflow",
    "quantize_weight",
    "quantize_weight_overflow",
    "ternary_operation",
]
