"""What programs that learn to play share: environments, evaluation, strips of frames, going on.

env = playing.make("CartPole-v1")
score = playing.evaluate(env_name, greedy, n_episodes=100, seed=1)
playing.save_strip(env_name, greedy, "play.png", seed=2)
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

import tensorlayer as tl

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pictures are drawn, no window is opened

try:
    import ale_py
    import gymnasium
    from gymnasium.spaces import Box, Discrete, Space
except ImportError as error:
    raise SystemExit(
        f"{error.name} is missing, which has the games: pip install 'tensorlayer[rl]'"
    ) from error

__all__ = [
    "Discrete",
    "Kept",
    "check_spaces",
    "evaluate",
    "is_atari",
    "make",
    "mean_and_spread",
    "random_return",
    "save_strip",
]

#: From observations, one of each episode that goes on, to their actions.
Policy = Callable[[np.ndarray], np.ndarray]

N_STACKED = 4  # frames of an Atari game that are seen at once, as in the paper
N_HELD = 4  # frames for which an action is held

#: What spaces are called here, and how an error describes those that a program needs.
KINDS = {
    "vector": "a Box of one axis",
    "frames": "4 frames of 84 x 84 (as of ALE/Pong-v5)",
    "choice": "Discrete, counted from 0",
    "numbers": "a Box of one axis with bounds",
}
#: Which programs play what, by the kinds of observations and actions.
PLAYED_BY = {
    ("vector", "choice"): "play it with dqn, c51, actor_critic, a3c, ppo or trpo",
    ("frames", "choice"): "play it with dqn or c51",
    ("vector", "numbers"): "play it with ddpg, td3 or sac",
    ("choice", "choice"): "a table does for it, as in q_table",
}


def make(name: str, *, is_drawn: bool = False, is_trained: bool = False) -> gymnasium.Env:
    """Return an environment; an Atari game with the pictures and actions of Mnih et al. (2015).

    ``is_drawn`` lets ``render()`` return its picture. For training the rewards of Atari games are
    cut to [-1, 1], so that one learning rate does for all of them. Vectors have single precision.
    """
    options = {"render_mode": "rgb_array"} if is_drawn else {}
    try:
        if not is_atari(name):
            return in_single_precision(gymnasium.make(name, **options))
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        gymnasium.register_envs(ale_py)
        env = gymnasium.make(name, frameskip=1, **options)  # the wrapper holds actions
        env = gymnasium.wrappers.AtariPreprocessing(env, frame_skip=N_HELD)
    except (gymnasium.error.Error, ImportError, ValueError) as error:
        raise SystemExit(f"{name} cannot be played: {error}") from error
    if is_trained:
        env = gymnasium.wrappers.ClipReward(env, -1.0, 1.0)
    return gymnasium.wrappers.FrameStackObservation(env, N_STACKED)


def in_single_precision(env: gymnasium.Env) -> gymnasium.Env:
    """Return an environment whose vectors, if it has others, are single-precision numbers."""
    space = env.observation_space
    if not isinstance(space, Box) or len(space.shape) != 1 or space.dtype == np.float32:
        return env
    low, high = (each.astype(np.float32) for each in (space.low, space.high))
    cast = lambda seen: seen.astype(np.float32)  # noqa: E731
    return gymnasium.wrappers.TransformObservation(env, cast, Box(low, high))


def is_atari(name: str) -> bool:
    """Whether it is a game of the Arcade Learning Environment."""
    return name.startswith("ALE/")


def kind_of(space: Space) -> str:
    """Return what a space is called here, or nothing."""
    if isinstance(space, Discrete):
        return "choice" if space.start == 0 else ""
    if not isinstance(space, Box):
        return ""
    if space.shape == (N_STACKED, 84, 84) and space.dtype == np.uint8:
        return "frames"
    is_vector = len(space.shape) == 1 and np.issubdtype(space.dtype, np.floating)
    return "vector" if is_vector else ""


def check_spaces(
    env: gymnasium.Env, name: str, *, observations: tuple[str, ...], actions: str
) -> None:
    """End the program unless an environment has spaces of these kinds."""
    seen, done = kind_of(env.observation_space), kind_of(env.action_space)
    if done == "vector" and env.action_space.is_bounded():
        done = "numbers"
    if seen in observations and done == actions:
        return
    needed = " or ".join(KINDS[each] for each in observations)
    raise SystemExit(
        f"{name} has observations {shown(env.observation_space)} and actions "
        f"{shown(env.action_space)}; this program needs observations {needed} and actions "
        f"{KINDS[actions]}: {PLAYED_BY.get((seen, done), 'no program here plays it')}"
    )


def shown(space: Space) -> str:
    """Return a space in one line, a box without its bounds."""
    if not isinstance(space, Box):
        return str(space)
    without = "" if space.is_bounded() else " without bounds"
    return f"Box{space.shape} of {space.dtype}{without}"


def evaluate(name: str, policy: Policy, n_episodes: int, seed: int) -> np.ndarray:
    """Return the sums of rewards of episodes, which are played side by side."""
    envs = [make(name) for _ in range(n_episodes)]
    seen = np.array([env.reset(seed=seed + i)[0] for i, env in enumerate(envs)])
    returns, going = np.zeros(n_episodes), np.arange(n_episodes)
    while len(going):
        ended = []
        for i, action in zip(going, policy(seen[going]), strict=True):
            seen[i], reward, is_terminal, is_truncated, _ = envs[i].step(action)
            returns[i] += reward
            if is_terminal or is_truncated:
                ended.append(i)
                envs[i].close()
        going = np.setdiff1d(going, ended)
    return returns


def random_return(name: str, n_episodes: int, seed: int) -> float:
    """Return the mean sum of rewards of a player who draws actions evenly."""
    space = make(name).action_space
    space.seed(seed)
    policy = lambda seen: np.array([space.sample() for _ in seen])  # noqa: E731
    return float(evaluate(name, policy, n_episodes, seed).mean())


def save_strip(
    name: str, policy: Policy, path: str, seed: int, size: tuple[int, int] = (2, 4)
) -> str:
    """Write frames of one episode, in so many rows and columns; return what to say of it."""
    modes = make(name).metadata.get("render_modes", [])
    if "rgb_array" not in modes:
        return f"no pictures of play: {name} does not render rgb_array, only {modes}"
    try:
        env = make(name, is_drawn=True)
        seen, _ = env.reset(seed=seed)
        frames, is_over = [env.render()], False
    except gymnasium.error.DependencyNotInstalled:
        return "no pictures of play without pygame: pip install 'tensorlayer[rl]'"
    while not is_over:
        seen, _, is_terminal, is_truncated, _ = env.step(policy(seen[np.newaxis])[0])
        is_over = is_terminal or is_truncated
        frames.append(env.render())
    env.close()
    chosen = np.linspace(0, len(frames) - 1, size[0] * size[1]).astype(int)
    tl.visualize.save_images([frames[i] for i in chosen], size, path)
    return f"frames of an episode of {len(frames) - 1} steps in {path}"


def mean_and_spread(returns: np.ndarray) -> str:
    """Return the mean of episodes as text, and how far it may be from that of all."""
    return f"{returns.mean():.1f} ± {returns.std() / len(returns) ** 0.5:.1f}"


class Kept(tf.train.experimental.PythonState):
    """What a checkpoint keeps of an object in Python: arrays by name.

    Parameters
    ----------
    state
        Returns them.
    restore
        Takes what ``state`` returned once.
    """

    def __init__(
        self,
        state: Callable[[], Mapping[str, Any]],
        restore: Callable[[Mapping[str, np.ndarray]], Any],
    ) -> None:
        super().__init__()
        self._state, self._restore = state, restore

    @classmethod
    def of_draws(cls, rng: np.random.Generator) -> Kept:
        """Return what is kept of a generator of random numbers."""

        def restore(state: Mapping[str, np.ndarray]) -> None:
            rng.bit_generator.state = json.loads(str(state["json"]))

        return cls(lambda: {"json": json.dumps(rng.bit_generator.state)}, restore)

    def serialize(self) -> bytes:
        """Return the arrays as bytes."""
        file = io.BytesIO()
        np.savez_compressed(file, **self._state())
        return file.getvalue()

    def deserialize(self, text: bytes) -> None:
        """Go back to what the arrays say."""
        with np.load(io.BytesIO(text), allow_pickle=False) as arrays:
            self._restore(arrays)
