"""Attention, the blocks of transformers, and what tells them where things stand."""

from tensorlayer.layers.attention import multihead, positions, transformer
from tensorlayer.layers.attention.multihead import *
from tensorlayer.layers.attention.positions import *
from tensorlayer.layers.attention.transformer import *

__all__ = [*multihead.__all__, *positions.__all__, *transformer.__all__]
