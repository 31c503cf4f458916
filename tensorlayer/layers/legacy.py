"""Custom layers in the style of TensorLayer 1.x, which compute in their constructor.

    class Double(tl.layers.Layer):
        def __init__(self, prev_layer, name="double"):
            super().__init__(prev_layer=prev_layer, name=name)
            W = tf.Variable(2.0, name="W")
            self.outputs = self.inputs * W
            self._add_layers(self.outputs)
            self._add_params([W])

    net = Double(net)

The constructor is the computation, so it becomes the ``forward`` of a layer: it is run each time
the network is evaluated, on the values of that evaluation, and finds the variables that its first
run made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer
from tensorlayer.layers.foreign import Foreign
from tensorlayer.layers.structure import rebuild
from tensorlayer.layers.tf1 import note_drops

__all__ = ["LegacyLayer"]


class _Previous:
    """What a constructor in the style of 1.x sees as the previous layer."""

    def __init__(self, outputs: Any) -> None:
        self.outputs = outputs
        self.all_layers: list[Any] = []
        self.all_params: list[Any] = []
        self.all_drop: dict[Any, Any] = {}


class _Body(Layer):
    """Stands between a 1.x class and ``Layer``: what the constructor of 1.x set and offered."""

    def __init__(
        self,
        prev_layer: Any = None,
        act: Any = None,
        name: str | None = None,
        layer: Any = None,
    ) -> None:
        super().__init__(name=name, act=act)
        previous = layer if prev_layer is None else prev_layer
        if isinstance(previous, (list, tuple)):
            self.inputs = [each.outputs for each in previous]
        elif previous is not None:
            self.inputs = previous.outputs
        self.all_layers: list[Any] = []
        self.all_params: list[Any] = []
        self.all_drop: dict[Any, Any] = {}

    def _add_layers(self, layers: Any) -> None:
        """Accept what 1.x listed in ``all_layers``; the network lists its events itself."""

    def _add_params(self, params: Any) -> None:
        """Accept what 1.x listed in ``all_params``; the variables were noted when made."""

    def _add_dropout_layers(self, drop_layers: Mapping[Any, Any]) -> None:
        """Accept placeholders of keep probabilities, to be fed."""
        self.all_drop.update(drop_layers)

    def _apply_activation(self, logits: Any) -> Any:
        return logits if self.act is None else self.act(logits)


class LegacyLayer(Foreign):
    """A class in the style of 1.x as a layer.

    Parameters
    ----------
    cls
        The class; its constructor takes the previous network first and sets ``self.outputs``.
    args, kwargs
        The other arguments of its constructor.
    name
        Unique in the network.
    """

    keeps_precision = False
    names_variables = False  # the constructor does

    def __init__(
        self,
        cls: type[Layer],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.fn = self.cls = cls
        self._body = type(cls.__name__, (cls, _Body), {"__module__": cls.__module__})

    def call_foreign(self, *inputs: Any, **options: Any) -> Any:
        """Run the constructor on the inputs and return what it set as ``outputs``."""
        # Constructors call super(), which is lost when they are converted.
        return tf.autograph.experimental.do_not_convert(self._construct)(*inputs, **options)

    def named_weights(self) -> dict[str, tf.Variable]:
        """Return the variables by their names after the scope that the constructor enters."""
        return self.code.named(self.name, self.facts.own_name or self.name)

    def _construct(self, inputs: Any, args: Any = None, kwargs: Any = None) -> Any:
        """Construct; ``args`` and ``kwargs`` are given where networks are among them."""
        args = self.arguments["args"] if args is None else rebuild(args, _previous)
        kwargs = self.arguments["kwargs"] if kwargs is None else rebuild(kwargs, _previous)
        body = self._body.__new__(self._body)
        body.__init__(rebuild(inputs, _previous), *args, **kwargs)
        if not hasattr(body, "outputs"):
            raise InvalidArgument(
                f"{self.cls.__name__} {self.name!r}: a layer without forward() has to set "
                "self.outputs in its constructor."
            )
        note_drops(getattr(body, "all_drop", {}))
        return body.outputs


def _previous(value: Any) -> Any:
    return _Previous(value) if tf.is_tensor(value) else value
