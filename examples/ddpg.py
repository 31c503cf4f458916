"""Deep deterministic policy gradient: Q-learning where an action is a number.

    python examples/ddpg.py                # Pendulum: swing it up, and hold it there

With numbers for actions the best one cannot be found by trying all. So a second network, the actor,
learns to say it (Lillicrap et al., "Continuous control with deep reinforcement learning", 2016):

1. The critic learns what an action is worth from rewards, and from what a slow copy of itself says
   about the action that a slow copy of the actor would do next.
2. The actor learns by the gradient of the critic: which way an action has to change to be worth
   more.
3. To learn from it, the actor's actions are played with noise on them.

Pendulum has no end at which it is solved; a random player gets about -1200, a good one -150. The
mean return of 100 fresh episodes has to reach -250, with ``--quick`` -400. Killed, a run goes on
with ``--resume`` as it was after the last evaluation.
"""

from __future__ import annotations

from typing import Any

from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import control  # noqa: E402 - the file beside this one
import replay  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet

NOISE = 0.1  # on the actions that are played, whose range is [-1, 1]


class Agent(control.Agent):
    """An actor that says an action, and learns by the gradient of the critic."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.slow_actor = control.actor(self.n_seen, self.n_numbers)
        control.follow(self.slow_actor, self.actor, 1.0)
        self.values["slow_actor"] = dict(self.slow_actor.parameters)

    def noisy_action(self, seen: tf.Tensor) -> tf.Tensor:
        """Return the action with noise."""
        found = self.action(seen)
        noisy = found + NOISE * self.draws.normal(tf.shape(found))
        return tf.clip_by_value(noisy, -1.0, 1.0)

    def next_action(self, following: tf.Tensor) -> tf.Tensor:
        """Return what the slow actor would do."""
        return tf.tanh(self.slow_actor(following, is_train=False))

    def wanted(self, batch: replay.Batch) -> tf.Tensor:
        """Return rewards, and what the slow critics say about the next action, the least of it."""
        actions = self.next_action(batch.following)
        after = control.values_of(self.slow_critics, batch.following, actions, is_train=False)
        return batch.returns + batch.discounts * tf.reduce_min(after, axis=0)

    def update_actor(self, seen: tf.Tensor) -> dict[str, tf.Tensor]:
        """Change actions as the first critic likes it better."""
        with tf.GradientTape() as tape:
            actions = tf.tanh(self.actor(seen, is_train=True))
            values = control.values_of(self.critics[:1], seen, actions, is_train=False)
            loss = -tf.reduce_mean(values)
        variables = self.actor.trainable_weights
        self.of_actor.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        control.follow(self.slow_actor, self.actor, control.FOLLOW)
        return {"value": -loss}


if __name__ == "__main__":
    control.run_agent(Agent, __doc__, "ddpg")
