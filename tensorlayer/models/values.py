"""Values of constructor arguments as plain JSON, and back.

What JSON has is written as it is; the rest as a small object ``{"is": kind, ...}``. Functions and
classes are written by name and found again by name, and only

- among TensorFlow's functions of tensors (``tf.nn``, ``tf.math``, ...) and this library's
  activations,
- among the subclasses of ``Layer`` and ``Model`` that the program has imported,
- among those that the program has marked with :func:`serializable`.

Nothing is imported, evaluated or executed because a file says so.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from tensorlayer import activation, initializers
from tensorlayer.errors import NotSerializable, did_you_mean
from tensorlayer.layers.base import Layer

__all__ = [
    "decode",
    "decode_layer",
    "encode",
    "encode_layer",
    "find_class",
    "import_path",
    "serializable",
]

T = TypeVar("T", bound=Callable[..., Any])

# Functions of tensors without side effects. The order decides under which name one is written.
_NAMESPACES = {
    "tensorlayer.activation": activation,
    "tensorflow.nn": tf.nn,
    "tensorflow.math": tf.math,
    "tensorflow.image": tf.image,
    "tensorflow.linalg": tf.linalg,
    "tensorflow.signal": tf.signal,
    "tensorflow.keras.activations": tf.keras.activations,
}
# The top level of TensorFlow also reads files and loads libraries, so what may be named there is
# listed.
_TOP_LEVEL = (
    "identity", "stop_gradient", "cast", "reshape", "transpose", "squeeze", "expand_dims",
    "concat", "stack", "tile", "pad", "reverse", "roll", "clip_by_value", "one_hot", "gather",
    "repeat",
)  # fmt: skip
_CLASSES = {
    "tensorlayer.initializers": initializers,
    "tensorflow.keras.initializers": tf.keras.initializers,
}
_MARK = "__tensorlayer_serializable__"


def serializable(thing: T) -> T:
    """Allow a saved model to name this function or class.

    It has to stand at the top level of a module, and whoever loads the model has to import that
    module first.

    Examples
    --------
    >>> @serializable
    ... def double(x):
    ...     return 2 * x
    >>> double(2)
    4
    """
    setattr(thing, _MARK, True)
    return thing


def import_path(thing: Any) -> str:
    """Return ``module.name``; a script that is being run counts as a module of its file's name."""
    module = thing.__module__
    if module.startswith("tensorlayer."):  # tensorlayer.layers.Dense, whatever file it is in
        module = ".".join(module.split(".")[:2])
    if module == "__main__":
        file = getattr(sys.modules["__main__"], "__file__", None)
        module = Path(file).stem if file else module
    return f"{module}.{thing.__qualname__}"


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
    if isinstance(value, np.ndarray):
        return {"is": "array", "dtype": value.dtype.name, "values": value.tolist()}
    if isinstance(value, tf.DType):
        return {"is": "dtype", "name": value.name}
    if isinstance(value, Layer):
        return {"is": "layer", "name": value.name, **encode_layer(value)}
    if isinstance(value, tf.Module) and hasattr(type(value), "config"):
        return {"is": "model", "config": value.config}
    if isinstance(value, slice):
        return {"is": "slice", "items": [value.start, value.stop, value.step]}
    if value is Ellipsis:
        return {"is": "ellipsis"}
    if hasattr(value, "get_config") and not isinstance(value, type):
        return _encode_object(value, place)
    if callable(value):
        return {"is": "function", "name": _function_name(value, place)}
    raise NotSerializable(
        f"{place}: a {type(value).__name__} cannot be saved. A saved model holds numbers, strings, "
        f"arrays, initializers and named functions; got {value!r}."
    )


def encode_layer(layer: Layer) -> dict[str, Any]:
    """Return class and arguments of a layer; its name is for its owner to write."""
    place = f"{type(layer).__name__} {layer.name!r}"
    described = {
        key: encode(value, f"{place}, argument {key}")
        for key, value in layer.arguments.items()
        if key != "name"
    }
    return {"class": import_path(type(layer)), "arguments": described}


def _encode_object(value: Any, place: str) -> Any:
    name = type(value).__name__
    for namespace, module in _CLASSES.items():
        if getattr(module, name, None) is type(value):
            config = encode(value.get_config(), place)
            return {"is": "object", "class": f"{namespace}.{name}", "config": config}
    if getattr(type(value), _MARK, False):
        config = encode(value.get_config(), place)
        return {"is": "object", "class": import_path(type(value)), "config": config}
    raise NotSerializable(
        f"{place}: the class {import_path(type(value))} is not known to saved models. Decorate it "
        "with @tl.models.serializable and define it at the top level of a module."
    )


