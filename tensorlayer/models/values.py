"""Values of constructor arguments as plain JSON, and back.

What JSON has is written as it is; the rest as a small object ``{"is": kind, ...}``. Functions and
classes are written by name and found again in tables of names ([`tensorlayer.models.names`][]).
Nothing is imported, evaluated or computed because a file says so.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import BrokenConfig, NotSerializable
from tensorlayer.layers import tree
from tensorlayer.layers.base import Layer
from tensorlayer.layers.capture import Capture
from tensorlayer.layers.graph import Network
from tensorlayer.models.admitted import INITIALIZERS
from tensorlayer.models.keras_config import describe_keras, read_keras
from tensorlayer.models.names import (
    find_class,
    find_function,
    find_marked,
    function_name,
    import_path,
    is_marked,
    makes_values,
)
from tensorlayer.models.places import item, reading
from tensorlayer.models.shared import current_read, current_written
from tensorlayer.models.state import describe_state, precision_of, restore_later

__all__ = [
    "NODES_READ",
    "NODES_WRITTEN",
    "decode",
    "decode_arguments",
    "decode_layer",
    "encode",
    "encode_layer",
]

#: Types of arrays in a config: numbers. Text and objects could claim any size or be anything.
_ARRAYS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
           "float16", "float32", "float64", "bfloat16")  # fmt: skip

#: The events that a network being written consists of, with their numbers.
NODES_WRITTEN: ContextVar[Mapping[Network, int]] = ContextVar(
    "tensorlayer_nodes_w", default=MappingProxyType({})
)
#: The events of a network being read, as far as it is read.
NODES_READ: ContextVar[Sequence[Network]] = ContextVar("tensorlayer_nodes_r", default=())


# -- encoding


def encode(value: Any, place: str) -> Any:
    """Return ``value`` as JSON; ``place`` is named in errors.

    Raises
    ------
    NotSerializable
        JSON cannot say it, or nobody could find it again: a lambda, an unmarked function.

    Examples
    --------
    >>> encode((3, tf.nn.relu), "act")
    {'is': 'tuple', 'items': [3, {'is': 'function', 'name': 'tensorflow.nn.relu'}]}
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"is": "float", "value": repr(value)}
    if isinstance(value, (list, tuple)):
        items = [encode(item, place) for item in value]
        return items if isinstance(value, list) else {"is": "tuple", "items": items}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {"is": "dict", "items": {k: encode(v, place) for k, v in value.items()}}
    if isinstance(value, functools.partial):
        call = [value.func, list(value.args), dict(value.keywords)]
        return {"is": "partial", "call": encode(call, place)}
    return _encode_leaf(value, place)


def _encode_leaf(value: Any, place: str) -> Any:
    if isinstance(value, np.generic):
        return encode(value.item(), place)
    if isinstance(value, (np.ndarray, tf.Variable)) and value.dtype.name in _ARRAYS:
        is_array = isinstance(value, np.ndarray)
        return _encode_array(value) if is_array else _encode_variable(value, place)
    if isinstance(value, tf.DType):
        return {"is": "dtype", "name": value.name}
    if isinstance(value, Layer) or (isinstance(value, tf.Module) and hasattr(value, "as_layer")):
        return current_written().once(value, functools.partial(_encode_owner, value))
    if isinstance(value, type) and issubclass(value, Layer):
        return {"is": "class", "name": import_path(value)}
    if isinstance(value, Network) and value in NODES_WRITTEN.get():
        return {"is": "node", "index": NODES_WRITTEN.get()[value]}
    if isinstance(value, slice):
        return {"is": "slice", "items": [value.start, value.stop, value.step]}
    if value is Ellipsis:
        return {"is": "ellipsis"}
    if tree.is_keras(value) and hasattr(value, "get_config") and not is_marked(type(value)):
        return describe_keras(value, place)
    if hasattr(value, "get_config") and not isinstance(value, type):
        return _encode_object(value, place)
    if callable(value):
        return {"is": "function", "name": function_name(value, place)}
    raise NotSerializable(
        f"{place}: a {type(value).__name__} cannot be saved. A saved model holds numbers, strings, "
        f"arrays, initializers and named functions; got {value!r}."
    )


def _encode_array(value: np.ndarray) -> dict[str, Any]:
    return {"is": "array", "dtype": value.dtype.name, "values": value.tolist()}


