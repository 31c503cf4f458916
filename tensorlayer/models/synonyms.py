"""The same parameter under other names: what TensorLayer 1.x, 2.x and Keras layers in it wrote.

A dense layer's weights are `d1/weights` here and in 2.x, `d1/W` in 1.x; filters are `c1/filters`,
`c1/kernel` or `c1/W_conv2d`. A layer within a list is `list/l1` here and `l1` in 2.x.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["renamed"]

_WEIGHTS, _BIASES = "weights", "biases"
_KINDS = {
    **dict.fromkeys(("W", "kernel", "filters", "weights"), _WEIGHTS),
    **dict.fromkeys(("b", "bias", "biases"), _BIASES),
    "moving_variance": "moving_var",
}
#: 1.x wrote the kind of layer into the name: W_conv2d, b_deconv2d, W_depthwise2d.
_OF_1_X = re.compile(r"([Wb])_\w*\d?d\w*")


def renamed(parameters: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what was found under the names of the parameters; None where that is not certain.

    Parameters
    ----------
    parameters
        What is wanted, by name.
    found
        What there is, by the names of another generation.

    Examples
    --------
    >>> renamed({"list/d1/weights": ..., "list/d1/biases": ...}, {"d1/W": 1, "d1/b": 2})
    {'list/d1/weights': 1, 'list/d1/biases': 2}
    >>> renamed({"d1/weights": ..., "d2/weights": ...}, {"d1/W": 1}) is None
    True
    """
    ours = {_place(name): name for name in parameters}
    theirs = {_place(name): value for name, value in found.items()}
    if not len(ours) == len(theirs) == len(parameters) == len(found):
        return None
    layers = {layer for layer, _ in theirs}
    matched = {}
    for (layer, kind), name in ours.items():
        fitting = [each for each in layers if layer == each or layer.endswith(f"/{each}")]
        place = (max(fitting, key=len, default=""), kind)
        if place not in theirs:
            return None
        matched[name] = theirs.pop(place)
    return matched


def _place(name: str) -> tuple[str, str]:
    """Return the layer of a parameter, and what it is to the layer."""
    layer, _, own = name.rpartition("/")
    of_1_x = _OF_1_X.fullmatch(own)
    return layer, _KINDS.get(of_1_x[1] if of_1_x else own, own)
