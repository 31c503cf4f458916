"""Dense layers, layers that are random in training, and normalisation."""

from tests.layers.spec import LayerSpec

SPECS = (
    LayerSpec("BatchNorm", {"act": "relu"}, ((5, 5, 3),),
              ("beta", "gamma", "moving_mean", "moving_var"), depends_on_mode=True),
    LayerSpec("Dense", {"n_units": 5, "act": "relu"}, ((7,),), ("weights", "biases")),
    LayerSpec("Dropout", {"keep": 0.5}, ((20,),), depends_on_mode=True, is_random=True),
)  # fmt: skip
