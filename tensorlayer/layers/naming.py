"""Layer names: scopes, owners, and numbers for unnamed layers.

A layer's name is unique inside a network. It carries where the layer was made, and its parameters
are named after it:

- in a *scope*, ``with variable_scope("discriminator")``: ``discriminator/h0/weights``;
- by an *owner*: what a layer or model makes while its constructor, ``build`` or ``forward`` runs is
  its own, ``scope/owner/h0/weights``, and never enters the scope around it.

The name of an unnamed layer is a function of the network and of nothing else: its class in snake
case and its number in order of computation, ``dense_1``, ``dense_2``. It is found by walking the
network when it is asked for; a [`tensorlayer.models.Model`][] fixes the names of its layers.
How layers are found again by name is in [`tensorlayer.layers.sharing`][].
"""

from __future__ import annotations

import dataclasses
import re
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tensorlayer.errors import InvalidName, NameTaken
from tensorlayer.layers.setting import setting
from tensorlayer.layers.sharing import Registry, Reuse

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer

__all__ = [
    "AUTO_REUSE",
    "VariableScope",
    "as_path",
    "check_name",
    "current_graph",
    "current_scope",
    "give_label",
    "inside",
    "isolated",
    "may_be_taken",
    "names_of",
    "note",
    "snake_case",
    "variable_scope",
]

# What TensorFlow accepts as the name of an operation: a layer's name begins it in a graph.
_VALID = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_./>-]*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


#: For ``variable_scope(..., reuse=)``: layers that exist come back, the others are made.
AUTO_REUSE = Reuse.AUTO


def snake_case(name: str) -> str:
    """Return the class name as a layer name.

    Examples
    --------
    >>> snake_case("MaxPool2d"), snake_case("LSTMRNN"), snake_case("_Input")
    ('max_pool2d', 'lstmrnn', 'input')
    """
    return _HUMP.sub("_", name.lstrip("_")).lower()


def check_name(name: Any, who: str) -> str:
    """Return ``name`` if TensorFlow accepts it as the name of a scope, else raise InvalidName."""
    if not isinstance(name, str) or not _VALID.fullmatch(name):
        raise InvalidName(
            f"{who}: a name consists of letters, digits and any of _ . / > - and starts with a "
            f"letter, a digit or a dot; got {name!r}."
        )
    return name


def as_path(text: str) -> str:
    """Return any text as TensorFlow accepts it for the name of a scope.

    Examples
    --------
    >>> as_path("my model, v2"), as_path("g/h0")
    ('my_model__v2', 'g/h0')
    """
    path = re.sub(r"[^A-Za-z0-9_./>-]", "_", text)
    return path if _VALID.match(path) else f"model{path}"


@dataclasses.dataclass
class VariableScope:
    """Where layers are made: a prefix of their names, and whether they are found again."""

    name: str = ""  #: the prefix, complete
    owner: str = ""  #: the part of it that belongs to the layer or model that makes them
    reuse: Reuse = Reuse.NEVER
    made: Registry = dataclasses.field(default_factory=Registry)  #: within it
    known: Registry | None = None  #: where reuse looks
    around: VariableScope | None = None
    #: of unnamed layers that its owner made, by kind
    numbers: Counter[str] = dataclasses.field(default_factory=Counter)

    def qualify(self, name: str) -> str:
        """Return ``name`` with the prefix of this scope."""
        return f"{self.name}/{name}" if self.name else name

    @property
    def is_of_forward(self) -> bool:
        """Whether a layer's or model's ``forward`` runs in it."""
        return bool(self.owner) and self.reuse is Reuse.AUTO

    @property
    def findable(self) -> Registry:
        """The layers that come back under ``reuse``."""
        return self.made if self.known is None else self.known

    def remember(self, layer: Layer) -> None:
        """Let this scope, and those around it, find the layer under its name."""
        note(layer)
        scope: VariableScope | None = self
        while scope is not None:
            scope.made.add(layer.name, layer, keep=self.reuse is Reuse.AUTO)
            scope = scope.around


#: Every named layer that lives, to see at once that a name cannot be taken twice.
_LIVING = Registry(is_weak=True)
#: What stands in no scope. One for the process: a name is found whatever thread gave it.
_ROOT = VariableScope(made=Registry(is_weak=True))
#: The scope, and name and reuse of the scope of TensorFlow 1 that it was entered in.
_SCOPE: ContextVar[tuple[VariableScope, str, Any]] = ContextVar(
    "tensorlayer_scope", default=(_ROOT, "", False)
)


def current_scope() -> VariableScope:
    """Return the innermost scope of this thread or task.

    A ``tf.compat.v1.variable_scope`` entered within it is a part of it, as scripts of 1.x expect.
    Eagerly each of them says ``AUTO_REUSE``, whatever it was given.
    """
    scope, entered_in, entered_with = _SCOPE.get()
    foreign = tf.compat.v1.get_variable_scope()
    is_same = foreign.name in {"", entered_in}
    # Said since: variable_scope(get_variable_scope(), reuse=True), or reuse_variables().
    is_reused = foreign.reuse and foreign.reuse is not entered_with and not tf.executing_eagerly()
    if is_same and not is_reused:
        return scope
    below = foreign.name.removeprefix(f"{entered_in}/")
    name = scope.name if is_same else scope.qualify(below)
    is_unclear = tf.executing_eagerly() and scope.reuse is Reuse.NEVER
    reuse = Reuse.UNCLEAR if is_unclear else _reuse(foreign.reuse, scope.reuse)
    return VariableScope(name, scope.owner, reuse, known=scope.findable, around=scope)


