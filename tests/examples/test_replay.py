"""Memories of play: what they return against a loop over episodes, and how often against NumPy."""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import replay

GAMMA = 0.9


def episodes(rng, n_steps):
    """Return episodes of some steps in all: observations, actions, rewards, and how each ends."""
    found = []
    while n_steps > 0:
        length = min(int(rng.integers(1, 12)), n_steps)
        n_steps -= length
        seen = rng.normal(size=(length + 1, 3)).astype(np.float32)
        actions, rewards = rng.integers(0, 4, length), rng.normal(size=length)
        found.append((seen, actions, rewards, bool(rng.integers(2))))
    return found


def fill(memory, played):
    for seen, actions, rewards, is_terminal in played:
        memory.begin(seen[0])
        for i, action in enumerate(actions):
            is_over = i == len(actions) - 1
            memory.add(action, rewards[i], seen[i + 1], is_over and is_terminal, is_over)


def sums_ahead(played, n_steps):
    """Return what a loop finds for each step, by its first observation."""
    found = {}
    for seen, actions, rewards, is_terminal in played:
        for i, action in enumerate(actions):
            end = min(i + n_steps, len(actions))
            total = sum(GAMMA ** (j - i) * rewards[j] for j in range(i, end))
            is_worthless = end == len(actions) and is_terminal
            discount = 0 if is_worthless else GAMMA ** (end - i)
            found[seen[i].tobytes()] = (action, total, discount, seen[end])
    return found


