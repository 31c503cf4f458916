"""Convolutions.

Names of TensorLayer 1.x stand beside the class that they mean.
"""

from tensorlayer.layers.convolution.atrous import (
    AtrousConv1dLayer,
    AtrousConv2dLayer,
    AtrousDeConv2dLayer,
    atrous_conv1d,
)
from tensorlayer.layers.convolution.conv import Conv1d, Conv2d, Conv3d
from tensorlayer.layers.convolution.deformable import DeformableConv2d
from tensorlayer.layers.convolution.depthwise import DepthwiseConv2d
from tensorlayer.layers.convolution.expert import Conv1dLayer, Conv2dLayer, Conv3dLayer
from tensorlayer.layers.convolution.group import GroupConv2d
from tensorlayer.layers.convolution.separable import SeparableConv1d, SeparableConv2d
from tensorlayer.layers.convolution.subpixel import SubpixelConv1d, SubpixelConv2d
from tensorlayer.layers.convolution.transposed import DeConv2d, DeConv3d
from tensorlayer.layers.convolution.transposed_expert import (
    DeConv1dLayer,
    DeConv2dLayer,
    DeConv3dLayer,
)

__all__ = [
    "AtrousConv1dLayer",
    "AtrousConv2dLayer",
    "AtrousDeConv2dLayer",
    "Conv1d",
    "Conv1dLayer",
    "Conv2d",
    "Conv2dLayer",
    "Conv3d",
    "Conv3dLayer",
    "DeConv1dLayer",
    "DeConv2d",
    "DeConv2dLayer",
    "DeConv3d",
    "DeConv3dLayer",
    "DeformableConv2d",
    "DepthwiseConv2d",
    "GroupConv2d",
    "SeparableConv1d",
    "SeparableConv2d",
    "SubpixelConv1d",
    "SubpixelConv2d",
    "atrous_conv1d",
]
