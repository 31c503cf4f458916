"""Convolutions."""

from tensorlayer.layers.convolution.conv import Conv2d

__all__ = ["Conv2d"]
