"""Advantage actor-critic: one network draws actions, another says whether they were good.

    python examples/actor_critic.py                # CartPole: balance a pole on a cart

REINFORCE waits for the end of an episode to know what an action was worth, and that depends on much
luck. Here a second network, the critic, learns how much reward is to be expected from an
observation. So it is known after few steps whether things went better than expected (Mnih et al.,
"Asynchronous methods for deep reinforcement learning", 2016; here its games run side by side in one
process):

1. Some games are played a few steps further, with actions drawn as the actor says.
2. Each action is worth what surprised the critic after it (``rollouts.advantages``).
3. The actor makes what was worth more likelier, the critic learns what is to be expected, and a
   part of the loss keeps the actor from being sure too early.

CartPole counts as solved at a mean return of 195 over 100 episodes, which this has to reach; the
most is 500, a random player gets 22. Training ends when the last 30 episodes did much better.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import playing  # noqa: E402 - the files beside this one
import rollouts  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet

SOLVED = 195
STOP = 400  # mean return of the last 30 episodes, in which actions are drawn
SEED_OF_TEST = 2_000_000


class Agent:
    """An actor and a critic, and how they learn from the steps that were just played."""

    n_games, n_steps = 8, 16  #: as much is played before the networks learn
    rate = 3e-3
    of_critic, of_doubt = 0.5, 0.01  #: how much the critic's error and the doubt count in the loss

    def __init__(self, env: Any, rng: np.random.Generator) -> None:
        n_seen, n_actions = env.observation_space.shape[0], int(env.action_space.n)
        self.rng = rng
        self.actor = network(n_seen, n_actions, first=0.01, name="actor")
        self.critic = network(n_seen, 1, first=1.0, name="critic")
        self.optimizer = tf.optimizers.Adam(self.rate, global_clipnorm=0.5)
        seen, numbers = tf.TensorSpec([None, n_seen]), tf.TensorSpec([None])
        actions = tf.TensorSpec([None], tf.int32)
        self.logits = tf.function(self.logits_of, [seen], autograph=False)
        self.values = tf.function(self.values_of, [seen], autograph=False)
        self.step = tf.function(self.update, [seen, actions, *[numbers] * 3], autograph=False)

    @property
    def variables(self) -> list[tf.Variable]:
        """All that is learnt."""
        return [*self.actor.trainable_weights, *self.critic.trainable_weights]

    def logits_of(self, seen: tf.Tensor) -> tf.Tensor:
        """Return the logits of the actions, (batch, n_actions)."""
        return self.actor(seen, is_train=False)

    def values_of(self, seen: tf.Tensor) -> tf.Tensor:
        """Return how much reward is to be expected, (batch)."""
        return self.critic(seen, is_train=False)[:, 0]

    def play(self, seen: np.ndarray) -> np.ndarray:
        """Return the likeliest actions."""
        return self.logits(seen).numpy().argmax(1)

    def draw(self, seen: np.ndarray) -> np.ndarray:
        """Return actions as likely as the actor says: the largest logit with noise of Gumbel's."""
        logits = self.logits(seen).numpy()
        return (logits + self.rng.gumbel(size=logits.shape)).argmax(1)

    def learn(self, played: rollouts.Played) -> None:
        """Learn from the steps that were just played."""
        values, following = (
            self.values(rollouts.flat(each)).numpy().reshape(played.rewards.shape)
            for each in (played.observations, played.following)
        )
        worth = rollouts.advantages(
            played.rewards, values, following, played.is_terminal, played.is_over
        )
        parts = (played.observations, played.actions.astype(np.int32), worth, worth + values)
        self.learn_from(*map(rollouts.flat, parts))

    def learn_from(
        self, seen: np.ndarray, actions: np.ndarray, worth: np.ndarray, wanted: np.ndarray
    ) -> None:
        """Learn what actions were worth, and what the critic should have said."""
        self.step(seen, actions, np.zeros(len(seen), np.float32), standard(worth), wanted)

    def update(
        self,
        seen: tf.Tensor,
        actions: tf.Tensor,
        before: tf.Tensor,
        worth: tf.Tensor,
        wanted: tf.Tensor,
    ) -> None:
        """Update the weights once; ``before`` is how likely the actions were, as logarithms."""
        with tf.GradientTape() as tape:
            logits = self.actor(seen, is_train=True)
            values = self.critic(seen, is_train=True)[:, 0]
            found = log_chances(logits, actions)
            of_critic = tf.reduce_mean((values - wanted) ** 2)
            of_actor = self.loss_of_actor(found, before, worth)
            loss = of_actor + self.of_critic * of_critic - self.of_doubt * doubt(logits)
        gradients = tape.gradient(loss, self.variables)
        self.optimizer.apply_gradients(zip(gradients, self.variables, strict=True))

    def loss_of_actor(self, found: tf.Tensor, before: tf.Tensor, worth: tf.Tensor) -> tf.Tensor:
        """Return what falls as worthy actions become likelier."""
        return -tf.reduce_mean(found * worth)


