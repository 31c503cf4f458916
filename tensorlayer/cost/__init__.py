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

from tensorlayer.cost.classification import (
    binary_cross_entropy,
    cross_entropy,
    sigmoid_cross_entropy,
)
from tensorlayer.cost.overlap import dice_coe, dice_hard_coe, iou_coe
from tensorlayer.cost.regression import (
    absolute_difference_error,
    cosine_similarity,
    huber_loss,
    mean_squared_error,
    normalized_mean_square_error,
)
from tensorlayer.cost.regularizers import (
    Regularizer,
    li_regularizer,
    lo_regularizer,
    maxnorm_i_regularizer,
    maxnorm_o_regularizer,
    maxnorm_regularizer,
)
from tensorlayer.cost.sequence import (
    cross_entropy_seq,
    cross_entropy_seq_with_mask,
    sequence_loss_by_example,
)

__all__ = [
    "cross_entropy",
    "sigmoid_cross_entropy",
    "binary_cross_entropy",
    "mean_squared_error",
    "normalized_mean_square_error",
    "absolute_difference_error",
    "huber_loss",
    "cosine_similarity",
    "dice_coe",
    "dice_hard_coe",
    "iou_coe",
    "cross_entropy_seq",
    "cross_entropy_seq_with_mask",
    "sequence_loss_by_example",
    "Regularizer",
    "li_regularizer",
    "lo_regularizer",
    "maxnorm_regularizer",
    "maxnorm_o_regularizer",
    "maxnorm_i_regularizer",
]
