"""``tf.compat.v1.get_variable`` in a function that a layer runs, by the rules of TensorFlow 1.

There names are kept in a store of the process, so that a second layer of the same function would
get the variables of the first. Here they are kept for one run of the function. Everything else is
as it was: a name that was asked for is shared where the scope says so and refused where it does
not; variables are in the collections of the graph, with the losses of their regularizers, and keep
their constraints. Eagerly there are no collections, and every scope reuses (``AUTO_REUSE``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, NameMissing, NameTaken, WrongShape

__all__ = ["Getter", "GraphNeeded"]

v1 = tf.compat.v1

#: Collections that all traces have in common; what is in one longer than a run would never go.
_OF_THE_PROCESS = (
    v1.GraphKeys.GLOBAL_VARIABLES,
    v1.GraphKeys.LOCAL_VARIABLES,
    v1.GraphKeys.TRAINABLE_VARIABLES,
)


class GraphNeeded(Exception):
    """Code that runs eagerly asks for a variable in the way of TensorFlow 1."""


class Getter:
    """What ``get_variable`` asks in one run of a function: a ``custom_getter``.

    Parameters
    ----------
    function
        For messages.
    allows_eager
        Whether it may be asked eagerly; else it raises `GraphNeeded`.
    is_first
        Whether the function has not run before: its variables do not exist yet.

    Examples
    --------
    >>> with Getter("tower").asked():
    ...     v1.get_variable("w", [2, 3]).shape
    TensorShape([2, 3])
    """

    def __init__(self, function: Any, allows_eager: bool = True, is_first: bool = True) -> None:
        self._function, self._allows_eager, self._is_first = function, allows_eager, is_first
        self._reuses_all = False
        self._got: dict[str, tf.Variable] = {}
        self._collected: dict[str, set[int]] = {}
        #: what regularizers gave eagerly, where no graph could hold it
        self.losses: list[tf.Tensor] = []

    @property
    def was_asked(self) -> bool:
        """Whether the function has asked for a variable."""
        return bool(self._got)

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Be asked within the block, in the scope that is around it."""
        scope = v1.get_variable_scope()
        if scope.reuse is v1.AUTO_REUSE and not tf.executing_eagerly() and _is_traced():
            scope = _not_reusing(scope)  # it only says that somebody was eager
        # Of the scope around the layer: it says what the layer shares, not what the function does.
        self._reuses_all = bool(scope.reuse)
        try:
            with v1.variable_scope(scope, custom_getter=self):
                yield
        finally:
            for key, ids in self._collected.items():
                collection = v1.get_collection_ref(key)
                collection[:] = [each for each in collection if id(each) not in ids]

    def __call__(
        self,
        getter: Any,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        **others: Any,
    ) -> tf.Variable:
        """Return the variable of this name; the first time in a run, make it.

        The arguments are those of TensorFlow's own getter, in its order: a getter of the function's
        own, within this one, may give them by position.

        Raises
        ------
        NameTaken
            The run has one of this name, and the scope does not reuse.
        NameMissing
            It has none, and the scope does nothing but reuse.
        WrongShape, InvalidArgument
            The one that is reused is of another shape or type.
        """
        del getter  # it would look in the store of the process
        options = {"shape": shape, "dtype": dtype, "initializer": initializer, **others}
        is_eager = tf.executing_eagerly()
        if is_eager and not self._allows_eager:
            raise GraphNeeded(name)
        reuse = v1.AUTO_REUSE if is_eager or self._reuses_all else options.get("reuse")
        if name in self._got:
            self._require_shareable(name, **{**options, "reuse": reuse})
            return self._got[name]
        if reuse is True:
            raise NameMissing(
                f"{self._function!r} asks for the variable {name!r} to be reused, which this run "
                f"of it has not made; it made {list(self._got) or 'none'}. Ask for it before "
                "without reuse, or in a tf.compat.v1.variable_scope with reuse="
                "tf.compat.v1.AUTO_REUSE."
            )
        self._got[name] = variable = _made(name, **options)
        if not is_eager and _is_traced():
            self._collect(variable, **options)
        if is_eager:
            self.losses += _losses(variable, name, **options)
        elif self._is_first or _is_traced():  # a graph of TensorFlow 1 has them from the first run
            for loss in _losses(variable, name, **options):
                v1.add_to_collection(v1.GraphKeys.REGULARIZATION_LOSSES, loss)
        return variable

    def _collect(self, variable: tf.Variable, **options: Any) -> None:
        """Let a variable be in collections of a trace; it is outside, and so in none by itself."""
        for key in _keys(**options):
            collection = v1.get_collection_ref(key)
            if all(each is not variable for each in collection):
                collection.append(variable)
                if key in _OF_THE_PROCESS:
                    self._collected.setdefault(key, set()).add(id(variable))

    def _require_shareable(
        self, name: str, reuse: Any, shape: Any = None, dtype: Any = None, **_: Any
    ) -> None:
        variable, who = self._got[name], f"{self._function!r} asks for the variable {name!r}"
        if reuse is False:
            raise NameTaken(
                f"{who} a second time, in a scope that does not reuse. Give one of the two another "
                "name; or, to share it, ask for it in a tf.compat.v1.variable_scope with "
                "reuse=True, or with reuse=tf.compat.v1.AUTO_REUSE."
            )
        if shape is not None and not variable.shape.is_compatible_with(shape):
            raise WrongShape(
                f"{who} of shape {tuple(tf.TensorShape(shape))}, and has made it of shape "
                f"{tuple(variable.shape)}. Share it in one shape, or give it another name."
            )
        if dtype is not None and tf.as_dtype(dtype).base_dtype != variable.dtype.base_dtype:
            raise InvalidArgument(
                f"{who} of type {tf.as_dtype(dtype).name}, and has made it of type "
                f"{variable.dtype.base_dtype.name}. Give the same dtype, or another name."
            )


