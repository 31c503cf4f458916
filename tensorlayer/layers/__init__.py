"""Layers: what a network is declared with.

A file for each family; names of TensorLayer 1.x stand beside the class that they mean.
"""

from tensorlayer.layers import (
    activation,
    attention,
    bridges,
    convolution,
    dense,
    embedding,
    helpers,
    lambda_,
    merge,
    nested,
    noise,
    normalization,
    padding,
    perceptron,
    pooling,
    quantized,
    recon,
    recurrent,
    resampling,
    shape,
    spatial_transformer,
    time_distributed,
    word2vec,
)
from tensorlayer.layers.activation import *
from tensorlayer.layers.attention import *
from tensorlayer.layers.base import Layer
from tensorlayer.layers.bridges import *
from tensorlayer.layers.compat import clear_layers_name, set_name_reuse
from tensorlayer.layers.convolution import *
from tensorlayer.layers.dense import *
from tensorlayer.layers.embedding import *
from tensorlayer.layers.graph import Network
from tensorlayer.layers.helpers import *
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
from tensorlayer.layers.quantized import *
from tensorlayer.layers.recon import *
from tensorlayer.layers.recurrent import *
from tensorlayer.layers.resampling import *
from tensorlayer.layers.shape import *
from tensorlayer.layers.spatial_transformer import *
from tensorlayer.layers.time_distributed import *
from tensorlayer.layers.word2vec import *

__all__ = [
    "AUTO_REUSE",
    "Input",
    "InputLayer",
    "Layer",
    "Network",
    "Outputs",
    "clear_layers_name",
    "isolated",
    "set_name_reuse",
    "variable_scope",
    *activation.__all__,
    *attention.__all__,
    *bridges.__all__,
    *convolution.__all__,
    *dense.__all__,
    *embedding.__all__,
    *helpers.__all__,
    *lambda_.__all__,
    *merge.__all__,
    *nested.__all__,
    *noise.__all__,
    *normalization.__all__,
    *padding.__all__,
    *perceptron.__all__,
    *pooling.__all__,
    *recon.__all__,
    *recurrent.__all__,
    *resampling.__all__,
    *quantized.__all__,
    *shape.__all__,
    *spatial_transformer.__all__,
    *time_distributed.__all__,
    *word2vec.__all__,
]
