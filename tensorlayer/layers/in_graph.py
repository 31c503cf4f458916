"""Code that was written for the graphs of TensorFlow 1, also where a network is computed eagerly.

Such code looks up its variables by name, with ``tf.compat.v1.get_variable``, and leaves updates and
end points in collections of the graph: eagerly there is no graph that they could be in. So it is
traced, once for each mode and shape, with the variables that its first run has made. Within a
``tf.function``, and above [`tensorlayer.layers.Input`][], it is a part of the trace around it.

What Python does besides, such as appending to a list, happens once for each trace. A function whose
very first run is eager, and that no library for graphs made, is run up to where it asks for a
variable, and then once more: variables, their names and collections are as if it had not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tensorlayer.layers.capture import Capture
from tensorlayer.layers.get_variable import GraphNeeded
from tensorlayer.layers.mode import current_mode
from tensorlayer.layers.parameters import frozen_now
from tensorlayer.layers.structure import leaves, rebuild

__all__ = ["InGraph"]


class _Traces(dict):
    """Traced functions; what is copied traces its own."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Traces:
        return _Traces()


class InGraph:
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
        self.needs_graph = needs_graph
        self._capture = Capture(allows_eager=False)
        self._traced = _Traces()
        self._has_run = False

    @property
    def variables(self) -> list[tf.Variable]:
        """Those that the function made, in order."""
        return self._capture.variables

    def named(self, *prefixes: str) -> dict[str, tf.Variable]:
        """Return them by name; see [`tensorlayer.layers.capture.Capture.named`][]."""
        return self._capture.named(*prefixes)

    def short(self) -> dict[str, tf.Variable]:
        """Return them by short names; see [`tensorlayer.layers.capture.Capture.short`][]."""
        return self._capture.short()

    def losses(self, owner: Any, require: bool = True) -> list[tf.Tensor]:
        """Return those of the last run here; see [`tensorlayer.layers.losses`][]."""
        return self._capture.losses.here(owner, require)

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return ``function(*args, **kwargs)``: tensors, or structures of tensors."""
        if not tf.executing_eagerly():
            outputs = self._capture.run(function, *args, **kwargs)
            self.needs_graph = self.needs_graph or self._capture.asks_by_name
            return outputs
        if not self.needs_graph:
            before = {} if self._has_run else _collections()
            try:
                outputs = self._capture.run(function, *args, **kwargs)
                self._has_run = True
                return outputs
            except GraphNeeded:
                self.needs_graph = True
                if not self._has_run:
                    _restore(before)  # every graph would begin with what was put there
        return self._run_traced(function, args, kwargs)

    def _run_traced(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        tensors = [leaf for leaf in leaves((args, kwargs)) if tf.is_tensor(leaf)]
        constants = rebuild((args, kwargs), lambda leaf: None if tf.is_tensor(leaf) else leaf)
        key = (bool(current_mode()), frozen_now(), repr(constants))
        if key not in self._traced:
            self._traced[key] = self._traceable(function, args, kwargs)
        outputs, losses = self._traced[key](*tensors)
        self._capture.losses.note(losses)
        return outputs

    def _traceable(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Return a ``tf.function`` of the tensors among the arguments."""
        # Not of the tensors themselves: they would live as long as the trace.
        places = rebuild((args, kwargs), lambda leaf: _HERE if tf.is_tensor(leaf) else leaf)

        def traced(*tensors: tf.Tensor) -> Any:
            values = iter(tensors)
            inputs, named = rebuild(places, lambda leaf: next(values) if leaf is _HERE else leaf)
            outputs = self._capture.run(function, *inputs, **named)
            return outputs, self.losses(function)

        return tf.function(traced, reduce_retracing=True)


_HERE = object()


def _collections() -> dict[str, list[Any]]:
    """Return the collections outside of all graphs: hardly ever are there any."""
    graph = tf.compat.v1.get_default_graph()
    return {key: graph.get_collection(key) for key in graph.get_all_collection_keys()}


def _restore(before: dict[str, list[Any]]) -> None:
    graph = tf.compat.v1.get_default_graph()
    for key in graph.get_all_collection_keys():
        graph.get_collection_ref(key)[:] = before.get(key, [])
