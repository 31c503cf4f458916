"""Padding, and images made larger and smaller."""

from tests.layers.spec import LayerSpec

FIRST = "channels_first"

SPECS = (
    LayerSpec("DownSampling2d", {"scale": 2}, ((6, 8, 2),)),
    LayerSpec("DownSampling2d", {"scale": 3, "method": "bicubic", "antialias": True}, ((6, 8, 2),),
              compiles=False),
    LayerSpec("PadLayer", {"padding": [[0, 0], [1, 2], [2, 0]], "mode": "REFLECT"}, ((5, 4),)),
    LayerSpec("UpSampling2d", {"scale": (2, 4), "data_format": FIRST}, ((2, 3, 4),)),
    LayerSpec("UpSampling2d", {"size": (5, 7), "is_scale": False, "method": 1}, ((3, 4, 2),)),
    LayerSpec("ZeroPad1d", {"padding": (1, 2)}, ((5, 2),)),
    LayerSpec("ZeroPad2d", {"padding": ((1, 2), (0, 3))}, ((5, 4, 2),)),
    LayerSpec("ZeroPad3d", {"padding": (1, 0, 2), "data_format": FIRST}, ((2, 3, 4, 5),)),
)  # fmt: skip
