"""REINFORCE: its update against finite differences, and the program as it is run."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.examples.running import help_of, run, run_here

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import playing
import policy_gradient


def test_what_came_after_an_action_is_what_it_is_worth():
    found = policy_gradient.worth_of([[1.0, 1.0, 1.0], [1.0]])

    after = np.array([1 + 0.99 + 0.99**2, 1.99, 1.0, 1.0])
    np.testing.assert_allclose(found, (after - after.mean()) / after.std(), rtol=1e-4)


def test_worthy_actions_become_likelier_and_others_less():
    tf.keras.utils.set_random_seed(0)
    policy = policy_gradient.Policy(4, 3)
    seen = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    actions, worth = np.array([0, 1, 2], np.int32), np.array([1.0, -1.0, 0.0], np.float32)
    before = policy.chances(seen).numpy()

    loss = policy.learn(seen, actions, worth)

    np.testing.assert_allclose(
        loss, (-np.log(before[0, 0]) + np.log(before[1, 1])) / 3, rtol=1e-4, atol=1e-6
    )
    after = policy.chances(seen).numpy()
    assert after[0, 0] > before[0, 0]
    assert after[1, 1] < before[1, 1]


def test_actions_are_drawn_as_often_as_the_network_says():
    tf.keras.utils.set_random_seed(0)
    policy = policy_gradient.Policy(4, 2)
    rng = np.random.default_rng(0)
    env = playing.make("CartPole-v1")

    played = [policy_gradient.play_episode(env, policy, rng) for _ in range(40)]

    seen = np.concatenate([observations for observations, *_ in played])
    actions = np.concatenate([actions for _, actions, _ in played])
    expected = policy.chances(seen).numpy()[:, 1].mean()
    assert actions.mean() == pytest.approx(expected, abs=0.07)
    assert all(len(a) == len(b) == sum(c) for a, b, c in played)


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_pole_is_balanced(tmp_path):
    shown = run("policy_gradient.py", tmp_path, "--quick")

    found = re.search(r"return ([\d.]+) ± [\d.]+ of 100 fresh .*; at random ([\d.]+)", shown)
    assert float(found[1]) >= 195 > 6 * float(found[2])


def test_help_teaches():
    assert "Williams" in help_of("policy_gradient.py")


def test_the_result_is_there_though_the_picture_fails(tmp_path, capsys):
    (tmp_path / "play.png").symlink_to("/dev/full")

    with pytest.raises(SystemExit, match="stopped: No space left"):
        run_here("policy_gradient.py", "--episodes", "5", "--out", str(tmp_path / "play.png"))

    assert "fresh episodes after 5; at random" in capsys.readouterr().out


def test_the_folder_of_the_picture_is_made(tmp_path):
    path = tmp_path / "new" / "play.png"
    with pytest.raises(SystemExit, match="the mean return should be at least 195"):
        run_here("policy_gradient.py", "--episodes", "5", "--out", str(path))

    assert path.exists()
