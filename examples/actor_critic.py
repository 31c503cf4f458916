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
import math
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - the files beside this one
import playing  # noqa: E402
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
        self.learn_from(*self.lesson(played))

    def lesson(self, played: rollouts.Played) -> list[np.ndarray]:
        """Return what was seen and done, what it was worth, and what the critic should say."""
        values, following = (
            self.values(rollouts.flat(each)).numpy().reshape(played.rewards.shape)
            for each in (played.observations, played.following)
        )
        worth = rollouts.advantages(
            played.rewards, values, following, played.is_terminal, played.is_over
        )
        parts = (played.observations, played.actions.astype(np.int32), worth, worth + values)
        return [rollouts.flat(each) for each in parts]

    def learn_from(
        self, seen: np.ndarray, actions: np.ndarray, worth: np.ndarray, wanted: np.ndarray
    ) -> None:
        """Learn what actions were worth, and what the critic should have said."""
        self.step(seen, actions, np.zeros(len(seen), np.float32), standard(worth), wanted)

    def update(self, *lesson: tf.Tensor) -> None:
        """Update the weights once, by what ``gradients`` is told."""
        self.follow(self.gradients(*lesson))

    def follow(self, gradients: Iterable[tf.Tensor]) -> None:
        """Take an optimizer's step."""
        self.optimizer.apply_gradients(zip(gradients, self.variables, strict=True))

    def gradients(
        self,
        seen: tf.Tensor,
        actions: tf.Tensor,
        before: tf.Tensor,
        worth: tf.Tensor,
        wanted: tf.Tensor,
    ) -> list[tf.Tensor]:
        """Return where the loss rises, for each of the weights.

        ``before`` is how likely the actions were, as logarithms.
        """
        with tf.GradientTape() as tape:
            logits = self.actor(seen, is_train=True)
            values = self.critic(seen, is_train=True)[:, 0]
            found = log_chances(logits, actions)
            of_critic = tf.reduce_mean((values - wanted) ** 2)
            of_actor = self.loss_of_actor(found, before, worth)
            loss = of_actor + self.of_critic * of_critic - self.of_doubt * doubt(logits)
        return tape.gradient(loss, self.variables)

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


def joined(arrays: Iterable[Any]) -> np.ndarray:
    """Return all numbers in one row, in double precision."""
    return np.concatenate([np.ravel(each) for each in arrays]).astype(np.float64)


def split(row: np.ndarray, like: Iterable[Any]) -> list[np.ndarray]:
    """Return the arrays that were joined, with the shapes of others."""
    shapes = [tuple(each.shape) for each in like]
    parts = np.split(row, np.cumsum([math.prod(shape) for shape in shapes])[:-1])
    return [
        part.reshape(shape).astype(np.float32) for part, shape in zip(parts, shapes, strict=True)
    ]


class Progress:
    """How far play has come, and whether that will do.

    Parameters
    ----------
    env
        What is played.
    n_steps
        At most so many steps.
    returns
        Of the latest episodes; others add to them.
    """

    every = 5000  #: steps between two lines

    def __init__(self, env: str, n_steps: int, returns: deque[float]) -> None:
        self.env, self.n_steps, self.returns = env, n_steps, returns
        self.n_played = 0

    def add(self, n_played: int) -> None:
        """Count steps, and say now and then how it goes."""
        n_shown = self.n_played // self.every
        self.n_played += n_played
        if self.n_played // self.every > n_shown:
            latest = np.mean(self.returns) if self.returns else np.nan
            print(f"step {self.n_played:,}: return {latest:.1f} of the latest episodes", flush=True)

    @property
    def is_over(self) -> bool:
        """Whether the game is solved, or all steps are played."""
        is_sure = self.env == "CartPole-v1" and len(self.returns) == self.returns.maxlen
        return self.n_played >= self.n_steps or (is_sure and np.mean(self.returns) >= STOP)


def train(agent: Agent, env: str, n_steps: int, seed: int) -> int:
    """Play and learn until it is solved, at most so many steps; return how many there were."""
    players = rollouts.Players(env, agent.n_games, seed)
    progress = Progress(env, n_steps, players.returns)
    while not progress.is_over:
        played = players.play(agent.draw, agent.n_steps)
        agent.learn(played)
        progress.add(played.n_steps)
    return progress.n_played


def parser_of(description: str | None, n_steps: int, picture: str) -> argparse.ArgumentParser:
    """Return what reads the options."""
    parser = arguments.parser(description)
    parser.add_argument("--env", default="CartPole-v1", help="with discrete actions")
    parser.add_argument(
        "--steps", type=arguments.positive, default=n_steps, help="of play, at most so many"
    )
    parser.add_argument(
        "--out", type=arguments.picture_to_write, default=picture, help="a picture of play"
    )
    arguments.add_seed(parser, "of weights, games and draws")
    parser.add_argument("--quick", action="store_true", help="the same: it takes a minute")
    return parser


def begin(kind: type[Agent], options: argparse.Namespace) -> Agent:
    """Return an agent for a game with discrete actions."""
    tf.keras.utils.set_random_seed(options.seed)
    env = playing.make(options.env)
    playing.check_spaces(env, options.env, observations=("vector",), actions="choice")
    return kind(env, np.random.default_rng(options.seed))


def finish(agent: Agent, options: argparse.Namespace, n_played: int, started: float) -> None:
    """Play fresh episodes, say what is reached, and write frames of one."""
    returns = playing.evaluate(options.env, agent.play, 100, SEED_OF_TEST)
    at_random = playing.random_return(options.env, 100, SEED_OF_TEST)
    print(f"return {playing.mean_and_spread(returns)} of 100 fresh episodes after {n_played:,} "
          f"steps; at random {at_random:.1f}")  # fmt: skip
    print(f"{time.perf_counter() - started:.0f} s")
    print(playing.save_strip(options.env, agent.play, str(options.out), SEED_OF_TEST))
    if options.env == "CartPole-v1" and returns.mean() < SOLVED:
        raise SystemExit(f"the mean return should be at least {SOLVED}")


@arguments.program
def run_agent(kind: type[Agent], description: str | None, n_steps: int, picture: str) -> None:
    """Learn until the pole stays up, at most so many steps, and play fresh episodes."""
    options = parser_of(description, n_steps, picture).parse_args()
    started = time.perf_counter()
    agent = begin(kind, options)
    finish(agent, options, train(agent, options.env, options.steps, options.seed), started)


if __name__ == "__main__":
    run_agent(Agent, __doc__, n_steps=150_000, picture="actor_critic.png")