def _encode_variable(value: tf.Variable, place: str) -> dict[str, Any]:
    def describe() -> dict[str, Any]:
        if not tf.executing_eagerly():
            raise NotSerializable(
                f"{place}: in a TensorFlow 1 graph the variable {value.name!r} has a value in a "
                "session only. Save the weights, or make the model outside of the graph."
            )
        about = {"name": value.name.partition(":")[0], "trainable": value.trainable}
        return {"is": "variable", **about, "value": _encode_array(value.numpy())}

    return current_written().once(value, describe)


def _encode_owner(value: Any) -> dict[str, Any]:
    from tensorlayer.models.config import describe_model

    if not isinstance(value, Layer):
        return {"is": "model", "config": describe_model(value, is_outermost=False)}
    named = {"name": value.name} if value.facts.is_named else {}
    return {"is": "layer", **named, **encode_layer(value)}


def encode_layer(layer: Layer) -> dict[str, Any]:
    """Return class and arguments of a layer; its name is for its owner to write."""
    place = f"{type(layer).__name__} {layer.name!r}"
    code = getattr(layer, "code", None)
    if isinstance(code, Capture) and code.is_told:
        raise NotSerializable(
            f"{place}: it was made in a tf.compat.v1.variable_scope with a getter or regularizer, "
            "which a saved model cannot hold. Let the function say it itself, and make the layer "
            "outside of that scope; or save the weights alone."
        )
    given = {key: value for key, value in layer.arguments.items() if key != "name"}
    if hasattr(given.get("dtype"), "compute_dtype"):  # a policy of Keras: its name means the same
        given["dtype"] = given["dtype"].name
    described = {key: encode(value, f"{place}, argument {key}") for key, value in given.items()}
    return {"class": import_path(type(layer)), "arguments": described, **describe_state(layer)}


def _encode_object(value: Any, place: str) -> Any:
    for path, cls in INITIALIZERS.items():
        if cls is type(value):
            config = value.get_config()
            if not _is_plain(list(config.values())):
                raise NotSerializable(
                    f"{place}: {type(value).__name__} holds {config!r:.80}. A saved model holds "
                    "initializers of numbers; for an array give tl.initializers.Constant."
                )
            return {"is": "object", "class": path, "config": encode(config, place)}
    if is_marked(type(value)):
        config = encode(value.get_config(), place)
        return {"is": "object", "class": import_path(type(value)), "config": config}
    raise NotSerializable(
        f"{place}: the class {import_path(type(value))} is not known to saved models. Decorate it "
        "with @tl.models.serializable and define it at the top level of a module; for a class of "
        f"somebody else's call tl.models.serializable({type(value).__name__}) once."
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, np.generic, np.ndarray))


# -- decoding


