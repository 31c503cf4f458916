"""Deep Q-learning of distributions: not what an action is worth, but how likely each worth is.

    python examples/c51.py                                   # CartPole: balance a pole on a cart
    python examples/c51.py --env ALE/Pong-v5                 # from pixels; days on a processor
    python examples/c51.py --env Acrobot-v1 --range -100 0

``dqn.py`` beside this file learns the mean of what follows an action. Here the network says for
each action how likely each of 51 sums of rewards is: Bellemare, Dabney and Munos, "A distributional
perspective on reinforcement learning" (2017). It plays the action with the largest mean.

1. The target of an action is the distribution of the best action after it, discounted and moved by
   the rewards between.
2. Its sums lie between those that the network knows: each gives its likelihood to the two next to
   it, the nearer one getting more.
3. The network learns by the cross-entropy of the two distributions, as one that tells 51 classes
   apart.

The sums lie in a range that has to be known before: for another game than CartPole or one of Atari
say with ``--range`` what rewards, discounted, come to at least and at most. A reward of -1 at each
step comes to -100, since later ones count 0.99 less per step.

Memory, copy and ``--resume`` are as in ``dqn.py``, and so are the options but ``--double`` and
``--dueling``. CartPole counts as solved at a mean return of 195 over 100 episodes; the most is 500,
a random player gets 22. ``--quick`` has to reach 75.
"""

from __future__ import annotations

import argparse
from typing import Any

import arguments  # the files beside this one
import dqn
import playing
import tensorflow as tf

import tensorlayer as tl

N_ATOMS = 51
RANGE_CARTPOLE, RANGE_ATARI = (0.0, 100.0), (-10.0, 10.0)  # of the discounted sums of rewards


class Agent(dqn.Agent):
    """A network that says how likely each sum of rewards is."""

    def __init__(self, env: Any, options: argparse.Namespace) -> None:
        self.atoms = tf.linspace(*range_of(options.env, options.range), N_ATOMS)
        super().__init__(env, options)

    def network(self, space: Any) -> tl.models.Model:
        """Return a network from observations to logits of sums, (batch, n_actions * n_atoms)."""
        n_outputs = self.n_actions * N_ATOMS
        return dqn.network(space, n_outputs, is_dueling=False, is_noisy=self.options.noisy)

    def logits(self, found: tf.Tensor) -> tf.Tensor:
        """Return the outputs of the network by action, (batch, n_actions, n_atoms)."""
        return tf.reshape(found, [-1, self.n_actions, N_ATOMS])

    def values_of(self, seen: tf.Tensor, is_earnest: tf.Tensor) -> tf.Tensor:
        """Return the mean sum of rewards for all actions."""
        chances = tf.nn.softmax(self.logits(super().values_of(seen, is_earnest)))
        return tf.linalg.matvec(chances, self.atoms)

    def update(
        self,
        seen: tf.Tensor,
        actions: tf.Tensor,
        returns: tf.Tensor,
        following: tf.Tensor,
        discounts: tf.Tensor,
        weights: tf.Tensor,
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Update the weights once."""
        after = tf.nn.softmax(self.logits(self.still(following, is_train=True)))
        chosen = tf.argmax(tf.linalg.matvec(after, self.atoms), axis=1)
        after = tf.gather(after, chosen, axis=1, batch_dims=1)
        wanted = project(after, returns, discounts, self.atoms)
        with tf.GradientTape() as tape:
            found = self.logits(self.model(seen, is_train=True))
            found = tf.gather(found, actions, axis=1, batch_dims=1)
            errors = tf.nn.softmax_cross_entropy_with_logits(wanted, found)
            loss = tf.reduce_mean(weights * errors)
        variables = self.model.trainable_weights
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        value = tf.linalg.matvec(tf.nn.softmax(found), self.atoms)
        return {"loss": loss, "value": tf.reduce_mean(value)}, errors


def range_of(env: str, given: list[float] | None) -> tuple[float, float]:
    """Return between which sums of rewards the network tells apart."""
    usual = RANGE_ATARI if playing.is_atari(env) else RANGE_CARTPOLE if "CartPole" in env else None
    if given is None and usual is None:
        raise SystemExit(
            f"{env} needs --range LOW HIGH: what its rewards, discounted by {dqn.GAMMA} per step, "
            "come to at least and at most, such as --range -100 0 for -1 at each step"
        )
    low, high = given or usual
    if not low < high:
        raise SystemExit(f"--range {low:g} {high:g}: the first has to be the lower one")
    return low, high


def project(
    chances: tf.Tensor, returns: tf.Tensor, discounts: tf.Tensor, atoms: tf.Tensor
) -> tf.Tensor:
    """Return distributions that were discounted and moved, on the atoms again: (batch, n_atoms)."""
    moved = returns[:, tf.newaxis] + discounts[:, tf.newaxis] * atoms
    moved = tf.clip_by_value(moved, atoms[0], atoms[-1])
    distance = tf.abs(moved[:, tf.newaxis] - atoms[:, tf.newaxis]) / (atoms[1] - atoms[0])
    return tf.linalg.matvec(tf.maximum(1 - distance, 0), chances)  # from moved ones to atoms


def main() -> None:
    """Train, and play fresh episodes."""
    parser = dqn.parser_of(__doc__, "c51")
    parser.add_argument(
        "--range",
        nargs=2,
        type=arguments.finite,
        metavar=("LOW", "HIGH"),
        help="of discounted sums of rewards",
    )
    dqn.run_agent(Agent, "c51", parser.parse_args())


if __name__ == "__main__":
    main()
