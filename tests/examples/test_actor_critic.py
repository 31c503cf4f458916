"""The actor and the critic: losses against NumPy, draws, and the program as it is run."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from tests.examples.running import help_of, run, run_here

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import actor_critic
import playing
import rollouts

RNG = np.random.default_rng(0)


def agent_of(kind=actor_critic.Agent):
    tf.keras.utils.set_random_seed(0)
    return kind(playing.make("CartPole-v1"), np.random.default_rng(0))


def test_chances_and_doubt_are_those_of_scipy():
    logits, actions = RNG.normal(size=(7, 3)), RNG.integers(0, 3, 7)

    found = actor_critic.log_chances(tf.constant(logits), actions)

    np.testing.assert_allclose(found, log_softmax(logits, 1)[np.arange(7), actions])
    entropy = -np.sum(softmax(logits, 1) * log_softmax(logits, 1), 1).mean()
    assert float(actor_critic.doubt(tf.constant(logits))) == pytest.approx(entropy)


def test_actions_are_drawn_as_often_as_the_actor_says():
    agent = agent_of()
    seen = np.repeat(RNG.normal(size=(1, 4)).astype("float32"), 20_000, 0)
    agent.actor.all_weights[-1].assign([0.0, 1.0])

    found = agent.draw(seen).mean()

    expected = softmax(agent.logits(seen[:1]).numpy()[0])[1]
    assert found == pytest.approx(expected, abs=0.01)
    assert set(agent.play(seen)) == {int(expected > 0.5)}


def test_worthy_actions_become_likelier_and_the_critic_learns():
    agent = agent_of()
    seen = RNG.normal(size=(64, 4)).astype("float32")
    actions = RNG.integers(0, 2, 64).astype("int32")
    worth = np.where(actions == 1, 1, -1).astype("float32")
    wanted = seen[:, 0]
    before = agent.logits(seen).numpy(), agent.values(seen).numpy()

    for _ in range(100):
        agent.learn_from(seen, actions, worth, wanted)

    after = agent.logits(seen).numpy(), agent.values(seen).numpy()
    assert softmax(before[0], 1)[:, 1].mean() == pytest.approx(0.5, abs=0.05)
    assert softmax(after[0], 1)[:, 1].mean() > 0.8
    assert np.mean((after[1] - wanted) ** 2) < 0.3 * np.mean((before[1] - wanted) ** 2)


def test_what_is_learnt_is_what_was_played():
    agent, taken = agent_of(), []
    agent.learn_from = lambda *parts: taken.append(parts)
    played = rollouts.Players("CartPole-v1", 2, seed=0).play(agent.draw, 6)

    agent.learn(played)

    ((seen, actions, worth, wanted),) = taken
    np.testing.assert_array_equal(seen.reshape(6, 2, 4), played.observations)
    np.testing.assert_array_equal(actions.reshape(6, 2), played.actions)
    np.testing.assert_allclose(wanted - worth, agent.values(seen), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["actor_critic.py", "a3c.py", "ppo.py", "trpo.py"])
@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("ALE/Pong-v5", r"observations Box\(4, 84, 84\) of uint8 .*: play it with dqn or c51$"),
        ("Pendulum-v1", r"actions Box\(1,\) of float32; .*: play it with ddpg, td3 or sac$"),
    ],
)
def test_what_it_cannot_play_is_refused(name, env, said):
    with pytest.raises(SystemExit, match=f"{env} has .*{said}"):
        run_here(name, "--env", env)


def test_the_result_is_there_though_the_picture_fails(tmp_path, capsys):
    (tmp_path / "play.png").mkdir()
    options = argparse.Namespace(env="CartPole-v1", out=tmp_path / "play.png")

    with pytest.raises(OSError, match="irectory"):
        actor_critic.finish(agent_of(), options, 7, 0.0)

    assert "of 100 fresh episodes after 7 steps; at random" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["actor_critic.py", "ppo.py", "trpo.py"])
def test_the_folder_of_the_picture_is_made(tmp_path, name):
    path = tmp_path / "new" / "play.png"
    with pytest.raises(SystemExit, match="should be at least 195"):
        run_here(name, "--steps", "1", "--out", str(path))

    assert path.exists()


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_pole_is_balanced(tmp_path):
    shown = run("actor_critic.py", tmp_path, "--quick")

    found = re.search(r"return ([\d.]+) ± [\d.]+ of 100 fresh .*; at random ([\d.]+)", shown)
    assert float(found[1]) >= 195 > 6 * float(found[2])


def test_help_teaches():
    assert "critic" in help_of("actor_critic.py")
