"""The loop of programs that learn from a memory of play: dqn, c51, ddpg, td3 and sac.

An episode is played; after each of its steps the agent learns from a batch of the memory. Between
episodes, every so often, the agent is evaluated as it would play in earnest, a version of the best
model so far is saved, and so is all that is needed to go on after the process was killed.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import time
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import playing  # the file beside this one
import tensorflow as tf
from record import Record
from replay import Batch, PrioritisedReplay, Replay
from tqdm import tqdm

import tensorlayer as tl

SEED_OF_CHOICE, SEED_OF_TEST = 1_000_000, 2_000_000  # of episodes that nobody learns from


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How long to play, and what to do when."""

    n_steps: int  #: of play
    n_random: int  #: steps at first, before anything is learnt
    learn_every: int = 1  #: steps of play for each batch
    n_batch: int
    evaluate_every: int  #: steps, at the end of the episode; the checkpoint is written then
    n_evaluated: int = 20  #: episodes of an evaluation
    keeps_memory: bool = True  #: whether the memory is in the checkpoint, or filled anew


class Agent(Protocol):
    """What the loop needs to know of an agent."""

    model: tl.models.Model  #: what plays in earnest, and is saved
    values: Mapping[str, Any]  #: for the checkpoint: models, optimizers, variables

    def explore(self, seen: np.ndarray, step: int, rng: np.random.Generator) -> Any:
        """Return the action for an observation, to learn from."""

    def play(self, seen: np.ndarray) -> np.ndarray:
        """Return the actions for a batch of observations, in earnest."""

    def learn(self, batch: Batch) -> tuple[Mapping[str, tf.Tensor], tf.Tensor]:
        """Learn from a batch; return metrics, and the error of each of its steps."""


class Best:
    """The parameters with the best evaluation so far."""

    def __init__(self, model: tl.models.Model) -> None:
        self.model = model
        self.copies = {name: tf.Variable(each) for name, each in model.parameters.items()}
        self.score = tf.Variable(-np.inf, dtype=tf.float64)

    def offer(self, score: float) -> bool:
        """Keep the parameters as they are now, if this score is none that was there before."""
        if score <= self.score.numpy():
            return False
        self.score.assign(score)
        for name, each in self.model.parameters.items():
            self.copies[name].assign(each)
        return True

    def put_back(self) -> None:
        """Give the model the best parameters."""
        for name, each in self.model.parameters.items():
            each.assign(self.copies[name])


