"""A network over a placeholder to begin with."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import tensorlayer as tl

ONES = np.ones([50, 20], "float32")


def begin(size=20, name="x"):
    placeholder = tf.compat.v1.placeholder(tf.float32, [None, size], name=name)
    return tl.layers.InputLayer(placeholder, name=name)
