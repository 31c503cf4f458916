"""Recurrent layers: cells, and what runs them over sequences."""

from tensorlayer.layers.recurrent import cells, rnn
from tensorlayer.layers.recurrent.cells import *
from tensorlayer.layers.recurrent.rnn import *

__all__ = [*cells.__all__, *rnn.__all__]
