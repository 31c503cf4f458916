"""Functions that find layers and variables by name, and join networks.

In TensorFlow 1 variables were found in the graph; here they belong to a network, so the functions
that look for variables take one as ``net``. Without it they look in the TensorFlow 1 graph that is
being built.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import compat, summary
from tensorlayer.layers.arguments import same
from tensorlayer.layers.graph import Network
from tensorlayer.layers.parameters import HasParameters
from tensorlayer.layers.shape import Part
from tensorlayer.sessions import is_session

__all__ = [
    "get_collection_trainable",
    "get_layers_with_name",
    "get_variables_with_name",
    "initialize_global_variables",
    "list_remove_repeat",
    "merge_networks",
    "print_all_variables",
]

logger = logging.getLogger(__name__)


def get_layers_with_name(net: Any, name: str = "", verbose: bool = False) -> list[Any]:
    """Return the layers whose name contains a text.

    Parameters
    ----------
    net
        A network or a model.
    name
        The text; the empty one is in every name.
    verbose
        Whether they are logged.

    Returns
    -------
    list
        Of a network, the networks of these layers, in order of computation, with ``.outputs``; of a
        model, the layers.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 784])
    >>> for number in (1, 2):
    ...     net = tl.layers.Dense(net, n_units=10 * number, name=f"dense{number}")
    ...     net = tl.layers.Dropout(net, keep=0.5, name=f"drop{number}")
    >>> [each.outputs.shape.as_list() for each in get_layers_with_name(net, "dense")]
    [[None, 10], [None, 20]]
    """
    names = net.layer_names if isinstance(net, Network) else {}
    named = [
        (names.get(getattr(each, "layer", None)) or each.name, each) for each in net.all_layers
    ]
    found = [(full_name, each) for full_name, each in named if name in full_name]
    if verbose:
        for full_name, each in found:
            logger.info("layer %s: %r", full_name, each)
    return [each for _, each in found]


def get_variables_with_name(
    name: str | None = None,
    train_only: bool = True,
    verbose: bool = False,
    net: HasParameters | None = None,
) -> list[tf.Variable]:
    """Return the variables whose name contains a text.

    Parameters
    ----------
    name
        The text, such as the scope ``"discriminator"``.
    train_only
        Whether only those that training changes.
    verbose
        Whether they are logged.
    net
        The network, model or layer that has them; None for the TensorFlow 1 graph.

    Returns
    -------
    list of tf.Variable

    Raises
    ------
    InvalidArgument
        There is no ``name``, or neither ``net`` nor a TensorFlow 1 graph.

    Notes
    -----
    What TensorLayer 1.x called ``W`` and ``b`` is ``weights``, ``filters`` and ``biases`` here; of
    a graph, ``"relu/W"`` finds them as well. If there is none, a warning lists the names.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Dense(tl.layers.Input([None, 8]), n_units=4, name="encoder")
    >>> net = tl.layers.Dense(net, n_units=8, name="decoder")
    >>> [each.name for each in get_variables_with_name("encoder", net=net)]
    ['encoder/weights:0', 'encoder/biases:0']
    """
    if name is None:
        raise InvalidArgument(
            "get_variables_with_name: give a text that is in the names, got None."
        )
    named = _variables(net, train_only, "get_variables_with_name")
    found = {full_name: each for full_name, each in named.items() if name in full_name}
    if not found and net is None:  # a script of 1.x may use its names
        texts = compat.parameters_today(name)
        found = {n: each for n, each in named.items() if any(text in n for text in texts)}
    if not found:
        logger.warning("get_variables_with_name: %r is in none of the names %s", name, list(named))
    if verbose:
        for full_name, each in found.items():
            logger.info("variable %s of shape %s", full_name, each.shape)
    return list(found.values())


def get_collection_trainable(name: str = "", net: HasParameters | None = None) -> list[tf.Variable]:
    """Return the variables of one layer that training changes.

    Parameters
    ----------
    name
        The full name of the layer.
    net
        The network, model or layer that has them; None for the TensorFlow 1 graph.

    Returns
    -------
    list of tf.Variable

    Raises
    ------
    InvalidArgument
        There is neither ``net`` nor a TensorFlow 1 graph.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Dense(tl.layers.Input([None, 8]), n_units=4, name="encoder")
    >>> [each.shape.as_list() for each in get_collection_trainable("encoder", net=net)]
    [[8, 4], [4]]
    """
    named = _variables(net, True, "get_collection_trainable")
    return [each for full_name, each in named.items() if full_name.rpartition("/")[0] == name]


def print_all_variables(train_only: bool = False, net: HasParameters | None = None) -> None:
    """Show names, shapes and types of variables.

    Parameters
    ----------
    train_only
        Whether only those that training changes.
    net
        The network, model or layer that has them; None for the TensorFlow 1 graph.

    Raises
    ------
    InvalidArgument
        There is neither ``net`` nor a TensorFlow 1 graph.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> print_all_variables(net=tl.layers.Dense(in_channels=8, n_units=4, b_init=None))
    ┏━━━━━━━━━━━━━━━━━━━━━━━━┓
    ┃ variable               ┃
    ┡━━━━━━━━━━━━━━━━━━━━━━━━┩
    │ weights (8, 4) float32 │
    └────────────────────────┘
    """
    named = _variables(net, train_only, "print_all_variables")
    rows = [f"{n} {tuple(v.shape.as_list())} {tf.as_dtype(v.dtype).name}" for n, v in named.items()]
    summary.show(summary.text_table("variable", rows))


def _variables(net: HasParameters | None, train_only: bool, who: str) -> dict[str, tf.Variable]:
    """Return the variables by name: of a network, or of the TensorFlow 1 graph."""
    if net is not None:
        trained = {id(each) for each in net.trainable_weights}
        every = net.parameters.items()
        return {name: each for name, each in every if not train_only or id(each) in trained}
    if tf.executing_eagerly():
        raise InvalidArgument(
            f"{who}: eagerly variables belong to networks. Give net=, a network, model or layer."
        )
    v1 = tf.compat.v1
    found = v1.trainable_variables() if train_only else v1.global_variables()
    return {variable.name.partition(":")[0]: variable for variable in found}


def list_remove_repeat(x: Sequence[Any]) -> list[Any]:
    """Return the items without those that occurred before; tensors and variables by identity.

    Parameters
    ----------
    x
        The items.

    Returns
    -------
    list

    Examples
    --------
    >>> list_remove_repeat([2, 3, 2, 1, 3])
    [2, 3, 1]
    """
    kept: list[Any] = []
    for item in x:
        if not any(same(item, each) for each in kept):
            kept.append(item)
    return kept


def merge_networks(layers: Sequence[Network] | None = None) -> Network:
    """Return a network with the outputs of the first one, and the layers of all.

    Parameters
    ----------
    layers
        The networks.

    Returns
    -------
    Network
        It lists, saves and counts the layers and parameters of all of them.

    Raises
    ------
    InvalidArgument
        It is not a list of networks.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 8])
    >>> one, other = (tl.layers.Dense(x, n_units=n, name=f"d{n}") for n in (4, 2))
    >>> merged = merge_networks([one, other])
    >>> merged.outputs.shape, merged.count_params()
    (TensorShape([None, 4]), 54)
    """
    if not layers or not all(isinstance(each, Network) for each in layers):
        raise InvalidArgument(f"merge_networks: layers is a list of networks, got {layers!r}.")
    return Part(list(layers), index=0)


def initialize_global_variables(sess: Any) -> None:
    """Give the variables of a graph their initial values.

    Parameters
    ----------
    sess
        A session of TensorFlow 1. Without one there is nothing to do: variables outside of graphs
        have their values from the beginning.

    Raises
    ------
    InvalidArgument
        It is something else.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> v1 = tf.compat.v1
    >>> with tf.Graph().as_default(), v1.Session() as sess:
    ...     net = tl.layers.Dense(tl.layers.InputLayer(tf.ones([1, 2])), 3, b_init=1.0)
    ...     initialize_global_variables(sess)
    ...     net.all_params[1].eval().tolist()
    [1.0, 1.0, 1.0]
    """
    if sess is not None:
        if not is_session(sess):
            raise InvalidArgument(
                "initialize_global_variables: it takes a session, such as tf.compat.v1.Session(), "
                f"got {sess!r}."
            )
        with sess.graph.as_default():
            sess.run(tf.compat.v1.global_variables_initializer())