def _is_traced() -> bool:
    """Whether the graph is that of a trace, and not one of TensorFlow 1."""
    return v1.get_default_graph().building_function


def _not_reusing(scope: v1.VariableScope) -> v1.VariableScope:
    same = ("initializer", "regularizer", "caching_device", "partitioner", "custom_getter")
    options = {name: getattr(scope, name) for name in (*same, "dtype", "constraint")}
    return v1.VariableScope(
        False, scope.name, name_scope=scope.original_name_scope, use_resource=True, **options
    )


def _keys(collections: Any = None, trainable: bool | None = None, **_: Any) -> list[str]:
    """Return the collections that a variable is to be in."""
    keys = list(collections or [v1.GraphKeys.GLOBAL_VARIABLES])
    if trainable is not False and v1.GraphKeys.TRAINABLE_VARIABLES not in keys:
        keys.append(v1.GraphKeys.TRAINABLE_VARIABLES)
    return keys


def _made(name: str, **options: Any) -> tf.Variable:
    """Make a variable; in a graph of TensorFlow 1 it is in its collections by that."""
    initial, dtype = _initial(name, **options)
    is_trained = options.get("trainable") is not False
    kinds = {"trainable": is_trained, "name": name, "constraint": options.get("constraint")}
    aggregation = options.get("aggregation") or tf.VariableAggregation.NONE
    if not is_trained and dtype is not None and dtype.is_floating:
        # What training moves beside gradients is the mean of what replicas find.
        none, mean = tf.VariableAggregation.NONE, tf.VariableAggregation.MEAN
        aggregation = mean if aggregation == none else aggregation
    kinds["aggregation"] = aggregation
    if tf.executing_eagerly() or _is_traced():
        return tf.Variable(initial, **kinds)
    return v1.Variable(initial, collections=_keys(**options), use_resource=True, **kinds)


def _losses(
    variable: tf.Variable, name: str, regularizer: Callable[..., Any] | None = None, **_: Any
) -> list[tf.Tensor]:
    """Return what the regularizer gives for the variable: one loss, or none."""
    if regularizer is None:
        return []
    with tf.name_scope(f"{name}/Regularizer/"):
        loss = regularizer(variable)
    return [] if loss is None else [tf.convert_to_tensor(loss)]


def _initial(
    name: str, shape: Any = None, dtype: Any = None, initializer: Any = None, **_: Any
) -> tuple[Any, tf.DType | None]:
    """Return the initial value, and its type if that is known.

    By the rules of TensorFlow 1: a value has its own type, and what is no float begins with zeros.

    Raises
    ------
    InvalidArgument
        Nothing says what to begin with.
    """
    dtype = tf.as_dtype(dtype or tf.float32).base_dtype
    if initializer is None:
        if shape is None or dtype.is_complex:
            raise InvalidArgument(
                f"get_variable: the variable {name!r} of shape {shape} and type {dtype.name} has "
                "no value to begin with. Give a shape or an initializer."
            )
        floats, others = v1.glorot_uniform_initializer, v1.zeros_initializer
        initializer = floats() if dtype.is_floating else others()
    if inspect.isclass(initializer):
        initializer = initializer()
    if tf.is_tensor(initializer):
        return initializer, initializer.dtype.base_dtype
    if not callable(initializer):
        with tf.init_scope():  # outside of a trace, where the variable is
            value = tf.convert_to_tensor(initializer)
        return (lambda: tf.convert_to_tensor(initializer)), value.dtype
    sizes = tf.TensorShape(shape)
    if not sizes.is_fully_defined():
        return initializer, None  # it knows the shape, and takes no arguments
    return (lambda: initializer(sizes.as_list(), dtype=dtype)), dtype
