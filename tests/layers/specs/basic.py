"""Dense layers, and layers that are random in training."""

from tests.layers.spec import LayerSpec

SPECS = (
    LayerSpec("Dense", {"n_units": 5, "act": "relu"}, ((7,),), ("weights", "biases")),
    LayerSpec("DropconnectDense", {"keep": 0.7, "n_units": 5, "act": "relu"}, ((7,),),
              ("weights", "biases"), depends_on_mode=True, is_random=True),
    LayerSpec("Dropout", {"keep": 0.5}, ((20,),), depends_on_mode=True, is_random=True),
    LayerSpec("GaussianNoise", {"is_always": False}, ((20,),), depends_on_mode=True,
              is_random=True),
    LayerSpec("Mlp", {"n_units": 5, "out_act": "tanh"}, ((4, 7),),
              ("1/weights", "1/biases", "2/weights", "2/biases")),
    LayerSpec("SqueezeExcitation", {"ratio": 2, "act": "tanh", "W_init": 0.5}, ((5, 4, 6),),
              ("squeeze_weights", "squeeze_biases", "excite_weights", "excite_biases"),
              spread=0.3),
    LayerSpec("SqueezeExcitation", {"data_format": "channels_first", "b_init": None,
               "act": None}, ((6, 5, 4),), ("squeeze_weights", "excite_weights"), spread=0.3),
    LayerSpec("StochasticDepth", {"keep": 0.5, "seed": 3}, ((20,),), depends_on_mode=True,
              is_random=True),
)  # fmt: skip
