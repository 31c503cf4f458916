"""The variables below an object: what it lists, under which names.

What is listed: what the object keeps, in attributes of any name, in lists, tuples and dictionaries;
layers, networks, models, modules of other libraries and Keras objects in it; a method's object.
A layer that was named goes by that name, everything else by the attribute that holds it.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from tensorlayer.errors import NameTaken, NotBuilt

__all__ = [
    "Owner",
    "Parameter",
    "children",
    "components",
    "everything",
    "is_keras",
    "join",
    "listing",
    "owners",
]


class Parameter(NamedTuple):
    """A variable, as its owner lists it."""

    name: str  #: its path in the owner
    variable: tf.Variable
    is_frozen: bool  #: training must not change it, whatever the variable says
    is_random: bool = False  #: the state of random numbers of Keras, which is no weight


class Owner:
    """What tells itself what it consists of: layers, networks and models."""

    trainable: bool
    is_built = True  #: whether all variables exist

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield what it consists of, with a name for each: its attributes."""
        return children(self)

    def place(self, base: str, path: str) -> tuple[str, str]:
        """Return the paths for what is named within it and for what is not."""
        del base
        return path, path

    def own_losses(self, require: bool) -> list[tf.Tensor]:
        """Return the regularization losses of what it computed with itself, here."""
        del require  # whether it is to raise if it was not evaluated here
        return []

    def refers_to(self) -> list[Any]:
        """Return what it computes with, maybe, and does not consist of."""
        return []


