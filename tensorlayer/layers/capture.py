"""The variables that foreign code makes: made in its first run, given back in every later one.

Code in the style of TensorFlow 1 makes its variables while it computes, with ``tf.Variable`` or
with ``tf.compat.v1.get_variable``. Run within a [`Capture`][], it makes them once and finds them
again, whether it runs eagerly, in a ``tf.function`` that is traced twice, or in another trace next
week. ``get_variable`` needs a graph: run eagerly, it raises
[`tensorlayer.layers.get_variable.GraphNeeded`][].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import naming
from tensorlayer.layers.get_variable import Getter, said_here
from tensorlayer.layers.losses import LastLosses, collected
from tensorlayer.layers.setting import setting

__all__ = ["Capture", "not_captured"]

_IS_OURS: ContextVar[bool] = ContextVar("tensorlayer_is_ours", default=False)


def not_captured() -> AbstractContextManager[object]:
    """Make variables that are no foreign code's: those of our layers inside it."""
    return setting(_IS_OURS, True)


class Capture:
    """Variables in the order in which a function makes them.

    Examples
    --------
    >>> capture = Capture()
    >>> def scaled(x):
    ...     return x * tf.Variable(2.0, name="scale")
    >>> capture.run(scaled, 1.0).numpy().item(), capture.run(scaled, 3.0).numpy().item()
    (2.0, 6.0)
    >>> len(capture.variables)
    1
    """

    def __init__(self) -> None:
        self._said = said_here()
        self.variables: list[tf.Variable] = []
        self._asked: list[Any] = []  # the names that the function gave, in the same order
        self._is_complete = False
        #: in which ``get_variable`` is asked; None for the one around where this was made
        self.scope: str | None = None
        #: whether a run has called ``get_variable``, or left losses: neither is possible eagerly
        self.needs_graph = False
        self.losses = LastLosses()

    @property
    def is_told(self) -> bool:
        """Whether the scope where this was made has a getter or a regularizer."""
        said = self._said or {}
        return any(said.get(name) is not None for name in ("custom_getter", "regularizer"))

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return ``function(*args, **kwargs)`` with its variables captured.

        Raises
        ------
        InvalidArgument
            A later run makes more variables, or others, than the first. It may make none of those
            of one name, as a Keras layer that the function keeps does.
        """
        made: list[int] = []

        def create(next_creator: Callable[..., tf.Variable], **options: Any) -> tf.Variable:
            if _IS_OURS.get():
                return next_creator(**options)
            name = str(options.get("name") or "")
            asked = enumerate(self._asked)
            place = next((i for i, n in asked if n == name and i not in made), None)
            if not self._is_complete:
                _refuse_replica(function)
                variable = _made(next_creator, options)
                if place is None:
                    place = len(self.variables)
                    self.variables.append(variable)
                    self._asked.append(name)
                self.variables[place] = variable  # of a run that failed there is one already
            elif place is None:
                raise self._differs(function, name, "did not make")
            elif not _fits(self.variables[place], **options):
                raise self._differs(function, name, f"made of shape {self.variables[place].shape}")
            made.append(place)
            return self.variables[place]

        getter = Getter(function, self._said, self.scope, is_first=not self._is_complete)
        ours = naming.current_scope()
        with (
            tf.variable_creator_scope(create),
            getter.asked(),
            naming.inside(ours),  # which does not see the scope that has been entered
            collected() as losses,
        ):
            was_complete = self._is_complete
            result = function(*args, **kwargs)
        self._is_complete = True
        self.needs_graph = self.needs_graph or getter.was_asked or bool(losses)
        self.losses.note(losses)
        if was_complete:
            self._require_all(function, made)
        return result

    def _require_all(self, function: Callable[..., Any], made: list[int]) -> None:
        """Raise if only some of the variables of one name were made: nobody knows which."""
        for name in {self._asked[place] for place in made}:
            places = [place for place, asked in enumerate(self._asked) if asked == name]
            if not set(places) <= set(made):
                raise self._differs(function, name, f"made {len(places)} times")

    def _differs(self, function: Callable[..., Any], name: Any, how: str) -> InvalidArgument:
        return InvalidArgument(
            f"{function!r} makes the variable {name!r} that its first run {how}; that made "
            f"{[variable.name for variable in self.variables]}. A function in a layer has to make "
            "the same variables in the same order each time."
        )

    @tf.autograph.experimental.do_not_convert
    def named(self, *prefixes: str) -> dict[str, tf.Variable]:
        """Return the variables by name, without the prefixes and numbered where two are equal."""
        starts = tuple(f"{prefix}/" for prefix in prefixes)
        names = []
        for variable in self.variables:
            name = variable.name.partition(":")[0]
            while start := next((each for each in starts if name.startswith(each)), ""):
                name = name.removeprefix(start)  # a scope around, and one in the name itself
            names.append(name)
        return _numbered(names, self.variables)

    def short(self) -> dict[str, tf.Variable]:
        """Return the variables by the last part of the names that the function gave them."""
        return _numbered([name.rpartition("/")[2] for name in self._asked], self.variables)


def _made(creator: Callable[..., tf.Variable], options: dict[str, Any]) -> tf.Variable:
    """Make a variable: outside of the traces around, if its first value is not of one of them."""
    if not callable(options.get("initial_value")):
        return creator(**options)
    with tf.init_scope():
        if tf.executing_eagerly() and "experimental_enable_variable_lifting" in options:
            # Else a tf.function takes it for one of its own, and runs the function once more.
            options = {**options, "experimental_enable_variable_lifting": False}
        return creator(**options)


def _numbered(names: Sequence[str], variables: Sequence[tf.Variable]) -> dict[str, tf.Variable]:
    """Return the variables by name, with numbers where two are equal."""
    found: dict[str, tf.Variable] = {}
    for stem, variable in zip(names, variables, strict=True):
        name, number = stem, 1
        while name in found:
            name, number = f"{stem}_{number}", number + 1
        found[name] = variable
    return found


def _fits(variable: tf.Variable, initial_value: Any = None, shape: Any = None, **_: Any) -> bool:
    """Whether what is asked for is of the shape of ``variable``, as far as that is told."""
    if shape is None and (initial_value is None or callable(initial_value)):
        return True
    shape = np.shape(initial_value) if shape is None else shape
    return variable.shape.is_compatible_with(shape)


def _refuse_replica(function: Callable[..., Any]) -> None:
    """Raise where the replicas of a strategy would have to make the variable together."""
    if tf.distribute.has_strategy() and not tf.distribute.in_cross_replica_context():
        raise InvalidArgument(
            f"{function!r} makes its variables within strategy.run. Apply the layer once in "
            "strategy.scope(), before strategy.run, for example to a tl.layers.Input."
        )
