"""Which graph of TensorFlow 1 something is in; a network is in one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import tree
from tensorlayer.layers.structure import leaves

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer
    from tensorlayer.layers.graph import Network

__all__ = ["graph_of", "require_one_graph"]

v1 = tf.compat.v1


def graph_of(outputs: Any) -> tf.Graph | None:
    """Return the TensorFlow 1 graph of the first tensor of one, or None.

    Examples
    --------
    >>> with tf.Graph().as_default() as graph:
    ...     x = tf.zeros([2])
    >>> graph_of([x]) is graph, graph_of(tf.zeros([2]))
    (True, None)
    """
    for leaf in leaves(outputs):
        graph = getattr(leaf, "graph", None)
        if isinstance(graph, tf.Graph) and not graph.building_function:
            return graph
    return None


def require_one_graph(layer: Layer, given: Mapping[Network, Any]) -> None:
    """Raise InvalidArgument unless what a layer is applied to, and its parameters, are together.

    Parameters
    ----------
    layer
        The layer.
    given
        The networks that it is applied to, with their outputs.
    """
    graphs = {graph_of(outputs): network for network, outputs in given.items()}
    graphs.pop(None, None)
    if len(graphs) > 1:
        one, other, *_ = graphs.values()
        raise InvalidArgument(
            f"{layer!r}: it joins {one!r} and {other!r}, which are in two graphs of TensorFlow 1. "
            "Make all parts of a network within one `with graph.as_default():`."
        )
    for graph, network in graphs.items():
        default = v1.get_default_graph()
        if tf.executing_eagerly() or (default is not graph and not default.building_function):
            raise InvalidArgument(
                f"{layer!r}: {network!r} is in a graph of TensorFlow 1 that is not the default one "
                "here. Go on within `with net.outputs.graph.as_default():`."
            )
        for parameter in tree.listing(layer, require_all=False):
            if getattr(parameter.variable, "graph", None) is not graph:
                raise InvalidArgument(
                    f"{layer!r}: its variable {parameter.variable.name!r} is not in the graph of "
                    f"{network!r}. Make another layer within that graph."
                )