class Loop:
    """Play, learn, evaluate."""

    def __init__(
        self, agent: Agent, env: str, memory: Replay, plan: Plan, run: Record, seed: int
    ) -> None:
        self.agent, self.name, self.memory, self.plan, self.run = agent, env, memory, plan, run
        self.env = playing.make(env, is_trained=True)
        self.rng = np.random.default_rng(seed)
        self.best = Best(agent.model)
        self.place = tl.train.Place(epoch=0)  # episodes and steps
        self.metrics: Mapping[str, tf.Tensor] = {}
        kept: dict[str, Any] = {"draws": playing.Kept.of_draws(self.rng)}
        if plan.keeps_memory:
            kept["memory"] = playing.Kept(memory.state, memory.restore)
        kept |= {"best": self.best.copies, "score": self.best.score}
        self.saved = run.checkpoint({"loop": kept, "agent": dict(agent.values)})
        found = self.saved.find()
        if found is not None:
            self.saved.restore()
            self.place = found
            print(f"on after step {found.step:,} of {plan.n_steps:,}")

    def train(self) -> None:
        """Play all steps, and leave the best model."""
        plan, place = self.plan, self.place
        first, started = place.step, time.perf_counter()
        with tqdm(total=plan.n_steps, initial=place.step, unit="step", disable=None) as bar:
            while place.step < plan.n_steps:
                before, total = place.step, self.play_episode()
                bar.update(place.step - before)
                bar.set_postfix({"return": f"{total:.0f}"}, refresh=False)
                is_due = place.step // plan.evaluate_every > before // plan.evaluate_every
                if is_due or place.step >= plan.n_steps:
                    self.evaluate()
                    self.saved.save(place)
        self.best.put_back()
        rate = (place.step - first) / (time.perf_counter() - started)
        print(f"{rate:.0f} steps/s; a memory of {self.memory.n_bytes / 1e6:.0f} MB")

    def play_episode(self) -> float:
        """Play to the end of the episode, or of the run; return the sum of rewards."""
        seen, _ = self.env.reset(seed=int(self.rng.integers(2**31)))
        self.memory.begin(seen)
        total, is_over = 0.0, False
        while not is_over and self.place.step < self.plan.n_steps:
            is_random = self.place.step < self.plan.n_random
            action = self.random() if is_random else self.explore(seen)
            seen, reward, is_terminal, is_truncated, _ = self.env.step(action)
            is_over = is_terminal or is_truncated
            self.memory.add(action, reward, seen, is_terminal, is_over)
            total += reward
            self.place.step += 1
            if self.place.step % self.plan.learn_every == 0:
                self.learn()
        self.place.epoch += 1
        return total

    def random(self) -> Any:
        """Return an action drawn evenly."""
        space = self.env.action_space
        if isinstance(space, playing.Discrete):
            return self.rng.integers(space.n)
        return self.rng.uniform(space.low, space.high).astype(np.float32)

    def explore(self, seen: np.ndarray) -> Any:
        """Return what the agent would do, to learn from it."""
        return self.agent.explore(seen, self.place.step, self.rng)

    def learn(self) -> None:
        """Learn from a batch, if there is enough in the memory to draw from."""
        memory = self.memory
        if memory.n_rows <= self.plan.n_random or not memory.has_steps:
            return
        is_prioritised = isinstance(memory, PrioritisedReplay)
        if is_prioritised:
            memory.beta = 0.4 + 0.6 * self.place.step / self.plan.n_steps
        batch = memory.sample(self.plan.n_batch, self.rng)
        self.metrics, errors = self.agent.learn(batch)
        if is_prioritised:
            memory.learnt(batch, errors.numpy())

    def evaluate(self) -> None:
        """Play in earnest, log what came of it, and save a version if it is the best so far."""
        plan, step = self.plan, self.place.step
        returns = playing.evaluate(self.name, self.agent.play, plan.n_evaluated, SEED_OF_CHOICE)
        score = float(returns.mean())
        is_best = self.best.offer(score)
        metrics = {name: float(value) for name, value in self.metrics.items()}
        self.run.log({"return": score, **metrics}, step=step)
        if is_best:
            self.run.save(self.agent.model, step=step)
        shown = "  ".join(f"{name} {value:.3g}" for name, value in metrics.items())
        mark = "  best so far" if is_best else ""
        tqdm.write(f"step {step:,}: return {score:.1f} of {len(returns)} episodes  {shown}{mark}")


def name_of(algorithm: str, env: str) -> str:
    """Return the name of a run, by which its models are found: without a namespace of games."""
    return f"{algorithm}-{re.split('[/:]', env)[-1]}"


def run(
    agent: Agent,
    algorithm: str,
    memory: Replay,
    plan: Plan,
    options: argparse.Namespace,
    bar: float | None,
    started: float,
) -> None:
    """Train an agent, and say what it has reached."""
    with Record(options, name_of(algorithm, options.env)) as kept:
        Loop(agent, options.env, memory, plan, kept, options.seed).train()
        finish(agent, options.env, kept, options.episodes, bar, started)


def finish(
    agent: Agent, env: str, run: Record, n_episodes: int, bar: float | None, started: float
) -> None:
    """Play fresh episodes, say what was reached, and write frames of one."""
    returns = playing.evaluate(env, agent.play, n_episodes, SEED_OF_TEST)
    at_random = playing.random_return(env, n_episodes, SEED_OF_TEST)
    print(f"return {playing.mean_and_spread(returns)} of {n_episodes} fresh episodes; "
          f"at random {at_random:.1f}")  # fmt: skip
    print(f"{time.perf_counter() - started:.0f} s, {time.process_time():.0f} s of processor time")
    print(playing.save_strip(env, agent.play, run.picture("play.png"), SEED_OF_TEST))
    if bar is not None and returns.mean() < bar:
        raise SystemExit(f"the mean return should be at least {bar:g}")
