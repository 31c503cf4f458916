"""Variables of a TensorFlow 1 graph, which only its session can reach, like all others."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tensorlayer.errors import StructureMismatch
from tensorlayer.sessions import explained, is_session, require_session

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from tensorlayer.models.stored import Stored

__all__ = [
    "assign_by_name",
    "assign_to_graph",
    "lives_in",
    "under_our_names",
    "values_in",
    "variables_of",
]

_log = logging.getLogger(__name__)


def assign_by_name(
    parameters: Mapping[str, tf.Variable],
    arrays: Mapping[str, np.ndarray | Stored],
    sess: Any,
    skip: bool = False,
) -> None:
    """Do what ``tensorlayer.models.weights.assign`` does, also for variables of a session."""
    import tensorflow as tf

    from tensorlayer.models import weights

    sess = _its_session(sess, list(parameters.values()), "assigning weights")
    if not lives_in(sess, list(parameters.values())):
        weights.assign(parameters, arrays, skip)
        return
    with tf.Graph().as_default():  # what is planned while assigning is no part of the program's
        held = {name: _InSession(variable, sess) for name, variable in parameters.items()}
        weights.assign(held, arrays, skip)


def lives_in(sess: Any, variables: Sequence[Any]) -> bool:
    """Tell whether these are variables of the session's graph, which only it can reach."""
    graph = getattr(sess, "graph", None)
    return graph is not None and any(getattr(each, "graph", None) is graph for each in variables)


def values_in(sess: Any, variables: Sequence[Any], who: str) -> list[Any] | None:
    """Return the values of variables in a session; None if they need none.

    Raises
    ------
    InvalidArgument
        They are in a graph, and ``sess`` is no session of it; or they have no value yet.
    """
    sess = _its_session(sess, variables, who)
    if not lives_in(sess, variables):
        return None
    with explained(sess, who):
        return list(sess.run(list(variables)))


def assign_to_graph(path: Any, sess: Any) -> None:
    """Give the variables of a session's graph the arrays of their names in an archive.

    Variables that the archive has not stay as they are; of arrays without a variable it warns.

    Raises
    ------
    StructureMismatch
        There is none in common, or shapes differ; nothing was assigned.
    """
    from tensorlayer.models.stored import by_name, opened

    variables = variables_of(sess)
    with opened(path, "npz_dict") as pairs:
        stored = under_our_names(variables, by_name(pairs))
        common = [name for name in stored if name in variables]
        if not common:
            raise StructureMismatch(
                f"{str(path)!r} holds none of the variables of the graph; it has "
                f"{', '.join(stored)}. Build the network first, under the same names."
            )
        assign_by_name({n: variables[n] for n in common}, {n: stored[n] for n in common}, sess)
    if rest := [name for name in stored if name not in variables]:
        _log.warning("%s: the graph has no variables %s", path, ", ".join(rest))


def under_our_names(names: Iterable[str], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored under these names, layer by layer, where 1.x called it otherwise.

    Examples
    --------
    >>> under_our_names(["d1/weights", "d1/biases"], {"d1/W": 1, "d1/b": 2, "step": 3})
    {'d1/weights': 1, 'd1/biases': 2, 'step': 3}
    """
    from tensorlayer.models import synonyms

    ours, theirs = _by_layer(dict.fromkeys(names)), _by_layer(stored)
    found: dict[str, Any] = {}
    for layer, arrays in theirs.items():
        wanted = ours.get(layer, {})
        is_ours = arrays.keys() <= wanted.keys()
        found.update(arrays if is_ours else synonyms.renamed(wanted, arrays) or arrays)
    return found


def _by_layer(named: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    layers: dict[str, dict[str, Any]] = {}
    for name, value in named.items():
        layers.setdefault(name.rpartition("/")[0], {})[name] = value
    return layers


def variables_of(sess: Any) -> dict[str, tf.Variable]:
    """Return all variables of a session's graph, by name."""
    import tensorflow as tf

    if not is_session(sess):
        return {}
    with sess.graph.as_default():
        found: Iterable[tf.Variable] = tf.compat.v1.global_variables()
    return {variable.name.removesuffix(":0"): variable for variable in found}


def _its_session(sess: Any, variables: Sequence[Any], who: str) -> Any:
    """Return the session of variables that are in a graph: the one given, else the default one."""
    import tensorflow as tf

    graphs = (getattr(each, "graph", None) for each in variables if hasattr(each, "assign"))
    graph = next((each for each in graphs if isinstance(each, tf.Graph)), None)
    if graph is None or graph.building_function:
        return sess
    sess = tf.compat.v1.get_default_session() if sess is None else sess
    require_session(sess, graph, who)
    return sess


class _InSession:
    """A variable of a TensorFlow 1 graph that takes a value as one of TensorFlow 2 does."""

    def __init__(self, variable: tf.Variable, sess: Any) -> None:
        self.shape, self.dtype = tuple(variable.shape.as_list()), variable.dtype.base_dtype
        self._variable, self._sess = variable, sess

    def assign(self, value: tf.Tensor) -> None:
        import tensorflow as tf

        # Feeding the initial value adds no operation to the graph, however often this is called.
        start = self._variable.initializer.inputs[1]
        self._sess.run(self._variable.initializer, {start: tf.get_static_value(value)})
