"""The way out to TensorFlow Lite, by the converter that comes with TensorFlow."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import tensorflow as tf

from tensorlayer.errors import NotSerializable

__all__ = ["converted", "lacking"]

#: How the converter names an operation that it does not know.
_LACKING = re.compile(r"'tf\.(\w+)' op (?:is neither|requires|that was explicitly marked)")

#: Types of tensors, in the converter's words, that few of its operations compute with.
_OTHER_TYPES = {"f16": "float16", "bf16": "bfloat16", "f64": "float64"}

_LOOP = (
    "A loop, such as that of a recurrent layer over more than 40 steps, needs a fixed batch size: "
    "inputs=[tf.TensorSpec([1, ...])]."
)
_OTHERS = (
    "Use other functions, or give tf.lite.TFLiteConverter.from_saved_model a SavedModel, with "
    "tf.lite.OpsSet.SELECT_TF_OPS for devices that have operations of TensorFlow."
)


def converted(folder: str | os.PathLike[str], signatures: Sequence[str]) -> bytes:
    """Return the file that has these signatures of a SavedModel, in operations of its own.

    Raises
    ------
    NotSerializable
        The converter cannot do it, for instance since TensorFlow Lite lacks an operation.
    """
    make = tf.lite.TFLiteConverter.from_saved_model
    try:
        return make(os.fspath(folder), signature_keys=list(signatures)).convert()
    except Exception as error:  # whatever the converter raises, which has no public name
        names = lacking(str(error))
        what = f"it has no {', '.join(names)}" if names else f"its converter says: {error}"
        raise NotSerializable(
            f"export: TensorFlow Lite cannot express the model: {what[:300]}. "
            f"{_remedy(str(error), names)}"
        ) from error


def _remedy(message: str, names: Sequence[str]) -> str:
    if any(name.startswith("TensorList") for name in names):
        return _LOOP
    found = re.findall(rf"[<x]({'|'.join(_OTHER_TYPES)})>", message)
    if found:
        return (
            f"It computes with float32, and the model with {_OTHER_TYPES[found[0]]}: make the same "
            "model in float32, without a mixed policy, and give it the weights by assign_arrays."
        )
    return _OTHERS


def lacking(message: str) -> list[str]:
    """Return the operations that a converter names as unknown.

    Examples
    --------
    >>> lacking("loc(...): error: 'tf.Erfinv' op is neither a custom op nor a flex op")
    ['Erfinv']
    """
    return sorted(set(_LACKING.findall(message)))
