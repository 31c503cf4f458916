"""What programs that learn to play share: games as they are played, measured and kept."""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tests.examples.games import game
from tests.examples.running import run_here

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import playing


def lean(seen):
    """Return what keeps a pole up for a while: push to where it falls."""
    return (seen[:, 2] + 0.5 * seen[:, 3] > 0).astype(int)


def test_episodes_side_by_side_are_those_one_after_the_other():
    found = playing.evaluate("CartPole-v1", lean, 5, seed=3)

    env, totals = gymnasium.make("CartPole-v1"), []
    for seed in range(3, 8):
        seen, _ = env.reset(seed=seed)
        total, is_over = 0.0, False
        while not is_over:
            seen, reward, is_terminal, is_truncated, _ = env.step(int(lean(seen[np.newaxis])[0]))
            total, is_over = total + reward, is_terminal or is_truncated
        totals.append(total)
    np.testing.assert_array_equal(found, totals)
    assert playing.random_return("CartPole-v1", 50, seed=0) == pytest.approx(22, abs=5)


def test_a_game_of_pixels_is_that_of_the_paper():
    env = playing.make("ALE/Pong-v5", is_trained=True)

    seen, _ = env.reset(seed=0)
    total, is_over = 0.0, False
    while total == 0 and not is_over:
        seen, reward, is_terminal, is_truncated, _ = env.step(0)
        total, is_over = total + reward, is_terminal or is_truncated

    assert (seen.shape, seen.dtype) == ((4, 84, 84), np.uint8)
    assert total == -1  # who stands still loses the first point
    before = env.unwrapped.ale.getEpisodeFrameNumber()
    env.step(0)
    assert env.unwrapped.ale.getEpisodeFrameNumber() == before + 4


def test_frames_of_a_game_are_a_picture(tmp_path):
    path = str(tmp_path / "play.png")

    said = playing.save_strip("ALE/Pong-v5", lambda seen: np.zeros(len(seen), int), path, seed=0)

    picture = tl.visualize.read_image(path)
    assert picture.shape == (2 * 210, 4 * 160, 3)
    assert said.startswith("frames of an episode of ")
    assert said.endswith(path)
    first, last = picture[:210, :160], picture[210:, -160:]
    assert (first != last).any()


def test_without_pygame_one_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pygame", None)

    said = playing.save_strip("CartPole-v1", lean, str(tmp_path / "play.png"), seed=0)

    assert "pip install 'tensorlayer[rl]'" in said
    assert not (tmp_path / "play.png").exists()


def test_without_gymnasium_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)

    with pytest.raises(SystemExit, match=r"gymnasium is missing.*pip install 'tensorlayer\[rl\]'$"):
        run_here("playing.py")


@pytest.mark.parametrize(
    ("name", "said"),
    [("CartPol-v1", "CartPole"), ("ALE/Pung-v5", "Pong"), ("Nowhere/Game-v0", "Nowhere")],
)
def test_what_is_no_game_is_said_in_one_line(name, said):
    with pytest.raises(SystemExit, match=f"{name} cannot be played: .*{said}"):
        playing.make(name)


def test_a_checkpoint_keeps_draws_and_arrays(tmp_path):
    rng, arrays = np.random.default_rng(0), {"a": np.arange(3)}
    kept = {
        "draws": playing.Kept.of_draws(rng),
        "arrays": playing.Kept(lambda: arrays, lambda found: arrays.update(found)),
    }
    rng.random(5)
    path = tf.train.Checkpoint(**kept).save(str(tmp_path / "kept"))
    expected = rng.random(4)
    arrays["a"] = np.zeros(3)

    tf.train.Checkpoint(**kept).restore(path)

    np.testing.assert_array_equal(rng.random(4), expected)
    np.testing.assert_array_equal(arrays["a"], np.arange(3))


SPACES = gymnasium.spaces
VECTOR, CHOICE = SPACES.Box(-1, 1, (3,)), SPACES.Discrete(4)


@pytest.mark.parametrize(
    ("seen", "actions", "found", "remedy"),
    [
        (CHOICE, CHOICE, "observations Discrete(4)", "a table does for it, as in q_table"),
        (VECTOR, VECTOR, "actions Box(3,) of float32", "play it with ddpg, td3 or sac"),
        (
            SPACES.Box(0, 255, (4, 84, 84), np.uint8),
            CHOICE,
            "observations Box(4, 84, 84) of uint8",
            "play it with dqn or c51",
        ),
        (VECTOR, SPACES.MultiBinary(3), "actions MultiBinary(3)", None),
        (VECTOR, SPACES.MultiDiscrete([2, 3]), "actions MultiDiscrete([2 3])", None),
        (VECTOR, SPACES.Discrete(3, start=1), "actions Discrete(3, start=1)", None),
        (SPACES.Box(0, 1, (3, 2)), CHOICE, "observations Box(3, 2) of float32", None),
        (SPACES.Tuple([CHOICE]), CHOICE, "observations Tuple(Discrete(4))", None),
        (
            VECTOR,
            SPACES.Box(-np.inf, np.inf, (1,)),
            "actions Box(1,) of float32 without bounds",
            None,
        ),
    ],
)
def test_spaces_that_a_program_cannot_take_end_it_in_one_line(seen, actions, found, remedy):
    with game(seen, actions) as name:
        env = playing.make(name)
        with pytest.raises(SystemExit) as ended:
            playing.check_spaces(env, name, observations=("vector",), actions="choice")

    said = str(ended.value)
    assert said.startswith("tests/Game-v0 has observations ")
    assert found in said
    assert "needs observations a Box of one axis and actions Discrete, counted from 0: " in said
    assert said.endswith(remedy or "no program here plays it")
    assert "\n" not in said


def test_spaces_of_the_right_kind_are_taken():
    for name, seen, actions in (
        ("CartPole-v1", "vector", "choice"),
        ("ALE/Pong-v5", "frames", "choice"),
        ("Pendulum-v1", "vector", "numbers"),
    ):
        playing.check_spaces(playing.make(name), name, observations=(seen,), actions=actions)


@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
def test_vectors_are_seen_in_single_precision(dtype):
    with game(SPACES.Box(0, 9, (3,), dtype), CHOICE) as name:
        env = playing.make(name)
        seen, _ = env.reset()

    assert seen.dtype == env.step(0)[0].dtype == env.observation_space.dtype == np.float32
    playing.check_spaces(env, name, observations=("vector",), actions="choice")


def test_a_game_that_gymnasium_cannot_prepare_is_said_in_one_line():
    with pytest.raises(SystemExit, match=r"ALE/VideoCheckers-v5 cannot be played: .*NOOP"):
        playing.make("ALE/VideoCheckers-v5")


def test_a_game_without_pictures_is_said_in_one_line(tmp_path):
    with game(VECTOR, CHOICE) as name:
        said = playing.save_strip(name, lambda seen: np.zeros(len(seen), int), "play.png", seed=0)

    assert said == "no pictures of play: tests/Game-v0 does not render rgb_array, only ['ansi']"