def children(owner: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the attributes or items of ``owner`` hold, with names, in order of definition."""
    if isinstance(owner, Mapping):
        yield from ((str(key), value) for key, value in list(owner.items()))
    elif isinstance(owner, (list, tuple)):
        yield from ((str(index), value) for index, value in enumerate(owner))
    else:
        # TensorFlow's own bookkeeping holds the same objects a second time.
        attributes = list(vars(owner).items())
        ours = _OURS if isinstance(owner, Owner) else ()
        yield from (item for item in attributes if item[0][:6] != "_self_" and item[0] not in ours)


def listing(owner: Any, require_all: bool = True, with_random: bool = False) -> list[Parameter]:
    """Return the variables below ``owner``, each once; if asked, also what Keras draws from.

    Raises
    ------
    NameTaken
        Two of them have the same name.
    NotBuilt
        Some do not exist yet, and ``require_all``.

    Examples
    --------
    >>> module = tf.Module()
    >>> module.scale = tf.Variable(1.0)
    >>> module.parts = [tf.Variable([1.0]), tf.Variable([2.0])]
    >>> [parameter.name for parameter in listing(module)]
    ['scale', 'parts/0', 'parts/1']
    """
    found: dict[str, Parameter] = {}
    names: dict[int, str] = {}
    for parameter in _parameters(owner, require_all):
        known = names.setdefault(id(parameter.variable), parameter.name)
        if known in found and found[known].variable is parameter.variable:
            if parameter.is_frozen:  # frozen by one of those that share it
                found[known] = found[known]._replace(is_frozen=True)
            continue
        if parameter.name in found:
            raise NameTaken(
                f"{owner!r}: two different variables in it are called {parameter.name!r}, so one "
                "of them would be lost when they are saved. Give the layers or parameters that "
                "hold them different names."
            )
        found[parameter.name] = parameter
    return [parameter for parameter in found.values() if with_random or not parameter.is_random]


def owners(owner: Owner) -> Iterator[tuple[str, Owner]]:
    """Yield what lists variables below ``owner``, each once, by the path before their names.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> mlp = tl.layers.LayerList([tl.layers.Dense(2, name="d")], name="mlp")
    >>> [path for path, _ in owners(mlp)]
    ['mlp', 'mlp/d']
    """
    seen: set[int] = set()
    for path, value, _ in _walk(owner, ("", ""), False, set()):
        if isinstance(value, Owner) and id(value) not in seen:
            seen.add(id(value))  # what is frozen in one place and not in another comes twice
            yield path, value


def everything(owner: Any) -> Iterator[Any]:
    """Yield ``owner`` and what is below it, each once: owners, modules, Keras objects, variables.

    Examples
    --------
    >>> module = tf.Module()
    >>> module.scale = tf.Variable(1.0)
    >>> [type(each).__name__ for each in everything(module)]
    ['Module', 'ResourceVariable']
    """
    seen: set[int] = set()
    for _, value, _ in _walk(owner, ("", ""), False, set()):
        if id(value) not in seen:
            seen.add(id(value))
            yield value


def _parameters(owner: Any, require_all: bool) -> Iterator[Parameter]:
    for path, value, frozen in _walk(owner, ("", ""), False, set()):
        if isinstance(value, tf.Variable):
            yield Parameter(path, value, frozen)
        elif is_keras(value):
            yield from _keras(value, path, frozen)
        elif isinstance(value, tf.random.Generator):
            yield Parameter(join(path, "state"), value.state, frozen)
        elif require_all and isinstance(value, Owner) and not value.is_built:
            raise NotBuilt(
                f"{value!r} has no weights yet. Give it in_channels, or call it or its model once."
            )


def _walk(
    value: Any, at: tuple[str, str], frozen: bool, seen: set[tuple[int, bool]]
) -> Iterator[tuple[str, Any, bool]]:
    """Yield paths, what is there and whether it is frozen, from ``value`` downwards.

    It is ``at``: the path of its owner, and its own one.
    """
    if (id(value), frozen) in seen or not _may_hold_variables(value):
        return
    seen.add((id(value), frozen))
    base, path = at
    parts: Iterator[tuple[str, Any]] = iter(())
    if isinstance(value, types.MethodType):
        parts = iter([("", value.__self__)])
    elif isinstance(value, Owner):
        # By the class: a layer of somebody may well have an attribute called ``parts``.
        base, path = type(value).place(value, base, path)
        frozen = frozen or not value.trainable
        parts = type(value).parts(value)
    elif not isinstance(value, _ENDS) and not is_keras(value):
        parts = children(value)
    yield path, value, frozen
    for name, part in parts:
        yield from _walk(part, (base, join(path, name)), frozen, seen)


#: What our own objects hold without consisting of it.
_OURS = frozenset({"arguments", "facts"})
#: What is listed itself, or by a rule of its own.
_ENDS = (tf.Variable, tf.random.Generator)
_KINDS = (*_ENDS, tf.Module, list, tuple, Mapping, types.MethodType)


def _may_hold_variables(value: Any) -> bool:
    return isinstance(value, _KINDS) or is_keras(value)


def join(path: str, name: str) -> str:
    """Return the path of what is called ``name`` at ``path``; either may be empty."""
    return f"{path}/{name}" if path and name else path or name


def is_keras(value: Any) -> bool:
    """Whether it is a layer or variable of Keras, which nobody has unless it was imported."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(value, (keras.layers.Layer, keras.Variable))


def _keras(value: Any, path: str, frozen: bool) -> Iterator[Parameter]:
    """Yield Keras's variables by their short names, and the state of its random numbers.

    Longer names are numbered over the whole process, and would be others in the next one.
    """
    numbers: dict[str, int] = {}
    weights = list(getattr(value, "weights", [value]))
    states = [v for v in getattr(value, "variables", ()) if v.name == "seed_generator_state"]
    for weight in (*weights, *states):
        number = numbers[weight.name] = numbers.get(weight.name, -1) + 1
        name = f"{weight.name}_{number}" if number else weight.name
        is_frozen, is_random = frozen or not weight.trainable, weight.name == "seed_generator_state"
        yield Parameter(join(path, name), weight.value, is_frozen, is_random)


def components(variable: tf.Variable) -> list[tf.Variable]:
    """Return a variable with what a trace sees of it under a strategy.

    That is its copies on several devices, or the one that lies on a parameter server.

    Examples
    --------
    >>> variable = tf.Variable(1.0)
    >>> components(variable) == [variable]
    True
    """
    copies = getattr(variable, "values", ())
    return [variable, *copies, *([variable.get()] if hasattr(variable, "get") else ())]
