"""Proximal policy optimization: learn from the same steps several times, but not too far.

    python examples/ppo.py                # CartPole: balance a pole on a cart

Steps that were played say how to change the actor as it was when it played them; after an update it
is another one already. The actor-critic beside this file therefore throws its steps away after one
update. This one (Schulman et al., "Proximal policy optimization algorithms", 2017) goes over them
several times in batches: what counts is by which factor an action has become likelier since it was
played, and where that factor is beyond 0.8 or 1.2 there is nothing more to gain. So the actor stays
near the one that played.

CartPole counts as solved at a mean return of 195 over 100 episodes, which this has to reach; the
most is 500, a random player gets 22. Training ends when the last 30 episodes did much better.
"""

from __future__ import annotations

import actor_critic  # the file beside this one
import numpy as np
import tensorflow as tf


class Agent(actor_critic.Agent):
    """An actor and a critic that learn from the same steps several times."""

    n_games, n_steps = 8, 128
    rate = 1e-3
    n_passes, n_batch = 6, 256
    clip = 0.2  #: by how much likelier or less likely an action may become

    def learn_from(
        self, seen: np.ndarray, actions: np.ndarray, worth: np.ndarray, wanted: np.ndarray
    ) -> None:
        """Go over the steps several times, in batches."""
        before = actor_critic.log_chances(self.logits(seen), actions).numpy()
        for _ in range(self.n_passes):
            order = self.rng.permutation(len(seen))
            for rows in np.split(order, range(self.n_batch, len(order), self.n_batch)):
                parts = (seen, actions, before)
                worth_of_batch = actor_critic.standard(worth[rows])
                self.step(*(each[rows] for each in parts), worth_of_batch, wanted[rows])

    def loss_of_actor(self, found: tf.Tensor, before: tf.Tensor, worth: tf.Tensor) -> tf.Tensor:
        """Return what falls as worthy actions become likelier, up to a bound."""
        factor = tf.exp(found - before)
        bounded = tf.clip_by_value(factor, 1 - self.clip, 1 + self.clip)
        return -tf.reduce_mean(tf.minimum(factor * worth, bounded * worth))


if __name__ == "__main__":
    actor_critic.run_agent(Agent, __doc__, n_steps=100_000, picture="ppo.png")