def current_graph() -> weakref.ref[tf.Graph] | None:
    """Return the TensorFlow 1 graph whose variables are used here, None in TensorFlow 2."""
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    return None if graph is None or graph.building_function else weakref.ref(graph)


def inside(scope: VariableScope) -> AbstractContextManager[object]:
    """Make layers in this scope."""
    foreign = tf.compat.v1.get_variable_scope()
    return setting(_SCOPE, (scope, foreign.name, foreign.reuse))


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
        ``True``: every layer with parameters has to exist and comes back with them. ``AUTO_REUSE``:
        those that exist come back, the others are made. ``None`` or ``False``: as the scope around
        it, so once ``True``, below it always. Also ``tf.compat.v1.AUTO_REUSE``.

    Notes
    -----
    By its *name*, a layer that comes back is the newest living one of that name in the process, or
    within [`isolated`][]. By the *scope object*, it is exactly the one made in that scope. It can
    come back as long as one of its variables or its scope object is in use; what ``AUTO_REUSE``
    made lives as long as the process, or the ``isolated()`` around it.

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
    mode = _reuse(reuse, around.reuse)
    if isinstance(name_or_scope, VariableScope):
        entered = dataclasses.replace(name_or_scope, reuse=mode, known=None, around=around)
    else:
        name = around.qualify(check_name(name_or_scope, "variable_scope"))
        entered = VariableScope(name, around.owner, mode, known=around.findable, around=around)
    with inside(entered):
        yield entered


@contextmanager
def isolated() -> Iterator[VariableScope]:
    """Give an experiment names of its own: nothing made before is found, nor anything of it after.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> def head(net):
    ...     with tl.layers.variable_scope("head", reuse=tl.layers.AUTO_REUSE):
    ...         return tl.layers.Dense(net, n_units=3, name="d")
    >>> first = head(tl.layers.Input([None, 4]))
    >>> with tl.layers.isolated():
    ...     second = head(tl.layers.Input([None, 4]))
    >>> second.layer is first.layer, head(tl.layers.Input([None, 4])).layer is first.layer
    (False, True)
    """
    scope = VariableScope(made=Registry(is_weak=True))
    with inside(scope):
        yield scope


def _reuse(reuse: Any, around: Reuse) -> Reuse:
    if not reuse:
        return around
    return Reuse.AUTO if getattr(reuse, "name", "") in {"AUTO", "AUTO_REUSE"} else Reuse.ALWAYS


def give_label(layer: Layer, numbers: Counter[str]) -> None:
    """Call the variables of an unnamed layer after its number among those of its kind, for good."""
    if not layer.facts.is_named and not layer.facts.label:
        numbers[layer.name] += 1
        layer.facts.label = f"{layer.name}_{numbers[layer.name]}"


def note(layer: Layer) -> None:
    """Note that a layer has its name from now on."""
    _LIVING.add(layer.name, layer)


def may_be_taken(layer: Layer, n_parents: int) -> bool:
    """Whether a name may be there twice once ``layer`` is applied: by a look at all that live.

    Either its own name, or one of the branches that it joins. Walking the network to be sure takes
    time; for each of its layers, time that would grow with the square.
    """
    return bool(_LIVING.repeated) and (n_parents > 1 or layer.name in _LIVING.repeated)


def names_of(layers: Iterable[Layer]) -> dict[Layer, str]:
    """Return the names that the layers of one network have; they are in order of computation.

    Raises
    ------
    NameTaken
        Two different layers have the same name.
    """
    given: dict[str, Layer] = {}
    for layer in layers:
        if not layer.facts.is_named:
            continue
        other = given.setdefault(layer.name, layer)
        if other is not layer and _shared_by(other) is not _shared_by(layer):
            raise NameTaken(
                f"{layer!r}: the name {layer.name!r} is taken in this network by "
                f"{other!r}. A name belongs to one layer: choose another one, or share "
                "parameters by applying the same layer twice or within "
                "tl.layers.variable_scope(..., reuse=True)."
            )
    numbers: Counter[str] = Counter()
    names: dict[Layer, str] = {}
    for layer in layers:
        names[layer] = layer.name if layer.facts.is_named else _next(layer.name, numbers, given)
    return names


def _shared_by(layer: Layer) -> Layer:
    """Return the layer whose variables it has: itself, unless a graph of TensorFlow 1 shares."""
    return layer if layer.facts.shares is None else layer.facts.shares[0]


def _next(stem: str, numbers: Counter[str], taken: Iterable[str]) -> str:
    numbers[stem] += 1
    while f"{stem}_{numbers[stem]}" in taken:
        numbers[stem] += 1
    return f"{stem}_{numbers[stem]}"
