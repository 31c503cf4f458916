"""What makes layers in its constructor owns them: the class of the classes ``Layer`` and ``Model``.

An owner's constructor runs in a scope of its own. What it makes is called ``scope/owner/name``, and
neither enters the scope around nor is shared with another owner. A ``tf.Variable`` that the code of
others makes is called after its owner as well.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, TensorLayerError
from tensorlayer.layers import arguments, naming
from tensorlayer.layers.precision import OF_THE_INPUT, Precision, within
from tensorlayer.layers.structure import rebuild

__all__ = ["Facts", "OwnerType", "naming_variables", "path_of", "scope_of"]


@dataclasses.dataclass
class Facts:
    """What is known of a layer or model besides what its class stores."""

    prefix: str = ""  #: of its name: the scope, or owner, that it was made in
    owner: str = ""  #: the part of the prefix that is the owner's
    own_name: str | None = None  #: the rest of its name; None without one
    label: str = ""  #: what the variables of an unnamed layer are called after
    precision: Precision = OF_THE_INPUT
    #: of its parameters, once it is built; None for a model
    variable_dtype: tf.DType | None = tf.float32
    is_train: bool | None = None  #: the mode that was declared with a layer
    #: the TensorFlow 1 graph of its variables, if they are in one
    graph: weakref.ref[tf.Graph] | None = None
    #: networks among the arguments of its constructor: inputs of every call
    networks: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    compared_modes: frozenset[bool] = frozenset()  #: in which what it lists is what it uses
    scope: naming.VariableScope | None = None  #: in which its ``forward`` runs
    #: to be raised if it turns out to have parameters, else to be remembered in the scope
    pending: tuple[TensorLayerError, naming.VariableScope] | None = None
    #: in a TensorFlow 1 graph, the layer whose variables it shares, and the error without them
    shares: tuple[Any, TensorLayerError] | None = None
    as_layers: dict[str | None, Any] = dataclasses.field(default_factory=dict)  #: of a model

    @property
    def is_named(self) -> bool:
        """Whether the name is its own, and not a number in a network."""
        return self.own_name is not None

    def in_owner(self, name: str) -> str:
        """Return a name without the part that is the owner's, whose own name may be another."""
        return name.removeprefix(f"{self.owner}/")

    def __deepcopy__(self, memo: dict[int, Any]) -> Facts:
        """Return a copy that is pending in the same scope: that is the program's.

        What it uses is compared anew: a function is not copied, so what it holds by itself is still
        that of the original.
        """
        memo[id(self.pending)] = self.pending
        facts = {**vars(self), "compared_modes": frozenset()}
        return Facts(**copy.deepcopy(facts, memo))


class OwnerType(type):
    """The class of classes whose objects own what their constructors make."""

    @property
    def __signature__(cls) -> inspect.Signature:
        """What help() and editors show of a class: the arguments of its constructor."""
        return arguments.signature_of(cls)

    @tf.autograph.experimental.do_not_convert  # a user's ``forward`` may make models
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Construct with the arguments remembered by name."""
        around = naming.current_scope()
        facts = Facts(around.name, around.owner, variable_dtype=None)
        takes_it = arguments.accepts(cls, "trainable")
        is_trainable = takes_it or arguments.switch(kwargs.pop("trainable", True), "trainable")
        made = cls.construct(args, kwargs, arguments.bind(cls, args, kwargs), facts)
        if not is_trainable:
            made.trainable = False
        return made

    def construct(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any], given: dict[str, Any], facts: Facts
    ) -> Any:
        """Make an object that knows ``facts`` before its constructor runs.

        Parameters
        ----------
        args, kwargs
            Of the constructor.
        given
            The same by name, defaults included: they describe the object from now on.
        facts
            With the place where it is made.
        """
        made = cls.__new__(cls, *args, **kwargs)
        # Past __setattr__: a tf.Module would wrap the dictionary, and track what is in it.
        # Lists and dictionaries are copied: what becomes of them later is not what was given.
        kept = {
            k: rebuild(v, lambda leaf: leaf) if type(v) in _OPEN else v for k, v in given.items()
        }
        vars(made).update(facts=facts, arguments=kept)
        label = given.get("name")
        label = label if isinstance(label, str) and label else naming.snake_case(cls.__name__)
        owned = scope_of(f"{facts.prefix}/{label}" if facts.prefix else label)
        with naming.inside(owned), within(facts.precision), naming_variables(cls, owned.name):
            made.__init__(*args, **kwargs)
        if "_name" not in vars(made):  # which tf.Module's constructor sets
            raise InvalidArgument(
                f"{cls.__name__}: its constructor has to begin with super().__init__(name=name)."
            )
        return made


_OPEN = {list, dict, tuple}


def path_of(owner: Any) -> str:
    """Return the full name of a layer or model: with scope and owner, else that of the class."""
    own = owner.facts.own_name or naming.snake_case(type(owner).__name__)
    return f"{owner.facts.prefix}/{own}" if owner.facts.prefix else own


def naming_variables(cls: type, path: str) -> AbstractContextManager[object]:
    """Put ``path`` before the names of variables that code of others makes; ours tells them."""
    is_ours = getattr(cls, "needs_autograph", True) is not True
    return nullcontext() if is_ours else tf.name_scope(f"{naming.as_path(path)}/")


def scope_of(owner: str, **options: Any) -> naming.VariableScope:
    """Return the scope in which the owner of this name makes layers.

    A model's name is for people; what TensorFlow would refuse of it becomes an underscore.
    """
    path = naming.as_path(owner)
    return naming.VariableScope(path, path, **options)
