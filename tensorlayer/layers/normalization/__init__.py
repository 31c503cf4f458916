"""Normalisation: of activations, and of weights."""

from tensorlayer.layers.normalization import (
    batch,
    group,
    instance,
    layer,
    local_response,
    switch,
    weights,
)
from tensorlayer.layers.normalization.batch import *
from tensorlayer.layers.normalization.group import *
from tensorlayer.layers.normalization.instance import *
from tensorlayer.layers.normalization.layer import *
from tensorlayer.layers.normalization.local_response import *
from tensorlayer.layers.normalization.switch import *
from tensorlayer.layers.normalization.weights import *

__all__ = [
    *batch.__all__,
    *group.__all__,
    *instance.__all__,
    *layer.__all__,
    *local_response.__all__,
    *switch.__all__,
    *weights.__all__,
]
