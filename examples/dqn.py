"""Deep Q-learning: from observations to what each action is worth, learnt by playing.

    python examples/dqn.py                                   # CartPole: balance a pole on a cart
    python examples/dqn.py --double --dueling --prioritised --steps-ahead 3 --noisy
    python examples/dqn.py --env ALE/Pong-v5                 # from pixels; days on a processor

It is the algorithm of Mnih et al., "Human-level control through deep reinforcement learning"
(2015). A network says for each action how much reward will follow, later rewards counting less.

1. The action that looks best is played, or at times a random one, and put into a memory.
2. After each step a batch is drawn from the memory. Each reward and the value of the observation
   after it are the target of the value before. That value comes from a copy of the network that
   stands still for some steps, so that the network does not chase itself.
3. Every so often it plays in earnest, without random actions; the best version is kept.

Each option is a paper, and they go together: ``--double`` lets the network choose the next action
and the copy value it (van Hasselt et al., 2016). ``--dueling`` splits the values into that of the
observation and what each action adds (Wang et al., 2016). ``--prioritised`` draws steps from the
memory by their error (Schaul et al., 2016). ``--steps-ahead 3`` sums up three rewards before a
value counts. ``--noisy`` learns how much noise there is on the weights, instead of playing at
random at times (Fortunato et al., 2018).

CartPole counts as solved at a mean return of 195 over 100 episodes; the most is 500, a random
player gets 22. ``--quick`` has to reach 75.

Killed, a run goes on with ``--resume``: networks, optimizer, counters, random numbers and, for
CartPole, the memory are as they were after the last evaluation. With ``--noisy`` it goes on with
other noise, whose state TensorFlow does not save. The memory of an Atari game is too large to be
saved: it is filled again by the network's own play before learning goes on.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - the files beside this one
import off_policy  # noqa: E402
import playing  # noqa: E402
import record  # noqa: E402
import replay  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet

GAMMA = 0.99
LEAST_RANDOM = 0.05  # of the actions, at the end
N_HIDDEN = {"vector": 128, "pixels": 512}


class NoisyDense(tl.layers.Dense):
    """A layer whose weights have noise in training, of a size that is learnt.

    The noise of a weight is the product of one number for its input and one for its output.
    """

    def build(self, inputs_shape: Any) -> None:
        super().build(inputs_shape)
        n_in = inputs_shape[-1]
        first = 0.5 / n_in**0.5
        self.W_noise = self._get_weights("weights_noise", [n_in, self.n_units], first)
        self.b_noise = self._get_weights("biases_noise", [self.n_units], first)

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        found = super().transform(inputs)
        if not self.is_train:
            return found
        of_inputs, of_outputs = (
            tf.sign(each) * tf.sqrt(tf.abs(each))
            for each in map(tf.random.normal, (self.W.shape[:1], self.b.shape))
        )
        noise = tf.matmul(inputs * of_inputs, self.W_noise) + self.b_noise
        return found + noise * of_outputs


def from_bytes(frames: tf.Tensor) -> tf.Tensor:
    """Return stacked frames as the channels of one picture, in [0, 1]."""
    return tf.transpose(tf.cast(frames, tf.float32), [0, 2, 3, 1]) / 255


def add_values(parts: list[tf.Tensor]) -> tf.Tensor:
    """Return the values of actions: that of the observation, and what each action adds to it."""
    value, advantages = parts
    return value + advantages - tf.reduce_mean(advantages, axis=1, keepdims=True)


def features(space: Any) -> Any:
    """Return a network from observations to a vector: the convolutions of the paper for pixels."""
    if len(space.shape) == 1:
        x = tl.layers.Input([None, *space.shape], name="observations")
        n_units = N_HIDDEN["vector"]
        return x, tl.layers.Dense(x, n_units, act="relu", W_init="he_normal", name="dense")
    x = tl.layers.Input([None, *space.shape], dtype=tf.uint8, name="frames")
    net = tl.layers.Lambda(x, from_bytes, name="channels")
    for i, (n_filter, size, stride) in enumerate([(32, 8, 4), (64, 4, 2), (64, 3, 1)], 1):
        net = tl.layers.Conv2d(
            net, n_filter, (size, size), (stride, stride), act="relu", padding="VALID",
            W_init="he_normal", name=f"conv{i}",
        )  # fmt: skip
    return x, tl.layers.Flatten(net, name="flat")


def network(space: Any, n_outputs: int, *, is_dueling: bool, is_noisy: bool) -> tl.models.Model:
    """Return a network from observations to so many values."""
    x, net = features(space)
    n_hidden = N_HIDDEN["vector" if len(space.shape) == 1 else "pixels"]
    dense = NoisyDense if is_noisy else tl.layers.Dense

    def head(n_units: int, name: str) -> Any:
        hidden = dense(net, n_hidden, act="relu", W_init="he_normal", name=f"{name}_hidden")
        return dense(hidden, n_units, W_init="glorot_uniform", name=name)

    if not is_dueling:
        return tl.models.Model(x, head(n_outputs, "values"), name="dqn")
    both = [head(1, "value"), head(n_outputs, "advantages")]
    return tl.models.Model(x, tl.layers.Lambda(both, add_values, name="values"), name="dqn")


def targets(
    returns: tf.Tensor, discounts: tf.Tensor, values: tf.Tensor, chosen_by: tf.Tensor
) -> tf.Tensor:
    """Return what values should be: rewards, and the discounted value of the chosen next action."""
    chosen = tf.argmax(chosen_by, axis=1)
    return returns + discounts * tf.gather(values, chosen, axis=1, batch_dims=1)


class Agent:
    """A network that plays, its copy that stands still, and how it learns."""

    def __init__(self, env: Any, options: argparse.Namespace) -> None:
        self.options, self.n_actions = options, int(env.action_space.n)
        self.model, self.still = (self.network(env.observation_space) for _ in range(2))
        self.optimizer = tf.optimizers.Adam(options.rate)
        self.optimizer.build(self.model.trainable_weights)
        self.values = {
            "model": dict(self.model.parameters),
            "still": dict(self.still.parameters),
            "optimizer": self.optimizer,
        }
        self.copy()
        seen = tf.TensorSpec([None, *env.observation_space.shape], env.observation_space.dtype)
        is_earnest = tf.TensorSpec([], tf.bool)
        self.act = tf.function(self.best_actions, [seen, is_earnest], autograph=False)
        # Many small operations become one; of convolutions TensorFlow's own are faster.
        is_small = len(env.observation_space.shape) == 1
        self.step = tf.function(self.update, jit_compile=is_small, autograph=False)

    def network(self, space: Any) -> tl.models.Model:
        """Return a network from observations to the values of actions."""
        is_dueling, is_noisy = self.options.dueling, self.options.noisy
        return network(space, self.n_actions, is_dueling=is_dueling, is_noisy=is_noisy)

    def best_actions(self, seen: tf.Tensor, is_earnest: tf.Tensor) -> tf.Tensor:
        """Return the actions of the largest values, in earnest without the noise on weights."""
        return tf.argmax(self.values_of(seen, is_earnest), axis=1)

    def values_of(self, seen: tf.Tensor, is_earnest: tf.Tensor) -> tf.Tensor:
        """Return the values of all actions."""
        if not self.options.noisy:
            return self.model(seen, is_train=False)
        return tf.cond(
            is_earnest,
            lambda: self.model(seen, is_train=False),
            lambda: self.model(seen, is_train=True),
        )

    def play(self, seen: np.ndarray) -> np.ndarray:
        """Return the actions of the largest values."""
        return self.act(seen, True).numpy()

    def explore(self, seen: np.ndarray, step: int, rng: np.random.Generator) -> Any:
        """Return a random action at times, ever more rarely, or with noise on the weights never."""
        share = max(LEAST_RANDOM, 1 - step / self.options.n_explored)
        if not self.options.noisy and rng.random() < share:
            return rng.integers(self.n_actions)
        return self.act(seen[np.newaxis], False).numpy()[0]

    def copy(self) -> None:
        """Let the copy be what the network is now."""
        for name, each in self.model.parameters.items():
            self.still.parameters[name].assign(each)

    def learn(self, batch: replay.Batch) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Learn from a batch; return metrics, and the error of each of its steps."""
        found = self.step(*batch[:-1])
        if int(self.optimizer.iterations) % self.options.copy_every == 0:
            self.copy()
        return found

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
        values = self.still(following, is_train=True)
        chosen_by = self.model(following, is_train=True) if self.options.double else values
        wanted = targets(returns, discounts, values, chosen_by)
        with tf.GradientTape() as tape:
            found = self.model(seen, is_train=True)
            found = tf.gather(found, actions, axis=1, batch_dims=1)
            size = tf.abs(wanted - found)
            # As in the paper an error of more than 1 pulls no harder than one of 1.
            losses = tf.where(size < 1, 0.5 * size**2, size - 0.5)
            loss = tf.reduce_mean(weights * losses)
        variables = self.model.trainable_weights
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"loss": loss, "value": tf.reduce_mean(found)}, wanted - found


