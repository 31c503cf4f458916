"""Soft actor-critic: its density against SciPy, its temperature, and the program as it is run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from tests.examples.running import help_of, kill_when, last_event, run
from tests.examples.test_control import agent_of, batch_of
from tests.examples.test_dqn import returns_of

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import sac

RNG = np.random.default_rng(0)


def test_the_density_is_that_of_a_normal_draw_that_tanh_has_squeezed():
    means, spreads, noise = RNG.normal(size=(3, 40, 2))

    actions, density = sac.squashed(*map(tf.constant, (means, spreads, noise)))

    actions = actions.numpy()
    by_scipy = norm.logpdf(np.arctanh(actions), means, np.exp(spreads))
    expected = np.sum(by_scipy - np.log(1 - actions**2), axis=1)
    np.testing.assert_allclose(density, expected, rtol=1e-5, atol=1e-5)


def test_far_out_the_density_stays_finite():
    far = tf.constant([[50.0]])

    _, density = sac.squashed(far, tf.zeros([1, 1]), tf.zeros([1, 1]))

    # 1 - tanh(x)^2 is 4 exp(-2x) there
    assert float(density[0]) == pytest.approx(100 - np.log(4) - 0.5 * np.log(2 * np.pi), rel=1e-5)


@pytest.mark.parametrize(("spread", "is_warmer"), [(-6.0, True), (0.0, False)])
def test_too_little_doubt_makes_it_warmer(spread, is_warmer):
    agent, batch = agent_of(sac.Agent), batch_of(64)
    agent.actor.all_weights[-1].assign([0.0, spread])

    agent.learn(batch)

    assert (float(agent.log_temperature) > 0) == is_warmer


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_pendulum_is_swung_up(tmp_path):
    shown = run("sac.py", tmp_path, "--quick", "--no-hub")

    reached, at_random = returns_of(shown)
    assert reached >= -400 > at_random + 500


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_it_goes_on_to_the_same_end(tmp_path):
    options = ["--no-hub", "--steps", "600", "--evaluate-every", "200", "--episodes", "2"]
    run("sac.py", tmp_path, *options, "--out", "whole", code=1)  # so few steps miss the bar
    mark = tmp_path / "killed" / "checkpoint" / "checkpoint"
    kill_when(mark, "sac.py", tmp_path, *options, "--out", "killed")

    shown = run("sac.py", tmp_path, *options, "--out", "killed", "--resume", code=1)

    assert "on after step " in shown
    assert last_event(tmp_path / "whole") == last_event(tmp_path / "killed")


def test_help_teaches():
    assert "Haarnoja" in help_of("sac.py")
