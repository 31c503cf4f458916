"""Custom layers in the style of TensorLayer 1.x, which compute in their constructor.

::

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
from types import MappingProxyType
from typing import Any

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import arguments
from tensorlayer.layers.base import Layer
from tensorlayer.layers.capture import Capture

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
        super().__init__(act=act)
        previous = layer if prev_layer is None else prev_layer
        if isinstance(previous, (list, tuple)):
            self.inputs = [each.outputs for each in previous]
        elif previous is not None:
            self.inputs = previous.outputs
        self.label = name

    def _add_layers(self, layers: Any) -> None:
        """Accept what 1.x listed in ``all_layers``; the network lists its events itself."""

    def _add_params(self, params: Any) -> None:
        """Accept what 1.x listed in ``all_params``; the variables were noted when made."""

    def _apply_activation(self, logits: Any) -> Any:
        return logits if self.act is None else self.act(logits)


class LegacyLayer(Layer):
    """A class in the style of 1.x as a layer.

    Parameters
    ----------
    cls
        The class; its constructor takes the previous network first and sets ``self.outputs``.
    args, kwargs
        The other arguments of its constructor.
    """

    shares_by_name = False

    def __init__(self, cls: type[Layer], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        given = arguments.bind(cls, (None, *args), kwargs)
        super().__init__(name=given.get("name"))
        self.cls = cls
        self.body = type(cls.__name__, (cls, _Body), {"__module__": cls.__module__})
        self.constructor = MappingProxyType({"args": args, "kwargs": dict(kwargs)})
        self.capture = Capture()

    def forward(self, inputs: Any) -> Any:
        """Run the constructor on the inputs and return what it set as ``outputs``."""
        outputs = self.capture.run(self._construct, inputs)
        self._keep(self.capture.named(self.name))
        return outputs

    def _construct(self, inputs: Any) -> Any:
        is_list = isinstance(inputs, (list, tuple))
        previous = [_Previous(each) for each in inputs] if is_list else _Previous(inputs)
        body = self.body.__new__(self.body)
        body.__init__(previous, *self.constructor["args"], **self.constructor["kwargs"])
        if not hasattr(body, "outputs"):
            raise InvalidArgument(
                f"{self.cls.__name__} {self.name!r}: a layer without forward() has to set "
                "self.outputs in its constructor."
            )
        return body.outputs
