"""Layers: what a network is declared with."""

from tensorlayer.layers.base import Layer
from tensorlayer.layers.compat import set_name_reuse
from tensorlayer.layers.convolution import Conv2d
from tensorlayer.layers.dense import Dense
from tensorlayer.layers.graph import Network
from tensorlayer.layers.inputs import Input, InputLayer
from tensorlayer.layers.lambda_ import Lambda
from tensorlayer.layers.merge import Concat, Elementwise
from tensorlayer.layers.naming import AUTO_REUSE, isolated, variable_scope
from tensorlayer.layers.nested import ModelLayer
from tensorlayer.layers.noise import Dropout
from tensorlayer.layers.normalization import BatchNorm
from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.pooling import MaxPool2d, MeanPool2d
from tensorlayer.layers.shape import Flatten, Part, Reshape, Slice

# The names of TensorLayer 1.x; the same objects.
BatchNormLayer = BatchNorm
ConcatLayer = Concat
DenseLayer = Dense
DropoutLayer = Dropout
ElementwiseLayer = Elementwise
FlattenLayer = Flatten
LambdaLayer = Lambda
ReshapeLayer = Reshape

__all__ = [
    "AUTO_REUSE",
    "BatchNorm",
    "BatchNormLayer",
    "Concat",
    "ConcatLayer",
    "Conv2d",
    "Dense",
    "DenseLayer",
    "Dropout",
    "DropoutLayer",
    "Elementwise",
    "ElementwiseLayer",
    "Flatten",
    "FlattenLayer",
    "Input",
    "InputLayer",
    "Lambda",
    "LambdaLayer",
    "Layer",
    "MaxPool2d",
    "MeanPool2d",
    "ModelLayer",
    "Network",
    "Outputs",
    "Part",
    "Reshape",
    "ReshapeLayer",
    "Slice",
    "isolated",
    "set_name_reuse",
    "variable_scope",
]
