"""Soft actor-critic: as much reward as possible, as unpredictably as possible.

    python examples/sac.py                # Pendulum: swing it up, and hold it there

The actor says a mean and a spread for each number of an action, and draws the action. What it
learns from is reward plus doubt: how unlikely the action was, times a temperature (Haarnoja et al.,
"Soft actor-critic", 2018). So it tries all that seems good, and needs no noise from outside.

1. As in ``td3.py`` there are two critics, and the lower of what their slow copies say counts. A
   next action is drawn, and its doubt is part of its value.
2. The actor learns by the gradient of the critics through the action that it draws.
3. The temperature is learnt as well, so that the mean doubt, an entropy, comes to -1 for each
   number of an action, as the authors chose. In earnest the mean is played.

Pendulum has no end at which it is solved; a random player gets about -1200, a good one -150. The
mean return of 100 fresh episodes has to reach -250, with ``--quick`` -400. Killed, a run goes on
with ``--resume`` as it was after the last evaluation.
"""

from __future__ import annotations

import math
from typing import Any

from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import control  # noqa: E402 - the file beside this one
import replay  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet


class Agent(control.Agent):
    """An actor that draws actions, two critics, and a temperature."""

    n_critics = 2
    n_outputs = 2

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.log_temperature = tf.Variable(0.0)
        self.of_temperature = tf.optimizers.Adam(self.rate)
        self.of_temperature.build([self.log_temperature])
        self.values |= {
            "log_temperature": self.log_temperature,
            "of_temperature": self.of_temperature,
        }

    def action(self, seen: tf.Tensor) -> tf.Tensor:
        """Return the mean, in [-1, 1]."""
        return tf.tanh(self.means_and_spreads(seen, is_train=False)[0])

    def noisy_action(self, seen: tf.Tensor) -> tf.Tensor:
        """Return an action that is drawn."""
        return self.draw(seen, is_train=False)[0]

    def means_and_spreads(self, seen: tf.Tensor, *, is_train: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Return what the actor says, the spreads as logarithms."""
        means, spreads = tf.split(self.actor(seen, is_train=is_train), 2, axis=1)
        return means, tf.clip_by_value(spreads, -20.0, 2.0)

    def draw(self, seen: tf.Tensor, *, is_train: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Return actions, and how likely they are as logarithms of densities."""
        means, spreads = self.means_and_spreads(seen, is_train=is_train)
        noise = self.draws.normal(tf.shape(means))
        return squashed(means, spreads, noise)

    def wanted(self, batch: replay.Batch) -> tf.Tensor:
        """Return rewards, and the value of a next action with its doubt."""
        actions, density = self.draw(batch.following, is_train=False)
        after = control.values_of(self.slow_critics, batch.following, actions, is_train=False)
        soft = tf.reduce_min(after, axis=0) - tf.exp(self.log_temperature) * density
        return batch.returns + batch.discounts * soft

    def update_actor(self, seen: tf.Tensor) -> dict[str, tf.Tensor]:
        """Change actions as the critics like them better, and the temperature."""
        temperature = tf.exp(self.log_temperature)
        with tf.GradientTape() as tape:
            actions, density = self.draw(seen, is_train=True)
            values = control.values_of(self.critics, seen, actions, is_train=False)
            loss = tf.reduce_mean(temperature * density - tf.reduce_min(values, axis=0))
        variables = self.actor.trainable_weights
        self.of_actor.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        # Too little doubt, a density above the wanted one, makes it warmer.
        gradient = -tf.reduce_mean(density - self.n_numbers)
        self.of_temperature.apply_gradients([(gradient, self.log_temperature)])
        return {"value": -loss, "temperature": temperature}


def squashed(means: tf.Tensor, spreads: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the tanh of normal draws, and the logarithms of its density."""
    before = means + tf.exp(spreads) * noise
    normal = -0.5 * noise**2 - spreads - 0.5 * math.log(2 * math.pi)
    # log(1 - tanh(x)^2), which is how much tanh squeezes, without rounding to log(0)
    squeezed = 2 * (math.log(2) - before - tf.nn.softplus(-2 * before))
    return tf.tanh(before), tf.reduce_sum(normal - squeezed, axis=1)


if __name__ == "__main__":
    control.run_agent(Agent, __doc__, "sac")
