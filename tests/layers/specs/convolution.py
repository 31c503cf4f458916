"""Convolutions."""

from typing import Any

from tests.layers.spec import LayerSpec


def _conv(
    name: str,
    inputs: tuple[int, ...],
    parameters: tuple[str, ...] = ("filters", "biases"),
    at_once: bool = False,
    **arguments: Any,
) -> LayerSpec:
    return LayerSpec(name, arguments, (inputs,), parameters, builds_at_once=at_once)


FIRST = "channels_first"
KERNEL = ("kernel", "bias")
SEPARABLE = ("depthwise_kernel", "pointwise_kernel", "bias")
DEFORMABLE = ("W_deformableconv2d", "b_deformableconv2d")

SPECS = (
    _conv("AtrousConv1dLayer", (8, 3), n_filter=4, dilation=2, act="tanh"),
    _conv("AtrousConv2dLayer", (8, 8, 3), n_filter=4, act="tanh"),
    _conv("AtrousDeConv2dLayer", (6, 6, 3), at_once=True, shape=(3, 3, 4, 3),
          output_shape=(None, 10, 10, 4), padding="VALID", act="tanh"),
    _conv("Conv1d", (9, 3), n_filter=4, stride=2, act="tanh"),
    _conv("Conv1d", (3, 9), n_filter=4, data_format=FIRST, dilation_rate=2),
    _conv("Conv1dLayer", (9, 3), at_once=True, shape=(5, 3, 4), stride=2, act="tanh"),
    _conv("Conv2d", (8, 8, 3), n_filter=4, filter_size=(3, 2), act="tanh"),
    _conv("Conv2d", (3, 8, 8), n_filter=4, strides=2, data_format=FIRST, act="tanh"),
    _conv("Conv2d", (7, 8, 3), ("filters",), n_filter=4, dilation_rate=2, b_init=None),
    _conv("Conv2dLayer", (8, 8, 3), at_once=True, shape=(3, 2, 3, 4), strides=(1, 2, 1, 1)),
    _conv("Conv3d", (5, 6, 6, 2), n_filter=3, strides=(1, 2, 2), act="tanh"),
    _conv("Conv3d", (2, 5, 6, 6), n_filter=3, data_format=FIRST, padding="VALID"),
    _conv("Conv3dLayer", (5, 6, 6, 2), at_once=True, shape=(2, 2, 2, 2, 3), act="tanh"),
    _conv("DeConv1dLayer", (6, 3), at_once=True, shape=(3, 4, 3), outputs_shape=(None, 11, 4),
          act="tanh"),
    _conv("DeConv2d", (5, 4, 3), KERNEL, n_filter=4, act="tanh"),
    _conv("DeConv2d", (3, 5, 4), KERNEL, n_filter=4, padding="VALID", data_format=FIRST),
    _conv("DeConv2d", (5, 4, 3), KERNEL, n_filter=4, strides=1, dilation_rate=2, act="tanh"),
    _conv("DeConv2dLayer", (5, 4, 3), at_once=True, shape=(3, 3, 4, 3),
          outputs_shape=(None, 9, None, 4), act="tanh"),
    _conv("DeConv3d", (3, 3, 4, 2), KERNEL, n_filter=3, act="tanh"),
    _conv("DeConv3dLayer", (3, 3, 4, 2), at_once=True, shape=(2, 2, 2, 3, 2), outputs_shape=None),
    LayerSpec("DeformableConv2d", {"n_filter": 4, "act": "tanh"}, ((6, 5, 3), (6, 5, 18)),
              DEFORMABLE),
    _conv("DepthwiseConv2d", (8, 8, 3), depth_multiplier=2, act="tanh"),
    _conv("DepthwiseConv2d", (3, 8, 8), strides=2, data_format=FIRST),
    _conv("GroupConv2d", (8, 8, 6), n_filter=4, act="tanh"),
    _conv("GroupConv2d", (6, 8, 8), n_filter=6, n_group=3, strides=1, data_format=FIRST),
    _conv("SeparableConv1d", (9, 3), SEPARABLE, n_filter=4, depth_multiplier=2, act="tanh"),
    _conv("SeparableConv1d", (3, 9), SEPARABLE, n_filter=4, strides=2, data_format=FIRST),
    _conv("SeparableConv2d", (8, 8, 3), SEPARABLE, n_filter=4, padding="SAME", dilation_rate=2),
    _conv("SeparableConv2d", (3, 8, 8), SEPARABLE, n_filter=4, data_format=FIRST, act="tanh"),
    _conv("SubpixelConv1d", (6, 4), (), act="relu"),
    _conv("SubpixelConv2d", (4, 3, 8), (), n_out_channels=2, act="relu"),
)  # fmt: skip
