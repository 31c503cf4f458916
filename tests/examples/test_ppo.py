"""Proximal policy optimization: its bound against NumPy, and the program as it is run."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.examples.running import help_of, run

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import playing
import ppo

RNG = np.random.default_rng(0)


def agent_of():
    tf.keras.utils.set_random_seed(0)
    return ppo.Agent(playing.make("CartPole-v1"), np.random.default_rng(0))


def test_beyond_the_bound_there_is_nothing_to_gain():
    worth = np.repeat([1.0, -1.0], 3).astype("float32")
    factors = np.tile([0.5, 1.0, 1.5], 2).astype("float32")
    found = tf.Variable(np.log(factors))

    with tf.GradientTape() as tape:
        loss = agent_of().loss_of_actor(found, tf.zeros(6), worth)

    gained = [0.5, 1.0, 1.2, -0.8, -1.0, -1.5]  # the smaller of both, written out
    assert float(loss) == pytest.approx(-np.mean(gained))
    expected = -np.array([0.5, 1.0, 0.0, 0.0, -1.0, -1.5]) / 6
    np.testing.assert_allclose(tape.gradient(loss, found), expected, rtol=1e-5)


def test_the_actor_stays_near_the_one_that_played():
    agent = agent_of()
    seen = RNG.normal(size=(512, 4)).astype("float32")
    actions = RNG.integers(0, 2, 512).astype("int32")
    worth = RNG.normal(size=512).astype("float32")
    before = tf.nn.softmax(agent.logits(seen)).numpy()

    agent.learn_from(seen, actions, worth, worth)

    factor = tf.nn.softmax(agent.logits(seen)).numpy() / before
    assert 0.01 < np.abs(factor - 1).max() < 0.5
    assert int(agent.optimizer.iterations) == agent.n_passes * 2


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_pole_is_balanced(tmp_path):
    shown = run("ppo.py", tmp_path, "--quick")

    found = re.search(r"return ([\d.]+) ± [\d.]+ of 100 fresh .*; at random ([\d.]+)", shown)
    assert float(found[1]) >= 195 > 6 * float(found[2])


def test_help_teaches():
    assert "Schulman" in help_of("ppo.py")
