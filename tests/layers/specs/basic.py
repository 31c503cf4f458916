"""Dense layers, and layers that are random in training."""

from tests.layers.spec import LayerSpec

SPECS = (
    LayerSpec("Dense", {"n_units": 5, "act": "relu"}, ((7,),), ("weights", "biases")),
    LayerSpec("Dropout", {"keep": 0.5}, ((20,),), depends_on_mode=True, is_random=True),
)  # fmt: skip
