"""What a network over placeholders offers: to scripts of 1.x, and to a session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tensorlayer.layers import tree
from tensorlayer.layers.naming import current_graph
from tensorlayer.layers.structure import rebuild
from tensorlayer.layers.tf1.drops import noting_drops
from tensorlayer.layers.tf1.graphs import graph_of, require_one_graph
from tensorlayer.sessions import explained, require_session

if TYPE_CHECKING:
    from tensorlayer.layers.graph import Network

__all__ = ["ForSessions", "apart", "making", "side"]

v1 = tf.compat.v1


@contextmanager
def making(network: Network, given: Mapping[Network, Any]) -> Iterator[None]:
    """Compute a network for the tensors of those that it is applied to.

    Raises
    ------
    InvalidArgument
        They, and the parameters of its layer, are not in one graph.
    """
    require_one_graph(network.layer, given)
    with noting_drops() as drops:
        yield
    if drops:
        vars(network)["drops"] = drops  # past __setattr__, as all that a network has
    if current_graph() is not None and network.layer.facts.shares is None:
        # The graph keeps its variables; so the layer can be shared though no network is kept.
        for parameter in tree.listing(network.layer, require_all=False):
            parameter.variable.layer = network.layer


def side(networks: Any) -> Any:
    """Return what a layer gives besides: in a graph the tensors, elsewhere the networks.

    Lists of tensors are tuples, which may be keys of a feed.
    """
    tensors = rebuild(networks, lambda leaf: getattr(leaf, "outputs", None))
    return networks if graph_of(tensors) is None else _as_tuples(tensors)


def _as_tuples(structure: Any) -> Any:
    return tuple(map(_as_tuples, structure)) if isinstance(structure, list) else structure


def apart(state: Any) -> Any:
    """Return a state that can be fed: in a graph all of its tensors are different ones.

    Examples
    --------
    >>> with tf.Graph().as_default():
    ...     zeros = tf.zeros([2])
    ...     c, h = apart([zeros, zeros])
    >>> c is h
    False
    """
    return state if current_graph() is None else rebuild(state, tf.identity)


class ForSessions:
    """What a network offers to sessions, and to scripts of 1.x."""

    #: placeholders that the layer itself made, with the values to feed
    drops: Mapping[tf.Tensor, float] = MappingProxyType({})

    @property
    def all_drop(self) -> dict[tf.Tensor, float]:
        """The placeholders of dropout below, with the probabilities of keeping to train with.

        Empty but for networks over placeholders. ``feed_dict.update(net.all_drop)`` trains,
        ``feed_dict.update(tl.utils.dict_to_one(net.all_drop))`` infers.
        """
        return {each: keep for node in self.plan for each, keep in node.drops.items()}

    def get_shape(self) -> tf.TensorShape:
        """Return the static shape of the outputs: ``all_layers`` were tensors in 1.x."""
        return self.outputs.shape

    def get_all_params(self, session: Any = None) -> list[np.ndarray]:
        """Return the values of ``all_params``.

        Parameters
        ----------
        session
            The session, for variables of a TensorFlow 1 graph; None for the default session.
        """
        variables = self.all_params
        graph = next((g for g in map(_graph_of_variable, variables) if g is not None), None)
        if graph is None:
            return [variable.numpy() for variable in variables]
        session = v1.get_default_session() if session is None else session
        require_session(session, graph, "get_all_params")
        with explained(session, "get_all_params"):
            return session.run(variables)

    def print_params(self, details: bool = False, session: Any = None) -> None:
        """Show the parameters; with ``details`` also mean, median and standard deviation.

        Parameters
        ----------
        details
            Whether to show what the values are like.
        session
            That of the values, in a TensorFlow 1 graph; None for the default session.
        """
        graph = graph_of(self.outputs)
        if session is None and details and graph is not None:
            session = v1.get_default_session()
        if session is None:
            super().print_params(details)
            return
        require_session(session, graph, "print_params")
        with session.as_default(), explained(session, "print_params"):
            super().print_params(details)

    def _as_graph_element(self) -> Any:
        """Return what a session fetches or feeds that is given the network itself."""
        return self.outputs


def _graph_of_variable(variable: Any) -> tf.Graph | None:
    graph = getattr(variable, "graph", None)
    return graph if isinstance(graph, tf.Graph) else None
