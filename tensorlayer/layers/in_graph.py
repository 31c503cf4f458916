"""Code that was written for the graphs of TensorFlow 1, also where a network is computed eagerly.

Such code looks up its variables by name, with ``tf.compat.v1.get_variable``, and leaves updates and
end points in collections of the graph: eagerly there is no graph that they could be in. So it is
traced, once for each mode, with the variables that its first run has made. Within a
``tf.function``, and above [`tensorlayer.layers.Input`][], it is a part of the trace around it.

The shapes of a trace are those of the first run, as of a placeholder: what was declared for
``[None, 784]`` sees that, whatever the batch. What does not fit them is traced for its own shapes.

What Python does besides, such as appending to a list, happens once for each trace. A function whose
very first run is eager, and that no library for graphs made, is run up to where it asks for a
variable, and then once more: variables, their names and collections are as if it had not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.layers.capture import Capture
from tensorlayer.layers.get_variable import GraphNeeded
from tensorlayer.layers.mode import current_mode
from tensorlayer.layers.parameters import frozen_now
from tensorlayer.layers.structure import leaves, rebuild

__all__ = ["InGraph"]


#: Of traces that are kept for a function. One that alternates between more is traced again.
_N_TRACES = 32
#: So many batches of other sizes than the first get traces of their own, then one that takes any.
_N_SIZES = 8


class _Traces(dict):
    """The traced functions that were last made; what is copied traces its own."""

    def __setitem__(self, key: Any, traced: Any) -> None:
        if len(self) >= _N_TRACES:
            del self[next(iter(self))]
        super().__setitem__(key, traced)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Traces:
        return _Traces()


class InGraph(Capture):
    """A function with its variables, run eagerly as long as it can be.

    Parameters
    ----------
    needs_graph
        Whether it is known to need one. Else this shows when it first asks for a variable.

    Examples
    --------
    >>> code = InGraph()
    >>> def scaled(x):
    ...     return x * tf.compat.v1.get_variable("scale", initializer=2.0)
    >>> code.run(scaled, tf.constant(3.0)).numpy().item(), code.needs_graph
    (6.0, True)
    >>> [variable.name for variable in code.variables]
    ['scale:0']
    """

    def __init__(self, needs_graph: bool = False) -> None:
        super().__init__()
        self.needs_graph = needs_graph
        self._traced = _Traces()
        self._shapes: tuple[tf.TypeSpec, ...] | None = None  # of the first run
        self._others: list[tuple[tf.TypeSpec, ...]] = []

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return ``function(*args, **kwargs)``: tensors, or structures of tensors."""
        outputs = self._run(function, args, kwargs)
        if self._shapes is None:
            self._shapes = _shapes(_tensors((args, kwargs)))
        return outputs

    def _run(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if not tf.executing_eagerly():
            return Capture.run(self, function, *args, **kwargs)  # AutoGraph: no super()
        if not self.needs_graph:
            try:
                return Capture.run(self, function, *args, **kwargs)
            except GraphNeeded:
                self.needs_graph = True
        return self._run_traced(function, args, kwargs)

    def _run_traced(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        args, kwargs = rebuild((args, kwargs), _value)
        tensors = _tensors((args, kwargs))
        shapes = self._shapes_for(tensors)
        constants = rebuild((args, kwargs), lambda leaf: None if tf.is_tensor(leaf) else leaf)
        key = (bool(current_mode()), frozen_now(), shapes, repr(constants))
        traced = self._traced.get(key)
        if traced is None:
            traced = self._traced[key] = self._traceable(function, args, kwargs, shapes)
        outputs, losses = traced(*tensors)
        self.losses.note(losses)
        return outputs

    def _shapes_for(self, tensors: Sequence[tf.Tensor]) -> tuple[tf.TypeSpec, ...]:
        """Return the shapes and types to trace for: those of the first run if these fit."""
        first, own = self._shapes or (), _shapes(tensors)
        fit = len(first) == len(own) and all(
            one.is_compatible_with(other) for one, other in zip(first, own, strict=True)
        )
        if fit:
            return first
        if own not in self._others and len(self._others) < _N_SIZES:
            self._others.append(own)
        return own if own in self._others else tuple(map(_of_any_batch, own))

    def _traceable(
        self, function: Callable[..., Any], args: Any, kwargs: Any, shapes: tuple[tf.TypeSpec, ...]
    ) -> Any:
        """Return a ``tf.function`` of the tensors among the arguments."""
        # Not of the tensors themselves: they would live as long as the trace.
        places = rebuild((args, kwargs), lambda leaf: _HERE if tf.is_tensor(leaf) else leaf)

        def traced(*tensors: tf.Tensor) -> Any:
            values = iter(tensors)
            inputs, named = rebuild(places, lambda leaf: next(values) if leaf is _HERE else leaf)
            outputs = self.run(function, *inputs, **named)
            return outputs, self.losses.here(function)

        return tf.function(traced, input_signature=shapes)


_HERE = object()


def _value(leaf: Any) -> Any:
    return tf.convert_to_tensor(leaf) if isinstance(leaf, tf.Variable) else leaf


def _tensors(given: Any) -> list[tf.Tensor]:
    return [leaf for leaf in leaves(given) if tf.is_tensor(leaf)]


def _shapes(tensors: Sequence[tf.Tensor]) -> tuple[tf.TypeSpec, ...]:
    return tuple(map(tf.type_spec_from_value, tensors))


def _of_any_batch(spec: tf.TypeSpec) -> tf.TypeSpec:
    if not isinstance(spec, tf.TensorSpec) or not spec.shape.rank:
        return spec
    return tf.TensorSpec([None, *spec.shape[1:]], spec.dtype)
