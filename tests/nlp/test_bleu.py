"""BLEU against the formula, written independently."""

import math
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import nlp
from tensorlayer.errors import InvalidArgument, LibraryMissing


def bleu(hypotheses, references):
    """Papineni et al., section 2.3, for one reference each."""

    def grams(words, n):
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    pairs = [(h.split(), r.split()) for h, r in zip(hypotheses, references, strict=True)]
    logs = 0.0
    for n in range(1, 5):
        right = sum((grams(h, n) & grams(r, n)).total() for h, r in pairs)
        total = sum(grams(h, n).total() for h, _ in pairs)
        if not right:
            return 0.0
        logs += math.log(right / total) / 4
    c, r = sum(len(h) for h, _ in pairs), sum(len(r) for _, r in pairs)
    return 100 * math.exp(logs) * min(1.0, math.exp(1 - r / c))


words = st.sampled_from(["a", "b", "c", "d", "."])
sentences = st.lists(words, min_size=4, max_size=12).map(" ".join)


@settings(max_examples=60)
@given(st.lists(st.tuples(sentences, sentences), min_size=1, max_size=4))
def test_the_score_is_that_of_the_formula(pairs):
    hypotheses, references = zip(*pairs, strict=True)
    score = nlp.moses_multi_bleu(hypotheses, references)
    assert score.dtype == np.float32
    np.testing.assert_allclose(score, bleu(hypotheses, references), rtol=1e-5, atol=1e-5)


def test_case_counts_unless_told_otherwise():
    hypotheses, references = ["The cat sat on the mat ."], ["the cat sat on the mat ."]
    assert nlp.moses_multi_bleu(hypotheses, references) < 100
    assert nlp.moses_multi_bleu(hypotheses, references, lowercase=True) == 100


def test_a_short_hypothesis_is_punished():
    reference = "a b c d e f g h"
    expected = 100 * math.exp(1 - 8 / 5)
    found = nlp.moses_multi_bleu(["a b c d e"], [reference])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_words_are_not_tokenised_again():
    assert nlp.moses_multi_bleu(["a, b c d e"], ["a , b c d e"]) < 100


def test_nothing_is_zero():
    assert nlp.moses_multi_bleu([], []) == 0
    assert nlp.moses_multi_bleu(["x y z w"], ["a b c d"]) == 0
    assert nlp.moses_multi_bleu([""], ["a b c d"]) == 0


def test_other_numbers_of_sentences_are_named():
    with pytest.raises(InvalidArgument, match="2 hypotheses and 1 references"):
        nlp.moses_multi_bleu(["a", "b"], ["a"])


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(LibraryMissing, match=r"pip install tensorlayer\[text\]"):
        nlp.moses_multi_bleu(["a"], ["a"])


def test_sentences_that_end_with_a_full_stop_are_no_warning(caplog):
    sentences = ["the cat sat on the mat ."] * 200

    assert nlp.moses_multi_bleu(sentences, sentences) == 100
    assert not caplog.records
