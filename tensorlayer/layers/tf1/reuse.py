"""Reuse in a graph of TensorFlow 1: what is made a second time shares *variables*.

The layer that exists and the new one may have other arguments, as long as the variables fit. There
is one way for all kinds: what the new layer makes and runs, it makes and runs within [`sharing`][],
where every layer finds the one of its name. What asks for a variable gets it from that layer; what
makes its variables in code of others, as a `Lambda` does, runs with those that this code has made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tensorlayer.errors import TensorLayerError
from tensorlayer.layers import tree
from tensorlayer.layers.setting import setting

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer
    from tensorlayer.layers.owner import Facts

__all__ = ["require_shared", "shared_code", "shared_variable", "sharing"]

#: The layers that are shared, by name, and the error for what they have not.
_SHARED: ContextVar[tuple[Mapping[str, Layer], TensorLayerError] | None] = ContextVar(
    "tensorlayer_shared", default=None
)


def sharing(facts: Facts) -> AbstractContextManager[object]:
    """Let what is made and run within the block use the variables of the layer that is shared.

    Parameters
    ----------
    facts
        Of the new layer, which say what it shares, if anything.
    """
    if facts.shares is None:
        return nullcontext()
    other, mismatch = facts.shares
    return setting(_SHARED, ({_name(each): each for _, each in tree.owners(other)}, mismatch))


def _name(layer: Any) -> str:
    return layer.facts.label or layer.name


def shared_variable(layer: Layer, name: str, shape: Sequence[int]) -> tf.Variable | None:
    """Return the variable that a layer shares under this name; None if it is to make one.

    Raises
    ------
    NameMismatch
        The layer whose variables are shared has none of this name and shape.
    """
    shared = _SHARED.get()
    if shared is None:
        return None
    layers, mismatch = shared
    variables = getattr(layers.get(_name(layer)), "_own_weights", {})
    if name not in variables or variables[name].shape.as_list() != list(shape):
        raise mismatch
    return variables[name]


def shared_code(layer: Any) -> Any:
    """Return what is to run instead of the layer's own ``code``: the same, with its variables.

    None if there is nothing that is shared.
    """
    shared = _SHARED.get()
    return None if shared is None else getattr(shared[0].get(_name(layer)), "code", None)


def require_shared(layer: Layer) -> None:
    """Raise NameMismatch if a layer has made variables where it should have shared some."""
    shared = _SHARED.get()
    if shared is not None and _name(layer) not in shared[0]:
        raise shared[1]
