"""Pooling: over windows, over everything, towards a corner, over regions."""

from tensorlayer.layers.pooling import corner, everywhere, regions, window
from tensorlayer.layers.pooling.corner import *
from tensorlayer.layers.pooling.everywhere import *
from tensorlayer.layers.pooling.regions import *
from tensorlayer.layers.pooling.window import *

__all__ = [*corner.__all__, *everywhere.__all__, *regions.__all__, *window.__all__]
