"""Pooling."""

from tests.layers.spec import LayerSpec

FIRST = "channels_first"
BOXES = [[0, 0, 0, 3, 3], [0, 1, 2, 4, 6], [0, 2, 2, 2, 2]] * 2  # as many as the largest batch

SPECS = (
    LayerSpec("CornerPool2d", {"mode": "Bottomright"}, ((5, 4, 2),)),
    LayerSpec("GlobalMaxPool1d", {}, ((5, 2),)),
    LayerSpec("GlobalMaxPool2d", {}, ((5, 4, 2),)),
    LayerSpec("GlobalMaxPool3d", {}, ((5, 4, 3, 2),)),
    LayerSpec("GlobalMeanPool1d", {}, ((5, 2),)),
    LayerSpec("GlobalMeanPool2d", {"data_format": FIRST}, ((2, 5, 4),)),
    LayerSpec("GlobalMeanPool3d", {}, ((5, 4, 3, 2),)),
    LayerSpec("MaxPool1d", {"filter_size": 3, "strides": 2}, ((7, 2),)),
    LayerSpec("MaxPool1d", {"strides": 1, "padding": "VALID", "dilation_rate": 2}, ((7, 2),)),
    LayerSpec("MaxPool2d", {"filter_size": 3, "strides": 2}, ((7, 7, 2),)),
    LayerSpec("MaxPool2d", {"data_format": FIRST}, ((2, 7, 7),)),
    LayerSpec("MaxPool3d", {"filter_size": 2}, ((5, 5, 4, 2),)),
    LayerSpec("MaxPool3d", {"data_format": FIRST}, ((2, 5, 5, 4),)),
    LayerSpec("MeanPool1d", {"data_format": FIRST}, ((2, 7),)),
    LayerSpec("MeanPool2d", {"filter_size": (2, 2), "padding": "VALID"}, ((7, 7, 2),)),
    LayerSpec("MeanPool3d", {"padding": "SAME"}, ((5, 5, 4, 2),)),
    LayerSpec("PoolLayer", {}, ((7, 7, 2),)),
    LayerSpec("ROIPoolingLayer", {"rois": BOXES}, ((7, 8, 2),), compiles=False),
)
