"""``tf.compat.v1.get_variable`` in a function that a layer runs, by the rules of TensorFlow 1.

There names are kept in a store of the process, so that a second layer of the same function would
get the variables of the first. Here they are kept for one run of the function. Everything else is
as it was: a name that was asked for is shared where the scope says so and refused where it does
not; variables are in the collections of the graph, with the losses of their regularizers, and keep
their constraints. What a ``tf.compat.v1.variable_scope`` around the layer says of variables, a
regularizer or a getter of its own for example, holds where the layer is *made*: it is kept.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, NameMissing, NameTaken, WrongShape
from tensorlayer.layers.setting import setting

__all__ = ["Getter", "GraphNeeded", "said_here"]

v1 = tf.compat.v1

#: Collections that all traces have in common; what is in one longer than a run would never go.
_OF_THE_PROCESS = (
    v1.GraphKeys.GLOBAL_VARIABLES,
    v1.GraphKeys.LOCAL_VARIABLES,
    v1.GraphKeys.TRAINABLE_VARIABLES,
)


#: What a scope says of the variables in it.
_SAID = ("name", "initializer", "regularizer", "custom_getter", "dtype")

#: Whether a function runs: what the scopes within it say is said anew in each run.
_RUNS: ContextVar[bool] = ContextVar("tensorlayer_runs_foreign_code", default=False)


class GraphNeeded(Exception):
    """Code that runs eagerly asks for a variable in the way of TensorFlow 1."""


def said_here() -> dict[str, Any] | None:
    """Return what the scope around says of variables; in a run None, since it says it each time.

    Examples
    --------
    >>> with tf.Graph().as_default(), v1.variable_scope("s", initializer=tf.ones):
    ...     said_here()["initializer"] is tf.ones
    True
    """
    return None if _RUNS.get() else _said(v1.get_variable_scope())


def _said(scope: v1.VariableScope) -> dict[str, Any]:
    return {name: getattr(scope, name) for name in _SAID}


class Getter:
    """What ``get_variable`` asks in one run of a function: a ``custom_getter``.

    Parameters
    ----------
    function
        For messages.
    said
        What [`said_here`][] gave where the layer was made.
    scope
        The name of the scope to be asked in; None for that which was, or is, around.
    is_first
        Whether the function has not run before: its variables do not exist yet.

    Examples
    --------
    >>> with tf.Graph().as_default(), Getter("tower").asked():
    ...     v1.get_variable("w", [2, 3]).shape
    TensorShape([2, 3])
    """

    def __init__(
        self,
        function: Any,
        said: Mapping[str, Any] | None = None,
        scope: str | None = None,
        is_first: bool = True,
    ) -> None:
        self._function, self._said, self._scope, self._is_first = function, said, scope, is_first
        self._reuses_all = False
        self._got: dict[str, tf.Variable] = {}
        self._collected: dict[str, set[int]] = {}

    @property
    def was_asked(self) -> bool:
        """Whether the function has asked for a variable."""
        return bool(self._got)

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Be asked within the block."""
        scope = v1.get_variable_scope()
        said = dict(self._said or _said(scope))
        said["name"] = said["name"] if self._scope is None else self._scope
        # Of a trace it only says that somebody was eager. Else it is that of the scope around the
        # layer: it says what the layer shares, not what the function does.
        is_told = scope.reuse is not v1.AUTO_REUSE or not _is_traced()
        self._reuses_all = bool(scope.reuse) and is_told
        reuse = scope.reuse if is_told else False
        within = v1.VariableScope(reuse, **{**said, "custom_getter": self, "use_resource": True})
        try:
            with setting(_RUNS, True), v1.variable_scope(within, auxiliary_name_scope=False):
                yield
        finally:
            for key, ids in self._collected.items():
                collection = v1.get_collection_ref(key)
                collection[:] = [each for each in collection if id(each) not in ids]

    def __call__(self, getter: Any, *args: Any, **options: Any) -> Any:
        """Return the variable, or what a getter around the layer makes of it.

        The arguments are those of TensorFlow's own getter, in its order: a getter of the function's
        own, within this one, may give them by position.
        """
        del getter  # it would look in the store of the process
        around = (self._said or {}).get("custom_getter")
        return around(self._get, *args, **options) if around else self._get(*args, **options)

    def _get(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        **others: Any,
    ) -> tf.Variable:
        """Return the variable of this name; the first time in a run, make it.

        Raises
        ------
        GraphNeeded
            The run is eager.
        NameTaken
            The run has one of this name, and the scope does not reuse.
        NameMissing
            It has none, and the scope does nothing but reuse.
        WrongShape, InvalidArgument
            The one that is reused is of another shape or type.
        """
        if tf.executing_eagerly():
            raise GraphNeeded(name)
        options = {"shape": shape, "dtype": dtype, "initializer": initializer, **others}
        reuse = v1.AUTO_REUSE if self._reuses_all else options.get("reuse")
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
        if _is_traced():
            self._collect(variable, **options)
        if self._is_first or _is_traced():  # a graph of TensorFlow 1 has it from the first run
            _regularize(variable, name, **options)
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
    if _is_traced():
        return tf.Variable(initial, **kinds)
    return v1.Variable(initial, collections=_keys(**options), use_resource=True, **kinds)


def _regularize(
    variable: tf.Variable, name: str, regularizer: Callable[..., Any] | None = None, **_: Any
) -> None:
    """Let what the regularizer gives for the variable, if anything, be in its collection."""
    if regularizer is None:
        return
    with tf.name_scope(f"{name}/Regularizer/"):
        loss = regularizer(variable)
    if loss is not None:
        v1.add_to_collection(v1.GraphKeys.REGULARIZATION_LOSSES, tf.convert_to_tensor(loss))


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
