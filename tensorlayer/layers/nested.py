"""A whole model as one layer, and several layers as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import summary
from tensorlayer.layers.base import Layer
from tensorlayer.layers.naming import names_of

__all__ = ["LayerList", "ModelLayer"]


class _ModelLike(Protocol):
    """What a model has to offer besides its variables."""

    def follow(self, *inputs: Any, **options: Any) -> Any:
        """Compute in the mode around the call."""


class ModelLayer(Layer):
    """A model as a layer of a larger network; ``Model.as_layer()`` makes it.

    Parameters
    ----------
    model
        The model. It follows the mode of the network that it is part of.
    name
        Unique in the network.

    Notes
    -----
    Output shape: that of the model. Parameters: those of the model, under this layer's name; used
    twice, the model is shared.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 4], name="x")
    >>> inner = tl.models.Model(x, tl.layers.Dense(x, 3, name="d"), name="inner")
    >>> net = inner.as_layer()(tl.layers.Input([None, 4]))
    >>> list(net.parameters)
    ['inner/d/weights', 'inner/d/biases']
    """

    keeps_precision = True  # the model's inputs and layers have types of their own

    def __init__(self, model: _ModelLike, name: str | None = None) -> None:
        super().__init__(name=name)
        if not hasattr(model, "follow"):
            raise InvalidArgument(f"ModelLayer: it goes around a model, got {model!r}.")
        self.model = model

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Evaluate the model in the mode of this evaluation."""
        return self.model.follow(*inputs, **options)

    @property
    def needs_autograph(self) -> bool:  # type: ignore[override]
        """Whether the model, or a layer in it, is somebody else's."""
        layers = self.model.all_layers if self.model.outputs is not None else ()
        return not type(self.model).__module__.startswith("tensorlayer.") or any(
            layer.needs_autograph for layer in layers
        )

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the model: its variables go by their names in the model."""
        yield "", self.model


class LayerList(Layer):
    """Layers one after the other, as one layer.

    Parameters
    ----------
    layers
        The layers, in order of computation. Each gets what the one before gives.
    name
        Unique in the network.

    Attributes
    ----------
    layers
        The same; ``list[0]``, ``len(list)`` and loops go over them.

    Notes
    -----
    Output shape: that of the last layer; without layers, the input. Parameters: those of the
    layers, called ``list/layer/...``.

    Raises
    ------
    InvalidArgument
        Something is no layer.
    NameTaken
        Two different layers have the same name.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> hidden = tl.layers.Dense(n_units=8, act="relu", name="hidden")
    >>> mlp = LayerList([hidden, tl.layers.Dense(n_units=2, name="logits")], name="mlp")
    >>> net = mlp(tl.layers.Input([None, 4]))
    >>> list(net.parameters)[::2], len(mlp)
    (['mlp/hidden/weights', 'mlp/logits/weights'], 2)
    >>> print(mlp)
    LayerList(name='mlp')
      Dense(n_units=8, act='relu', name='hidden')
      Dense(n_units=2, name='logits')
    """

    def __init__(self, layers: Sequence[Layer], name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(layers, (list, tuple)) or not all(isinstance(x, Layer) for x in layers):
            raise InvalidArgument(
                f"LayerList: it takes a list of layers, got {layers!r}. A function becomes one by "
                "tl.layers.Lambda(fn), a model by model.as_layer()."
            )
        self.layers = list(layers)
        names_of(self.layers)  # it raises if two have the same

    @property
    def is_built(self) -> bool:
        """Whether all of the layers are."""
        return all(layer.is_built for layer in self.layers)

    @is_built.setter
    def is_built(self, is_built: bool) -> None:
        """Leave it to the layers."""

    def build(self, inputs_shape: Any) -> None:
        """Call the variables that the layers will make after the list: their names must differ."""
        del inputs_shape
        for name, layer in self.parts():
            layer.facts.label = layer.facts.label or f"{self.facts.label or self.name}/{name}"

    def forward(self, inputs: Any) -> Any:
        """Apply one layer after the other."""
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    @property
    def needs_autograph(self) -> bool:  # type: ignore[override]
        """Whether any of the layers is somebody else's."""
        return any(layer.needs_autograph for layer in self.layers)

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the layers by their names in the list."""
        names = names_of(dict.fromkeys(self.layers))
        yield from ((layer.facts.in_owner(name), layer) for layer, name in names.items())

    def __getitem__(self, index: Any) -> Any:
        return self.layers[index]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        """Return a line for each layer, layers within layers indented."""
        return "\n".join([repr(self), *summary.lines(self)])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"
