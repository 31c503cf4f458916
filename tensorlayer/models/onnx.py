"""The way out to ONNX, by the package tf2onnx."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

from tensorlayer.errors import InvalidArgument, LibraryMissing, NotSerializable

__all__ = ["converted"]


def converted(functions: Mapping[str, Any]) -> bytes:
    """Return the file of a concrete function, given by the name of its signature.

    Raises
    ------
    InvalidArgument
        There are several, and a file of ONNX is one function; or an input and a result have one
        name.
    LibraryMissing
        tf2onnx is not installed.
    NotSerializable
        The converter cannot do it.
    """
    if len(functions) > 1:
        raise InvalidArgument(
            f"export: a file of ONNX has one function, got {', '.join(map(repr, functions))}. "
            "Write a file for each, or a SavedModel."
        )
    (function,) = functions.values()
    both = sorted(set(function.structured_input_signature[1]) & set(function.structured_outputs))
    if both:
        raise InvalidArgument(
            f"export: {both[0]!r} is an input and a result, and in a file of ONNX a name is there "
            "once. Give a postprocess that returns a dictionary, which names the results."
        )
    convert = _tf2onnx()
    given = SimpleNamespace(get_concrete_function=lambda *signature: function)
    try:
        model, _ = convert.from_function(given, input_signature=[])
        content = model.SerializeToString()
        # The converter passes on what ONNX does not know, in a file that nobody can load.
        importlib.import_module("onnx.checker").check_model(model, full_check=True)
        return content
    except Exception as error:  # whatever the converter raises, or a model of more than 2 GB
        raise NotSerializable(
            "export: ONNX cannot express the model; a SavedModel can. The converter says: "
            f"{str(error)[:300]}"
        ) from error


def _tf2onnx() -> ModuleType:
    try:
        return importlib.import_module("tf2onnx.convert")
    except ModuleNotFoundError as error:
        raise LibraryMissing(
            f"export: ONNX is written by tf2onnx, and there is no module {error.name!r}. "
            "Run: pip install 'tensorlayer[onnx]'."
        ) from error
