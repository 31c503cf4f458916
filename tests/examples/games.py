"""What tests of programs that play share: games of any spaces, known to Gymnasium for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import gymnasium


class Game(gymnasium.Env):
    """A game of so many steps, in which what is done makes no difference."""

    def __init__(self, observations: gymnasium.Space, actions: gymnasium.Space) -> None:
        self.metadata = {"render_modes": ["ansi"]}
        self.observation_space, self.action_space = observations, actions
        observations.seed(0)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.n_steps = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.n_steps += 1
        return self.observation_space.sample(), 1.0, self.n_steps == 5, False, {}


@contextlib.contextmanager
def game(observations: gymnasium.Space, actions: gymnasium.Space) -> Iterator[str]:
    """Let Gymnasium know a game with these spaces; yield its name."""
    name = "tests/Game-v0"
    gymnasium.register(name, lambda: Game(observations, actions), disable_env_checker=True)
    try:
        yield name
    finally:
        del gymnasium.registry[name]
