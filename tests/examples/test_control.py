"""What ddpg, td3 and sac share: critics, copies, ranges."""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import tensorflow as tf

from tests.examples.games import game
from tests.examples.running import run_here

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import control
import ddpg
import playing
import replay
import sac
import td3

KINDS = [ddpg.Agent, td3.Agent, sac.Agent]
RNG = np.random.default_rng(0)


def agent_of(kind, name="Pendulum-v1"):
    tf.keras.utils.set_random_seed(0)
    return kind(playing.make(name))


def batch_of(n, discounts=None):
    observations, following = (RNG.normal(size=(n, 3)).astype("float32") for _ in range(2))
    actions = RNG.uniform(-2, 2, (n, 1)).astype("float32")
    returns = RNG.normal(size=n).astype("float32")
    discounts = RNG.random(n).astype("float32") if discounts is None else discounts
    ones = np.ones(n, "float32")
    return replay.Batch(observations, actions, returns, following, discounts, ones, np.arange(n))


def test_a_copy_comes_nearer_by_a_part_of_the_way():
    slow, fast = control.actor(3, 1), control.actor(3, 1)
    before = [each.numpy() for each in slow.all_weights]

    control.follow(slow, fast, 0.1)

    for first, now, goal in zip(before, slow.all_weights, fast.all_weights, strict=True):
        np.testing.assert_allclose(now, 0.9 * first + 0.1 * goal.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_actions_are_in_the_range_of_the_environment(kind):
    agent = agent_of(kind)
    agent.low, agent.high = np.array([1.0], "float32"), np.array([3.0], "float32")
    seen = 2 * RNG.normal(size=(50, 3)).astype("float32")
    agent.actor.all_weights[-2].assign_add(tf.random.normal(agent.actor.all_weights[-2].shape))

    played = agent.play(seen)
    explored = np.array([agent.explore(each, 0, RNG) for each in seen])

    np.testing.assert_allclose(played, 2 + agent.act(seen).numpy(), rtol=1e-5)
    for found in (played, explored):
        assert found.shape == (50, 1)
        assert found.min() >= 1
        assert found.max() <= 3
    assert (played != explored).any()


@pytest.mark.parametrize("kind", KINDS)
def test_critics_learn_what_followed_and_the_actor_what_they_like(kind):
    agent, batch = agent_of(kind), batch_of(64, np.zeros(64, "float32"))
    scaled = batch.actions / 2
    batch = batch._replace(returns=-5 * (scaled[:, 0] - 0.5) ** 2)  # the best action is 0.5

    first, errors = agent.learn(batch)
    for _ in range(800):
        last, _ = agent.learn(batch)

    for critic in agent.critics:
        found = critic([batch.observations, scaled], is_train=False).numpy()[:, 0]
        assert np.corrcoef(found, batch.returns)[0, 1] > 0.95
    assert float(last["loss"]) < 0.1 * float(first["loss"])
    assert errors.shape == (64,)
    assert agent.act(batch.observations).numpy().mean() == pytest.approx(0.5, abs=0.2)


def test_of_two_critics_the_lower_counts():
    agent, batch = agent_of(td3.Agent), batch_of(16)
    agent.slow_critics[0].all_weights[-1].assign([7.0])
    agent.slow_critics[1].all_weights[-1].assign([3.0])

    found = agent.wanted(batch).numpy()

    np.testing.assert_allclose(found, batch.returns + 3 * batch.discounts, atol=0.3)


def test_the_delayed_actor_learns_from_every_second_batch():
    agent, batch = agent_of(td3.Agent), batch_of(8)

    steps = []
    for _ in range(5):
        agent.learn(batch)
        steps.append((int(agent.of_critics.iterations), int(agent.of_actor.iterations)))

    assert steps == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)]


@pytest.mark.parametrize("name", ["ddpg.py", "td3.py", "sac.py"])
def test_what_has_a_choice_of_actions_is_refused(name):
    with pytest.raises(SystemExit, match=r"CartPole-v1 has .*: play it with dqn, c51, a"):
        run_here(name, "--env", "CartPole-v1", "--no-hub")


def test_what_is_seen_as_a_picture_is_refused():
    spaces = gymnasium.spaces
    with (
        game(spaces.Box(0, 255, (96, 96, 3), np.uint8), spaces.Box(-1, 1, (3,))) as env,
        pytest.raises(SystemExit, match=rf"{env} has observations Box\(96, 96, 3\) of uint8 and"),
    ):
        run_here("sac.py", "--env", env, "--no-hub")


def test_pendulum_never_ends_but_by_its_time():
    env = gymnasium.make("Pendulum-v1")  # so all values there are of what goes on
    env.reset(seed=0)
    ends = [env.step(np.zeros(1))[2:4] for _ in range(200)]

    assert not any(is_terminal for is_terminal, _ in ends)
    assert ends[-1][1]
