"""The loop of programs with a memory: names of runs, results before pictures, going on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from tests.examples.games import game
from tests.examples.running import run_here

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import off_policy
import record

SHORT = ["--no-hub", "--steps", "2", "--episodes", "1"]


@pytest.mark.parametrize("env", ["Pong-v5", "ALE/Pong-v5", "ale_py:ALE/Pong-v5", "ale_py:Pong-v5"])
def test_a_run_is_named_after_the_algorithm_and_the_game(env):
    assert off_policy.name_of("dqn", env) == "dqn-Pong-v5"


@pytest.mark.parametrize("algorithm", ["dqn", "c51"])
def test_models_of_two_algorithms_have_two_names(tmp_path, algorithm):
    with pytest.raises(SystemExit, match="the mean return should be at least 195"):
        run_here(f"{algorithm}.py", *SHORT, "--out", str(tmp_path))

    assert [each.name for each in tmp_path.glob("*.npz")] == [f"{algorithm}-CartPole-v1-2.npz"]


@pytest.mark.parametrize("algorithm", ["ddpg", "td3", "sac"])
def test_a_game_with_a_namespace_is_saved_and_needs_no_pictures(tmp_path, capsys, algorithm):
    seen, actions = (gymnasium.spaces.Box(-1, 1, shape) for shape in ((3,), (2,)))
    with game(seen, actions) as env:
        run_here(f"{algorithm}.py", *SHORT, "--env", env, "--out", str(tmp_path))

    assert [each.name for each in tmp_path.glob("*.npz")] == [f"{algorithm}-Game-v0-2.npz"]
    shown = capsys.readouterr().out
    assert "return 5.0 ± 0.0 of 1 fresh episodes; at random 5.0\n" in shown
    assert shown.endswith(
        "no pictures of play: tests/Game-v0 does not render rgb_array, only ['ansi']\n"
    )


class Still:
    """Who does nothing."""

    def play(self, seen):
        return np.zeros(len(seen), int)


def test_the_result_is_there_though_the_picture_fails(tmp_path, capsys):
    (tmp_path / "play.png").mkdir()
    options = argparse.Namespace(out=tmp_path, resume=False, no_hub=True)

    with record.Record(options, "still") as run, pytest.raises(OSError, match=r"play\.png"):
        off_policy.finish(Still(), "CartPole-v1", run, 2, None, 0.0)

    assert "of 2 fresh episodes; at random" in capsys.readouterr().out


def run_of_dqn(folder, *options):
    with pytest.raises(SystemExit) as ended:
        run_here("dqn.py", *SHORT, "--out", str(folder), *options)
    return str(ended.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("--memory 40", "--memory 50"),
        ("--memory 40", "--memory 30"),
        ("--memory 40", "--memory 40 --steps-ahead 3"),
        ("--memory 40", "--memory 40 --prioritised"),
    ],
)
def test_a_run_goes_on_with_the_same_memory_only(tmp_path, first, second):
    run_of_dqn(tmp_path, *first.split())

    ended = run_of_dqn(tmp_path, *second.split(), "--resume")

    assert ended == (
        f"the memory of the checkpoint was made with {first}, and this one with {second}: "
        "go on with the options of the first run, or without --resume"
    )
    assert "at least 195" in run_of_dqn(tmp_path, *first.split(), "--resume")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", [[], ["--prioritised"]])
def test_it_waits_for_a_step_with_all_rewards_after_it(tmp_path, kind):
    assert "at least 195" in run_of_dqn(tmp_path, "--steps", "4", "--steps-ahead", "3", *kind)
