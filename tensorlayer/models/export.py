"""The ways out to files that compute without this library: SavedModel, TensorFlow Lite, ONNX.

| format | suffix | what it is |
|---|---|---|
| `"savedmodel"` | none | a folder that TensorFlow and its servers load |
| `"tflite"` | `.tflite` | a file for TensorFlow Lite, on phones and small devices |
| `"onnx"` | `.onnx` | a file for ONNX Runtime and others |

A model is exported as functions with names, its signatures: see
[`tensorlayer.models.signature.Signature`][]. Whatever is written appears whole or not at all.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, NotSerializable, UnlistedVariable, did_you_mean
from tensorlayer.layers import tree
from tensorlayer.models import lite, onnx
from tensorlayer.models.signature import Signature, traced
from tensorlayer.whole import local_path, whole_file, whole_folder

if TYPE_CHECKING:
    from tensorlayer.models.model import Model

__all__ = ["export", "format_of"]

Place = str | os.PathLike[str]

_SUFFIXES = {"savedmodel": "", "tflite": ".tflite", "onnx": ".onnx"}

#: What TensorFlow writes into the folder of a SavedModel, and tools that read it add.
_PROGRAMS = frozenset({"saved_model.pb", "saved_model.pbtxt"})
_OF_SAVED_MODELS = _PROGRAMS.union(
    ("fingerprint.pb", "keras_metadata.pb", "variables", "assets", "assets.extra", "debug")
)

#: Operations that call functions of this process.
_OF_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})


class _Exported(NamedTuple):
    """What a file is made of."""

    root: tf.Module  #: holds everything that the functions compute with
    functions: Mapping[str, Any]  #: concrete functions by the names of their signatures


def export(
    model: Model, path: Place, format: str | None = None, signatures: Sequence[Signature] = ()
) -> None:
    """Write what the signatures compute; see [`Model.export`][tensorlayer.models.Model].

    Raises
    ------
    InvalidArgument
        The format is unknown or that of another suffix, two signatures have one name, something
        that is no export is in the way, or a signature does not fit the model.
    NotBuilt
        Some weights are made in the first call, and there was none.
    NotSerializable
        A function computes with what the export would not hold, or a converter cannot write it.
    LibraryMissing
        What writes ONNX is not installed.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 4], name="x")
    >>> model = tl.models.Model(x, tl.layers.Dense(x, 2, name="logits"))
    >>> export(model, "served", signatures=[Signature()])
    >>> loaded = tf.saved_model.load("served")
    >>> loaded.signatures["serving_default"](x=tf.ones([3, 4]))["logits"].shape
    TensorShape([3, 2])
    """
    format = format_of(path, format)
    _require_place(path, format)
    if not tf.executing_eagerly():
        raise InvalidArgument(
            "export: in a TensorFlow 1 graph variables have values in a session only. Export "
            "outside of it, from a model that has loaded the weights."
        )
    _WRITERS[format](path, _exported(model, signatures))


def format_of(path: Place, format: str | None = None) -> str:
    """Return the format of an export: the one given, or that of the suffix.

    Examples
    --------
    >>> format_of("served/1"), format_of("digits.tflite"), format_of("v1.5", "savedmodel")
    ('savedmodel', 'tflite', 'savedmodel')
    """
    suffix = Path(path).suffix.lower()
    of_suffix = next((each for each, known in _SUFFIXES.items() if known == suffix), None)
    if format is not None and format not in _SUFFIXES:
        raise InvalidArgument(
            f"export: the format {format!r} is unknown. {did_you_mean(format, _SUFFIXES)}"
        )
    if format is None and of_suffix is None:
        raise InvalidArgument(
            f"export: {os.fspath(path)!r} has the suffix {suffix!r}, which is that of no export. A "
            "SavedModel is a folder without one, or with format='savedmodel'; there are also "
            "'.tflite' and '.onnx'."
        )
    if format is not None and suffix and of_suffix not in {None, format}:
        raise InvalidArgument(
            f"export: {os.fspath(path)!r} has the suffix of {of_suffix!r}, and format={format!r}. "
            "Leave the format out, or change the suffix."
        )
    return format or str(of_suffix)


def _require_place(path: Place, format: str) -> None:
    """Raise InvalidArgument if what is there is something else: it would be replaced."""
    place = local_path(path)
    remedy = "Nothing was written. Give another path, or remove it."
    if format != "savedmodel":
        if place.is_dir():
            raise InvalidArgument(f"export: {os.fspath(path)!r} is a folder. {remedy}")
        return
    if place.exists() and not place.is_dir():
        raise InvalidArgument(f"export: {os.fspath(path)!r} is a file. {remedy}")
    if place.resolve() in {Path.cwd(), *Path.cwd().parents}:
        raise InvalidArgument(
            f"export: {os.fspath(path)!r} is the folder that this program works in, or one above "
            "it, which an export would replace. Nothing was written. Give a folder within it."
        )
    there = set(os.listdir(place)) if place.is_dir() else set()
    others = sorted(there if there.isdisjoint(_PROGRAMS) else there - _OF_SAVED_MODELS)
    if others:
        raise InvalidArgument(
            f"export: the folder {os.fspath(path)!r} is no export, it holds {others[0]!r}. {remedy}"
        )


# -- from models to functions


def _exported(model: Model, signatures: Sequence[Signature]) -> _Exported:
    other = next((each for each in signatures if not isinstance(each, Signature)), None)
    if other is not None:
        raise InvalidArgument(
            f"export: signatures are a list of tl.models.Signature, got {other!r} in it."
        )
    names = [each.name for each in signatures]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidArgument(
            f"export: two signatures are named {twice!r}. Each of them needs a name of its own; "
            "'serving_default' is what the arguments of export() describe."
        )
    listed = {id(each) for each in model.parameters.values()}  # or it raises NotBuilt
    functions = {each.name: traced(model, each) for each in signatures}
    _require_no_python(functions)
    made = [name for name, each in model.parameters.items() if id(each) not in listed]
    if made:
        raise UnlistedVariable(
            f"model {model.name!r} made {len(made)} variable(s) while it was exported, {made[0]!r} "
            "first, which have no trained values. Call the model once, train it, then export it."
        )
    return _Exported(_root(model, signatures, functions), functions)


def _root(model: Model, signatures: Sequence[Signature], functions: Mapping[str, Any]) -> tf.Module:
    root = tf.Module()
    root.model = model
    given = [fn for each in signatures for fn in (each.preprocess, each.postprocess)]
    # A table of words, for example, is found by way of the object that has it.
    owners = [getattr(function, "__self__", function) for function in given]
    root.processing = [o for o in owners if isinstance(o, (tf.Module, tf.keras.layers.Layer))]
    # Keras's random numbers have a state that is no weight, and is read in inference, too.
    listed = tree.listing(model, with_random=True)
    root.random = [each.variable for each in listed if each.is_random]
    known = {id(each.variable) for each in listed}
    used = [each for function in functions.values() for each in function.variables]
    root.used = [each for each in used if id(each) not in known]
    return root


def _require_no_python(functions: Mapping[str, Any]) -> None:
    """Raise NotSerializable if a function calls Python, which nobody else has."""
    for name, function in functions.items():
        graph = function.graph.as_graph_def()
        nodes = itertools.chain(graph.node, *(each.node_def for each in graph.library.function))
        called = next((node.op for node in nodes if node.op in _OF_PYTHON), None)
        if called is not None:
            raise NotSerializable(
                f"export: signature {name!r} computes with tf.py_function or tf.numpy_function "
                f"({called}), which calls Python in this process: nobody who loads the export has "
                "it. Compute with operations of TensorFlow."
            )


def _save(exported: _Exported, folder: Place) -> None:
    try:
        tf.saved_model.save(exported.root, os.fspath(folder), signatures=dict(exported.functions))
    except (AssertionError, KeyError) as error:
        if "untracked" not in str(error) and "captures tensor" not in str(error):
            raise
        raise NotSerializable(
            "export: preprocess or postprocess computes with something that the export would not "
            "hold, such as a table. Keep it in an attribute of a tf.Module whose __call__ is the "
            f"function, and give the module. TensorFlow says: {str(error)[:300]}"
        ) from error


# -- writing


def _write_saved_model(path: Place, exported: _Exported) -> None:
    with whole_folder(path) as temporary:
        _save(exported, temporary)


def _write_lite(path: Place, exported: _Exported) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _save(exported, folder)
        content = lite.converted(folder, list(exported.functions))
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def _write_onnx(path: Place, exported: _Exported) -> None:
    content = onnx.converted(exported.functions)
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


_WRITERS: dict[str, Callable[[Place, _Exported], None]] = {
    "savedmodel": _write_saved_model,
    "tflite": _write_lite,
    "onnx": _write_onnx,
}
