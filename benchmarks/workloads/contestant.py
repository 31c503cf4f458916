"""What is compared on a workload: one library's network, and its step of gradient descent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

#: A function of one batch that returns the cost.
Cost = Callable[..., tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Contestant:
    """A traced step of one batch, the cost that it lowers, and the weights that it changes."""

    step: Any
    cost: Cost
    weights: Sequence[tf.Variable]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workload:
    """What is trained, on what, and by whom.

    The first contestant is native: TensorFlow alone. The others begin with its weights where
    theirs have the same shapes in the same order.
    """

    name: str
    unit: str  #: of what is counted: images or words
    per_step: int  #: how many of them a batch has
    n_steps: int  #: of a loop: about a second
    n_at_once: int  #: steps that are measured as one, of 50 ms or so together
    #: after so many of these all is made anew: where large tables come to lie may decide 5 %
    n_rounds_of_a_place: int = 100
    batches: Callable[[int], Sequence[Any]]  #: so many batches that it makes itself
    contestants: dict[str, Callable[[], Contestant]]
    keras: Callable[[], tf.keras.Model]  #: compiled
    loop_bar: float  #: how much faster `tl.train.run` has to be than a loop in Python

    def begin(self, seed: int = 0) -> dict[str, Contestant]:
        """Return the contestants, made in random order, with the first weights of the first."""
        order = np.random.default_rng(seed).permutation(list(self.contestants))
        found = {name: self.contestants[name]() for name in order.tolist()}
        made = {name: found[name] for name in self.contestants}
        first = next(iter(made.values())).weights
        for each in made.values():
            if [w.shape for w in each.weights] == [w.shape for w in first]:
                for variable, value in zip(each.weights, first, strict=True):
                    variable.assign(value)
        return made

    def dataset(self, n_batches: int) -> tf.data.Dataset:
        """Return batches as ``tf.data`` gives them."""
        arrays = tuple(np.stack(each) for each in zip(*self.batches(n_batches), strict=True))
        return tf.data.Dataset.from_tensor_slices(arrays).prefetch(tf.data.AUTOTUNE)


def descending(
    cost: Cost, weights: Sequence[tf.Variable], rate: float, clip: float | None = None
) -> Contestant:
    """Return a step of gradient descent: TensorFlow's own, one operation for each weight.

    Parameters
    ----------
    cost
        Of a batch.
    weights
        What is trained.
    rate
        Of learning.
    clip
        The norm of all gradients together is at most this; None for no limit.
    """
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(rate)

    @tf.function
    def step(*batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = cost(*batch)
        gradients = tape.gradient(loss, weights)
        if clip is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, clip)
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return loss

    return Contestant(step, cost, weights)


def mean_cross_entropy(logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Return the mean cost of logits, as TensorFlow computes it."""
    costs = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=logits)
    return tf.reduce_mean(costs)
