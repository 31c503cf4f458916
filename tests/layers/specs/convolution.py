"""Convolutions."""

from tests.layers.spec import LayerSpec

SPECS = (
    LayerSpec("Conv2d", {"n_filter": 4, "filter_size": (3, 2), "act": "tanh"}, ((8, 8, 3),),
              ("filters", "biases")),
)  # fmt: skip
