"""REINFORCE: a network that draws its actions, and draws the better ones more often from then on.

    python examples/policy_gradient.py                # CartPole: balance a pole on a cart

The network says how likely each action is. Nobody tells it what would have been right; it learns
from how episodes ended (Williams, 1992):

1. Some episodes are played, each action drawn by ``tl.rein.choice_action_by_probs``.
2. ``tl.rein.discount_episode_rewards`` says for each action how much reward came after it. What is
   better than usual becomes positive, what is worse negative.
3. ``tl.rein.cross_entropy_reward_loss`` makes actions of the first kind more likely, in proportion,
   and those of the second kind less. Then the episodes are thrown away.

CartPole counts as solved at a mean return of 195 over 100 episodes, which this has to reach; the
most is 500, a random player gets 22. Training ends when the last 30 episodes did as well.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - the files beside this one
import playing  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet

ENV = "CartPole-v1"
GAMMA = 0.99
SOLVED = 195
N_TOGETHER = 5  # episodes that are learnt from at once
SEED_OF_TEST = 2_000_000


class Policy:
    """A network that draws actions, and how it learns."""

    def __init__(self, n_seen: int, n_actions: int, rate: float = 0.01) -> None:
        x = tl.layers.Input([None, n_seen], name="observations")
        net = tl.layers.Dense(x, 64, act="tanh", W_init="glorot_uniform", name="hidden")
        self.model = tl.models.Model(x, tl.layers.Dense(net, n_actions, name="logits"))
        self.optimizer = tf.optimizers.Adam(rate)
        seen = tf.TensorSpec([None, n_seen])
        numbers = tf.TensorSpec([None])
        self.chances = tf.function(self.softmax, [seen], autograph=False)
        actions = tf.TensorSpec([None], tf.int32)
        self.learn = tf.function(self.update, [seen, actions, numbers], autograph=False)

    def softmax(self, seen: tf.Tensor) -> tf.Tensor:
        """Return how likely each action is."""
        return tf.nn.softmax(self.model(seen, is_train=False))

    def play(self, seen: np.ndarray) -> np.ndarray:
        """Return the likeliest actions."""
        return self.chances(seen).numpy().argmax(1)

    def update(self, seen: tf.Tensor, actions: tf.Tensor, worth: tf.Tensor) -> tf.Tensor:
        """Make actions more likely in proportion to what they were worth."""
        with tf.GradientTape() as tape:
            logits = self.model(seen, is_train=True)
            loss = tl.rein.cross_entropy_reward_loss(logits, actions, worth)
            loss /= tf.cast(tf.size(actions), tf.float32)
        variables = self.model.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss


def play_episode(env: Any, policy: Policy, rng: np.random.Generator) -> tuple[list, list, list]:
    """Return the observations, actions and rewards of an episode."""
    observations, actions, rewards = [], [], []
    seen, _ = env.reset(seed=int(rng.integers(2**31)))
    is_over = False
    while not is_over:
        chances = policy.chances(seen[np.newaxis]).numpy()[0]
        action = tl.rein.choice_action_by_probs(chances, seed=rng)
        observations.append(seen)
        actions.append(action)
        seen, reward, is_terminal, is_truncated, _ = env.step(action)
        rewards.append(reward)
        is_over = is_terminal or is_truncated
    return observations, actions, rewards


def worth_of(episodes: list[list[float]]) -> np.ndarray:
    """Return what came after each action of some episodes, compared with what is usual."""
    after = [tl.rein.discount_episode_rewards(each, GAMMA, mode=1) for each in episodes]
    after = np.concatenate(after)
    return (after - after.mean()) / (after.std() + 1e-6)


def train(env: Any, policy: Policy, n_episodes: int, seed: int) -> list[float]:
    """Play and learn until it is solved, at most so many episodes; return their returns."""
    rng, returns = np.random.default_rng(seed), []
    latest = deque(maxlen=30)
    while len(returns) < n_episodes and (len(returns) < 30 or np.mean(latest) < SOLVED):
        played = [play_episode(env, policy, rng) for _ in range(N_TOGETHER)]
        observations, actions, rewards = zip(*played, strict=True)
        policy.learn(np.concatenate(observations), np.concatenate(actions), worth_of(rewards))
        latest.extend(map(sum, rewards))
        returns.extend(map(sum, rewards))
        if len(returns) % 50 == 0:
            print(f"{len(returns)} episodes: return {np.mean(latest):.1f} of the last 30")
    return returns


@arguments.program
def main() -> None:
    """Learn, and play fresh episodes."""
    parser = arguments.parser(__doc__)
    parser.add_argument("--episodes", type=arguments.positive, default=1000, help="at most so many")
    parser.add_argument(
        "--out", type=arguments.picture_to_write, default="policy_gradient.png", help="a picture"
    )
    arguments.add_seed(parser, "of weights, games and draws")
    parser.add_argument("--quick", action="store_true", help="the same: it takes half a minute")
    options = parser.parse_args()

    started = time.perf_counter()
    tf.keras.utils.set_random_seed(options.seed)
    env = playing.make(ENV)
    policy = Policy(env.observation_space.shape[0], int(env.action_space.n))
    n_episodes = len(train(env, policy, options.episodes, options.seed))
    returns = playing.evaluate(ENV, policy.play, 100, SEED_OF_TEST)
    at_random = playing.random_return(ENV, 100, SEED_OF_TEST)
    print(f"return {playing.mean_and_spread(returns)} of 100 fresh episodes after {n_episodes}; "
          f"at random {at_random:.1f}")  # fmt: skip
    print(f"{time.perf_counter() - started:.0f} s")
    print(playing.save_strip(ENV, policy.play, str(options.out), SEED_OF_TEST))
    if returns.mean() < SOLVED:
        raise SystemExit(f"the mean return should be at least {SOLVED}")


if __name__ == "__main__":
    main()
