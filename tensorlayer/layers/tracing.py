"""Abstract tracing: the outputs of a layer for declared inputs, without computing anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, TensorLayerError, WrongShape
from tensorlayer.layers import computing, summary
from tensorlayer.layers.structure import leaves, rebuild

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer

__all__ = ["trace"]


def trace(layer: Layer, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """Return the output specs of ``layer`` for input specs, and note what it computes with."""
    with computing.LOCK:
        computing.build(layer, args, options)
        try:
            outputs, used = _traced(layer, args, options)
        except (ValueError, TypeError) as error:
            if isinstance(error, TensorLayerError):
                raise
            computing.explain(layer, args, options, error)
            # TensorFlow indents it; Keras lists arguments after it, and shows it in bold.
            text = str(error).partition("Arguments received by")[0]
            reason = _STYLE.sub("", text).strip().rpartition("\n")[2].lstrip()
            shapes = summary.shapes((args, options))
            raise WrongShape(f"{layer!r} cannot be applied to shape {shapes}: {reason}") from error
        computing.settle(layer, used)
    return outputs


def _traced(layer: Layer, args: Any, options: Any) -> tuple[Any, list[tf.Variable]]:
    given = (args, options)
    specs = [leaf for leaf in leaves(given) if isinstance(leaf, tf.TensorSpec)]

    def forward(*tensors: tf.Tensor) -> Any:
        values = iter(tensors)
        inputs, named = rebuild(
            given, lambda leaf: next(values) if isinstance(leaf, tf.TensorSpec) else leaf
        )
        outputs = computing.run(layer, inputs, named)
        computing.require_tensors(layer, outputs)
        _require_dense(layer, outputs)
        return outputs

    if layer.needs_autograph or _is_told_code(layer):
        traced = tf.function(forward).get_concrete_function(*specs)
    else:  # the same graph without the conversion and what a function needs to be called
        traced = tf.compat.v1.wrap_function(forward, specs)
    outputs = rebuild(traced.structured_outputs, lambda o: tf.TensorSpec(o.shape, o.dtype))
    return outputs, list(traced.graph.variables)


def _require_dense(layer: Layer, outputs: Any) -> None:
    """Refuse what the next layer could not be declared for: an input is declared as dense."""
    for leaf in leaves(outputs):
        if isinstance(leaf, (tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices)):
            raise InvalidArgument(
                f"{layer!r}: networks over Input pass on dense tensors, and its forward gives a "
                f"{type(leaf).__name__}. Make it dense in the same layer, with to_tensor() or "
                "tf.sparse.to_dense."
            )


def _is_told_code(layer: Layer) -> bool:
    """Whether functions of others are among its arguments, such as an activation."""
    given = [value for value in leaves(dict(layer.arguments)) if callable(value)]
    return not all((getattr(v, "__module__", None) or "").startswith(_PLAIN) for v in given)


#: What makes a terminal show text in bold or in a colour.
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
#: Without Python control flow on tensors.
_PLAIN = ("tensorlayer.", "tensorflow.", "keras.")
