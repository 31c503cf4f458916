"""Layers with rounded weights."""

from typing import Any

from tests.layers.spec import LayerSpec

FIRST = "channels_first"
BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_var")


def _dense(name: str, **arguments: Any) -> LayerSpec:
    return LayerSpec(name, {"n_units": 5, **arguments}, ((7,),), ("weights", "biases"))


def _conv(name: str, inputs: tuple[int, ...], **arguments: Any) -> LayerSpec:
    return LayerSpec(name, {"n_filter": 4, **arguments}, (inputs,), ("filters", "biases"))


SPECS = (
    _conv("BinaryConv2d", (8, 8, 3), filter_size=(3, 2), act="tanh"),
    _conv("BinaryConv2d", (3, 8, 8), data_format=FIRST, strides=2, act="tanh"),
    _dense("BinaryDense", act="tanh"),
    _conv("DorefaConv2d", (8, 8, 3), act="tanh"),
    _conv("DorefaConv2d", (3, 8, 8), bitA=4, data_format=FIRST, dilation_rate=2),
    _dense("DorefaDense", act="tanh"),
    _dense("DorefaDense", bitW=4),
    _conv("QuanConv2d", (8, 8, 3), act="tanh"),
    _conv("QuanConv2d", (3, 8, 8), data_format=FIRST, padding="VALID"),
    _dense("QuanDense", act="tanh"),
    LayerSpec("QuanConv2dWithBN", {"n_filter": 4, "act": "tanh"}, ((8, 8, 3),),
              ("filters", *BATCH_NORM), depends_on_mode=True),
    LayerSpec("QuanConv2dWithBN", {"n_filter": 4, "data_format": FIRST}, ((3, 8, 8),),
              ("filters", *BATCH_NORM), depends_on_mode=True),
    LayerSpec("QuanDenseWithBN", {"n_units": 5, "act": "tanh"}, ((7,),),
              ("weights", *BATCH_NORM), depends_on_mode=True),
    _conv("TernaryConv2d", (8, 8, 3), act="tanh"),
    _conv("TernaryConv2d", (3, 8, 8), data_format=FIRST, strides=(2, 1)),
    _dense("TernaryDense", act="tanh"),
)  # fmt: skip
