"""TensorLayer 1.x: the arguments that only it had, and the names that it used.

Everything that is translated is in the tables here, and for arguments by position in
[`tensorlayer.layers.positions`][]; layers know nothing of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, NotANetwork, UnknownArgument
from tensorlayer.layers import arguments, graph, positions
from tensorlayer.layers.parameters import HasParameters

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer

__all__ = [
    "clear_layers_name",
    "name_today",
    "parameters_today",
    "require_inputs",
    "require_network",
    "set_name_reuse",
    "take_facts",
    "take_previous",
]

logger = logging.getLogger(__name__)

# Accepted for old scripts. They had no effect in 1.11 either, or say what is always so today.
WITHOUT_EFFECT = frozenset(
    {
        "E_init_args",
        "W_init_args",
        "a_init_args",
        "b_init_args",
        "batch_size",  # every layer takes batches of every size
        "embeddings_kwargs",
        "moving_mean_init",  # of a SwitchNorm, which has none
        "nce_W_init_args",
        "nce_b_init_args",
        "use_cudnn_on_gpu",
    }
)
# What an argument is called today, where a layer has no argument of the old name.
RENAMED = {
    "channel_multiplier": ("depth_multiplier",),
    "n_out_channel": ("n_out_channels", "n_filter"),
    "output_shape": ("outputs_shape",),
    "shape": ("filter_size",),
}
# What 1.x called parameters, also with the kind of the layer after it: W_conv2d.
PARAMETERS = {
    "W": ("weights", "filters"),
    "b": ("biases",),
    "bias": ("biases",),
    "kernel": ("filters",),
    "moving_variance": ("moving_var",),
}
# The ways in which 1.x spelled the network that a layer is applied to.
PREVIOUS = ("prev_layer", "layer", "net_encode_in")
# Those of layers that merge, and of layers that began a network.
OTHERS = ("layers", "inputs")
# What may be a tensor where a layer begins a network, and everywhere.
BEGUN = frozenset({"inputs", "train_labels"})
TENSORS = frozenset({"x_recon"})
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
    NotANetwork
        There is a tensor where a network should be.
    """
    if cls.begins_networks:
        args = (*map(_begun, args[:1]), *args[1:])
    n_first = int(bool(args) and bool(graph.networks_in(args[0])))
    is_stacked = bool(n_first) or not kwargs.keys().isdisjoint((*PREVIOUS, *OTHERS))
    args = (*args[:n_first], *positions.by_name(cls, args[n_first:], kwargs, is_stacked))
    begun = BEGUN if cls.begins_networks else TENSORS
    for key in begun & kwargs.keys():
        kwargs[key] = _begun(kwargs[key])
    # A layer around another one may well have an argument ``layer`` of its own.
    spelled = [
        name
        for name in (*PREVIOUS, *OTHERS)
        if kwargs.get(name) is not None
        and (
            not arguments.accepts(cls, name) or (cls.computes_in_constructor() and name in PREVIOUS)
        )
    ]
    if len(spelled) + n_first > 1:
        raise UnknownArgument(
            f"{cls.__name__}: the previous network is given twice, also as {spelled[0]!r}."
        )
    previous = args[0] if n_first else None
    for name in spelled:
        previous = kwargs.pop(name)
    given = previous if spelled else args[0] if args else None
    if (spelled and not graph.networks_in(previous)) or isinstance(given, tf.Tensor):
        who = cls.__name__
        raise NotANetwork(
            f"{who}: a layer is stacked on a network, got {type(given).__name__}. Make a tensor a "
            f"network with tl.layers.InputLayer(tensor), or apply the layer: {who}(...)(tensor)."
        )
    return previous, args[n_first:]


def _begun(value: Any) -> Any:
    """Return a network that begins with ``value``, if that is a tensor."""
    from tensorlayer.layers.inputs import InputLayer

    return InputLayer(value) if tf.is_tensor(value) else value


