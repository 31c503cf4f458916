"""Layers: what a network is declared with.

A file for each family; names of TensorLayer 1.x stand beside the class that they mean.
"""

from tensorlayer.layers import (
    activation,
    attention,
    convolution,
    dense,
    lambda_,
    merge,
    nested,
    noise,
    normalization,
    padding,
    perceptron,
    pooling,
    resampling,
    shape,
)
from tensorlayer.layers.activation import *
from tensorlayer.layers.attention import *
from tensorlayer.layers.base import Layer
from tensorlayer.layers.compat import set_name_reuse
from tensorlayer.layers.convolution import *
from tensorlayer.layers.dense import *
from tensorlayer.layers.graph import Network
from tensorlayer.layers.inputs import Input, InputLayer
from tensorlayer.layers.lambda_ import *
from tensorlayer.layers.merge import *
from tensorlayer.layers.naming import AUTO_REUSE, isolated, variable_scope
from tensorlayer.layers.nested import *
from tensorlayer.layers.noise import *
from tensorlayer.layers.normalization import *
from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.padding import *
from tensorlayer.layers.perceptron import *
from tensorlayer.layers.pooling import *
from tensorlayer.layers.resampling import *
from tensorlayer.layers.shape import *

__all__ = [
    "AUTO_REUSE",
    "Input",
    "InputLayer",
    "Layer",
    "Network",
    "Outputs",
    "isolated",
    "set_name_reuse",
    "variable_scope",
    *activation.__all__,
    *attention.__all__,
    *convolution.__all__,
    *dense.__all__,
    *lambda_.__all__,
    *merge.__all__,
    *nested.__all__,
    *noise.__all__,
    *normalization.__all__,
    *padding.__all__,
    *perceptron.__all__,
    *pooling.__all__,
    *resampling.__all__,
    *shape.__all__,
]
