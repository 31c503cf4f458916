"""Values for the inputs of a network: paired with them, checked, and made tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape, did_you_mean
from tensorlayer.layers.naming import names_of
from tensorlayer.layers.structure import leaves

if TYPE_CHECKING:
    from tensorlayer.layers.graph import Network

__all__ = ["bind_inputs"]


def bind_inputs(inputs: Any, values: Any) -> dict[Network, tf.Tensor]:
    """Pair inputs, a network or a structure of networks, with values in the same structure.

    A list of inputs is also fed by a dictionary of their names, and a single input by a list of one
    value.
    """
    nodes = leaves(inputs)
    if isinstance(values, Mapping) and not isinstance(inputs, Mapping):
        names = names_of([node.layer for node in nodes])
        inputs = {names[node.layer]: node for node in nodes}
    elif len(nodes) == 1 and not isinstance(inputs, Mapping):
        is_only = isinstance(values, (list, tuple)) and len(values) == 1 and _is_array(values[0])
        inputs, values = nodes, values if is_only else [values]
    return dict(_pairs(inputs, values))


def _is_array(value: Any) -> bool:
    return tf.is_tensor(value) or isinstance(value, np.ndarray)


def _pairs(inputs: Any, values: Any) -> Iterator[tuple[Network, tf.Tensor]]:
    if not isinstance(inputs, (list, tuple, Mapping)):
        yield inputs, _checked(inputs, values)
        return
    if isinstance(inputs, Mapping) and isinstance(values, Mapping):
        inputs, values = list(inputs.values()), _in_order(inputs, values)
    is_list = isinstance(values, (list, tuple))
    if isinstance(inputs, Mapping) or not is_list or len(values) != len(inputs):
        names = ", ".join(repr(node.name) for node in leaves(inputs))
        got = len(values) if is_list else 1
        raise InvalidArgument(f"the network has the inputs {names}, got {got} value(s).")
    for each, value in zip(inputs, values, strict=True):
        yield from _pairs(each, value)


def _in_order(inputs: Mapping[str, Any], values: Mapping[str, Any]) -> list[Any]:
    """Return the values in the order of the inputs, by name."""
    for name in values:
        if name not in inputs:
            raise InvalidArgument(f"no input is named {name!r}. {did_you_mean(name, inputs)}")
    missing = [name for name in inputs if name not in values]
    if missing:
        raise InvalidArgument(f"the input {missing[0]!r} needs a value, got {sorted(values)}.")
    return [values[name] for name in inputs]


def _checked(node: Network, value: Any) -> tf.Tensor:
    """Return ``value`` as a tensor of the input's type, or raise WrongShape."""
    spec = node.layer.spec
    tensor = value if tf.is_tensor(value) else _converted(node, value)
    if not spec.shape.is_compatible_with(tensor.shape) or tensor.dtype != spec.dtype:
        raise WrongShape(
            f"the input {node.name!r} takes {spec.dtype.name} of shape {tuple(spec.shape)}, got "
            f"{tensor.dtype.name} of shape {tuple(tensor.shape)}. Reshape or cast the value, or "
            "declare the input with another shape; None stands for any size."
        )
    return tensor


def _converted(node: Network, value: Any) -> tf.Tensor:
    """Return numbers as a tensor of the input's type, which may round but never cuts off."""
    dtype = node.layer.spec.dtype
    try:
        array = np.asarray(value)
        return tf.convert_to_tensor(array, array.dtype if _loses(array, dtype) else dtype)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(
            f"the input {node.name!r} takes {dtype.name} of shape {tuple(node.layer.spec.shape)}, "
            f"got a {type(value).__name__} that is no array: {error}"
        ) from error


def _loses(array: np.ndarray, dtype: tf.DType) -> bool:
    """Whether numbers would be cut off: parts behind the point, imaginary parts, high digits."""
    if dtype.is_integer and array.dtype.kind in "iu":
        return bool(array.size) and not dtype.min <= array.min() <= array.max() <= dtype.max
    if dtype.is_integer or dtype.is_bool:
        return array.dtype.kind in "fc"
    return array.dtype.kind == "c" and not dtype.is_complex