def decode(value: Any, place: str = "value") -> Any:
    """Return the value that [`encode`][] wrote; ``place`` is named in errors.

    Raises
    ------
    BrokenConfig
        It is damaged, or names something that is not there or not allowed.

    Examples
    --------
    >>> decode({"is": "tuple", "items": [3, {"is": "slice", "items": [0, 2, None]}]})
    (3, slice(0, 2, None))
    >>> decode({"is": "code"}, "config['outputs']")
    Traceback (most recent call last):
    tensorlayer.errors.BrokenConfig: config['outputs']: unknown kind of value 'code'...
    """
    if isinstance(value, list):
        return [decode(each, f"{place}[{index}]") for index, each in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    kind = value.get("is")
    if not isinstance(kind, str) or kind not in _DECODERS:
        raise BrokenConfig(f"{place}: unknown kind of value {kind!r:.80} in a saved model.")
    with reading(place):
        return _DECODERS[kind](value, place)


def decode_arguments(arguments: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return the arguments of a constructor.

    Raises
    ------
    BrokenConfig
        One is damaged, or an initializer (``W_init``) is something that computes.
    """
    given = {key: decode(value, f"{place}[{key!r}]") for key, value in arguments.items()}
    for key, value in given.items():
        with reading(f"{place}[{key!r}]"):
            if str(key).endswith("_init") and not makes_values(value):
                raise NotSerializable(
                    "an initializer of a saved model is a number, an array, one of "
                    "tl.initializers or of Keras, or marked with @tl.models.serializable; got "
                    f"{value!r:.80}."
                )
    return given


def decode_layer(name: str | None, entry: Mapping[str, Any], place: str = "layer") -> Layer:
    """Return a new layer as [`encode_layer`][] described it, or the one that is referred to."""
    if isinstance(entry, Mapping) and entry.get("is") == "same":
        layer = current_read().same(entry, place)
        if not isinstance(layer, Layer):
            raise BrokenConfig(f"{place}: the id {entry['id']} is that of a model, not of a layer.")
        return layer
    arguments = item(entry, "arguments", Mapping, place)
    given = decode_arguments(arguments, f"{place}['arguments']")
    with reading(place), precision_of(entry, place):
        layer = find_class(Layer, item(entry, "class", str, place))(**given, name=name)
        restore_later(entry, layer, place)
        current_read().keep(entry, layer, place)
        return layer


def _decode_model(value: Mapping[str, Any], place: str) -> Any:
    from tensorlayer.models.config import read_within
    from tensorlayer.models.model import Model

    model = read_within(Model, item(value, "config", Mapping, place), f"{place}['config']")
    current_read().keep(value, model, place)
    return model


def _decode_partial(value: Mapping[str, Any], place: str) -> Any:
    function, args, kwargs = decode(item(value, "call", list, place), f"{place}['call']")
    return functools.partial(function, *args, **kwargs)


def _decode_object(value: Mapping[str, Any], place: str) -> Any:
    path = item(value, "class", str, place)
    cls = INITIALIZERS[path] if path in INITIALIZERS else find_marked(path)
    config = decode(item(value, "config", Mapping, place), f"{place}['config']")
    if path not in INITIALIZERS:
        return cls.from_config(config)
    if not _is_plain(list(config.values())):
        raise BrokenConfig(f"{place}: the arguments of {path} are numbers or text.")
    # Not from_config: that of Keras makes whatever objects its argument describes.
    return cls(**config)


def _decode_array(value: Mapping[str, Any], place: str) -> np.ndarray:
    dtype = item(value, "dtype", str, place)
    if dtype not in _ARRAYS:
        raise BrokenConfig(f"{place}['dtype']: an array is of {', '.join(_ARRAYS)}, got {dtype!r}.")
    return np.array(item(value, "values", object, place), tf.as_dtype(dtype).as_numpy_dtype)


def _decode_variable(value: Mapping[str, Any], place: str) -> tf.Variable:
    name, is_trainable = item(value, "name", str, place), item(value, "trainable", bool, place)
    first = _decode_array(item(value, "value", Mapping, place), f"{place}['value']")
    variable = tf.Variable(first, trainable=is_trainable, name=name)
    current_read().keep(value, variable, place)
    return variable


def _decode_items(value: Mapping[str, Any], place: str) -> list[Any]:
    return decode(item(value, "items", list, place), f"{place}['items']")


def _decode_dict(value: Mapping[str, Any], place: str) -> dict[str, Any]:
    items = item(value, "items", Mapping, place)
    return {key: decode(each, f"{place}['items'][{key!r}]") for key, each in items.items()}


def _decode_node(value: Mapping[str, Any], place: str) -> Network:
    index, built = item(value, "index", int, place), NODES_READ.get()
    if not 0 <= index < len(built):
        raise BrokenConfig(
            f"{place}['index']: it has to be one of the {len(built)} nodes before, got {index}."
        )
    return built[index]


_DECODERS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {
    "float": lambda v, place: float(item(v, "value", str, place)),
    "tuple": lambda v, place: tuple(_decode_items(v, place)),
    "dict": _decode_dict,
    "array": _decode_array,
    "variable": _decode_variable,
    "layer": lambda v, place: decode_layer(
        item(v, "name", str, place) if "name" in v else None, v, place
    ),
    "model": _decode_model,
    "same": lambda v, place: current_read().same(v, place),
    "dtype": lambda v, place: tf.as_dtype(item(v, "name", str, place)),
    "node": _decode_node,
    "slice": lambda v, place: slice(*_decode_items(v, place)),
    "class": lambda v, place: find_class(Layer, item(v, "name", str, place)),
    "ellipsis": lambda v, place: Ellipsis,
    "partial": _decode_partial,
    "function": lambda v, place: find_function(item(v, "name", str, place)),
    "object": _decode_object,
    "keras": read_keras,
}