def require_network(cls: type[Layer], args: tuple[Any, ...], error: Exception) -> None:
    """Raise NotANetwork if the reason of ``error`` is that no network came first."""
    first = args[0] if args else None
    if isinstance(first, HasParameters) and not arguments.accepts(cls, "layer"):
        raise NotANetwork(
            f"{cls.__name__}: it is stacked on a network, got {first!r}, which was applied to "
            f"nothing. Write net = {type(first).__name__}(...)(net) first."
        ) from error
    if hasattr(first, "shape") and hasattr(first, "dtype"):
        raise NotANetwork(
            f"{cls.__name__}: it is stacked on a network, got {type(first).__name__}. Begin with "
            "tl.layers.Input(shape), or with tl.layers.InputLayer(tensor)."
        ) from error


def require_inputs(cls: type[Layer], names: Iterable[str]) -> None:
    """Raise InvalidArgument unless ``forward`` takes what networks were given for."""
    forward = cls.transform if cls.forward.__qualname__ == "Layer.forward" else cls.forward
    for name in names:
        if not arguments.takes(forward, name):
            hint = " An activation is a function, a layer or a model." if name == "act" else ""
            raise InvalidArgument(
                f"{cls.__name__}: {name!r} is no input of its forward, so it cannot be a network."
                f"{hint}"
            )


def take_facts(cls: type[Layer], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take out of ``kwargs``, and return, what every layer can be told.

    What only 1.x had is taken out as well. There the mode was fixed when the network was built;
    here the one given holds as [`tensorlayer.layers.mode.default_mode`][] says.
    """
    for name in WITHOUT_EFFECT.intersection(kwargs):
        if not arguments.accepts(cls, name) and kwargs.pop(name):
            logger.warning("%s: the argument %s has no effect.", cls.__name__, name)
    if kwargs.get("is_fix") and not arguments.accepts(cls, "is_train"):
        kwargs.setdefault("is_train", True)  # dropout of 1.x that needs no placeholder
    if not arguments.accepts(cls, "is_fix"):
        kwargs.pop("is_fix", None)
    for old in RENAMED.keys() & kwargs.keys():
        new = name_today(cls, old)
        if new in kwargs and new != old:
            raise UnknownArgument(f"{cls.__name__}: {new!r} is given twice, also as {old!r}.")
        kwargs[new] = kwargs.pop(old)
    facts = [name for name in FACTS if name in kwargs and not arguments.accepts(cls, name)]
    return {name: kwargs.pop(name) for name in facts}


def clear_layers_name() -> None:
    """Do nothing: names belong to a network, and a new one begins without any.

    TensorLayer 1.6 needed this call before a network was built a second time.
    """
    logger.warning("clear_layers_name() has no effect; a name is unique within its network only.")


def name_today(cls: type[Layer], name: str) -> str:
    """Return what the class calls an argument that 1.x called ``name``.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> name_today(tl.layers.DeConv2dLayer, "output_shape")
    'outputs_shape'
    """
    if arguments.accepts(cls, name):
        return name
    return next((new for new in RENAMED.get(name, ()) if arguments.accepts(cls, new)), name)


def parameters_today(text: str) -> list[str]:
    """Return what to look for in names of parameters instead of a text of 1.x.

    Examples
    --------
    >>> parameters_today("relu/W"), parameters_today("cnn/b_conv2d"), parameters_today("relu")
    (['relu/weights', 'relu/filters'], ['cnn/biases'], [])
    """
    scope, slash, last = text.rpartition("/")
    last = last[:1] if last[:2] in {"W_", "b_"} else last
    return [scope + slash + today for today in PARAMETERS.get(last, ())]


def set_name_reuse(enable: bool = True) -> None:
    """Do nothing: names are shared by scope.

    TensorLayer 1.6 needed this call before a network was built a second time. Today it is
    ``with tl.layers.variable_scope(name, reuse=True)``, which says what is shared and where.
    """
    logger.warning(
        "set_name_reuse(%s) has no effect; write with tl.layers.variable_scope(name, reuse=True).",
        enable,
    )
