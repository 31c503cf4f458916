"""Activations that are layers."""

from tests.layers.spec import LayerSpec

SPECS = (
    LayerSpec("PRelu", {}, ((5, 4, 3),), ("alpha",)),
    LayerSpec("PRelu", {"data_format": "channels_first"}, ((3, 5, 4),), ("alpha",)),
    LayerSpec("PRelu6", {}, ((5, 3),), ("alpha",)),
    LayerSpec("PTRelu6", {}, ((2, 3),), ("alpha_low", "alpha_high"), spread=5.0),
    LayerSpec("Scale", {}, ((4, 3),), ("scale",)),
    LayerSpec("Sign", {}, ((4, 3),)),
)
