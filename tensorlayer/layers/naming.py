"""Layer names: scopes, parameter sharing by name, and numbers for unnamed layers.

A layer's name is unique inside a network. It carries the scope it was made in
(``discriminator/h0``), and its parameters are named after it (``discriminator/h0/weights``).

Three rules, and an error for each way to break them:

- Two different layers of one network never have the same name
  (:class:`~tensorlayer.errors.NameTaken`).
- Inside ``variable_scope(..., reuse=True)`` a name *is* the parameter sharing: the layer that was
  made
  under this name comes back. There has to be one (:class:`~tensorlayer.errors.NameMissing`), made
  with the same arguments (:class:`~tensorlayer.errors.NameMismatch`).
- An unnamed layer is called after its class, with a number that depends on the network it joins and
  never on what the process did before: ``dense_1``, ``dense_2``.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import re
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from tensorlayer.errors import InvalidName, NameMismatch, NameMissing, NameTaken, did_you_mean
from tensorlayer.layers import arguments

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer

__all__ = [
    "AUTO_REUSE",
    "NameTable",
    "VariableScope",
    "check_unique",
    "current_scope",
    "settle",
    "variable_scope",
]

# What TensorFlow accepts as the name of a scope, which is what a layer's name becomes in a graph.
_VALID = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Reuse(enum.Enum):
    """When a scope gives back the layers it has."""

    NEVER = False  #: every name is a new layer
    ALWAYS = True  #: every name has to be there
    AUTO = "auto"  #: what is there comes back, what is not is made


AUTO_REUSE = Reuse.AUTO


def snake_case(name: str) -> str:
    """Return the class name as a layer name.

    Examples
    --------
    >>> snake_case("MaxPool2d"), snake_case("LSTMRNN"), snake_case("DenseNet")
    ('max_pool2d', 'lstmrnn', 'dense_net')
    """
    return _HUMP.sub("_", name).lower()


def check_name(name: str, who: str) -> str:
    """Return ``name`` if TensorFlow accepts it as the name of a scope, else raise InvalidName."""
    if not isinstance(name, str) or not _VALID.fullmatch(name):
        raise InvalidName(
            f"{who}: a name consists of letters, digits and any of _ . / > - and starts with a "
            f"letter, a digit or a dot; got {name!r}."
        )
    return name


@dataclasses.dataclass(frozen=True)
class VariableScope:
    """A prefix of layer names, and whether the layers below it are shared.

    Layers are held weakly: parameters live as long as a network that uses them.
    """

    name: str
    reuse: Reuse
    layers: weakref.WeakValueDictionary[str, Layer] = dataclasses.field(repr=False)

    def qualify(self, name: str) -> str:
        """Return ``name`` with the prefix of this scope."""
        return f"{self.name}/{name}" if self.name else name

    def remember(self, layer: Layer) -> None:
        """Let a later scope with ``reuse`` find the layer under its name."""
        self.layers[layer.name] = layer

    def shared(self, cls: type[Layer], name: str, given: dict[str, Any]) -> Layer | None:
        """Return the layer that ``cls(**given)`` called ``name`` is to be, or None for a new one.

        A layer without parameters has nothing to share, so it never has to be there.
        """
        if self.reuse is Reuse.NEVER or not cls.shares_by_name:
            return None
        layer = self.layers.get(name)
        if layer is None and (self.reuse is Reuse.AUTO or not cls.makes_parameters()):
            return None
        if layer is None:
            raise NameMissing(
                f"{cls.__name__} {name!r}: reuse=True needs a layer of this name, made before in a "
                f"network that still exists. {did_you_mean(name, self.layers.keys())} Build the "
                "first network with reuse=False, or use reuse=tl.layers.AUTO_REUSE."
            )
        difference = _difference(layer, cls, given)
        if difference and cls.makes_parameters():
            raise NameMismatch(
                f"{cls.__name__} {name!r}: reuse needs the same class and arguments, but "
                f"{difference}. Give it another name, or make the two agree."
            )
        return None if difference else layer


def _difference(layer: Layer, cls: type[Layer], given: dict[str, Any]) -> str:
    """Say in which way ``layer`` is not what ``cls(**given)`` would be; empty if it is."""
    if type(layer) is not cls:
        return f"the layer that exists is a {type(layer).__name__}"
    ignored = {"name": None}
    for key in arguments.differences({**given, **ignored}, {**layer.arguments, **ignored}):
        return (
            f"the layer that exists has {key}={layer.arguments.get(key)!r}, not {given.get(key)!r}"
        )
    return ""


_SCOPE: ContextVar[VariableScope | None] = ContextVar("tensorlayer_scope", default=None)


def current_scope() -> VariableScope:
    """Return the innermost scope of this thread or task."""
    scope = _SCOPE.get()
    if scope is None:
        scope = VariableScope("", Reuse.NEVER, weakref.WeakValueDictionary())
        _SCOPE.set(scope)
    return scope


@contextmanager
def variable_scope(
    name_or_scope: str | VariableScope, reuse: bool | Any | None = None
) -> Iterator[VariableScope]:
    """Put a prefix before the names of layers, and decide whether they share parameters.

    Parameters
    ----------
    name_or_scope
        The prefix below the current scope, or a scope that an earlier ``with`` gave.
    reuse
        ``True``: every layer below has to exist and comes back with its parameters. ``AUTO_REUSE``:
        those that exist come back, the others are made. ``None`` or ``False``: as the scope around
        it, so once ``True``, below it always. Also ``tf.compat.v1.AUTO_REUSE``.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> def discriminator(net, reuse=None):
    ...     with tl.layers.variable_scope("discriminator", reuse=reuse):
    ...         return tl.layers.Dense(net, n_units=1, name="logits")
    >>> real = discriminator(tl.layers.Input([None, 8], name="real"))
    >>> fake = discriminator(tl.layers.Input([None, 8], name="fake"), reuse=True)
    >>> fake.layer is real.layer
    True
    >>> [name for name in real.parameters]
    ['discriminator/logits/weights', 'discriminator/logits/biases']
    """
    around = current_scope()
    if isinstance(name_or_scope, VariableScope):
        name = name_or_scope.name
    else:
        name = around.qualify(check_name(name_or_scope, "variable_scope"))
    scope = VariableScope(name, _reuse(reuse, around.reuse), around.layers)
    token = _SCOPE.set(scope)
    try:
        yield scope
    finally:
        _SCOPE.reset(token)


def _reuse(reuse: Any, around: Reuse) -> Reuse:
    if not reuse:
        return around
    return Reuse.AUTO if getattr(reuse, "name", "") in {"AUTO", "AUTO_REUSE"} else Reuse.ALWAYS


def settle(layer: Layer, names: NameTable) -> Layer:
    """Give an unnamed layer its name in a network; return the one it is there, if it is shared."""
    if layer.given_name is not None or layer.has_auto_name:
        return layer
    name = names.next_name(layer)
    shared = layer.scope.shared(type(layer), name, dict(layer.arguments))
    if shared is not None:
        return shared
    layer.name, layer.has_auto_name = name, True
    layer.scope.remember(layer)
    return layer


class NameTable:
    """Which names the layers of one connected network have.

    Networks that come from the same inputs share one table; where networks of different inputs are
    joined, the tables become one. Layers are held weakly, so a branch that nobody kept frees its
    names.
    """

    def __init__(self) -> None:
        self.layers: weakref.WeakValueDictionary[str, Layer] = weakref.WeakValueDictionary()
        self._numbers: collections.Counter[str] = collections.Counter()
        self.successor: NameTable | None = None
        #: True once two layers with one name were seen: legal in separate branches only
        self.ambiguous = False

    def current(self) -> NameTable:
        """Return the table that this one has become part of, or itself."""
        table = self
        while table.successor is not None:
            table = table.successor
        return table

    @staticmethod
    def join(tables: Iterable[NameTable]) -> NameTable:
        """Make one table of several; unnamed layers of the later ones are numbered again."""
        found = dict.fromkeys(table.current() for table in tables)
        first, *others = found or {NameTable(): None}
        for other in others:
            for layer in list(other.layers.values()):
                taken = first.layers.get(layer.name, layer)
                if taken is not layer and layer.has_auto_name:
                    layer.name = first.next_name(layer)
                first.add(layer)
            first.ambiguous |= other.ambiguous
            other.successor = first
        return first

    def next_name(self, layer: Layer) -> str:
        """Return the name that an unnamed layer gets in this network."""
        stem = layer.scope.qualify(snake_case(type(layer).__name__.lstrip("_")))
        self._numbers[stem] += 1
        while f"{stem}_{self._numbers[stem]}" in self.layers:
            self._numbers[stem] += 1
        return f"{stem}_{self._numbers[stem]}"

    def add(self, layer: Layer) -> None:
        """Note the layer's name; a second layer under it makes the table ambiguous."""
        if self.layers.setdefault(layer.name, layer) is not layer:
            self.ambiguous = True


def check_unique(layers: Iterable[Layer]) -> None:
    """Raise NameTaken if two different layers of one network have the same name."""
    owners: dict[str, Layer] = {}
    for layer in layers:
        owner = owners.setdefault(layer.name, layer)
        if owner is not layer:
            raise NameTaken(
                f"{layer!r}: the name {layer.name!r} is taken in this network by {owner!r}. A name "
                "belongs to one layer: choose another one, or share parameters by applying the "
                "same layer twice or within tl.layers.variable_scope(..., reuse=True)."
            )
