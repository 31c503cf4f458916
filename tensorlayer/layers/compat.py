"""TensorLayer 1.x: the arguments that only it had, and the names that it used.

Everything that is translated is in the tables here; layers know nothing of it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, UnknownArgument
from tensorlayer.layers import arguments, graph

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer

__all__ = ["set_name_reuse", "take_facts", "take_previous"]

logger = logging.getLogger(__name__)

# Accepted for old scripts. They had no effect in 1.11 either, or say what is always so today.
WITHOUT_EFFECT = frozenset(
    {"W_init_args", "b_init_args", "E_init_args", "a_init_args", "use_cudnn_on_gpu", "is_fix"}
)
# The ways in which 1.x spelled the network that a layer is applied to.
PREVIOUS = ("prev_layer", "layer")
# What every layer can be told, whether its constructor names it or not.
FACTS = ("is_train", "trainable", "dtype")


def take_previous(
    cls: type[Layer], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, tuple[Any, ...]]:
    """Return the network that a layer is stacked on, if any, and the other arguments by position.

    Raises
    ------
    UnknownArgument
        The network is given twice.
    InvalidArgument
        There is a tensor where a network should be.
    """
    # A layer around another one may well have an argument ``layer`` of its own.
    spelled = [
        name
        for name in PREVIOUS
        if kwargs.get(name) is not None
        and (cls.computes_in_constructor() or not arguments.accepts(cls, name))
    ]
    is_first = bool(args) and bool(graph.networks_in(args[0]))
    if len(spelled) + is_first > 1:
        raise UnknownArgument(
            f"{cls.__name__}: the previous network is given twice, also as {spelled[0]!r}."
        )
    previous = args[0] if is_first else None
    for name in spelled:
        previous = kwargs.pop(name)
    given = previous if spelled else args[0] if args else None
    if (spelled and not graph.networks_in(previous)) or isinstance(given, tf.Tensor):
        who = cls.__name__
        raise InvalidArgument(
            f"{who}: a layer is stacked on a network, got {type(given).__name__}. Make a tensor a "
            f"network with tl.layers.InputLayer(tensor), or apply the layer: {who}(...)(tensor)."
        )
    return previous, args[1:] if is_first else args


def take_facts(cls: type[Layer], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take out of ``kwargs``, and return, what every layer can be told.

    What only 1.x had is taken out as well. There the mode was fixed when the network was built;
    here the one given holds as :func:`tensorlayer.layers.mode.default_mode` says.
    """
    for name in WITHOUT_EFFECT.intersection(kwargs):
        if not arguments.accepts(cls, name) and kwargs.pop(name):
            logger.warning("%s: the argument %s has no effect.", cls.__name__, name)
    facts = [name for name in FACTS if name in kwargs and not arguments.accepts(cls, name)]
    return {name: kwargs.pop(name) for name in facts}


def set_name_reuse(enable: bool = True) -> None:
    """Do nothing: names are shared by scope.

    TensorLayer 1.6 needed this call before a network was built a second time. Today it is
    ``with tl.layers.variable_scope(name, reuse=True)``, which says what is shared and where.
    """
    logger.warning(
        "set_name_reuse(%s) has no effect; write with tl.layers.variable_scope(name, reuse=True).",
        enable,
    )
