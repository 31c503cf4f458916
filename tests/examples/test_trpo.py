"""Trust regions: the Fisher matrix written out, linear equations, and the program as it is run."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import rel_entr, softmax

from tests.examples.running import help_of, run

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import actor_critic
import playing
import trpo

RNG = np.random.default_rng(0)


def agent_of():
    tf.keras.utils.set_random_seed(0)
    return trpo.Agent(playing.make("CartPole-v1"), np.random.default_rng(0))


def test_equations_are_solved_as_numpy_does():
    root = RNG.normal(size=(6, 6))
    matrix, wanted = root @ root.T + np.eye(6), RNG.normal(size=6)

    found = trpo.solve(lambda vector: matrix @ vector, wanted, n_steps=30)

    np.testing.assert_allclose(found, np.linalg.solve(matrix, wanted), rtol=1e-4, atol=1e-5)


def test_the_relative_entropy_is_that_of_scipy():
    before, after = RNG.normal(size=(2, 5, 3))

    found = trpo.relative_entropy(tf.constant(before), tf.constant(after))

    expected = rel_entr(softmax(before, 1), softmax(after, 1)).sum(1).mean()
    assert float(found) == pytest.approx(expected)


def test_products_are_those_of_the_fisher_matrix():
    agent = agent_of()
    seen = RNG.normal(size=(3, 4)).astype("float32")
    weights = agent.actor.trainable_weights
    vector = RNG.normal(size=sum(int(np.prod(each.shape)) for each in weights))

    with tf.GradientTape() as tape:
        likelihoods = tf.nn.log_softmax(agent.actor(seen, is_train=True))
    slopes = [each.numpy().reshape(3, 2, -1) for each in tape.jacobian(likelihoods, weights)]
    slopes = np.concatenate(slopes, axis=2)
    chances = np.exp(likelihoods.numpy())
    fisher = np.einsum("ia,iaj,iak->jk", chances, slopes, slopes) / 3

    found = actor_critic.joined(agent.curve(seen, actor_critic.split(vector, weights_of(weights))))
    np.testing.assert_allclose(found, fisher @ vector, rtol=1e-3, atol=1e-4)


def weights_of(variables):
    return [each.numpy() for each in variables]


def test_a_step_gains_and_keeps_the_bound():
    agent = agent_of()
    seen = RNG.normal(size=(256, 4)).astype("float32")
    actions = RNG.integers(0, 2, 256).astype("int32")
    worth = (np.where(actions == 1, 1, -1) * np.sign(seen[:, 0])).astype("float32")
    before = agent.logits(seen).numpy()

    assert agent.step_actor(seen, actions, worth)

    p, q = softmax(before, 1), softmax(agent.logits(seen).numpy(), 1)
    change = rel_entr(p, q).sum(1).mean()
    assert 0.001 < change <= agent.bound * 1.001
    each = np.arange(256)
    assert np.mean(q[each, actions] / p[each, actions] * worth) > worth.mean()


def test_without_a_gain_the_weights_stay():
    agent = agent_of()
    seen = RNG.normal(size=(16, 4)).astype("float32")
    before = weights_of(agent.actor.trainable_weights)

    assert not agent.step_actor(seen, np.zeros(16, "int32"), np.zeros(16, "float32"))

    for first, now in zip(before, agent.actor.trainable_weights, strict=True):
        np.testing.assert_array_equal(first, now)


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_pole_is_balanced(tmp_path):
    shown = run("trpo.py", tmp_path, "--quick")

    found = re.search(r"return ([\d.]+) ± [\d.]+ of 100 fresh .*; at random ([\d.]+)", shown)
    assert float(found[1]) >= 195 > 6 * float(found[2])


def test_help_teaches():
    assert "Fisher" in help_of("trpo.py")
