"""The way out to SavedModel: a network as a signature with named inputs and outputs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.layers import graph, naming
from tensorlayer.layers.graph import Network

__all__ = ["identifiers", "signature"]


def signature(inputs: Sequence[Network], outputs: Any) -> Any:
    """Return a concrete function of the inputs by name that infers the outputs by name.

    They are called after their layers, as [`identifiers`][] spells them.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 4], name="x")
    >>> serve = signature([x], tl.layers.Dense(x, 2, name="scope/logits"))
    >>> {name: value.shape for name, value in serve(x=tf.ones([3, 4])).items()}
    {'scope_logits': TensorShape([3, 2])}
    """
    wanted = graph.networks_in(outputs)
    known = naming.names_of(graph.layers_of([list(inputs), wanted]))
    names = identifiers([known[node.layer] for node in inputs])
    results = identifiers([known[node.layer] for node in wanted])

    @tf.function
    def serve(**values: tf.Tensor) -> dict[str, tf.Tensor]:
        fed = dict(zip(inputs, (values[name] for name in names), strict=True))
        return dict(zip(results, graph.evaluate(wanted, fed, is_train=False), strict=True))

    specs = {
        name: tf.TensorSpec(node.layer.spec.shape, node.layer.spec.dtype, name)
        for name, node in zip(names, inputs, strict=True)
    }
    return serve.get_concrete_function(**specs)


def identifiers(names: Sequence[str]) -> list[str]:
    """Return layers' names as SavedModel accepts them for arguments, each once.

    Examples
    --------
    >>> identifiers(["a/b.c", "a_b/c", "x", "x"])
    ['a_b_c', 'a_b_c_1', 'x', 'x_1']
    """
    found: list[str] = []
    for name in names:
        stem = "".join(letter if letter.isalnum() else "_" for letter in name)
        numbered = (f"{stem}_{number}" for number in itertools.count(1))
        found.append(next(each for each in itertools.chain([stem], numbered) if each not in found))
    return found
