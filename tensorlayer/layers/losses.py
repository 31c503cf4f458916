"""Regularization losses: what a weight decay, of TF-Slim for example, adds to what is trained on.

    loss = tl.cost.cross_entropy(model(images, is_train=True), labels)
    loss += tf.add_n(model.regularization_losses)

Code in the style of TensorFlow 1 leaves them in the collection ``REGULARIZATION_LOSSES`` of its
graph: those of ``get_variable(regularizer=)``, of a ``slim.arg_scope``, of TFLearn, and what it
puts there itself, where there is a graph. They belong to an evaluation, as the outputs do: each
computes them again. Keras layers that a layer is given tell theirs in their attribute ``losses``;
of those that a function makes or holds nobody else knows.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
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
        where = "eagerly in this thread" if graph is None else "in this tf.function or graph"
        raise InvalidArgument(
            f"{owner!r}: its regularization losses are those of an evaluation, and it was not "
            f"evaluated {where}. Evaluate it, or the model that it is in, before; or ask only for "
            "those of the layers that were."
        )

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
    """Give a list that has, after the block, the losses that the block left in the graph.

    Examples
    --------
    >>> with tf.Graph().as_default(), collected() as losses:
    ...     v1.add_to_collection("regularization_losses", tf.constant(1.0))
    >>> len(losses)
    1
    """
    found: list[tf.Tensor] = []
    if tf.executing_eagerly():  # where collections are the program's
        yield found
        return
    before = {id(each) for each in _collection()}
    yield found
    device = _replica_device()
    for each in _collection():
        loss = tf.convert_to_tensor(each)
        if id(each) not in before and device in (None, loss.device):
            found.append(loss)


def _collection() -> list[Any]:
    return v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)


def _replica_device() -> str | None:
    """Return the device of this replica if others put losses into the same collection."""
    if tf.distribute.in_cross_replica_context():
        return None
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return None
    return tf.constant(0.0).device


def regularization_losses(owner: Any, require_all: bool = True) -> list[tf.Tensor]:
    """Return the losses of what is below ``owner``, each once.

    Raises
    ------
    InvalidArgument
        Something in it was not evaluated here, and ``require_all``.
    """
    found: dict[Any, tf.Tensor] = {}
    for part in tree.everything(owner):
        own: list[tf.Tensor] = []
        if isinstance(part, tree.Owner):
            own = part.own_losses(require_all)
        elif tree.is_keras(part):
            own = getattr(part, "losses", [])  # a variable has none
        # Of a graph the same tensor may come as two objects; what is eager has no name.
        found.update((getattr(loss, "name", id(loss)), loss) for loss in own)
    return list(found.values())
