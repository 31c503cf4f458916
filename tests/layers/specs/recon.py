"""Layers that are trained before the others."""

from tests.layers.spec import LayerSpec

SPECS = (LayerSpec("ReconLayer", {"n_units": 5, "act": "sigmoid"}, ((7,),), ("weights", "biases")),)
