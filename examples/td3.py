"""Twin delayed DDPG: critics that are not believed too much.

    python examples/td3.py                # Pendulum: swing it up, and hold it there

The actor of ``ddpg.py`` beside this file learns to do what the critic overrates, and the critic
then learns from its own errors. Fujimoto, van Hoof and Meger, "Addressing function approximation
error in actor-critic methods" (2018), do three things about it:

1. There are two critics, and the target is the lower of what their copies say.
2. The next action gets some noise before they say it, so that a narrow peak is worth little.
3. The actor learns, and its copy follows, after every second batch only, when the critics had some
   time to settle.

Pendulum has no end at which it is solved; a random player gets about -1200, a good one -150. The
mean return of 100 fresh episodes has to reach -250, with ``--quick`` -400. Killed, a run goes on
with ``--resume`` as it was after the last evaluation.
"""

from __future__ import annotations

from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import control  # noqa: E402 - the files beside this one
import ddpg  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet

NOISE, MOST_NOISE = 0.2, 0.5  # on the next action


class Agent(ddpg.Agent):
    """An actor with two critics, which learns less often than they do."""

    n_critics, delay = 2, 2
    n_quick = 9000  # its actor learns half as often

    def next_action(self, following: tf.Tensor) -> tf.Tensor:
        """Return what the slow actor would do, with noise."""
        found = super().next_action(following)
        noise = tf.clip_by_value(
            NOISE * self.draws.normal(tf.shape(found)), -MOST_NOISE, MOST_NOISE
        )
        return tf.clip_by_value(found + noise, -1.0, 1.0)


if __name__ == "__main__":
    control.run_agent(Agent, __doc__, "td3")
