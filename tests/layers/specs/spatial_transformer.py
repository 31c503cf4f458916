"""Spatial transformers."""

from tests.layers.spec import LayerSpec

SPECS = (
    LayerSpec("SpatialTransformer2dAffine", {"out_size": (4, 3)}, ((5,), (6, 7, 2)),
              ("weights", "biases")),
    LayerSpec("SpatialTransformer2dAffine", {"out_size": 3, "data_format": "channels_first"},
              ((5,), (2, 6, 7)), ("weights", "biases")),
)  # fmt: skip
