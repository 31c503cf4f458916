"""Deep Q-learning: its targets, its layers, and the program as it is run."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tests.examples.running import help_of, kill_when, last_event, run, run_here

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import dqn
import playing
import replay

RNG = np.random.default_rng(0)


def agent_of(**options):
    usual = {"dueling": False, "noisy": False, "double": False, "rate": 1e-3, "copy_every": 3}
    tf.keras.utils.set_random_seed(0)
    options = argparse.Namespace(**{**usual, "n_explored": 100, **options})
    return dqn.Agent(playing.make("CartPole-v1"), options)


def batch_of(n):
    observations, following = (RNG.normal(size=(n, 4)).astype("float32") for _ in range(2))
    returns, discounts, weights = (RNG.random(n).astype("float32") for _ in range(3))
    actions = RNG.integers(0, 2, n).astype("int32")
    return replay.Batch(observations, actions, returns, following, discounts, weights, np.arange(n))


def test_targets_are_those_of_a_loop():
    returns, discounts = RNG.normal(size=(2, 6)).astype("float32")
    values, online = RNG.normal(size=(2, 6, 3)).astype("float32")

    plain = dqn.targets(returns, discounts, values, values).numpy()
    double = dqn.targets(returns, discounts, values, online).numpy()

    for i in range(6):
        assert plain[i] == pytest.approx(returns[i] + discounts[i] * values[i].max(), rel=1e-5)
        expected = returns[i] + discounts[i] * values[i, online[i].argmax()]
        assert double[i] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("is_double", [False, True])
def test_a_step_learns_from_the_errors_of_numpy(is_double):
    agent, batch = agent_of(double=is_double), batch_of(16)
    for each in agent.still.parameters.values():
        each.assign_add(tf.random.normal(each.shape, stddev=0.3, seed=1))
    now, still, online = (
        model(seen, is_train=False).numpy()
        for model, seen in (
            (agent.model, batch.observations),
            (agent.still, batch.following),
            (agent.model, batch.following),
        )
    )

    metrics, errors = agent.learn(batch)

    each = np.arange(16)
    chosen = (online if is_double else still).argmax(1)
    wanted = batch.returns + batch.discounts * still[each, chosen]
    expected = wanted - now[each, batch.actions]
    np.testing.assert_allclose(errors, expected, rtol=1e-4, atol=1e-5)
    size = np.abs(expected)
    losses = np.where(size < 1, size**2 / 2, size - 0.5)
    np.testing.assert_allclose(metrics["loss"], np.mean(batch.weights * losses), rtol=1e-4)


def test_the_copy_stands_still_for_some_batches():
    agent, batch = agent_of(copy_every=3), batch_of(8)

    def are_equal():
        pairs = zip(agent.model.all_weights, agent.still.all_weights, strict=True)
        return all(np.array_equal(one, other) for one, other in pairs)

    assert are_equal()
    found = []
    for _ in range(6):
        agent.learn(batch)
        found.append(are_equal())
    assert found == [False, False, True, False, False, True]


def test_what_actions_add_has_a_mean_of_zero():
    value, advantages = RNG.normal(size=(5, 1)), RNG.normal(size=(5, 3))

    found = dqn.add_values([tf.constant(value), tf.constant(advantages)]).numpy()

    np.testing.assert_allclose(found.mean(1), value[:, 0])
    np.testing.assert_allclose(found[:, 0] - found[:, 1], advantages[:, 0] - advantages[:, 1])


def test_noise_is_on_the_weights_in_training_only():
    tf.random.set_seed(0)
    net = dqn.NoisyDense(tl.layers.Input([None, 4]), n_units=2, name="noisy")
    x = RNG.normal(size=(1, 4)).astype("float32")
    parameters = {name: each.numpy() for name, each in net.parameters.items()}

    calm = net(x, is_train=False).numpy()
    draw = tf.function(lambda: net(x, is_train=True))
    noisy = np.array([draw().numpy()[0] for _ in range(4000)])

    expected = x @ parameters["noisy/weights"] + parameters["noisy/biases"]
    np.testing.assert_allclose(calm, expected, rtol=1e-5)
    np.testing.assert_allclose(noisy.mean(0), expected[0], atol=0.05)
    # E f(e)^2 = E|e| = sqrt(2 / pi) for each of the two numbers of a weight; that of a bias is one.
    half = np.sqrt(2 / np.pi)
    variance = 0.25**2 * (half**2 * np.sum(x**2) + half)
    np.testing.assert_allclose(noisy.var(0), variance, rtol=0.15)


def test_the_network_for_pixels_is_that_of_the_paper():
    space = playing.make("ALE/Pong-v5").observation_space
    model = dqn.network(space, 6, is_dueling=False, is_noisy=False)

    shapes = [tuple(each.shape) for each in model.all_weights if len(each.shape) > 1]
    assert shapes == [(8, 8, 4, 32), (4, 4, 32, 64), (3, 3, 64, 64), (3136, 512), (512, 6)]
    frames = RNG.integers(0, 255, (2, 4, 84, 84)).astype("uint8")
    channels = dqn.from_bytes(tf.constant(frames)).numpy()
    np.testing.assert_allclose(channels[1, 5, 7], frames[1, :, 5, 7] / 255, rtol=1e-6)


def returns_of(shown):
    """Return the mean returns of the program and of a random player, as they are printed."""
    found = re.search(
        r"return ([-\d.]+) ± [\d.]+ of \d+ fresh episodes; at random ([-\d.]+)", shown
    )
    assert found, shown
    return float(found[1]), float(found[2])


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(300)
def test_a_pole_is_balanced(tmp_path, monkeypatch):
    shown = run("dqn.py", tmp_path, "--quick", "--double", "--steps", "6000")

    reached, at_random = returns_of(shown)
    assert reached >= 75 > 2 * at_random
    monkeypatch.setenv("TENSORLAYER_HOME", str(tmp_path / "home"))
    with tl.connect(project="examples") as hub:
        best = hub.models.best("dqn-CartPole-v1", "return")
        assert best.step <= 6000
        assert len(hub.models.events("dqn-CartPole-v1")) >= 3 * 3


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_it_goes_on_to_the_same_end(tmp_path):
    options = ["--no-hub", "--steps", "1000", "--evaluate-every", "500", "--episodes", "2"]
    options += ["--prioritised", "--dueling", "--steps-ahead", "2", "--env", "Acrobot-v1"]
    run("dqn.py", tmp_path, *options, "--out", "whole")
    mark = tmp_path / "killed" / "checkpoint" / "checkpoint"
    kill_when(mark, "dqn.py", tmp_path, *options, "--out", "killed")

    shown = run("dqn.py", tmp_path, *options, "--out", "killed", "--resume")

    assert "on after step 5" in shown
    assert last_event(tmp_path / "whole") == last_event(tmp_path / "killed")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pong_is_played_from_pixels(tmp_path):
    options = ["--no-hub", "--steps", "400", "--episodes", "1", "--memory", "300"]

    shown = run("dqn.py", tmp_path, "--env", "ALE/Pong-v5", *options)

    assert -21 <= returns_of(shown)[0] <= 21
    assert (tmp_path / "dqn-run" / "play.png").exists()
    assert "loss" in (tmp_path / "dqn-run" / "events.jsonl").read_text()


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("Pendulum-v1", r"actions Box\(1,\) of float32; .*: play it with ddpg, td3 or sac$"),
        ("FrozenLake-v1", r"observations Discrete\(16\) .*: a table does for it, as in q_table$"),
    ],
)
@pytest.mark.parametrize("name", ["dqn.py", "c51.py"])
def test_what_it_cannot_play_is_refused(name, env, said):
    with pytest.raises(SystemExit, match=f"{env} has .*{said}"):
        run_here(name, "--env", env, "--no-hub")


@pytest.mark.parametrize(
    ("options", "least"), [("--memory 2", 3), ("--memory 6 --steps-ahead 3", 7)]
)
def test_a_memory_that_holds_too_little_is_refused(options, least):
    said = rf"--memory \d is too small: to draw .* it has to be at least {least}$"
    with pytest.raises(SystemExit, match=said):
        run_here("dqn.py", *options.split(), "--no-hub")


@pytest.mark.parametrize(
    "option", ["--memory", "--steps", "--steps-ahead", "--evaluate-every", "--episodes"]
)
def test_counts_of_nothing_are_refused(option, capsys):
    with pytest.raises(SystemExit):
        run_here("dqn.py", option, "0")

    assert (
        f"argument {option}: a whole number from 1 on is needed, not '0'" in capsys.readouterr().err
    )


def test_help_teaches():
    shown = help_of("dqn.py")

    assert "Mnih" in shown
    assert "--prioritised" in shown
