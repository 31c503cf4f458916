"""Measures of a classifier against scikit-learn, and balanced classes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from tensorlayer.errors import InvalidArgument
from tensorlayer.utils.evaluation import class_balancing_oversample, evaluation


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_all_four_agree_with_scikit_learn(pairs):
    y_test, y_predict = np.array(pairs).T
    c_mat, f1, acc, f1_macro = evaluation(y_test, y_predict, n_classes=5)
    labels = range(5)
    expected = metrics.f1_score(y_test, y_predict, labels=labels, average=None, zero_division=0)
    np.testing.assert_array_equal(c_mat, metrics.confusion_matrix(y_test, y_predict, labels=labels))
    np.testing.assert_allclose(f1, expected)
    assert acc == pytest.approx(metrics.accuracy_score(y_test, y_predict))
    assert f1_macro == pytest.approx(expected.mean())


def test_the_number_of_classes_is_found_and_shapes_do_not_matter():
    c_mat, _, acc, _ = evaluation([[0.0], [2.0]], np.array([0, 1]))
    assert c_mat.shape == (3, 3)
    assert acc == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0]), "of one length and not empty, got 2 and 1"),
        (([], []), "not empty, got 0 and 0"),
        ((None, None), "not empty"),
        (([0, 3], [0, 1], 3), "below n_classes=3, got 3"),
        (([0, 1], [0.2, 0.8]), "y_predict holds class numbers .* Take np.argmax"),
        (([0, -1], [0, 1]), "y_test holds class numbers"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        evaluation(*arguments)


@settings(max_examples=60)
@given(st.lists(st.sampled_from([3, 7, 9]), min_size=1, max_size=30))
def test_classes_become_equally_large_by_repeating_evenly(labels):
    y_train = np.array(labels)  # class 0 need not be there
    X_train = np.stack([np.arange(len(y_train)), y_train])[..., None].transpose(1, 0, 2)
    X, y = class_balancing_oversample(X_train, y_train, printable=False)
    sizes = Counter(y.tolist())
    assert set(sizes.values()) == {max(Counter(labels).values())}
    np.testing.assert_array_equal(X[: len(y_train)], X_train)
    np.testing.assert_array_equal(X[:, 1, 0], y)
    assert X.dtype == X_train.dtype
    used = Counter(X[:, 0, 0].tolist())
    for each in set(labels):
        times = [used[i] for i in np.flatnonzero(y_train == each)]
        assert max(times) - min(times) <= 1


def test_labels_may_be_text():
    X, y = class_balancing_oversample([1, 2, 3], ["a", "b", "a"])
    assert (X.tolist(), y.tolist()) == ([1, 2, 3, 2], ["a", "b", "a", "b"])


def test_samples_without_labels_are_refused():
    for arguments in (([1, 2], [0]), ([], []), (None, None)):
        with pytest.raises(InvalidArgument, match="of one length and not empty"):
            class_balancing_oversample(*arguments)
