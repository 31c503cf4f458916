"""Optimizers as in ``tf.optimizers``, right and fast on the sparse gradients of embeddings."""

from __future__ import annotations

from tensorlayer.optimizers.amsgrad import AMSGrad
from tensorlayer.optimizers.dense import Adafactor, Adam, AdamW, Lamb, Lion, Nadam
from tensorlayer.optimizers.loss_scale import LossScaleOptimizer
from tensorlayer.optimizers.rows import summed
from tensorlayer.optimizers.sparse import SGD, Adadelta, Adagrad, Adamax, Ftrl, LazyAdam, RMSprop

__all__ = [
    "SGD",
    "AMSGrad",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "LazyAdam",
    "Lion",
    "LossScaleOptimizer",
    "Nadam",
    "RMSprop",
    "summed",
]