def network(n_seen: int, n_outputs: int, first: float, name: str) -> tl.models.Model:
    """Return a network from observations, whose first outputs are of this size."""
    x = tl.layers.Input([None, n_seen], name="observations")
    orthogonal = tf.keras.initializers.Orthogonal
    net = tl.layers.Dense(x, 64, act="tanh", W_init=orthogonal(2**0.5), name="hidden1")
    net = tl.layers.Dense(net, 64, act="tanh", W_init=orthogonal(2**0.5), name="hidden2")
    net = tl.layers.Dense(net, n_outputs, W_init=orthogonal(first), name="outputs")
    return tl.models.Model(x, net, name=name)


def log_chances(logits: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
    """Return how likely actions are, as logarithms."""
    return tf.gather(tf.nn.log_softmax(logits), actions, axis=1, batch_dims=1)


def doubt(logits: tf.Tensor) -> tf.Tensor:
    """Return how far the actor is from always doing the same: the mean entropy."""
    return -tf.reduce_mean(tf.reduce_sum(tf.nn.softmax(logits) * tf.nn.log_softmax(logits), 1))


def standard(worth: np.ndarray) -> np.ndarray:
    """Return advantages with a mean of 0 and a spread of 1."""
    return (worth - worth.mean()) / (worth.std() + 1e-6)


def run_agent(kind: type[Agent], description: str | None, n_steps: int, picture: str) -> None:
    """Learn until the pole stays up, at most so many steps, and play fresh episodes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="CartPole-v1", help="with discrete actions")
    parser.add_argument("--steps", type=int, default=n_steps, help="of play, at most so many")
    parser.add_argument("--out", type=Path, default=Path(picture), help="a picture of play")
    parser.add_argument("--seed", type=int, default=0, help="of weights, games and draws")
    parser.add_argument("--quick", action="store_true", help="the same: it takes half a minute")
    options = parser.parse_args()

    started = time.perf_counter()
    tf.keras.utils.set_random_seed(options.seed)
    env = playing.make(options.env)
    if not isinstance(env.action_space, playing.Discrete):
        raise SystemExit(f"{options.env} has no discrete actions: play it with ddpg, td3 or sac")
    agent = kind(env, np.random.default_rng(options.seed))
    n_played = train(agent, options.env, options.steps, options.seed)
    returns = playing.evaluate(options.env, agent.play, 100, SEED_OF_TEST)
    at_random = playing.random_return(options.env, 100, SEED_OF_TEST)
    print(playing.save_strip(options.env, agent.play, str(options.out), SEED_OF_TEST))
    print(f"return {playing.mean_and_spread(returns)} of 100 fresh episodes after {n_played:,} "
          f"steps; at random {at_random:.1f}")  # fmt: skip
    print(f"{time.perf_counter() - started:.0f} s")
    if options.env == "CartPole-v1" and returns.mean() < SOLVED:
        raise SystemExit(f"the mean return should be at least {SOLVED}")


def train(agent: Agent, env: str, n_steps: int, seed: int) -> int:
    """Play and learn until it is solved, at most so many steps; return how many there were."""
    players = rollouts.Players(env, agent.n_games, seed)
    n_played, n_shown = 0, 0
    while n_played < n_steps:
        played = players.play(agent.draw, agent.n_steps)
        agent.learn(played)
        n_played += played.n_steps
        latest = np.mean(players.returns) if players.returns else np.nan
        if n_played // 5000 > n_shown:
            n_shown = n_played // 5000
            print(f"step {n_played:,}: return {latest:.1f} of the latest episodes")
        if env == "CartPole-v1" and len(players.returns) == 30 and latest >= STOP:
            break
    return n_played


if __name__ == "__main__":
    run_agent(Agent, __doc__, n_steps=150_000, picture="actor_critic.png")
