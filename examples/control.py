"""What ddpg, td3 and sac share: an actor whose actions are numbers, critics that value them.

A critic says how much reward will follow an action, and the actor learns what the critic likes.
The rest is as in deep Q-learning: a memory of play to learn from, and copies of the networks, here
copies that follow slowly.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import arguments  # the files beside this one
import numpy as np
import off_policy
import playing
import record
import replay
import tensorflow as tf

import tensorlayer as tl

GAMMA = 0.99
FOLLOW = 0.005  #: by which part copies come nearer with each batch
N_HIDDEN = 256
BARS = {"Pendulum-v1": -250.0}
BARS_QUICK = {"Pendulum-v1": -400.0}


class Agent:
    """Critics, their copies, and how they learn; a subclass says what its actor does.

    Actors and critics compute with actions in [-1, 1]; the environment gets them in its own range.
    """

    n_critics = 1
    delay = 1  #: batches for each update of the actor
    n_outputs = 1  #: of the actor for each number of an action
    rate = 1e-3
    n_quick = 6000  #: steps of the quick run

    def __init__(self, env: Any) -> None:
        space = env.action_space
        self.low, self.high = space.low, space.high
        self.n_seen, self.n_numbers = env.observation_space.shape[0], space.shape[0]
        self.model = self.actor = actor(self.n_seen, self.n_numbers * self.n_outputs)
        self.critics, self.slow_critics = (
            [critic(self.n_seen, self.n_numbers) for _ in range(self.n_critics)] for _ in range(2)
        )
        for slow, fast in zip(self.slow_critics, self.critics, strict=True):
            follow(slow, fast, 1.0)
        self.of_actor, self.of_critics = (tf.optimizers.Adam(self.rate) for _ in range(2))
        self.of_actor.build(self.actor.trainable_weights)
        self.of_critics.build(self.weights_of_critics)
        seed = int(tf.random.uniform([], maxval=2**31 - 1, dtype=tf.int32))
        self.draws = tf.random.Generator.from_seed(seed)
        self.values = {
            "actor": dict(self.actor.parameters),
            "critics": named(self.critics),
            "slow": named(self.slow_critics),
            "of_actor": self.of_actor,
            "of_critics": self.of_critics,
            "draws": self.draws,
        }
        self.metrics: dict[str, tf.Tensor] = {}
        seen = tf.TensorSpec([None, self.n_seen])
        self.act = tf.function(self.action, [seen], autograph=False)
        self.act_to_learn = tf.function(self.noisy_action, [seen], autograph=False)
        self.step = tf.function(self.update, jit_compile=True, autograph=False)

    def action(self, seen: tf.Tensor) -> tf.Tensor:
        """Return what is done in earnest."""
        return tf.tanh(self.actor(seen, is_train=False))

    def noisy_action(self, seen: tf.Tensor) -> tf.Tensor:
        """Return what is done to learn from it."""
        raise NotImplementedError

    def wanted(self, batch: replay.Batch) -> tf.Tensor:
        """Return what the critics should have said."""
        raise NotImplementedError

    def update_actor(self, seen: tf.Tensor) -> dict[str, tf.Tensor]:
        """Let the actor learn what the critics like; return metrics."""
        raise NotImplementedError

    @property
    def weights_of_critics(self) -> list[tf.Variable]:
        """Those that are learnt."""
        return [each for critic in self.critics for each in critic.trainable_weights]

    def play(self, seen: np.ndarray) -> np.ndarray:
        """Return the actions in earnest, in the range of the environment."""
        return self.to_range(self.act(seen).numpy())

    def explore(self, seen: np.ndarray, step: int, rng: np.random.Generator) -> np.ndarray:
        """Return an action to learn from, in the range of the environment."""
        return self.to_range(self.act_to_learn(seen[np.newaxis]).numpy()[0])

    def to_range(self, actions: np.ndarray) -> np.ndarray:
        """Return actions of [-1, 1] in the range of the environment."""
        return self.low + (actions + 1) / 2 * (self.high - self.low)

    def learn(self, batch: replay.Batch) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Learn from a batch; return metrics, and the error of each of its steps."""
        actions = 2 * (batch.actions - self.low) / (self.high - self.low) - 1
        with_actor = int(self.of_critics.iterations) % self.delay == 0
        metrics, errors = self.step(batch._replace(actions=actions.astype(np.float32)), with_actor)
        self.metrics = {**self.metrics, **metrics}  # the actor's are those of its last batch
        return self.metrics, errors

    def update(
        self, batch: replay.Batch, with_actor: bool
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Update the weights of the critics once, and where it is time those of the actor."""
        loss, errors = self.update_critics(batch, self.wanted(batch))
        if not with_actor:
            return {"loss": loss}, errors
        found = self.update_actor(batch.observations)
        for slow, fast in zip(self.slow_critics, self.critics, strict=True):
            follow(slow, fast, FOLLOW)
        return {"loss": loss, **found}, errors

    def update_critics(self, batch: replay.Batch, wanted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Let each critic learn what it should have said."""
        with tf.GradientTape() as tape:
            values = values_of(self.critics, batch.observations, batch.actions, is_train=True)
            errors = tf.stop_gradient(wanted) - values
            loss = tf.reduce_sum(tf.reduce_mean(errors**2, axis=1))
        gradients = tape.gradient(loss, self.weights_of_critics)
        self.of_critics.apply_gradients(zip(gradients, self.weights_of_critics, strict=True))
        return loss, errors[0]


def actor(n_seen: int, n_outputs: int) -> tl.models.Model:
    """Return a network from observations to numbers before the last tanh."""
    x = tl.layers.Input([None, n_seen], name="observations")
    return tl.models.Model(x, hidden_and_outputs(x, n_outputs), name="actor")


def critic(n_seen: int, n_numbers: int) -> tl.models.Model:
    """Return a network from an observation and an action to its value, (batch, 1)."""
    seen = tl.layers.Input([None, n_seen], name="observations")
    actions = tl.layers.Input([None, n_numbers], name="actions")
    both = tl.layers.Concat([seen, actions], name="both")
    return tl.models.Model([seen, actions], hidden_and_outputs(both, 1), name="critic")


def hidden_and_outputs(net: Any, n_outputs: int) -> Any:
    """Return two layers and linear outputs on a network; the outputs are small at first."""
    for i in (1, 2):
        net = tl.layers.Dense(net, N_HIDDEN, act="relu", W_init="he_uniform", name=f"hidden{i}")
    small = tl.initializers.RandomUniform(-3e-3, 3e-3)
    return tl.layers.Dense(net, n_outputs, W_init=small, name="outputs")


def values_of(
    critics: Iterable[tl.models.Model], seen: tf.Tensor, actions: tf.Tensor, *, is_train: bool
) -> tf.Tensor:
    """Return what critics say, (n_critics, batch)."""
    return tf.stack([each([seen, actions], is_train=is_train)[:, 0] for each in critics])


def follow(slow: tl.models.Model, fast: tl.models.Model, part: float) -> None:
    """Let a copy come nearer by this part of the way."""
    for name, each in slow.parameters.items():
        each.assign_add(part * (fast.parameters[name] - each))


def named(models: Iterable[tl.models.Model]) -> dict[str, Any]:
    """Return the parameters of models for a checkpoint."""
    return {str(i): dict(each.parameters) for i, each in enumerate(models)}


@arguments.program
def run_agent(kind: type[Agent], description: str | None, algorithm: str) -> None:
    """Train an agent, and say what it has reached."""
    parser = arguments.parser(description)
    parser.add_argument("--env", default="Pendulum-v1", help="with actions that are numbers")
    for name, usual, said in (
        ("steps", None, "of play: 10,000"),
        ("memory", 100_000, "steps"),
        ("evaluate-every", 2000, "steps"),
        ("episodes", 100, "fresh ones at the end"),
    ):
        parser.add_argument(f"--{name}", type=arguments.positive, default=usual, help=said)
    parser.add_argument("--quick", action="store_true", help=f"{kind.n_quick:,} steps; checked")
    record.add_options(parser, f"{algorithm}-run")
    options = parser.parse_args()

    started = time.perf_counter()
    tf.keras.utils.set_random_seed(options.seed)
    env = playing.make(options.env)
    playing.check_spaces(env, options.env, observations=("vector",), actions="numbers")
    n_steps = options.steps or (kind.n_quick if options.quick else 10_000)
    plan = off_policy.Plan(
        n_steps=n_steps,
        n_random=min(1000, n_steps // 4),
        n_batch=128,
        evaluate_every=options.evaluate_every,
    )
    spaces = env.observation_space, env.action_space
    memory = replay.Replay(
        options.memory, spaces[0].shape, action_shape=spaces[1].shape, action_type=np.float32,
        gamma=GAMMA,
    )  # fmt: skip
    agent = kind(env)
    bar = (BARS_QUICK if options.quick else BARS).get(options.env)
    off_policy.run(agent, algorithm, memory, plan, options, bar, started)
