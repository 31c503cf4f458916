"""The Fréchet distance, against SciPy's square root of a matrix, and what the judge sees."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import sqrtm

from tests.examples.running import EXAMPLES

sys.path.insert(0, str(EXAMPLES))

import frechet

RNG = np.random.default_rng(0)
ONE = RNG.normal(size=(300, 5)) @ RNG.normal(size=(5, 5))
OTHER = RNG.normal(size=(200, 5)) @ RNG.normal(size=(5, 5)) + 0.5


def test_the_distance_is_that_of_the_formula():
    a, b = np.cov(ONE.T), np.cov(OTHER.T)
    root = sqrtm(sqrtm(a) @ b @ sqrtm(a)).real
    between = ((ONE.mean(0) - OTHER.mean(0)) ** 2).sum()

    found = frechet.distance(ONE, OTHER)

    assert found == pytest.approx(between + np.trace(a + b - 2 * root))
    assert found == pytest.approx(frechet.distance(OTHER, ONE))
    assert frechet.distance(ONE, ONE) == pytest.approx(0, abs=1e-6)
    assert frechet.distance(ONE, ONE + 2.0) == pytest.approx(5 * 2.0**2)


def test_kinds_are_the_classes_that_are_equally_frequent():
    def sees(images, is_train):  # a class of ten by the first pixel, for certain
        first = tf.cast(images[:, 0, 0, 0], tf.int32)
        return None, tf.constant(images[:, 0, :, 0]), 50 * tf.one_hot(first, 10)

    images = RNG.uniform(size=(400, 4, 4, 1)).astype("float32")
    images[:, 0, 0, 0] = np.arange(400) % 4
    judge = frechet.Judge(images, sees)

    score = judge.score(images)

    assert score["kinds"] == pytest.approx(4, rel=1e-3)
    assert score["sure"] == pytest.approx(1)
    assert score["distance"] == pytest.approx(0, abs=1e-5)
    assert frechet.text({"a": 1.23456, "b": 2.0}) == "a 1.235, b 2"


def test_without_a_model_thumbnails_are_compared():
    images = RNG.uniform(-1, 1, size=(300, 16, 16, 3)).astype("float32")
    means = images.reshape(300, 8, 2, 8, 2, 3).mean((2, 4)).reshape(300, -1)

    judge = frechet.Judge(images)

    np.testing.assert_allclose(judge.features, means, rtol=1e-5, atol=1e-6)
    assert judge.score(images)["kinds"] == pytest.approx(1)
