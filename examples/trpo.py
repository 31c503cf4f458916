"""Trust region policy optimization: the longest step after which the actor still is much the same.

    python examples/trpo.py                # CartPole: balance a pole on a cart

How far weights may change says little about how much the actor changes. Here the bound is on the
actor itself: on how far, in the mean, the likelihoods of its actions move, which is their relative
entropy (Schulman et al., "Trust region policy optimization", 2015).

1. The gradient says which way actions become worth more. Divided by how much each direction changes
   the actor, which is the Fisher matrix, it becomes the way that gains most for its change. The
   matrix is never made: conjugate gradients need its products with vectors only.
2. The step is as long as the bound allows, if the actor changed as the matrix says.
3. Since it does so only nearby, the step is halved until it keeps the bound and gains something.

CartPole counts as solved at a mean return of 195 over 100 episodes, which this has to reach; the
most is 500, a random player gets 22. Training ends when the last 30 episodes did much better.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import actor_critic  # the file beside this one
import numpy as np
import tensorflow as tf


class Agent(actor_critic.Agent):
    """An actor that goes as far as its bound allows, and a critic."""

    n_games, n_steps = 8, 128
    rate = 3e-3  #: of the critic
    n_passes, n_batch = 6, 256  #: of the critic
    bound = 0.01  #: relative entropy between the actor before a step and after it
    damping = 0.1  #: of the Fisher matrix, which has directions that change nothing
    n_halved = 10

    def __init__(self, env: Any, rng: np.random.Generator) -> None:
        super().__init__(env, rng)
        self.gradient = tf.function(self.gradient_of_gain, autograph=False)
        self.curve = tf.function(self.fisher_times, autograph=False)
        self.measure = tf.function(self.gain_and_change, autograph=False)
        self.step_critic = tf.function(self.update_critic, autograph=False)

    def learn_from(
        self, seen: np.ndarray, actions: np.ndarray, worth: np.ndarray, wanted: np.ndarray
    ) -> None:
        """Step with the actor once, and go over what the critic should have said."""
        self.step_actor(seen, actions, actor_critic.standard(worth))
        for _ in range(self.n_passes):
            order = self.rng.permutation(len(seen))
            for rows in np.split(order, range(self.n_batch, len(order), self.n_batch)):
                self.step_critic(seen[rows], wanted[rows])

    def step_actor(self, seen: np.ndarray, actions: np.ndarray, worth: np.ndarray) -> bool:
        """Go the longest step that keeps the bound; return whether there was one."""
        weights = self.actor.trainable_weights
        start, logits = [each.numpy() for each in weights], self.logits(seen)

        def times(vector: np.ndarray) -> np.ndarray:
            parts = actor_critic.split(vector.astype(np.float32), start)
            return actor_critic.joined(self.curve(seen, parts)) + self.damping * vector

        direction = solve(times, actor_critic.joined(self.gradient(seen, actions, worth)))
        change = direction @ times(direction)  # twice the relative entropy, nearby
        direction *= np.sqrt(2 * self.bound / max(change, 1e-12))
        longest = actor_critic.split(direction, start)
        for part in 0.5 ** np.arange(self.n_halved):
            for each, first, way in zip(weights, start, longest, strict=True):
                each.assign(first + part * way)
            gain, change = self.measure(seen, actions, worth, logits)
            if gain > 0 and change <= self.bound:
                return True
        for each, first in zip(weights, start, strict=True):
            each.assign(first)
        return False

    def gradient_of_gain(
        self, seen: tf.Tensor, actions: tf.Tensor, worth: tf.Tensor
    ) -> list[tf.Tensor]:
        """Return which way actions become worth more."""
        with tf.GradientTape() as tape:
            found = actor_critic.log_chances(self.actor(seen, is_train=True), actions)
            gain = tf.reduce_mean(found * worth)
        return tape.gradient(gain, self.actor.trainable_weights)

    def fisher_times(self, seen: tf.Tensor, vector: list[tf.Tensor]) -> list[tf.Tensor]:
        """Return the second derivatives of the relative entropy times a vector."""
        weights = self.actor.trainable_weights
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                logits = self.actor(seen, is_train=True)
                change = relative_entropy(tf.stop_gradient(logits), logits)
            slopes = inner.gradient(change, weights)
            along = tf.add_n([tf.reduce_sum(a * b) for a, b in zip(slopes, vector, strict=True)])
        return outer.gradient(along, weights, unconnected_gradients="zero")

    def gain_and_change(
        self, seen: tf.Tensor, actions: tf.Tensor, worth: tf.Tensor, before: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return what the actor has gained since it played, and how much it has changed."""
        logits = self.actor(seen, is_train=True)
        likelier = actor_critic.log_chances(logits, actions)
        factor = tf.exp(likelier - actor_critic.log_chances(before, actions))
        return tf.reduce_mean((factor - 1) * worth), relative_entropy(before, logits)

    def update_critic(self, seen: tf.Tensor, wanted: tf.Tensor) -> None:
        """Update the weights of the critic once."""
        weights = self.critic.trainable_weights
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.critic(seen, is_train=True)[:, 0] - wanted) ** 2)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))


def relative_entropy(before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """Return how far likelihoods of actions have moved: the mean of ``sum p log(p / q)``."""
    before, after = tf.nn.log_softmax(before), tf.nn.log_softmax(after)
    return tf.reduce_mean(tf.reduce_sum(tf.exp(before) * (before - after), axis=1))


def solve(
    times: Callable[[np.ndarray], np.ndarray], wanted: np.ndarray, n_steps: int = 10
) -> np.ndarray:
    """Return x of ``A x = wanted`` by conjugate gradients, with A known by its products only."""
    found, rest = np.zeros_like(wanted), wanted.copy()
    way, size = rest, rest @ rest
    for _ in range(n_steps):
        if size < 1e-10:
            break
        product = times(way)
        part = size / (way @ product)
        found, rest = found + part * way, rest - part * product
        before, size = size, rest @ rest
        way = rest + size / before * way
    return found


if __name__ == "__main__":
    actor_critic.run_agent(Agent, __doc__, n_steps=150_000, picture="trpo.png")