def _function_name(function: Any, place: str) -> str:
    name = getattr(function, "__name__", "")
    for namespace, module in _NAMESPACES.items():
        if name and getattr(module, name, None) is function:
            return f"{namespace}.{name}"
    if name in _TOP_LEVEL and getattr(tf, name) is function:
        return f"tensorflow.{name}"
    if getattr(function, _MARK, False) and "<" not in function.__qualname__:
        return import_path(function)
    what = "a lambda" if name == "<lambda>" else f"the function {name or function!r}"
    raise NotSerializable(
        f"{place}: {what} has no name by which a saved model could find it again. Define it at the "
        "top level of a module and decorate it:\n\n"
        "    @tl.models.serializable\n    def my_function(x):\n        ..."
    )


# -- decoding


def decode(value: Any) -> Any:
    """Return the value that :func:`encode` wrote.

    Raises
    ------
    NotSerializable
        It names something that is not there, or not allowed.
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    kind = value.get("is")
    if kind not in _DECODERS:
        raise NotSerializable(f"unknown kind of value {kind!r} in a saved model: {value!r}.")
    return _DECODERS[kind](value)


def decode_layer(name: str, entry: Mapping[str, Any]) -> Layer:
    """Return a new layer as :func:`encode_layer` described it."""
    given = {key: decode(value) for key, value in entry["arguments"].items()}
    return find_class(Layer, entry["class"])(**given, name=name)


def _decode_model(value: Mapping[str, Any]) -> Any:
    from tensorlayer.models.model import Model

    return Model.from_config(value["config"])


def _decode_partial(value: Mapping[str, Any]) -> Any:
    function, args, kwargs = decode(value["call"])
    return functools.partial(function, *args, **kwargs)


def _decode_function(value: Mapping[str, Any]) -> Any:
    namespace, _, name = value["name"].rpartition(".")
    if namespace in _NAMESPACES and not name.startswith("_"):
        function = getattr(_NAMESPACES[namespace], name, None)
        if callable(function) and not isinstance(function, type):
            return function
    if namespace == "tensorflow" and name in _TOP_LEVEL:
        return getattr(tf, name)
    return find_marked(value["name"])


def _decode_object(value: Mapping[str, Any]) -> Any:
    namespace, _, name = value["class"].rpartition(".")
    cls = getattr(_CLASSES[namespace], name, None) if namespace in _CLASSES else None
    if not isinstance(cls, type) or not hasattr(cls, "from_config"):
        cls = find_marked(value["class"])
    return cls.from_config(decode(value["config"]))


def find_marked(path: str) -> Any:
    """Return what an imported module defines and :func:`serializable` marks under this path."""
    parts = path.split(".")
    for count in range(len(parts) - 1, 0, -1):
        module = _imported(".".join(parts[:count]))
        thing = functools.reduce(lambda o, part: getattr(o, part, None), parts[count:], module)
        if thing is not None and getattr(thing, _MARK, False):
            return thing
    raise NotSerializable(
        f"a saved model names {path!r}, which no imported module defines and marks with "
        "@tl.models.serializable. Import the module that does, then load again."
    )


def _imported(name: str) -> Any:
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    return sys.modules.get(name) or (main if file and Path(file).stem == name else None)


def find_class(base: type, path: str) -> type:
    """Return the imported subclass of ``base`` with this path."""
    found = {import_path(cls): cls for cls in _subclasses(base)}
    if path not in found:
        raise NotSerializable(
            f"a saved model names the class {path!r}, which is not imported. Import the module "
            f"that defines it, then load again. {did_you_mean(path, found)}"
        )
    return found[path]


def _subclasses(base: type) -> list[type]:
    found, stack = [base], [base]
    while stack:
        below = stack.pop().__subclasses__()
        found += below
        stack += below
    return found


_DECODERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "float": lambda v: float(v["value"]),
    "tuple": lambda v: tuple(decode(v["items"])),
    "dict": lambda v: {key: decode(item) for key, item in v["items"].items()},
    "array": lambda v: np.array(v["values"], v["dtype"]),
    "layer": lambda v: decode_layer(v["name"], v),
    "model": _decode_model,
    "dtype": lambda v: tf.as_dtype(v["name"]),
    "slice": lambda v: slice(*v["items"]),
    "ellipsis": lambda v: Ellipsis,
    "partial": _decode_partial,
    "function": _decode_function,
    "object": _decode_object,
}
