"""Recurrent layers: cells, and what runs them over sequences."""

from tensorlayer.layers.recurrent import (
    basic_lstm,
    bidirectional,
    both_ends,
    cells,
    conv_lstm,
    lengths,
    of_cell_function,
    rnn,
    seq2seq,
)
from tensorlayer.layers.recurrent.basic_lstm import *
from tensorlayer.layers.recurrent.bidirectional import *
from tensorlayer.layers.recurrent.both_ends import *
from tensorlayer.layers.recurrent.cells import *
from tensorlayer.layers.recurrent.conv_lstm import *
from tensorlayer.layers.recurrent.cudnn import without_cudnn
from tensorlayer.layers.recurrent.lengths import *
from tensorlayer.layers.recurrent.of_cell_function import *
from tensorlayer.layers.recurrent.rnn import *
from tensorlayer.layers.recurrent.seq2seq import *

__all__ = [
    *cells.__all__,
    *basic_lstm.__all__,
    *rnn.__all__,
    *bidirectional.__all__,
    *of_cell_function.__all__,
    *both_ends.__all__,
    *seq2seq.__all__,
    *conv_lstm.__all__,
    *lengths.__all__,
    "without_cudnn",
]