def memory_for(env: Any, options: argparse.Namespace) -> replay.Replay:
    """Return a memory for the observations of an environment."""
    shape, kind = env.observation_space.shape, env.observation_space.dtype
    is_stacked = len(shape) == 3
    memory = replay.PrioritisedReplay if options.prioritised else replay.Replay
    return memory(
        options.memory,
        shape[1:] if is_stacked else shape,
        kind,
        n_frames=shape[0] if is_stacked else None,
        n_steps=options.steps_ahead,
        gamma=GAMMA,
    )


def parser_of(description: str | None, algorithm: str) -> argparse.ArgumentParser:
    """Return the options that are also those of other algorithms of its kind."""
    parser = arguments.parser(description)
    parser.add_argument("--env", default="CartPole-v1", help="with discrete actions; ALE/Pong-v5")
    parser.add_argument("--prioritised", action="store_true", help="draw steps by their error")
    parser.add_argument("--noisy", action="store_true", help="noise on weights, of a learnt size")
    for name, said in (
        ("steps-ahead", "rewards that are summed up: 1"),
        ("steps", "of play: 40,000; Atari: 2,000,000"),
        ("memory", "steps: 50,000; Atari: 200,000, of 7 kB each"),
        ("evaluate-every", "steps: 2,000; Atari: 50,000"),
        ("episodes", "fresh ones at the end: 100; Atari: 2"),
    ):
        parser.add_argument(f"--{name}", type=arguments.positive, help=said)
    parser.add_argument(
        "--quick", action="store_true", help="12,000 steps, a minute or two; checked"
    )
    record.add_options(parser, f"{algorithm}-run")
    return parser


