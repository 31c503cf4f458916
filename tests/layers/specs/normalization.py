"""Normalisation, of activations and of weights."""

from typing import Any

from tensorlayer import layers
from tests.layers.spec import LayerSpec

FIRST = "channels_first"
MOVING = ("moving_mean", "moving_var")


def _with_conv() -> dict[str, Any]:
    return {"layer": layers.Conv2d(4, (3, 2), act="tanh")}


def _with_dense() -> dict[str, Any]:
    return {"layer": layers.Dense(5, act="relu"), "n_iterations": 2}


SPECS = (
    LayerSpec("BatchNorm", {"act": "relu"}, ((5, 5, 3),), ("beta", "gamma", *MOVING),
              depends_on_mode=True),
    LayerSpec("BatchNorm1d", {"gamma_init": None}, ((3,),), ("beta", *MOVING),
              depends_on_mode=True),
    LayerSpec("BatchNorm2d", {"data_format": FIRST}, ((3, 5, 4),), ("beta", "gamma", *MOVING),
              depends_on_mode=True),
    LayerSpec("BatchNorm3d", {"beta_init": None}, ((3, 4, 2, 3),), ("gamma", *MOVING),
              depends_on_mode=True),
    LayerSpec("GroupNorm", {"groups": 2, "act": "relu"}, ((4, 5, 6),), ("gamma", "beta")),
    LayerSpec("GroupNorm", {"groups": 3, "data_format": FIRST}, ((6, 4, 5),), ("gamma", "beta")),
    LayerSpec("InstanceNorm", {"act": "relu"}, ((5, 5, 3),), ("beta", "gamma")),
    LayerSpec("InstanceNorm1d", {}, ((5, 3),), ("beta", "gamma")),
    LayerSpec("InstanceNorm2d", {"data_format": FIRST}, ((3, 4, 5),), ("beta", "gamma")),
    LayerSpec("InstanceNorm3d", {}, ((5, 2, 3, 3),), ("beta", "gamma")),
    LayerSpec("LayerNorm", {"act": "relu"}, ((4, 3),), ("beta", "gamma")),
    LayerSpec("LayerNorm", {"data_format": FIRST}, ((3, 4),), ("beta", "gamma")),
    LayerSpec("LocalResponseNorm", {"depth_radius": 1}, ((4, 3, 6),)),
    LayerSpec("RMSNorm", {}, ((4, 3),), ("gamma",)),
    LayerSpec("RMSNorm", {"data_format": FIRST}, ((3, 4),), ("gamma",)),
    LayerSpec("SpectralNorm", _with_dense(), ((7,),), ("weights", "biases", "u"),
              depends_on_mode=True, is_random=True, renew=_with_dense),  # u goes on in training
    LayerSpec("SwitchNorm", {"data_format": FIRST}, ((3, 4, 5),),
              ("gamma", "beta", "mean_weight", "var_weight")),
    LayerSpec("WeightNorm", _with_conv(), ((6, 6, 3),), ("filters", "biases", "g"),
              renew=_with_conv),
)  # fmt: skip
