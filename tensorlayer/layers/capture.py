"""The variables that foreign code makes: made in its first run, given back in every later one.

Code in the style of TensorFlow 1 makes its variables while it computes, with ``tf.Variable`` or
with ``tf.compat.v1.get_variable``. Run within a :class:`Capture`, it makes them once and finds them
again, whether it runs eagerly, in a ``tf.function`` that is traced twice, or in another trace next
week.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument

__all__ = ["Capture", "not_captured"]

_IS_OURS: ContextVar[bool] = ContextVar("tensorlayer_is_ours", default=False)


@contextmanager
def not_captured() -> Iterator[None]:
    """Make variables that are no foreign code's: those of our layers inside it."""
    token = _IS_OURS.set(True)
    try:
        yield
    finally:
        _IS_OURS.reset(token)


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
        self.variables: list[tf.Variable] = []
        self._is_complete = False

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return ``function(*args, **kwargs)`` with its variables captured.

        Raises
        ------
        InvalidArgument
            A later run makes more variables, or others, than the first.
        """
        made = iter(list(self.variables))

        def create(next_creator: Callable[..., tf.Variable], **options: Any) -> tf.Variable:
            if _IS_OURS.get():
                return next_creator(**options)
            if not self._is_complete:
                _refuse_replica(function)
                self.variables.append(next_creator(**options))
                return self.variables[-1]
            variable = next(made, None)
            if variable is None:
                raise InvalidArgument(
                    f"{function!r} makes the variable {options.get('name')!r} that its first run "
                    f"did not make; that made {[v.name for v in self.variables]}. A function in a "
                    "layer has to make the same variables in the same order each time."
                )
            return variable

        v1 = tf.compat.v1
        scope = v1.variable_scope(v1.get_variable_scope(), custom_getter=_getter())
        with tf.variable_creator_scope(create), scope:
            result = function(*args, **kwargs)
        self._is_complete = True
        return result

    def named(self, prefix: str) -> dict[str, tf.Variable]:
        """Return the variables by name, without ``prefix/`` and numbered where two are equal."""
        found: dict[str, tf.Variable] = {}
        for variable in self.variables:
            stem = variable.name.partition(":")[0]
            while stem.startswith(f"{prefix}/"):  # a scope around, and one in the name itself
                stem = stem.removeprefix(f"{prefix}/")
            name, number = stem, 1
            while name in found:
                name, number = f"{stem}_{number}", number + 1
            found[name] = variable
        return found


def _refuse_replica(function: Callable[..., Any]) -> None:
    """Raise where the replicas of a strategy would have to make the variable together."""
    if tf.distribute.has_strategy() and not tf.distribute.in_cross_replica_context():
        raise InvalidArgument(
            f"{function!r} makes its variables within strategy.run. Apply the layer once in "
            "strategy.scope(), before strategy.run, for example to a tl.layers.Input."
        )


def _getter() -> Callable[..., tf.Variable]:
    """Return a ``custom_getter`` that keeps names for one run, not for the whole process."""
    got: dict[str, tf.Variable] = {}

    def get(getter: Any, name: str, **options: Any) -> tf.Variable:
        del getter  # it would look in the store of the process
        if name not in got:
            initial = _initial_value(**options)
            got[name] = tf.Variable(
                initial, trainable=options.get("trainable") is not False, name=name
            )
        return got[name]

    return get


def _initial_value(
    shape: Any = None, dtype: Any = tf.float32, initializer: Any = None, **_: Any
) -> Any:
    """Return the initial value, by the rules of ``tf.compat.v1.get_variable``."""
    if initializer is None:
        initializer = tf.compat.v1.glorot_uniform_initializer()
    if inspect.isclass(initializer):
        initializer = initializer()
    if not callable(initializer):
        return tf.convert_to_tensor(initializer, dtype)
    sizes = tf.TensorShape(shape).as_list()
    return lambda: initializer(sizes, dtype=dtype or tf.float32)
