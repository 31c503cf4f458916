"""Distributions of returns: their projection against a loop, and the program as it is run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.examples.running import help_of, run, run_here
from tests.examples.test_dqn import batch_of, returns_of

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import c51
import playing
import replay

RNG = np.random.default_rng(0)


def projected(chances, returns, discounts, atoms):
    """Return what the algorithm of the paper does, written out."""
    step, found = atoms[1] - atoms[0], np.zeros_like(chances)
    for i in range(len(chances)):
        for j in range(len(atoms)):
            moved = np.clip(returns[i] + discounts[i] * atoms[j], atoms[0], atoms[-1])
            place = (moved - atoms[0]) / step
            low, high = int(np.floor(place)), int(np.ceil(place))
            if low == high:
                found[i, low] += chances[i, j]
            else:
                found[i, low] += chances[i, j] * (high - place)
                found[i, high] += chances[i, j] * (place - low)
    return found


def test_the_projection_is_that_of_the_paper():
    atoms = np.linspace(-2, 3, 11)
    chances = RNG.dirichlet(np.ones(11), 50)
    returns, discounts = RNG.normal(size=50) * 2, RNG.choice([0.0, 0.5, 0.99], 50)

    found = c51.project(chances, returns, discounts, tf.constant(atoms)).numpy()

    np.testing.assert_allclose(found, projected(chances, returns, discounts, atoms), atol=1e-9)
    np.testing.assert_allclose(found.sum(1), 1)


def agent_of(env="CartPole-v1", between=None):
    tf.keras.utils.set_random_seed(0)
    options = argparse.Namespace(
        env=env, noisy=False, rate=1e-3, copy_every=100, n_explored=10, range=between
    )
    return c51.Agent(playing.make(env), options)


def test_the_action_of_the_largest_mean_is_played():
    agent = agent_of()
    seen = RNG.normal(size=(20, 4)).astype("float32")

    logits = agent.model(seen, is_train=False).numpy().reshape(20, 2, 51).astype(float)
    chances = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    means = chances @ np.linspace(0, 100, 51)
    np.testing.assert_array_equal(agent.play(seen), means.argmax(1))


def test_a_step_learns_the_distribution_of_what_follows():
    agent, batch = agent_of(), batch_of(16)
    batch = batch._replace(returns=10 * batch.returns + 30, discounts=np.zeros(16, "float32"))

    first, errors = agent.learn(batch)
    for _ in range(300):
        last, _ = agent.learn(batch)

    assert float(first["loss"]) == pytest.approx(np.mean(batch.weights * errors), rel=1e-4)
    assert float(last["loss"]) < 0.5 * float(first["loss"])
    assert float(last["value"]) == pytest.approx(batch.returns.mean(), abs=2)


def test_sums_of_rewards_that_are_negative_are_learnt_in_their_range():
    agent, rng = agent_of("Acrobot-v1", [-100.0, 0.0]), np.random.default_rng(1)
    seen = rng.normal(size=(16, 6)).astype("float32")
    returns, weights = rng.uniform(-80, -20, 16).astype("float32"), np.ones(16, "float32")
    batch = replay.Batch(
        seen, np.zeros(16, "int32"), returns, seen, 0 * weights, weights, np.arange(16)
    )

    for _ in range(300):
        last, _ = agent.learn(batch)

    assert float(last["value"]) == pytest.approx(returns.mean(), abs=2)


@pytest.mark.parametrize("env", ["Acrobot-v1", "MountainCar-v0"])
def test_without_a_range_a_line_says_what_to_pass(env):
    said = f"{env} needs --range LOW HIGH: what its rewards, discounted by 0.99 per step, .*-100 0"
    with pytest.raises(SystemExit, match=said):
        run_here("c51.py", "--env", env, "--no-hub")


def test_a_range_is_that_of_the_game_or_the_one_that_was_said():
    assert c51.range_of("CartPole-v1", None) == (0, 100)
    assert c51.range_of("ALE/Pong-v5", None) == (-10, 10)
    assert c51.range_of("CartPole-v1", [0.0, 20.0]) == (0, 20)
    with pytest.raises(SystemExit, match="--range 0 -100: the first has to be the lower one"):
        run_here("c51.py", "--env", "Acrobot-v1", "--range", "0", "-100", "--no-hub")


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_pole_is_balanced(tmp_path):
    shown = run("c51.py", tmp_path, "--quick", "--no-hub", "--steps", "6000")

    reached, at_random = returns_of(shown)
    assert reached >= 75 > 2 * at_random


def test_help_teaches():
    shown = help_of("c51.py")

    assert "Bellemare" in shown
    assert "--range LOW HIGH" in shown
    assert "half a minute" not in shown


@pytest.mark.parametrize("text", ["nan", "inf", "x"])
def test_a_range_without_an_end_is_refused_in_a_line(capsys, text):
    with pytest.raises(SystemExit):
        run_here("c51.py", "--range", "0", text, "--no-hub")

    wanted = f"c51.py: error: argument --range: a number is needed, not {text!r}\n"
    assert capsys.readouterr().err.endswith(wanted)
