"""A whole model as one layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from tensorlayer.layers.base import Layer

__all__ = ["ModelLayer"]


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
