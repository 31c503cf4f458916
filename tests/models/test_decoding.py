"""Searches against enumeration of all sequences, and against a beam search of lists."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.models import BeamSearch, GreedySearch, SampledSearch

N_IDS, N_STEPS, END = 4, 5, 3
STARTS = [0, 2, 1]


class Chain:
    """What comes next depends on the id before and on the number of steps: two axes of a table."""

    def __init__(self, seed=0, sharpness=2.0):
        logits = np.random.default_rng(seed).normal(size=[N_STEPS, N_IDS, N_IDS]) * sharpness
        self.table = logits - np.log(np.exp(logits).sum(-1, keepdims=True))

    def __call__(self, ids, state):
        """Compute a step; the state counts, for each row."""
        logits = tf.constant(self.table, tf.float32)
        return tf.gather_nd(logits, tf.stack([state["t"], ids], 1)) + 5.0, {"t": state["t"] + 1}

    @staticmethod
    def beginning(n):
        return {"t": tf.zeros([n], tf.int32)}

    def log_probability(self, start, ids):
        pairs = zip([start, *ids], ids, strict=False)
        return sum(self.table[t, a, b] for t, (a, b) in enumerate(pairs))


def sequences(end):
    """Yield every sequence once: none goes on after its end, and ends come again up to N_STEPS."""
    for ids in itertools.product(range(N_IDS), repeat=N_STEPS):
        length = ids.index(end) + 1 if end in ids else N_STEPS
        if all(each == end for each in ids[length:]):
            yield ids, length


def ranked(chain, start, end, penalty=0.0):
    """Return all sequences with their log-probabilities, the best first."""
    found = [(chain.log_probability(start, ids[:n]), n, ids) for ids, n in sequences(end)]
    return sorted(found, key=lambda each: -each[0] / ((5 + each[1]) / 6) ** penalty)


def beam_of_lists(chain, start, size, end):
    """Return what a beam search keeps, written with lists."""
    kept = [(0.0, [])]
    for t in range(N_STEPS):
        longer = []
        for total, ids in kept:
            if end in ids:
                longer.append((total, ids))
                continue
            before = ids[-1] if ids else start
            longer += [(total + chain.table[t, before, b], [*ids, b]) for b in range(N_IDS)]
        kept = sorted(longer, key=lambda each: -each[0])[:size]
    return kept


@pytest.mark.parametrize("penalty", [0.0, 0.8])
@pytest.mark.parametrize("end", [None, END])
def test_a_beam_as_wide_as_there_are_sequences_misses_nothing(end, penalty):
    chain = Chain()
    n = len(list(sequences(end)))

    found = BeamSearch(n, penalty)(chain, chain.beginning(3), STARTS, N_STEPS, end)

    for row, start in enumerate(STARTS):
        expected = ranked(chain, start, end, penalty)
        assert found.ids[row].numpy().tolist() == [list(ids) for _, _, ids in expected]
        totals = found.log_probabilities[row].numpy()
        np.testing.assert_allclose(totals, [each[0] for each in expected], rtol=1e-5)
        assert found.lengths[row].numpy().tolist() == [each[1] for each in expected]


@pytest.mark.parametrize("size", [2, 3, 7])
@pytest.mark.parametrize("seed", range(5))
def test_a_narrow_beam_keeps_what_one_of_lists_keeps(seed, size):
    chain = Chain(seed, sharpness=1.0)

    found = BeamSearch(size)(chain, chain.beginning(3), STARTS, N_STEPS, END)

    for row, start in enumerate(STARTS):
        kept = beam_of_lists(chain, start, size, END)
        totals = found.log_probabilities[row].numpy()
        np.testing.assert_allclose(totals, [total for total, _ in kept], rtol=1e-5)
        padded = [ids + [END] * (N_STEPS - len(ids)) for _, ids in kept]
        assert found.ids[row].numpy().tolist() == padded


def test_a_beam_of_one_is_greedy():
    chain = Chain(3)
    beam = BeamSearch(1)(chain, chain.beginning(3), STARTS, N_STEPS, END).best
    greedy = GreedySearch()(chain, chain.beginning(3), STARTS, N_STEPS, END)

    for ours, theirs in zip(tf.nest.flatten(beam), tf.nest.flatten(greedy), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_beams_that_are_no_sequences_have_no_probability():
    found = BeamSearch(10)(Chain(), Chain.beginning(1), [0], 1, None)

    assert np.isfinite(found.log_probabilities[0]).sum() == N_IDS
    assert np.isneginf(found.log_probabilities[0, N_IDS:]).all()


def test_greedy_takes_the_likeliest_step_by_step():
    chain = Chain(1)
    found = GreedySearch()(chain, chain.beginning(3), STARTS, N_STEPS)

    for row, start in enumerate(STARTS):
        ids = [start]
        for t in range(N_STEPS):
            ids.append(int(chain.table[t, ids[-1]].argmax()))
        assert found.ids[row].numpy().tolist() == ids[1:]
        total = chain.log_probability(start, ids[1:])
        np.testing.assert_allclose(found.log_probabilities[row], total, rtol=1e-5)
    assert found.state["t"].numpy().tolist() == [N_STEPS] * 3


def test_samples_are_as_frequent_as_they_are_likely():
    chain, n = Chain(2, sharpness=1.0), 40_000
    found = SampledSearch(temperature=0.7, seed=5)(chain, chain.beginning(n), 1, 2)

    p = np.exp(chain.table / 0.7)
    p /= p.sum(-1, keepdims=True)
    expected = p[0, 1][:, None] * p[1]
    pairs, counts = np.unique(found.ids.numpy(), axis=0, return_counts=True)
    for (a, b), count in zip(pairs, counts, strict=True):
        assert count / n == pytest.approx(expected[a, b], abs=0.012)
    totals = [chain.log_probability(1, ids) for ids in found.ids.numpy()[:50]]
    np.testing.assert_allclose(found.log_probabilities[:50], totals, rtol=1e-4)


def test_top_n_draws_nothing_else_and_draws_each():
    chain = Chain(4, sharpness=0.3)
    found = SampledSearch(top_n=2, seed=1)(chain, chain.beginning(500), 0, 1)

    assert set(found.ids.numpy().ravel()) == set(chain.table[0, 0].argsort()[-2:])


def test_seeds_repeat_and_none_follows_the_global_one():
    def drawn(seed):
        found = SampledSearch(seed=seed)(Chain(), Chain.beginning(50), 0, N_STEPS)
        return found.ids.numpy().tolist()

    assert drawn(1) == drawn(1) != drawn(2)
    tf.random.set_seed(1)
    first, second = drawn(None), drawn(None)
    tf.random.set_seed(1)
    assert [first, second] == [drawn(None), drawn(None)]
    assert first != second


@pytest.mark.parametrize(
    "search", [GreedySearch(), SampledSearch(2, seed=3), BeamSearch(3, length_penalty=0.5)]
)
@pytest.mark.parametrize("end", [None, END])
def test_in_a_graph_it_is_one_loop_with_the_same_result(search, end):
    chain = Chain()

    @tf.function
    def decode(starts):
        return search(chain, chain.beginning(tf.shape(starts)[0]), starts, N_STEPS, end)

    graph = decode.get_concrete_function(tf.TensorSpec([None], tf.int32)).graph
    assert [op.type for op in graph.get_operations()].count("StatelessWhile") + [
        op.type for op in graph.get_operations()
    ].count("While") == 1
    eager = search(chain, chain.beginning(3), STARTS, N_STEPS, end)
    for ours, theirs in zip(
        tf.nest.flatten(decode(tf.constant(STARTS))), tf.nest.flatten(eager), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_xla_draws_by_a_seed_as_well():
    chain, n = Chain(2, sharpness=1.0), 20_000

    def drawn():
        return SampledSearch(top_n=2, seed=3)(chain, chain.beginning(n), 0, 1).ids

    compiled = tf.function(drawn, autograph=False, jit_compile=True)
    ids, counts = np.unique(compiled(), return_counts=True)

    np.testing.assert_array_equal(compiled(), compiled())
    p = np.exp(np.sort(chain.table[0, 0])[-2:])
    assert ids.tolist() == sorted(chain.table[0, 0].argsort()[-2:])
    assert sorted(counts / n) == pytest.approx(sorted(p / p.sum()), abs=0.012)


@pytest.mark.parametrize("search", [GreedySearch(), SampledSearch(seed=1), BeamSearch(2)])
def test_it_stops_when_all_are_over(search):
    steps = []

    def soon_over(ids, state):
        steps.append(1)
        return 90.0 * tf.one_hot(ids + 1, N_IDS), state

    found = search(soon_over, (), [0, 2], 1000, END).best

    assert len(steps) < 10  # the other sequence of a beam is over a little later
    assert found.lengths.numpy().tolist() == [3, 1]
    assert found.ids.shape == [2, 1000]
    assert (found.ids.numpy()[1] == END).all()


def test_a_start_may_be_the_end():
    found = GreedySearch()(lambda i, s: (tf.one_hot(i * 0 + 1, N_IDS), s), (), [END], 2, END)

    assert found.ids.numpy().tolist() == [[1, 1]]


def test_states_of_any_structure_follow_their_beams():
    """Each row remembers what was chosen; the memory has to agree with the ids."""

    def step(ids, state):
        log, (t,) = state
        log = tf.where(tf.range(N_STEPS) == t[:, None] - 1, ids[:, None], log)
        logits, _ = Chain(7, 1.0)(ids, {"t": t})
        return logits, [log, (t + 1,)]

    beginning = [tf.zeros([2, N_STEPS], tf.int32), (tf.zeros([2], tf.int32),)]
    found = BeamSearch(5)(step, beginning, [0, 1], N_STEPS)

    log, (t,) = found.state
    assert log.shape == [2, 5, N_STEPS]
    np.testing.assert_array_equal(log[:, :, : N_STEPS - 1], found.ids[:, :, : N_STEPS - 1])
    assert (t.numpy() == N_STEPS).all()
    assert found.best.state[0].shape == [2, N_STEPS]


@pytest.mark.parametrize(
    ("make", "same", "other"),
    [
        (GreedySearch, {}, None),
        (SampledSearch, {"top_n": 2, "seed": 1}, {"top_n": 2, "seed": 2}),
        (BeamSearch, {"size": 3}, {"size": 4}),
    ],
)
def test_searches_are_values(make, same, other):
    one = make(**same)

    assert one == make(**same)
    assert hash(one) == hash(make(**same))
    assert other is None or one != make(**other)
    for name in ("size", "seed", "anything"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(one, name, 5)


def test_seeds_are_all_of_64_bits():
    def drawn(seed):
        found = SampledSearch(seed=seed)(Chain(), Chain.beginning(50), 0, N_STEPS)
        return found.ids.numpy().tolist()

    seeds = (0, 1, -1, 2**32, 2**40, -(2**63), 2**63 - 1, np.int64(7))
    assert len({str(drawn(seed)) for seed in seeds}) == len(seeds)
    for seed in (2**63, -(2**63) - 1, 0.5, "1"):
        with pytest.raises(InvalidArgument, match="seed is a whole number of 64 bits, got"):
            SampledSearch(seed=seed)


def test_extreme_temperatures_are_the_likeliest_and_all_alike():
    chain = Chain()
    cold = SampledSearch(temperature=1e-30, seed=1)(chain, chain.beginning(3), STARTS, N_STEPS)
    greedy = GreedySearch()(chain, chain.beginning(3), STARTS, N_STEPS)
    hot = SampledSearch(temperature=float("inf"), seed=1)(chain, chain.beginning(8000), 0, 1)

    assert cold.ids.numpy().tolist() == greedy.ids.numpy().tolist()
    np.testing.assert_allclose(np.bincount(hot.ids[:, 0]) / 8000, 1 / N_IDS, atol=0.02)
    assert np.isfinite(hot.log_probabilities).all()


def test_a_beam_wider_than_all_sequences_ends_with_none():
    n = len(list(sequences(END)))
    found = BeamSearch(n + 7)(Chain(), Chain.beginning(1), [0], N_STEPS, END)

    assert np.isfinite(found.log_probabilities[0, :n]).all()
    assert np.isneginf(found.log_probabilities[0, n:]).all()
    assert len({tuple(ids) for ids in found.ids[0, :n].numpy()}) == n


def test_no_sequence_at_all_is_decoded_to_none():
    for search in (GreedySearch(), SampledSearch(2), BeamSearch(3)):
        found = search(Chain(), Chain.beginning(0), tf.zeros([0], tf.int32), 4, END).best
        assert found.ids.shape == [0, 4]


def test_errors():
    for top_n in (0, -1, 2.0, True, "a"):
        with pytest.raises(InvalidArgument, match="if it is not None, must be a positive integer"):
            SampledSearch(top_n=top_n)
    assert SampledSearch(top_n=np.int64(2)) == SampledSearch(top_n=2)
    for temperature in (0.0, -1, float("nan"), "a", None):
        with pytest.raises(InvalidArgument, match=r"temperature is positive, got .* GreedySearch"):
            SampledSearch(temperature=temperature)
    for size in (0, 2.0, True, None):
        with pytest.raises(InvalidArgument, match="BeamSearch: size must be a positive integer"):
            BeamSearch(size)
    for penalty in (-1.0, float("inf"), float("nan"), "a", None):
        with pytest.raises(InvalidArgument, match="length_penalty is a number from 0"):
            BeamSearch(2, penalty)
    with pytest.raises(WrongShape, match=r"start is \(batch\) ids.*0 tensors of a state"):
        GreedySearch()(Chain(), (), 0, 3)
