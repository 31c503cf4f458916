"""The small network that judges images."""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.examples.running import EXAMPLES

sys.path.insert(0, str(EXAMPLES))

import record
import trunk


def stripes(n, seed):
    """Return images of stripes from left to right, or from top to bottom, at any place."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    waves = np.sin(np.arange(12) * 1.5 + rng.uniform(0, 6, [n, 1]))
    across = np.repeat(waves[:, None, :], 12, axis=1)
    images = np.where(labels[:, None, None], across.swapaxes(1, 2), across)
    return images[..., None].astype("float32"), labels


def run_in(folder, *arguments):
    parser = argparse.ArgumentParser()
    record.add_options(parser, "run")
    return record.Record(parser.parse_args(["--no-hub", "--out", str(folder), *arguments]), "run")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def model(folder):
    tf.random.set_seed(0)
    with run_in(folder) as run:
        return trunk.learn(*stripes(256, seed=0), n_epoch=5, run=run, seed=0)


def test_it_tells_images_apart(model):
    images, labels = stripes(200, seed=1)

    _, _, logits = model(images, is_train=False)

    assert np.mean(np.argmax(logits, 1) == labels) > 0.95


def test_the_features_are_means_of_the_maps(model):
    maps, means, _ = model(np.ones([2, 20, 12, 1], np.float32), is_train=False)

    np.testing.assert_allclose(np.mean(maps, axis=(1, 2)), means, rtol=1e-5, atol=1e-6)


def test_a_run_that_goes_on_has_the_same_model(model, folder):
    tf.random.set_seed(1)  # the first values are others
    with run_in(folder, "--resume") as run:
        again = trunk.learn(*stripes(256, seed=0), 5, run, seed=0)

    for one, other in zip(model.all_weights, again.all_weights, strict=True):
        np.testing.assert_array_equal(one, other)
