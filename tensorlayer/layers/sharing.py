"""Sharing by name: how a layer that was made is found again, and the ways to be refused.

Inside ``variable_scope(..., reuse=True)``, and while a ``forward`` runs, a name *is* the parameter
sharing: the layer that was made under this name comes back. There has to be one
([`tensorlayer.errors.NameMissing`][]), made with the same arguments
([`tensorlayer.errors.NameMismatch`][]). What has no parameters has nothing to share, so it
never has to be there; whether it has is known once it is built.
"""

from __future__ import annotations

import enum
import weakref
from typing import TYPE_CHECKING, Any

from tensorlayer.errors import (
    InvalidName,
    NameMismatch,
    NameMissing,
    NameTaken,
    TensorLayerError,
    did_you_mean,
)
from tensorlayer.layers import arguments

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer
    from tensorlayer.layers.naming import VariableScope
    from tensorlayer.layers.owner import Facts

__all__ = ["Registry", "Reuse", "look_up"]


class Reuse(enum.Enum):
    """When a scope gives back the layers it has."""

    NEVER = False  #: every name is a new layer
    ALWAYS = True  #: every name has to be there
    AUTO = "auto"  #: what is there comes back, what is not is made
    UNCLEAR = "unclear"  #: nobody can tell, so that what is there is an error


class Registry:
    """Layers by full name, of which the newest counts.

    Parameters
    ----------
    is_weak
        Hold only those that are added with ``keep``; the others are found as long as they live.
    kept
        Where those are held.
    """

    def __init__(self, is_weak: bool = False, kept: dict[str, Layer] | None = None) -> None:
        self._is_weak = is_weak
        self._kept = {} if kept is None else kept
        self._living: dict[str, tuple[weakref.ref[Layer], ...]] = {}
        self.repeated: set[str] = set()  #: names under which several live

    def add(self, name: str, layer: Layer, keep: bool = False) -> None:
        """Find ``layer`` under ``name`` from now on."""
        if keep or not self._is_weak:
            self._kept[name] = layer
        if self._is_weak:
            self._account(name, layer)

    def _account(self, name: str, newest: Layer | None = None) -> None:
        """Count who has a name after a layer has come or, without ``newest``, gone."""
        living = [r for r in self._living.get(name, ()) if r() is not newest]
        if newest is not None:
            living.append(weakref.ref(newest, lambda _: self._account(name)))
        self._living[name] = tuple(living)
        if len(living) > 1:
            self.repeated.add(name)
        else:
            self.repeated.discard(name)
        if not living:
            self._living.pop(name, None)  # a callback may come at any time, also here

    def named(self, name: str) -> list[Layer]:
        """Return the layers that live under this name, the newest last."""
        if not self._is_weak:
            return [self._kept[name]] if name in self._kept else []
        found = (reference() for reference in self._living.get(name, ()))
        return [layer for layer in found if layer is not None]

    def names(self) -> list[str]:
        """Return the names of all that can be found."""
        return list(self._living if self._is_weak else self._kept)


def look_up(
    scope: VariableScope, cls: type[Layer], given: dict[str, Any], facts: Facts
) -> tuple[Layer | None, TensorLayerError | None]:
    """Return the layer that ``cls(**given)`` is to be in a scope with reuse, in the same graph.

    Without one, a new layer is made, that knows ``facts``; the error is then to be raised if it has
    parameters. A graph of TensorFlow 1 shares variables: there a layer with other arguments is a
    new one, which shares those of the layer that exists.

    Raises
    ------
    NameMismatch
        The layer of this name has parameters and was made in another way.
    NameTaken
        There is one, and nobody can tell whether it is to come back.
    """
    if scope.reuse is Reuse.UNCLEAR:
        _refuse_unclear(scope, cls, given.get("name"))
        return None, None
    if given.get("name") is None:
        return None, InvalidName(
            f"{cls.__name__}: where layers are found again by name, as in variable_scope(..., "
            "reuse=...) and in forward(), one that has parameters needs a name. Give it name=..."
        )
    name = scope.qualify(given["name"])
    found = (
        each for each in reversed(scope.findable.named(name)) if each.facts.graph == facts.graph
    )
    layer = next(found, None)
    difference = "" if layer is None else _difference(layer, cls, given)
    if layer is not None and not difference:
        return layer, None
    if layer is not None and (not layer.facts.compared_modes or layer.parameters):
        mismatch = NameMismatch(
            f"{cls.__name__} {name!r}: reuse needs the same class and arguments, but "
            f"{difference}. Give it another name, or make the two agree."
        )
        if facts.graph is None or type(layer) is not cls:
            raise mismatch
        facts.shares = (layer, mismatch)
        return None, None
    return None, None if scope.reuse is Reuse.AUTO else _missing(scope, cls, name)


def _refuse_unclear(scope: VariableScope, cls: type[Layer], name: str | None) -> None:
    if name is not None and scope.findable.named(scope.qualify(name)):
        raise NameTaken(
            f"{cls.__name__} {scope.qualify(name)!r}: there is one, and eagerly "
            "tf.compat.v1.variable_scope does not tell whether it reuses. Write with "
            "tl.layers.variable_scope(..., reuse=...)."
        )


def _missing(scope: VariableScope, cls: type[Layer], name: str) -> NameMissing:
    return NameMissing(
        f"{cls.__name__} {name!r}: reuse=True needs a layer of this name, made before and still in "
        f"use. {did_you_mean(name, scope.findable.names())} Build the first network with "
        "reuse=False, or use reuse=tl.layers.AUTO_REUSE."
    )


def _difference(layer: Layer, cls: type[Layer], given: dict[str, Any]) -> str:
    """Say in which way ``layer`` is not what ``cls(**given)`` would be; empty if it is."""
    if type(layer) is not cls:
        return f"the layer that exists is a {type(layer).__name__}"
    ignored = {"name": None}
    for key in arguments.differences({**given, **ignored}, {**layer.arguments, **ignored}):
        shown = [arguments.shown(each.get(key)) for each in (layer.arguments, given)]
        return f"the layer that exists has {key}={shown[0]}, not {shown[1]}"
    return layer.differs_here()
