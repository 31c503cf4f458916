"""Losses and penalties.

Each is one formula over tensors, written in its docstring. Three rules hold for all of them:

- What comes in as float16, bfloat16, integers or booleans is computed and returned in float32, the
  rest in its own type: a sum of some thousand terms does not overflow, and gradients come back in
  the type of the input.
- Values and gradients are finite at the edges: masks of zeros only, probabilities of 0 and 1, two
  equal vectors, a vector of zeros. Only a batch without samples has no mean: it is NaN.
- Output and target have the same rank, or the target is a scalar. ``(batch, 1)`` against
  ``(batch,)`` would silently become a table of all differences; it is an error.

Those on logits apply softmax or sigmoid themselves, which is more exact than a loss on
probabilities.
"""

from __future__ import annotations

from tensorlayer.cost import classification, overlap, regression, regularizers, sequence
from tensorlayer.cost.classification import *
from tensorlayer.cost.overlap import *
from tensorlayer.cost.regression import *
from tensorlayer.cost.regularizers import *
from tensorlayer.cost.sequence import *

__all__ = [
    *classification.__all__,
    *overlap.__all__,
    *regression.__all__,
    *regularizers.__all__,
    *sequence.__all__,
]
