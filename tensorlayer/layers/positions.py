"""Arguments by position, in the order of today or in that of TensorLayer 1.11.

By name an argument means the same in both. By position most layers have kept their order; those
that have not are in the table here. A call that cannot be meant in the order of today, as the
``True`` of ``DropoutLayer(net, 0.8, True)`` where a seed stands today, is taken in the old order if
it fits that. So nothing changes for a call that fits the order of today, nor for a layer that is
not stacked on a network at once, which 1.11 did not know.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tensorlayer import initializers
from tensorlayer.errors import TensorLayerError
from tensorlayer.layers import arguments

__all__ = ["by_name"]

_ARGS = "W_init_args b_init_args name"
_CUDNN = "W_init_args b_init_args use_cudnn_on_gpu data_format name"
_STATISTICS = "decay epsilon act is_train beta_init gamma_init moving_mean_init"
_CONV = "n_filter filter_size strides act padding"
_SEPARABLE = (
    f"{_CONV} data_format dilation_rate depth_multiplier depthwise_init pointwise_init b_init"
)
_TABLE = "nce_loss_args E_init E_init_args nce_W_init nce_W_init_args nce_b_init nce_b_init_args"

#: The order that 1.11 had, and behind a bar that of 2.x, which named an argument of every layer.
ORDERS: dict[str, str] = {
    "AtrousConv1dLayer": (
        f"n_filter filter_size stride dilation act padding data_format W_init b_init {_ARGS}"
    ),
    "AtrousConv2dLayer": f"n_filter filter_size rate act padding W_init b_init {_ARGS}",
    "AtrousDeConv2dLayer": f"shape output_shape rate act padding W_init b_init {_ARGS}",
    "AverageEmbedding": (
        "vocabulary_size embedding_size pad_value embeddings_initializer embeddings_kwargs name"
    ),
    "BatchNorm": (
        f"{_STATISTICS} data_format name | "
        f"{_STATISTICS} moving_var_init num_features data_format name"
    ),
    "BinaryConv2d": f"{_CONV} use_gemm W_init b_init {_CUDNN}",
    "BinaryDense": f"n_units act use_gemm W_init b_init {_ARGS}",
    "Conv1d": (
        f"n_filter filter_size stride dilation_rate act padding data_format W_init b_init {_ARGS}"
    ),
    "Conv1dLayer": f"act shape stride dilation_rate padding data_format W_init b_init {_ARGS}",
    "Conv2d": (
        f"{_CONV} data_format dilation_rate W_init b_init W_init_args b_init_args "
        "use_cudnn_on_gpu name"
    ),
    "Conv2dLayer": f"act shape strides padding W_init b_init {_CUDNN}",
    "Conv3dLayer": f"shape strides padding act W_init b_init {_ARGS}",
    "DeConv2d": f"n_filter filter_size strides padding act data_format W_init b_init {_ARGS}",
    "DeConv2dLayer": f"act shape output_shape strides padding W_init b_init {_ARGS}",
    "DeConv3d": f"n_filter filter_size strides padding act data_format W_init b_init {_ARGS}",
    "DeConv3dLayer": f"act shape output_shape strides padding W_init b_init {_ARGS}",
    "DeformableConv2d": (
        "offset_layer n_filter filter_size act name W_init b_init W_init_args b_init_args"
    ),
    "Dense": f"n_units act W_init b_init {_ARGS}",
    "DepthwiseConv2d": (
        f"shape strides act padding dilation_rate depth_multiplier W_init b_init {_ARGS}"
    ),
    "DorefaConv2d": f"bitW bitA {_CONV} use_gemm W_init b_init {_CUDNN}",
    "DorefaDense": f"bitW bitA n_units act use_gemm W_init b_init {_ARGS}",
    "DownSampling2d": "size is_scale method align_corners name",
    "DropconnectDense": f"keep n_units act W_init b_init {_ARGS}",
    "Dropout": "keep is_fix is_train seed name",
    "ElementwiseLambda": "fn fn_args act name",
    "Embedding": "vocabulary_size embedding_size E_init E_init_args name",
    "GroupConv2d": f"n_filter filter_size strides n_group act padding W_init b_init {_ARGS}",
    "InstanceNorm": "act epsilon name",
    "Lambda": "fn fn_args name",
    "MaxPool1d": "filter_size strides padding data_format name",
    "MeanPool1d": "filter_size strides padding data_format name",
    "PRelu": "channel_shared a_init a_init_args name",
    "QuanConv2d": (
        "n_filter filter_size strides padding act bitW bitA use_gemm W_init b_init " + _CUDNN
    ),
    "QuanConv2dWithBN": (
        "n_filter filter_size strides padding act decay epsilon is_train gamma_init beta_init bitW "
        "bitA use_gemm W_init W_init_args use_cudnn_on_gpu data_format name | "
        "n_filter filter_size strides padding act decay epsilon is_train gamma_init beta_init bitW "
        "bitA use_gemm W_init W_init_args data_format dilation_rate in_channels name"
    ),
    "QuanDense": f"n_units act bitW bitA use_gemm W_init b_init {_ARGS}",
    "QuanDenseWithBN": (
        "n_units act decay epsilon is_train bitW bitA gamma_init beta_init use_gemm W_init "
        "W_init_args name | "
        "n_units act decay epsilon is_train bitW bitA gamma_init beta_init use_gemm W_init "
        "W_init_args in_channels name"
    ),
    "SeparableConv1d": f"{_SEPARABLE} {_ARGS}",
    "SeparableConv2d": f"{_SEPARABLE} {_ARGS}",
    "SpatialTransformer2dAffine": "theta_layer out_size name",
    "SubpixelConv1d": "scale act name",
    "SubpixelConv2d": "scale n_out_channel act name",
    "SwitchNorm": "act epsilon beta_init gamma_init moving_mean_init name",
    "TernaryConv2d": f"{_CONV} use_gemm W_init b_init {_CUDNN}",
    "TernaryDense": f"n_units act use_gemm W_init b_init {_ARGS}",
    "Transpose": "perm name",
    "UpSampling2d": "size is_scale method align_corners name",
    "Word2vecEmbedding": (f"train_labels vocabulary_size embedding_size num_sampled {_TABLE} name"),
}
for _same, _as in {
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"), "BatchNorm"),
    **dict.fromkeys(("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"), "InstanceNorm"),
    **dict.fromkeys(("PRelu6", "PTRelu6"), "PRelu"),
}.items():
    ORDERS[_same] = ORDERS[_as]


def by_name(
    cls: type, args: tuple[Any, ...], kwargs: dict[str, Any], is_stacked: bool = True
) -> tuple[Any, ...]:
    """Put arguments in an old order into ``kwargs``; return those in the order of today.

    Parameters
    ----------
    cls
        The class of the layer.
    args
        By position, without the network that the layer is stacked on.
    kwargs
        By name.
    is_stacked
        Whether the layer is applied to a network at once, as in 1.11.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> kwargs = {"name": "drop"}
    >>> by_name(tl.layers.DropoutLayer, (0.8, True), kwargs), kwargs
    ((), {'name': 'drop', 'keep': 0.8, 'is_fix': True})
    >>> by_name(tl.layers.Dropout, (0.8, 42), {})
    (0.8, 42)
    """
    orders = _orders(cls) if args else ()
    if not orders or _fits(tuple(arguments.signature_of(cls).parameters), args):
        return args
    for order in orders if is_stacked else orders[1:]:
        if _fits(order, args) and not set(order[: len(args)]) & kwargs.keys():
            kwargs.update(zip(order, args, strict=False))
            return ()
    return args


@functools.cache
def _orders(cls: type) -> tuple[tuple[str, ...], ...]:
    """Return the old orders of a class; none of one that has its own constructor."""
    for each in cls.__mro__:
        if each.__name__ in ORDERS and each.__module__.startswith("tensorlayer."):
            is_its_own = each.__init__ is cls.__init__
            orders = ORDERS[each.__name__].split("|") if is_its_own else []
            return tuple(tuple(order.split()) for order in orders)
    return ()


def _fits(names: tuple[str, ...], args: tuple[Any, ...]) -> bool:
    """Whether these values can be meant for these arguments."""
    return len(args) <= len(names) and all(
        _kind(name)(value) for name, value in zip(names, args, strict=False)
    )


def _kind(name: str) -> Callable[[Any], bool]:
    if name.endswith(("_args", "_kwargs")):
        return _is_mapping
    if name.endswith(("_init", "_initializer")):
        return _is_initializer
    return KINDS.get(name, _is_anything)


def _is_anything(value: Any) -> bool:
    return True


def _is_switch(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Number) and not _is_switch(value)


def _is_count(value: Any) -> bool:
    return value is None or (hasattr(value, "__index__") and _is_number(value))


def _is_text(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not _is_padding(value))


def _is_padding(value: Any) -> bool:
    return isinstance(value, str) and value.upper() in {"SAME", "VALID"}


def _is_activation(value: Any) -> bool:
    return callable(value) or _is_text(value)


def _is_method(value: Any) -> bool:
    return _is_count(value) or _is_text(value)


def _is_size(value: Any) -> bool:
    return _is_number(value) or value is None or isinstance(value, (list, tuple, np.ndarray))


def _is_mapping(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)


def _is_list(value: Any) -> bool:
    return value is None or isinstance(value, (list, tuple))


def _is_initializer(value: Any) -> bool:
    try:
        return value is None or (bool(initializers.get(value)) and not _is_switch(value))
    except (TensorLayerError, TypeError, ValueError):
        return False


#: What a value has to be for an argument, where that tells one order from the other.
KINDS: dict[str, Callable[[Any], bool]] = {
    "act": _is_activation,
    "activate_nce_loss": _is_switch,
    "align_corners": _is_switch,
    "antialias": _is_switch,
    "bitA": _is_count,
    "bitW": _is_count,
    "conjugate": _is_switch,
    "data_format": _is_text,
    "decay": _is_number,
    "depth_multiplier": _is_count,
    "dilation": _is_size,
    "dilation_rate": _is_size,
    "epsilon": _is_number,
    "filter_size": _is_size,
    "fn_weights": _is_list,
    "in_channels": _is_count,
    "is_fix": _is_switch,
    "is_scale": _is_switch,
    "is_train": _is_switch,
    "method": _is_method,
    "n_filter": _is_count,
    "n_group": _is_count,
    "n_units": _is_count,
    "name": _is_text,
    "num_features": _is_count,
    "num_sampled": _is_count,
    "out_size": _is_size,
    "output_shape": _is_size,
    "outputs_shape": _is_size,
    "padding": _is_padding,
    "rate": _is_size,
    "seed": _is_count,
    "shape": _is_size,
    "size": _is_size,
    "stride": _is_size,
    "strides": _is_size,
    "use_gemm": _is_switch,
    "vocabulary_size": _is_count,
}
