"""Draws match their distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from tensorlayer import nlp
from tensorlayer.errors import InvalidArgument
from tensorlayer.nlp import sampling

N = 4000
P = np.array([0.05, 0.4, 0.0, 0.3, 0.15, 0.1])

probabilities = hnp.arrays(
    np.float64, st.integers(1, 8), elements=st.floats(0, 1, allow_subnormal=False)
).filter(lambda p: p.sum() > 1e-3)


def counts(draw, n=N):
    generator = np.random.default_rng(0)
    return np.bincount([draw(generator) for _ in range(n)], minlength=len(P))


def fits(observed, p):
    """Tell whether a chi-squared test accepts the counts; what is impossible never occurs."""
    p = np.asarray(p, float) / np.sum(p)
    assert observed[p == 0].sum() == 0
    if np.count_nonzero(p) == 1:  # and what is certain always does
        return True
    return stats.chisquare(observed[p > 0], observed.sum() * p[p > 0]).pvalue > 1e-3


@pytest.mark.parametrize("temperature", [1, 0.5, 2.0])
def test_sample_follows_the_tempered_distribution(temperature):
    observed = counts(lambda generator: nlp.sample(P, temperature, generator))
    assert fits(observed, P ** (1 / temperature))
    assert fits(counts(lambda g: nlp.sample(list(P), seed=g)), P)


@pytest.mark.parametrize("k", [1, 2, 4, 6, 100])
def test_sample_top_follows_the_distribution_of_the_likeliest(k):
    kept = np.where(np.isin(np.arange(6), np.argsort(-P)[:k]), P, 0)
    assert fits(counts(lambda generator: nlp.sample_top(P, k, generator)), kept)


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.3, [1]), (0.4, [1]), (0.5, [1, 3]), (0.75, [1, 3, 4]), (1, [0, 1, 3, 4, 5])],
)
def test_sample_nucleus_keeps_the_fewest_that_reach_the_share(top_p, kept):
    expected = np.where(np.isin(np.arange(6), kept), P, 0)
    assert fits(counts(lambda generator: nlp.sample_nucleus(P, top_p, generator)), expected)


def test_equally_likely_tokens_count_from_the_first():
    even = np.full(6, 1 / 6)
    assert set(np.flatnonzero(counts(lambda g: nlp.sample_top(even, 2, g), 200))) == {0, 1}
    assert set(np.flatnonzero(counts(lambda g: nlp.sample_nucleus(even, 0.4, g), 200))) == {0, 1, 2}


@settings(max_examples=50)
@given(probabilities, st.floats(0.01, 10), st.integers(1, 9), st.floats(0.01, 1))
def test_only_possible_tokens_are_drawn(p, temperature, k, top_p):
    for token in (
        nlp.sample(p, temperature),
        nlp.sample_top(p, k),
        nlp.sample_nucleus(p, top_p),
        nlp.sample(p, None),
    ):
        assert p[token] > 0


@settings(max_examples=60)
@given(
    hnp.arrays(np.float64, st.integers(1, 300), elements=st.sampled_from([0, 0.1, 0.2, 0.7, 1])),
    st.integers(1, 320),
)
def test_the_likeliest_tokens_are_those_of_sorting_all(p, count):
    expected = sorted(range(len(p)), key=lambda token: (-p[token], token))[:count]

    assert sampling._likeliest(p, count).tolist() == expected


def test_a_nucleus_of_thousands_of_tokens():
    p = np.random.default_rng(0).permutation(np.arange(1, 20_001.0))
    tokens = [nlp.sample_nucleus(p, 0.5, seed) for seed in range(300)]

    # sqrt(1 - 0.5) of the tokens lie below half of the probability
    assert 20_000 * 0.5**0.5 - 1 < min(p[tokens]) < 20_000 * 0.75


@settings(max_examples=50)
@given(probabilities, st.floats(0.01, 1), st.integers(0, 100))
def test_what_lies_before_a_nucleus_token_does_not_reach_the_share(p, top_p, seed):
    token = nlp.sample_nucleus(p, top_p, seed)
    likelier = p[p > p[token]].sum() / p.sum()
    assert likelier < top_p + 1e-12


def test_the_likeliest_token_needs_no_temperature():
    assert nlp.sample(P, temperature=None) == 1
    assert nlp.sample(P, temperature=0) == 1
    assert nlp.sample(P, temperature=1e-300) == 1  # p ** (1 / T) would be 0 / 0


def test_probabilities_that_do_not_sum_to_one_exactly_are_taken():
    p = np.full(1000, 1e-3, np.float32)
    p[0] += 1e-4  # numpy.random.multinomial refuses such a sum, and fell back with a warning
    for draw in (nlp.sample, nlp.sample_top, nlp.sample_nucleus):
        assert 0 <= draw(p) < 1000


def test_a_seed_repeats_the_draw_and_the_global_generator_is_not_touched():
    before = np.random.get_state()[1].copy()
    for draw in (nlp.sample, nlp.sample_top, nlp.sample_nucleus):
        assert len({draw(P, seed=7) for _ in range(5)}) == 1
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_the_input_is_not_changed():
    p = P.copy()
    nlp.sample(p, 0.5)
    nlp.sample_top(p, 2)
    nlp.sample_nucleus(p, 0.5)
    np.testing.assert_array_equal(p, P)


@pytest.mark.parametrize(
    "wrong", [None, [], [0.0, 0.0], [-0.1, 1.1], [np.nan, 1], [np.inf, 1], [[0.5, 0.5]], 0.5]
)
@pytest.mark.parametrize("draw", [nlp.sample, nlp.sample_top, nlp.sample_nucleus])
def test_what_are_no_probabilities_is_named(draw, wrong):
    with pytest.raises(InvalidArgument, match=rf"{draw.__name__}: a is a vector of probabilities"):
        draw(wrong)


def test_wrong_arguments():
    with pytest.raises(InvalidArgument, match="temperature is positive"):
        nlp.sample(P, -1)
    with pytest.raises(InvalidArgument, match="temperature is positive"):
        nlp.sample(P, float("nan"))
    with pytest.raises(InvalidArgument, match="top_k is at least 1, got 0"):
        nlp.sample_top(P, 0)
    for top_p in (0, 1.1, -1, float("nan")):
        with pytest.raises(InvalidArgument, match=r"top_p is in \(0, 1\]"):
            nlp.sample_nucleus(P, top_p)
