"""Games side by side, and advantages against a sum that is written out."""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import rollouts


@pytest.mark.parametrize("trust", [0.0, 0.7, 1.0])
def test_advantages_are_the_sums_of_what_surprised(trust):
    rng = np.random.default_rng(0)
    rewards, values, following = rng.normal(size=(3, 9, 2))
    is_over = rng.random((9, 2)) < 0.3
    is_terminal = is_over & (rng.random((9, 2)) < 0.5)

    found = rollouts.advantages(rewards, values, following, is_terminal, is_over, 0.9, trust)

    for game in range(2):
        for t in range(9):
            total, factor = 0.0, 1.0
            for k in range(t, 9):
                value_after = 0 if is_terminal[k, game] else following[k, game]
                total += factor * (rewards[k, game] + 0.9 * value_after - values[k, game])
                factor *= 0.9 * trust
                if is_over[k, game]:
                    break
            assert found[t, game] == pytest.approx(total)


def test_a_game_that_ends_begins_again():
    players = rollouts.Players("CartPole-v1", 3, seed=0)

    first = players.play(lambda seen: np.array([0, 1, 0]), 12)
    second = players.play(lambda seen: np.array([0, 1, 0]), 12)

    assert first.observations.shape == (12, 3, 4)
    assert first.n_steps == 36
    goes_on = ~first.is_over[:-1]
    np.testing.assert_array_equal(first.observations[1:][goes_on], first.following[:-1][goes_on])
    np.testing.assert_array_equal(second.observations[0], players_after(first))
    over = np.argwhere(first.is_over)
    assert len(over) > 2
    for t, game in over[over[:, 0] < 11]:
        assert np.abs(first.following[t, game, 2]) > 0.2  # the pole has fallen,
        assert np.abs(first.observations[t + 1, game]).max() < 0.05  # and stands again
    lengths = np.diff(np.flatnonzero(np.append(True, first.is_over[:, 0])))
    assert set(lengths) <= set(players.returns)  # a reward for each step


def players_after(played):
    """Return what is seen after steps of which none was the last of an episode."""
    assert not played.is_over[-1].any()
    return played.following[-1]


def test_the_end_of_time_is_no_failure():
    players = rollouts.Players("Pendulum-v1", 1, seed=0)
    assert isinstance(players.envs[0], gymnasium.Env)

    played = players.play(lambda seen: np.zeros((1, 1), np.float32), 200)

    assert played.is_over[-1, 0]
    assert not played.is_terminal.any()
    assert len(players.returns) == 1
    assert players.returns[0] == pytest.approx(played.rewards.sum(), rel=1e-4)