def check(batch, expected):
    for i, seen in enumerate(batch.observations):
        action, total, discount, after = expected[seen.tobytes()]
        assert batch.actions[i] == action
        np.testing.assert_allclose(batch.returns[i], total, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(batch.discounts[i], discount, rtol=1e-5)
        if discount:
            np.testing.assert_array_equal(batch.following[i], after)


@pytest.mark.parametrize("n_steps", [1, 3, 20])
@pytest.mark.parametrize("kind", [replay.Replay, replay.PrioritisedReplay])
def test_steps_ahead_are_those_of_a_loop(kind, n_steps):
    rng = np.random.default_rng(n_steps)
    played = episodes(rng, 200)
    memory = kind(1000, (3,), n_steps=n_steps, gamma=GAMMA)
    fill(memory, played)

    batch = memory.sample(2000, rng)

    check(batch, sums_ahead(played, n_steps))
    assert len(memory) == 200
    assert len(np.unique(batch.rows)) == 200


@pytest.mark.parametrize("kind", [replay.Replay, replay.PrioritisedReplay])
def test_what_was_overwritten_is_not_drawn(kind):
    rng = np.random.default_rng(0)
    played = episodes(rng, 1000)
    memory = kind(64, (3,), n_steps=3, gamma=GAMMA)
    fill(memory, played)

    batch = memory.sample(500, rng)

    check(batch, sums_ahead(played, 3))
    newest = {seen[0].tobytes() for seen, *_ in played[-3:]}
    assert newest <= {each.tobytes() for each in batch.observations}
    assert 40 < len(memory) < 64  # the last observations of episodes are no steps


def test_a_step_waits_for_those_after_it():
    memory = replay.Replay(100, (3,), n_steps=3)
    seen = np.zeros(3, np.float32)
    memory.begin(seen)
    lengths = []
    for i in range(5):
        memory.add(0, 0.0, seen, False, i == 4)
        lengths.append(len(memory))

    assert lengths == [0, 0, 1, 2, 5]


class Counting(gymnasium.Env):
    """Frames that count up, over episodes of seven steps."""

    observation_space = gymnasium.spaces.Box(0, 255, (2, 2), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)
    count = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.n_steps = 0
        return self.frame(), {}

    def step(self, action):
        self.n_steps += 1
        return self.frame(), 1.0, False, self.n_steps == 7, {}

    def frame(self):
        self.count += 1
        return np.full((2, 2), self.count, np.uint8)


@pytest.mark.parametrize("capacity", [500, 40])
def test_frames_are_kept_once_and_stacked_as_gymnasium_does(capacity):
    env = gymnasium.wrappers.FrameStackObservation(Counting(), 4)
    memory = replay.Replay(capacity, (2, 2), np.uint8, n_frames=4)
    stacks = {}
    for _ in range(12):
        seen, _ = env.reset()
        memory.begin(seen)
        is_over = False
        while not is_over:
            before = seen
            seen, reward, is_terminal, is_over, _ = env.step(0)
            memory.add(0, reward, seen, is_terminal, is_over)
            stacks[int(before[-1, 0, 0])] = (before, seen)

    batch = memory.sample(1000, np.random.default_rng(0))

    for now, after in zip(batch.observations, batch.following, strict=True):
        before, following = stacks[int(now[-1, 0, 0])]
        np.testing.assert_array_equal(now, before)
        np.testing.assert_array_equal(after, following)
    assert memory.n_bytes < capacity * 30  # four bytes of a frame, and what else a step has


def test_steps_are_drawn_as_often_as_their_priorities_say():
    rng = np.random.default_rng(0)
    memory = replay.PrioritisedReplay(50, (3,), alpha=0.6)
    fill(memory, episodes(rng, 30))
    batch = memory.sample(3000, rng)
    rows = np.unique(batch.rows)
    errors = np.linspace(0.1, 5, len(rows))
    memory.learnt(batch._replace(rows=rows), errors)
    memory.beta = 0.5

    drawn = memory.sample(200_000, rng)

    chances = errors**0.6 / np.sum(errors**0.6)
    shares = np.bincount(drawn.rows, minlength=50)[rows] / len(drawn.rows)
    np.testing.assert_allclose(shares, chances, rtol=0.02)
    weights = (len(rows) * chances) ** -0.5
    found = dict(zip(drawn.rows.tolist(), drawn.weights.tolist(), strict=True))
    expected = weights / weights.max()
    np.testing.assert_allclose([found[row] for row in rows], expected, rtol=1e-4)


def test_even_draws_are_even():
    rng = np.random.default_rng(0)
    memory = replay.Replay(50, (3,))
    fill(memory, episodes(rng, 30))

    counts = np.bincount(memory.sample(60_000, rng).rows)

    counts = counts[counts > 0]
    assert len(counts) == 30
    np.testing.assert_allclose(counts / 60_000, 1 / 30, rtol=0.1)


def test_the_tree_finds_what_a_running_sum_finds():
    rng = np.random.default_rng(0)
    values = rng.random(37) * (rng.random(37) > 0.3)
    tree = replay.SumTree(37)
    tree.assign(np.arange(37), values)
    places = rng.integers(0, 37, 20)
    values[places] = changed = rng.random(20)[places % 20]
    tree.assign(places, changed)

    sums = rng.random(1000) * values.sum()

    assert tree.total == pytest.approx(values.sum())
    np.testing.assert_array_equal(
        tree.find(sums), np.searchsorted(np.cumsum(values), sums, side="right")
    )
    assert (values[tree.find(np.full(3, tree.total * (1 + 1e-12)))] > 0).all()


def unready(rng, n_steps):
    """Return episodes of which as few steps as possible can be drawn: short ones."""
    lengths = rng.integers(1, n_steps + 2, 300)
    seen = [rng.normal(size=(n + 1, 3)).astype(np.float32) for n in lengths]
    return [(each, np.zeros(len(each) - 1), np.ones(len(each) - 1), True) for each in seen]


@pytest.mark.parametrize("n_steps", [1, 2, 5])
@pytest.mark.parametrize("kind", [replay.Replay, replay.PrioritisedReplay])
def test_the_smallest_memory_always_has_a_step(kind, n_steps):
    rng = np.random.default_rng(0)
    memory = kind(2 * n_steps + 1, (3,), n_steps=n_steps)
    played = unready(rng, n_steps)
    fill(memory, played[:20])
    for seen, actions, *_ in played[20:]:
        memory.begin(seen[0])
        for i in range(len(actions)):
            memory.add(0, 1.0, seen[i + 1], False, i == len(actions) - 1)
            assert len(memory.sample(3, rng).rows) == 3

    with pytest.raises(SystemExit, match=f"it has to be at least {2 * n_steps + 1}$"):
        kind(2 * n_steps, (3,), n_steps=n_steps)


def test_a_stack_needs_its_frames():
    with pytest.raises(SystemExit, match=r"--memory 5 is too small.* has to be at least 6$"):
        replay.Replay(5, (2, 2), n_frames=4)


@pytest.mark.parametrize("kind", [replay.Replay, replay.PrioritisedReplay])
def test_of_a_memory_without_a_step_none_is_drawn(kind):
    memory = kind(10, (3,), n_steps=3)
    memory.begin(np.zeros(3, np.float32))
    memory.add(0, 1.0, np.zeros(3, np.float32), False, False)

    with pytest.raises(ValueError, match="no step in the memory that can be drawn yet"):
        memory.sample(2, np.random.default_rng(0))


@pytest.mark.parametrize("capacity", [32, 128])
def test_rows_of_another_capacity_are_refused(capacity):
    first = replay.Replay(64, (3,))
    fill(first, episodes(np.random.default_rng(0), 80))
    second = replay.Replay(capacity, (3,))

    with pytest.raises(SystemExit, match=f"made with --memory 64, and this one with .* {capacity}"):
        second.restore(first.state())

    assert second.n_rows == 0


@pytest.mark.parametrize("kind", [replay.Replay, replay.PrioritisedReplay])
def test_what_is_restored_goes_on_as_the_first_would(kind):
    rng = np.random.default_rng(0)
    first, second = (kind(64, (3,), n_steps=2) for _ in range(2))
    fill(first, episodes(rng, 80))
    if kind is replay.PrioritisedReplay:
        batch = first.sample(30, rng)
        first.learnt(batch, rng.normal(size=30))

    second.restore(first.state())

    more = episodes(rng, 20)
    for memory in (first, second):
        fill(memory, more)
    drawn = [memory.sample(100, np.random.default_rng(1)) for memory in (first, second)]
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_array_equal(one, other)
