"""What everything that has parameters can tell about them: layers, networks and models."""

from __future__ import annotations

import copy
import itertools
import weakref
from typing import Any

import tensorflow as tf
from typing_extensions import Self

from tensorlayer.errors import InvalidArgument, NotSerializable
from tensorlayer.layers import summary, tree
from tensorlayer.layers.arguments import switch
from tensorlayer.layers.computing import LOCK
from tensorlayer.layers.losses import regularization_losses

__all__ = ["HasParameters", "frozen_now"]


class HasParameters(tree.Owner, tf.Module):
    """The views of the variables below an object, in one order and under one set of names.

    Examples
    --------
    >>> class Pair(HasParameters):
    ...     def __init__(self):
    ...         self.w = tf.Variable([1.0, 2.0])
    ...         self.n = tf.Variable(0.0, trainable=False)
    >>> pair = Pair()
    >>> len(pair.trainable_weights), len(pair.nontrainable_weights), pair.count_params()
    (1, 1, 3)
    >>> pair.trainable = False
    >>> len(pair.trainable_weights)
    0
    """

    _is_trainable = True

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, unless the class computes or keeps something under its name."""
        if name not in _KEPT:
            try:
                return super().__setattr__(name, value)
            except AttributeError:
                if not _is_computed(type(self), name):
                    raise
        taken = sorted(_KEPT.union(n for n in dir(type(self)) if _is_computed(type(self), n)))
        raise InvalidArgument(
            f"{type(self).__name__}: the attribute {name!r} cannot be set, since layers and models "
            "keep or compute something else under this name. Choose another name than "
            f"{', '.join(each for each in taken if each[0] != '_')}."
        )

    @property
    def trainable(self) -> bool:
        """Whether training may change it; see [`tensorlayer.layers.mode`][].

        Set to False it is frozen with everything below it: its variables are not among
        ``trainable_weights`` and it computes as in inference, so that no statistics move.
        """
        return self._is_trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        self._is_trainable = switch(trainable, "trainable")
        _note(self)

    @property
    def parameters(self) -> dict[str, tf.Variable]:
        """The variables by name, in order."""
        return {parameter.name: parameter.variable for parameter in tree.listing(self)}

    @property
    def trainable_weights(self) -> list[tf.Variable]:
        """The variables that training changes."""
        return [p.variable for p in tree.listing(self) if _is_trained(p)]

    @property
    def nontrainable_weights(self) -> list[tf.Variable]:
        """The variables that training does not change by gradients, such as moving averages."""
        return [p.variable for p in tree.listing(self) if not _is_trained(p)]

    @property
    def all_weights(self) -> list[tf.Variable]:
        """The trainable variables, then the others."""
        return self.trainable_weights + self.nontrainable_weights

    # What tf.Module calls the same.
    trainable_variables = trainable_weights
    non_trainable_variables = nontrainable_weights
    variables = all_weights

    @property
    def regularization_losses(self) -> list[tf.Tensor]:
        """What the regularizers of other libraries cost below it, in its last evaluation here.

        Empty if there are none. "Here" is the ``tf.function`` or graph in which it is asked for,
        or eagerly the thread. Where it was not evaluated that is an error, since nobody would see
        that the loss lacks a part. See [`tensorlayer.layers.losses`][].

        Examples
        --------
        >>> import tensorlayer as tl
        >>> def scaled(x):
        ...     decay = lambda v: 0.5 * tf.reduce_sum(v**2)
        ...     return x * tf.compat.v1.get_variable("v", initializer=3.0, regularizer=decay)
        >>> net = tl.layers.Lambda(tl.layers.Input([None]), scaled, name="scaled")
        >>> with tf.GradientTape() as tape:
        ...     loss = tf.reduce_sum(net([0.0])) + tf.add_n(net.regularization_losses)
        >>> loss.numpy().item(), tape.gradient(loss, net.all_params[0]).numpy().item()
        (4.5, 3.0)
        """
        return regularization_losses(self)

    def count_params(self) -> int:
        """Return the number of scalars in all variables."""
        return sum(variable.shape.num_elements() for variable in self.parameters.values())

    def print_params(self, details: bool = False) -> None:
        """Show the parameters; with ``details`` also mean, median and standard deviation."""
        summary.show(summary.parameter_table(tree.listing(self), details))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy with variables of its own; meanwhile no thread makes any."""
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        with LOCK:
            for name, value in list(vars(self).items()):
                vars(copied)[name] = copy.deepcopy(value, memo)
        vars(copied).pop("_freezing", None)
        _note(copied)
        return copied

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Refuse: what is unpickled is executed."""
        raise NotSerializable(
            f"{self!r} cannot be pickled. Write a model with save(path) or save_weights(path), a "
            "network with tl.models.Model(net.input_nodes, net).save(path); copy.deepcopy copies "
            "within a process."
        )


#: What is frozen, by numbers that are given once; an entry goes with its object.
_FROZEN: weakref.WeakValueDictionary[int, HasParameters] = weakref.WeakValueDictionary()
_NUMBERS = itertools.count()


def frozen_now() -> frozenset[int]:
    """Return what tells whether something was frozen or thawed: a key to what was traced.

    Examples
    --------
    >>> before, pair = frozen_now(), HasParameters()
    >>> pair.trainable = False
    >>> frozen_now() == before
    False
    >>> pair.trainable = True
    >>> frozen_now() == before
    True
    """
    return frozenset(_FROZEN.keys())


def _note(owner: HasParameters) -> None:
    """Keep in mind whether it is frozen."""
    if owner.trainable:
        _FROZEN.pop(vars(owner).get("_freezing"), None)
    else:
        vars(owner).setdefault("_freezing", next(_NUMBERS))
        _FROZEN[vars(owner)["_freezing"]] = owner


#: What the library keeps in every layer and model, and calls of a model.
_KEPT = frozenset({"arguments", "facts", "follow"})


def _is_computed(cls: type, name: str) -> bool:
    """Whether ``cls`` has a property of this name that nobody can set."""
    found = getattr(cls, name, None)
    return isinstance(found, property) and found.fset is None


def _is_trained(parameter: tree.Parameter) -> bool:
    return parameter.variable.trainable and not parameter.is_frozen
