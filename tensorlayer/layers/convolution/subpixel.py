"""Channels rearranged into space: enlarging without parameters."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_known, require_rank
from tensorlayer.layers.spatial_arguments import sizes_of

__all__ = ["SubpixelConv1d", "SubpixelConv2d"]


class _Subpixel(Layer):
    """What both share: the channels come in blocks of `scale ** rank`."""

    rank: ClassVar[int]

    def __init__(
        self,
        scale: int,
        n_out_channels: int | None,
        act: Any,
        in_channels: int | None,
        name: str | None,
    ) -> None:
        super().__init__(name=name, act=act)
        self.scale = positive(scale, type(self).__name__, "scale")
        self.n_out_channels = n_out_channels
        self.in_channels = in_channels
        if in_channels is not None:
            self.n_out(positive(in_channels, type(self).__name__, "in_channels"))

    def n_out(self, n_in: int) -> int:
        """Return the number of output channels.

        Raises
        ------
        InvalidArgument
            The channels are not in blocks, or not in as many as there shall be output channels.
        """
        block, wanted = self.scale**self.rank, self.n_out_channels
        if n_in % block or wanted not in {None, n_in // block}:
            needed = f"a multiple of {block}" if wanted is None else wanted * block
            raise InvalidArgument(
                f"{type(self).__name__}: with scale {self.scale} the number of input channels must "
                f"be {needed}, got {n_in}. Put a convolution with such a number of filters before "
                "it."
            )
        return n_in // block

    def require_channels(self, shape: tf.TensorShape) -> int:
        """Return the number of output channels for inputs of this shape."""
        require_rank(self, shape, (self.rank + 2,), "Channels come last.")
        n_in = require_known(self, shape[-1], "the number of channels")
        if self.in_channels not in {None, n_in}:
            raise WrongShape(
                f"{self!r}: it was told {self.in_channels} input channels, got {n_in}. Leave "
                "in_channels away, or correct it."
            )
        return self.n_out(n_in)


class SubpixelConv1d(_Subpixel):
    r"""Sequences made longer by their channels: $y_{t r + i, c} = \mathrm{act}(x_{t, i C + c})$.

    Parameters
    ----------
    scale
        The factor $r$.
    act
        The activation, applied last; None for none.
    in_channels
        The number of input channels, checked if it is given.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, width, scale * channels)`.
    Output shape: `(batch, scale * width, channels)`. No parameters.

    Raises
    ------
    InvalidArgument
        The number of channels is no multiple of `scale`.
    WrongShape
        The input is not of rank 3, or has other channels than `in_channels`.

    References
    ----------
    Kuleshov et al., *Audio super resolution using neural networks*, 2017.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = SubpixelConv1d(tl.layers.Input([None, 50, 8]), scale=2)
    >>> net.outputs.shape
    TensorShape([None, 100, 4])
    """

    rank = 1

    def __init__(
        self,
        scale: int = 2,
        act: Any = None,
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(scale, None, act, in_channels, name)

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Reshape: what a position holds are the positions that it becomes."""
        channels = self.require_channels(inputs.shape)
        batch, width, _ = sizes_of(inputs)
        return tf.reshape(inputs, [batch, width * self.scale, channels])


class SubpixelConv2d(_Subpixel):
    r"""Images enlarged by their channels, the pixel shuffle of super-resolution.

    $y_{h r + i, w r + j, c} = \mathrm{act}(x_{h, w, (i r + j) C + c})$

    Parameters
    ----------
    scale
        The factor $r$ of height and width.
    n_out_channels
        The number $C$ of output channels, checked if it is given. TensorLayer 1.x spells it
        `n_out_channel`.
    act
        The activation, applied last; None for none.
    in_channels
        The number of input channels, checked if it is given.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, height, width, scale ** 2 * channels)`.
    Output shape: `(batch, scale * height, scale * width, channels)`. No parameters.

    Raises
    ------
    InvalidArgument
        The number of channels is no multiple of `scale ** 2`, or not that of `n_out_channels`.
    WrongShape
        The input is not of rank 4, or has other channels than `in_channels`.

    References
    ----------
    Shi et al., *Real-time single image and video super-resolution using an efficient sub-pixel
    convolutional neural network*, 2016.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = SubpixelConv2d(tl.layers.Input([None, 24, 24, 256]), scale=2, act="relu")
    >>> net.outputs.shape
    TensorShape([None, 48, 48, 64])
    """

    rank = 2

    def __init__(
        self,
        scale: int = 2,
        n_out_channels: int | None = None,
        act: Any = None,
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(scale, n_out_channels, act, in_channels, name)

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Rearrange blocks of channels into squares."""
        self.require_channels(inputs.shape)
        return inputs if self.scale == 1 else tf.nn.depth_to_space(inputs, self.scale)
