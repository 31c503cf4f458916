"""Regularization losses: what a weight decay, of TF-Slim for example, adds to what is trained on.

    loss = tl.cost.cross_entropy(model(images, is_train=True), labels)
    loss += tf.add_n(model.regularization_losses)

Code in the style of TensorFlow 1 leaves them in the collection ``REGULARIZATION_LOSSES`` of its
graph: those of ``get_variable(regularizer=)``, of a ``slim.arg_scope``, of TFLearn, and what it
puts there itself. They belong to an evaluation, as the outputs do: each computes them again, and
what is applied twice has those of the last time. What is in other collections, such as ``LOSSES``,
where ``tf.compat.v1.losses`` puts all that it computes, is no regularization: a function has to
return it. Eagerly TensorFlow's ``add_loss`` does nothing, so a function that puts losses there is
traced, unless its very first run was eager and nothing else in it needs a graph.

Keras layers that a layer is given, or that its function refers to by a name, tell theirs in their
attribute ``losses``. Those that a function makes anew in each run tell nobody: give
[`tensorlayer.layers.KerasLayer`][] a ``tf.keras.Sequential`` of them.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import tree

__all__ = ["LastLosses", "collected", "regularization_losses"]

v1 = tf.compat.v1


class LastLosses:
    """The losses of the last evaluation in each place: eagerly, and in each graph.

    Replicas of a strategy run in threads; each thread has its own.

    Examples
    --------
    >>> losses = LastLosses()
    >>> losses.note([tf.constant(2.0)])
    >>> [loss.numpy().item() for loss in losses.here("me")]
    [2.0]
    """

    def __init__(self) -> None:
        self._here = _Here()
        self._exist: bool | None = None  # whether an evaluation gave any; None before the first

    def note(self, losses: Sequence[tf.Tensor]) -> None:
        """Keep the losses of an evaluation that was made here."""
        self._exist = bool(losses or self._exist)
        if tf.executing_eagerly():
            self._here.eager = list(losses)
            return
        graph = v1.get_default_graph()
        # A graph of TensorFlow 1 has those of a variable once, from the run that made it.
        before = [] if graph.building_function else self._here.names.get(graph, [])
        self._here.names[graph] = [*before, *(loss.name for loss in losses)]

    def here(self, owner: Any, require: bool = True) -> list[tf.Tensor]:
        """Return the losses of the last evaluation of ``owner`` here.

        Raises
        ------
        InvalidArgument
            There was none here, and ``require``.
        """
        graph = None if tf.executing_eagerly() else v1.get_default_graph()
        if graph is None and self._here.eager is not None:
            return list(self._here.eager)
        if graph is not None and graph in self._here.names:
            return [graph.get_tensor_by_name(name) for name in self._here.names[graph]]
        if self._exist is False or not require:
            return []
        raise _not_here(owner)

    def __deepcopy__(self, memo: dict[int, Any]) -> LastLosses:
        """Return those of a copy, which has not been evaluated."""
        return LastLosses()


class _Here(threading.local):
    """What a thread has evaluated."""

    def __init__(self) -> None:
        self.eager: list[tf.Tensor] | None = None
        # By their names: the tensors would keep the graph.
        self.names: weakref.WeakKeyDictionary[tf.Graph, list[str]] = weakref.WeakKeyDictionary()


@contextmanager
def collected() -> Iterator[list[tf.Tensor]]:
    """Give a list that has, after the block, the losses that the block left in their collection.

    Eagerly there is no graph that would go with what is in its collections, so the block leaves
    nothing in any of them.

    Examples
    --------
    >>> with collected() as losses:
    ...     v1.add_to_collection("regularization_losses", tf.constant(1.0))
    >>> len(losses), v1.get_collection("regularization_losses")
    (1, [])
    """
    found: list[tf.Tensor] = []
    before = _collections() if tf.executing_eagerly() else None
    n_before = len(_losses())
    try:
        with _made_here() as is_made_here:
            yield found
            losses = list(map(_tensor, _losses()[n_before:]))
        found += filter(is_made_here, losses)
    finally:
        if before is not None:
            _restore(before)


def _tensor(loss: Any) -> tf.Tensor:
    """Return a loss as a tensor of this graph, if there is one."""
    loss = tf.convert_to_tensor(loss)
    return loss if tf.executing_eagerly() or tf.is_symbolic_tensor(loss) else tf.identity(loss)


def _losses() -> list[Any]:
    return v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)


def _collections() -> dict[str, list[Any]]:
    """Return the collections outside of all graphs: hardly ever are there any."""
    graph = v1.get_default_graph()
    return {key: graph.get_collection(key) for key in graph.get_all_collection_keys()}


def _restore(before: dict[str, list[Any]]) -> None:
    graph = v1.get_default_graph()
    for key in graph.get_all_collection_keys():
        graph.get_collection_ref(key)[:] = before.get(key, [])


@contextmanager
def _made_here() -> Iterator[Callable[[tf.Tensor], bool]]:
    """Give a function that tells whether a tensor was made in the block, by this thread.

    Replicas of a strategy run in threads that take turns, and have one graph with one collection.
    """
    is_alone = tf.distribute.in_cross_replica_context()
    if is_alone or tf.executing_eagerly() or tf.distribute.get_strategy().num_replicas_in_sync == 1:
        yield lambda tensor: True
        return
    names: set[str] = set()

    def note(operation: tf.Operation) -> str:  # one of the functions that choose its device
        names.add(operation.name)
        return operation.device

    with v1.device(note):
        yield lambda tensor: tensor.op.name in names


def _keras_losses(value: Any, owner: Any, require: bool = True) -> list[tf.Tensor]:
    """Return the losses of a Keras layer in ``owner``: a variable has none.

    Keras keeps those of activities from its last call, wherever that was.

    Raises
    ------
    InvalidArgument
        Some are of a call elsewhere, and ``require``.
    """
    losses = getattr(value, "losses", [])
    here = [each for each in losses if not tf.is_tensor(each) or _is_here(each)]
    if require and len(here) < len(losses):
        raise _not_here(owner)
    return [tf.convert_to_tensor(each) for each in here]


def _is_here(loss: tf.Tensor) -> bool:
    """Whether a tensor is one of this graph or, eagerly, of none."""
    if tf.executing_eagerly():
        return not tf.is_symbolic_tensor(loss)
    return tf.is_symbolic_tensor(loss) and loss.graph is v1.get_default_graph()


def _not_here(owner: Any) -> InvalidArgument:
    where = "eagerly in this thread" if tf.executing_eagerly() else "in this tf.function or graph"
    return InvalidArgument(
        f"{owner!r}: its regularization losses are those of an evaluation, and it was not "
        f"evaluated {where}. Evaluate it, or the model that it is in, before; or ask only for "
        "those of the layers that were. A forward that is a tf.function has them within itself: "
        "return what you need of them, or leave out that tf.function."
    )


def regularization_losses(owner: Any, require_all: bool = True) -> list[tf.Tensor]:
    """Return the losses of what is below ``owner``, each once.

    Raises
    ------
    InvalidArgument
        Something in it was not evaluated here, and ``require_all``.
    """
    found: list[tf.Tensor] = []
    of_keras: dict[int, Any] = {}
    for part in tree.everything(owner):
        used = [part]
        if isinstance(part, tree.Owner):  # by its class: somebody's may have such attributes
            found += type(part).own_losses(part, require_all)
            used = type(part).refers_to(part)
        of_keras.update({id(each): each for each in used if tree.is_keras(each)})
    for each in _outermost(list(of_keras.values())):
        found += _keras_losses(each, owner, require_all)
    # Of a graph the same tensor may come as two objects; what is eager has no name.
    return list({getattr(loss, "name", id(loss)): loss for loss in found}.values())


def _outermost(of_keras: Sequence[Any]) -> Iterator[Any]:
    """Yield layers of Keras without those whose variables are all in another one, which tells."""
    weights = [frozenset(map(id, getattr(each, "weights", ()))) for each in of_keras]
    # Of two with the same variables one may hold the other; a variable holds nothing.
    rank = [(hasattr(each, "layers"), -place) for place, each in enumerate(of_keras)]
    for place, own in enumerate(weights):
        others = (i for i, other in enumerate(weights) if own and own <= other and i != place)
        if not any(own < weights[i] or rank[i] > rank[place] for i in others):
            yield of_keras[place]
