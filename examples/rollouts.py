"""What programs that learn from their latest play share: games side by side, and advantages.

players = Players("CartPole-v1", n_games=8, seed=0)
played = players.play(draw, n_steps=32)          # draw: from observations to actions
worth = advantages(played.rewards, values, following, played.is_terminal, played.is_over)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import playing  # the file beside this one


class Played(NamedTuple):
    """Steps of games side by side: the first axis is time, the second the game."""

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    following: np.ndarray  #: what was seen after the action, at the end of an episode as well
    is_terminal: np.ndarray  #: no reward can follow
    is_over: np.ndarray  #: the episode has ended there, also if only its time was over

    @property
    def n_steps(self) -> int:
        """Steps of all games."""
        return self.rewards.size


class Players:
    """Games that go on from call to call; where one ends, its next episode begins."""

    def __init__(self, name: str, n_games: int, seed: int) -> None:
        self.envs = [playing.make(name, is_trained=True) for _ in range(n_games)]
        self.seen = np.array([env.reset(seed=seed + i)[0] for i, env in enumerate(self.envs)])
        self.totals = np.zeros(n_games)
        self.returns: deque[float] = deque(maxlen=30)  #: of the latest episodes

    def play(self, draw: Callable[[np.ndarray], np.ndarray], n_steps: int) -> Played:
        """Play some steps of each game."""
        columns = zip(*(self.step(draw(self.seen)) for _ in range(n_steps)), strict=True)
        return Played(*map(np.array, columns))

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, ...]:
        """Play a step of each game; return what a row of each part of `Played` is."""
        before = self.seen
        found = [env.step(action) for env, action in zip(self.envs, actions, strict=True)]
        following, rewards, is_terminal, is_truncated, _ = map(np.array, zip(*found, strict=True))
        is_over = is_terminal | is_truncated
        self.totals += rewards
        self.seen = following.copy()
        for i in np.flatnonzero(is_over):
            self.returns.append(self.totals[i])
            self.totals[i] = 0
            self.seen[i], _ = self.envs[i].reset()
        return before, actions, rewards.astype(np.float32), following, is_terminal, is_over


def advantages(
    rewards: np.ndarray,
    values: np.ndarray,
    following: np.ndarray,
    is_terminal: np.ndarray,
    is_over: np.ndarray,
    gamma: float = 0.99,
    trust: float = 0.95,
) -> np.ndarray:
    """Return how much better each action was than what was expected where it was done.

    The surprise of a step is ``r + gamma * V(following) - V(observation)``. An action is worth its
    own surprise and those of the steps after it, which count ``gamma * trust`` less per step
    (Schulman et al., "High-dimensional continuous control using generalized advantage estimation",
    2016). With ``trust`` of 0 the values say everything, with 1 the rewards do.
    """
    surprises = rewards + gamma * following * ~is_terminal - values
    worth, after = np.zeros_like(surprises), np.zeros(surprises.shape[1:], surprises.dtype)
    for t in reversed(range(len(surprises))):
        after = surprises[t] + gamma * trust * ~is_over[t] * after
        worth[t] = after
    return worth


def flat(array: np.ndarray) -> np.ndarray:
    """Return steps of games side by side in one row."""
    return array.reshape(-1, *array.shape[2:])
