"""Dropout in a graph of TensorFlow 1: its probabilities are placeholders, which are fed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import tensorflow as tf

from tensorlayer.layers.naming import current_graph
from tensorlayer.layers.setting import setting
from tensorlayer.layers.tf1.graphs import graph_of

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer
    from tensorlayer.layers.graph import Network

__all__ = ["declared_mode", "fed_keep", "is_made_in_graph", "note_drops", "noting_drops"]

v1 = tf.compat.v1

#: The placeholders that a network gets while it is made, with the values to feed.
_DROPS: ContextVar[dict[tf.Tensor, float] | None] = ContextVar("tensorlayer_drops", default=None)


@contextmanager
def noting_drops() -> Iterator[dict[tf.Tensor, float]]:
    """Give a dictionary in which placeholders for dropout are noted that are made in the block."""
    drops: dict[tf.Tensor, float] = {}
    with setting(_DROPS, drops):
        yield drops
    note_drops(drops)  # a network made by a layer is a part of what that layer is applied to


def note_drops(drops: Mapping[tf.Tensor, float]) -> None:
    """Note placeholders that somebody made, if a network is being made."""
    around = _DROPS.get()
    if around is not None:
        around.update(drops)


def is_made_in_graph() -> bool:
    """Whether a network is being made over placeholders, so that what is left open can be fed.

    Examples
    --------
    >>> is_made_in_graph()
    False
    >>> with tf.Graph().as_default(), noting_drops():
    ...     is_made_in_graph()
    True
    """
    return _DROPS.get() is not None and current_graph() is not None


def fed_keep(keep: float, dtype: tf.DType) -> float | tf.Tensor:
    """Return a probability of keeping: where a network is made over placeholders, one to be fed.

    It is a placeholder without a default, as in 1.x: who forgets it gets an error, and not another
    mode than the one that was meant.

    Examples
    --------
    >>> fed_keep(0.5, tf.float32)
    0.5
    >>> with tf.Graph().as_default(), noting_drops() as drops:
    ...     fed_keep(0.5, tf.float32).op.type
    'Placeholder'
    >>> list(drops.values())
    [0.5]
    """
    drops = _DROPS.get()
    if drops is None or not is_made_in_graph():
        return keep
    placeholder = v1.placeholder(tf.float32, [], name="keep")
    drops[placeholder] = keep
    return tf.cast(placeholder, dtype)


def declared_mode(layer: Layer, is_train: bool | None, networks: Sequence[Network]) -> bool | None:
    """Return the mode that is declared with a network: of the call, else of the layer.

    In a graph a layer that drops does so though nobody said that it trains, as in 1.x.
    """
    is_train = layer.facts.is_train if is_train is None else is_train
    if is_train is not None or not getattr(type(layer), "drops_in_graphs", False):
        return is_train
    return None if graph_of([each.outputs for each in networks]) is None else True
