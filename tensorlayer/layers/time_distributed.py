"""One layer for every step of a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.base import Layer
from tensorlayer.layers.outputs import main_of
from tensorlayer.layers.spatial_arguments import sizes_of
from tensorlayer.layers.structure import rebuild

__all__ = ["TimeDistributedLayer"]


class TimeDistributedLayer(Layer):
    r"""A layer applied to each step of axis 1: $y_t = f(x_t)$, with the same parameters for all.

    Parameters
    ----------
    layer_class
        A class of layers, such as ``tl.layers.Dense``, or a layer.
    layer_args
        The arguments for the class.
    name
        Unique in the network.

    Notes
    -----
    Input shape: ``(batch, steps, ...)``; the number of steps may be free.
    Output shape: ``(batch, steps, ...)``, with what the layer gives for ``(batch, ...)``.
    Parameters: those of the layer, under this one's name.

    All steps are computed at once, as ``batch * steps`` rows. That is $f$ of each step for a layer
    that treats every row by itself; batch normalisation in training takes its statistics of all
    steps together. A layer that gives another number of rows is an error when it computes.

    Raises
    ------
    InvalidArgument
        ``layer_class`` is no layer, or ``layer_args`` are given for one that is made already.
    WrongShape
        There is no axis of steps.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 20, 100])
    >>> args = {"n_units": 50, "name": "dense"}
    >>> net = TimeDistributedLayer(net, layer_class=tl.layers.Dense, layer_args=args, name="time")
    >>> net.outputs.shape, list(net.parameters)
    (TensorShape([None, 20, 50]), ['time/dense/weights', 'time/dense/biases'])
    """

    def __init__(
        self,
        layer_class: type[Layer] | Layer | None = None,
        layer_args: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        is_class = isinstance(layer_class, type) and issubclass(layer_class, Layer)
        if not is_class and (layer_args or not isinstance(layer_class, Layer)):
            raise InvalidArgument(
                "TimeDistributedLayer: layer_class is a class of layers with layer_args, or a "
                f"layer without; got {layer_class!r} and {layer_args!r}."
            )
        self.layer = layer_class(**(layer_args or {})) if is_class else layer_class

    @property
    def is_built(self) -> bool:
        """Whether the layer is."""
        return self.layer.is_built

    @is_built.setter
    def is_built(self, is_built: bool) -> None:
        """Leave it to the layer."""

    @property
    def needs_autograph(self) -> bool:  # type: ignore[override]
        """Whether the layer is somebody else's."""
        return self.layer.needs_autograph

    def forward(self, inputs: tf.Tensor) -> Any:
        """Make rows of all steps, apply the layer, and make steps of the rows."""
        if inputs.shape.rank is None or inputs.shape.rank < 2:
            raise WrongShape(
                f"{self!r}: the input must have an axis of steps behind the batch, got shape "
                f"{inputs.shape}."
            )
        sizes = sizes_of(inputs)
        outputs = main_of(self.layer(tf.reshape(inputs, [-1, *sizes[2:]])))
        return rebuild(outputs, lambda rows: tf.reshape(rows, [*sizes[:2], *sizes_of(rows)[1:]]))
