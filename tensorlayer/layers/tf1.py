"""Networks in a graph of TensorFlow 1, as TensorLayer 1.x had them.

Over a placeholder a network is made once, of operations, and a session runs it as often as one
likes. So what an evaluation says elsewhere is said when the network is made, or fed:

- the probabilities of keeping of dropout are placeholders, ``net.all_drop``;
- what was only told by ``dropout=`` of a recurrent layer drops, unless ``is_train=False``;
- in ``variable_scope(..., reuse=True)`` *variables* are shared, so that the second network may be
  of another number of steps, or another activation;
- what a layer gives besides, such as ``net.final_state``, are tensors, to be fetched and fed.

None of it is done elsewhere: eagerly, in a ``tf.function`` and over declared inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, NameMismatch
from tensorlayer.layers import tree
from tensorlayer.layers.naming import current_graph
from tensorlayer.layers.setting import setting
from tensorlayer.layers.structure import leaves, rebuild
from tensorlayer.sessions import explained, require_session

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer
    from tensorlayer.layers.graph import Network

__all__ = [
    "InGraph",
    "apart",
    "declared_mode",
    "fed_keep",
    "graph_of",
    "making",
    "note_drops",
    "noting_drops",
    "plain_sizes",
    "shared_variable",
    "sharing",
    "side",
]

v1 = tf.compat.v1

#: The placeholders that a network gets while it is made, with the values to feed.
_DROPS: ContextVar[dict[tf.Tensor, float] | None] = ContextVar("tensorlayer_drops", default=None)
#: What a layer shares that is made anew under reuse: variables by name, and the error without them.
_SHARED: ContextVar[tuple[Mapping[str, tf.Variable], NameMismatch] | None] = ContextVar(
    "tensorlayer_shared", default=None
)


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


def _require_one_graph(layer: Layer, given: Mapping[Network, Any]) -> None:
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


# -- dropout


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
    if drops is None or current_graph() is None:
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


@contextmanager
def making(network: Network, given: Mapping[Network, Any]) -> Iterator[None]:
    """Compute a network for the tensors of those that it is applied to.

    Raises
    ------
    InvalidArgument
        They, and the parameters of its layer, are not in one graph.
    """
    _require_one_graph(network.layer, given)
    with noting_drops() as drops:
        yield
    if drops:
        vars(network)["drops"] = drops  # past __setattr__, as all that a network has
    if current_graph() is not None and network.layer.facts.shares is None:
        # The graph keeps its variables; so the layer can be shared though no network is kept.
        for parameter in tree.listing(network.layer, require_all=False):
            parameter.variable.layer = network.layer


# -- networks


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


class InGraph:
    """What a network offers to scripts of 1.x."""

    #: placeholders that the layer itself made, with the values to feed
    drops: Mapping[tf.Tensor, float] = MappingProxyType({})

    @property
    def all_drop(self) -> dict[tf.Tensor, float]:
        """The placeholders of dropout below, with the probabilities of keeping to train with.

        Empty but for networks over placeholders. ``feed_dict.update(net.all_drop)`` trains,
        ``feed_dict.update(tl.utils.dict_to_one(net.all_drop))`` infers.
        """
        return {each: keep for node in self.plan for each, keep in node.drops.items()}

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


# -- reuse


@contextmanager
def sharing(layer: Layer) -> Iterator[None]:
    """Let what is built within the block use the variables that the layer is to share, if any."""
    if layer.facts.shares is None:
        yield
        return
    other, mismatch = layer.facts.shares
    variables = {
        f"{each.facts.label or each.name}/{name}": variable
        for _, each in tree.owners(other)
        for name, variable in getattr(each, "_own_weights", {}).items()
    }
    with setting(_SHARED, (variables, mismatch)):
        yield


def shared_variable(name: str, shape: Sequence[int]) -> tf.Variable | None:
    """Return the variable that a layer shares under this name; None if it is to make one.

    Raises
    ------
    NameMismatch
        The layer whose variables are shared has none of this name and shape.
    """
    shared = _SHARED.get()
    if shared is None:
        return None
    variables, mismatch = shared
    if name not in variables or variables[name].shape.as_list() != list(shape):
        raise mismatch
    return variables[name]


# -- sizes


def plain_sizes(owner: Any = None) -> AbstractContextManager[object]:
    """Read sizes of shapes as numbers within the block, also after ``disable_v2_behavior()``.

    There a size is an object of a class of its own, which 1.x was written for and this library is
    not. It is one switch for the process: a script that builds graphs in several threads after
    ``disable_v2_behavior()`` has to build them one after the other.

    Parameters
    ----------
    owner
        The layer or model that computes. The functions and constructors that our layers hold for
        scripts, such as a `Lambda`, get what the script chose.
    """
    if tf.executing_eagerly() or isinstance(tf.TensorShape([1])[0], int):
        return nullcontext()
    is_holder = type(owner).__module__.startswith("tensorlayer.layers.")
    return nullcontext() if is_holder and type(owner).needs_autograph else _switched()


@contextmanager
def _switched() -> Iterator[None]:
    v1.enable_v2_tensorshape()
    try:
        yield
    finally:
        v1.disable_v2_tensorshape()