def complete(options: argparse.Namespace) -> off_policy.Plan:
    """Fill in what depends on the kind of game, and return the plan."""
    is_atari = playing.is_atari(options.env)
    usual = (2_000_000, 200_000, 50_000, 2, 1) if is_atari else (40_000, 50_000, 2_000, 100, 1)
    if options.quick and not options.steps:
        options.steps = 12_000
    names = ("steps", "memory", "evaluate_every", "episodes", "steps_ahead")
    for name, value in zip(names, usual, strict=True):
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.rate = 1e-4 if is_atari else 5e-4
    options.copy_every = 2500 if is_atari else 250  # batches
    options.n_explored = max(1, options.steps // (10 if is_atari else 4))
    return off_policy.Plan(
        n_steps=options.steps,
        n_random=min(20_000 if is_atari else 1000, options.steps // 4),
        learn_every=4 if is_atari else 1,
        n_batch=32 if is_atari else 64,
        evaluate_every=options.evaluate_every,
        n_evaluated=1 if is_atari else 20,
        keeps_memory=not is_atari,
    )


@arguments.program
def run_agent(kind: Any, algorithm: str, options: argparse.Namespace) -> None:
    """Train an agent, and say what it has reached."""
    started = time.perf_counter()
    plan = complete(options)
    tf.keras.utils.set_random_seed(options.seed)
    env = playing.make(options.env)
    playing.check_spaces(env, options.env, observations=("vector", "frames"), actions="choice")
    agent, memory = kind(env, options), memory_for(env, options)
    bar = (75 if options.quick else 195) if options.env == "CartPole-v1" else None
    off_policy.run(agent, algorithm, memory, plan, options, bar, started)


def main() -> None:
    """Train, and play fresh episodes."""
    parser = parser_of(__doc__, "dqn")
    parser.add_argument("--dueling", action="store_true", help="values in two parts")
    parser.add_argument("--double", action="store_true", help="values chosen by the network")
    run_agent(Agent, "dqn", parser.parse_args())


if __name__ == "__main__":
    main()
