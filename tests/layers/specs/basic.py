"""Dense layers, and layers that are random in training."""

from tests.layers.spec import LayerSpec

SPECS = (
    LayerSpec("Dense", {"n_units": 5, "act": "relu"}, ((7,),), ("weights", "biases")),
    LayerSpec("DropconnectDense", {"keep": 0.7, "n_units": 5, "act": "relu"}, ((7,),),
              ("weights", "biases"), depends_on_mode=True, is_random=True),
    LayerSpec("Dropout", {"keep": 0.5}, ((20,),), depends_on_mode=True, is_random=True),
    LayerSpec("GaussianNoise", {"is_always": False}, ((20,),), depends_on_mode=True,
              is_random=True),
    LayerSpec("StochasticDepth", {"keep": 0.5, "seed": 3}, ((20,),), depends_on_mode=True,
              is_random=True),
)  # fmt: skip
