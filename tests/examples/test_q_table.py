"""The table of a frozen lake, against value iteration over how the ice really is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import tensorlayer as tl
from tests.examples.running import help_of, run, run_here

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import playing
import q_table


def best_values(env):
    """Return the table of who knows how the ice is."""
    table = np.zeros((16, 4))
    for _ in range(2000):
        for place in range(16):
            for action in range(4):
                outcomes = env.unwrapped.P[place][action]
                table[place, action] = sum(
                    chance * (reward + q_table.GAMMA * (not is_over) * table[after].max())
                    for chance, after, reward, is_over in outcomes
                )
    return table


def test_values_come_near_to_those_of_the_ice():
    env = playing.make(q_table.ENV)

    table = q_table.learn(env, 15_000, seed=0)

    best = best_values(env)
    assert table[0].max() == pytest.approx(best[0].max(), abs=0.1)
    visited = [place for place in range(16) if best[place].max() > 0]
    assert np.corrcoef(table[visited].max(1), best[visited].max(1))[0, 1] > 0.95


def test_an_update_is_that_of_the_formula():
    table = np.arange(8.0).reshape(2, 4)

    q_table.update(table, 0, 1, reward=1.0, following=1, rate=0.5, is_terminal=False)
    q_table.update(table, 0, 2, reward=1.0, following=1, rate=0.5, is_terminal=True)

    assert table[0].tolist() == pytest.approx([0, 1 + 0.5 * (1 + 0.99 * 7 - 1), 1.5, 3])


def test_of_equal_values_any_is_chosen():
    rng = np.random.default_rng(0)

    found = [q_table.choose(np.array([1.0, 0.0, 1.0]), 0.0, rng) for _ in range(200)]

    assert set(found) == {0, 2}
    assert {q_table.choose(np.array([1.0, 0.0, 1.0]), 1.0, rng) for _ in range(200)} == {0, 1, 2}


@pytest.mark.examples
@pytest.mark.slow
def test_the_lake_is_crossed(tmp_path):
    shown = run("q_table.py", tmp_path, "--quick")

    found = re.search(r"across in ([\d.]+)% of 1000 fresh episodes; at random ([\d.]+)%", shown)
    assert float(found[1]) >= 65
    assert float(found[2]) < 5
    assert tl.visualize.read_image(tmp_path / "q_table.png").shape == (480, 480, 4)


def test_help_teaches():
    assert "slippery" in help_of("q_table.py")


def test_the_result_is_there_though_the_picture_fails(tmp_path, capsys):
    (tmp_path / "play.png").symlink_to("/dev/full")

    with pytest.raises(SystemExit, match="stopped: No space left"):
        run_here("q_table.py", "--episodes", "5", "--out", str(tmp_path / "play.png"))

    assert "fresh episodes; at random" in capsys.readouterr().out


def test_the_folder_of_the_picture_is_made(tmp_path):
    path = tmp_path / "new" / "play.png"
    with pytest.raises(SystemExit, match="it should be at least"):
        run_here("q_table.py", "--episodes", "5", "--out", str(path))

    assert path.exists()
