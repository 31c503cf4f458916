"""Pooling."""

from tests.layers.spec import LayerSpec

SPECS = (
    LayerSpec("MaxPool2d", {"filter_size": 3, "strides": 2}, ((7, 7, 2),)),
    LayerSpec("MeanPool2d", {"filter_size": (2, 2), "padding": "VALID"}, ((7, 7, 2),)),
)
