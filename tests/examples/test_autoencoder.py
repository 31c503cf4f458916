"""The stacked autoencoder: its parts against NumPy, and what it gains with few labels."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from PIL import Image

from tests.examples.running import EXAMPLES, help_of, run

sys.path.insert(0, str(EXAMPLES))

import autoencoder
import handwritten


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(size=[60, 12]).astype("float32")


def test_the_highest_layer_is_decoded_through_all_below(images):
    model, recons = autoencoder.network(12, widths=(7, 5))

    found = autoencoder.decoder(recons)(images, is_train=False)

    own = {name: value.numpy() for recon in recons for name, value in recon.parameters.items()}
    net = images
    for name in ("hidden1", "hidden2", "recon2", "recon1"):
        net = sigmoid(net @ own[f"{name}/weights"] + own[f"{name}/biases"])
    np.testing.assert_allclose(found, net, rtol=1e-4)
    assert [each.name for each in model.trainable_weights] == [
        f"{name}/{part}:0"
        for name in ("hidden1", "hidden2", "logits")
        for part in ("weights", "biases")
    ]


def test_each_layer_learns_to_reconstruct_what_it_is_given(images, capsys):
    model, recons = autoencoder.network(12, widths=(7, 5))
    logits = autoencoder.values(model)[-2:]

    autoencoder.pretrain(recons, images, n_epoch=60)

    shown = capsys.readouterr().out
    costs = re.findall(r"cost ([\d.]+) in the first epoch, ([\d.]+) in the last", shown)
    assert len(costs) == 2
    assert all(float(last) < float(first) for first, last in costs)
    for before, after in zip(logits, autoencoder.values(model)[-2:], strict=True):
        np.testing.assert_array_equal(before, after)


def test_few_labels_are_as_many_of_each_digit():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(400) % 10)
    part = handwritten.Part(np.arange(400)[:, None], labels)

    found = autoencoder.few(part, rng)

    assert len(set(found.images[:, 0])) == 100
    np.testing.assert_array_equal(np.bincount(found.labels), [10] * 10)
    np.testing.assert_array_equal(found.labels, labels[found.images[:, 0]])


def test_every_draw_starts_from_the_same_values(images, monkeypatch):
    model, _ = autoencoder.network(12, widths=(7, 5))
    start = autoencoder.values(model)
    part = handwritten.Part(images, np.arange(60) % 10)

    seen = []

    def learn(model, part, n_passes):
        seen.append(autoencoder.values(model))
        learnt(model, part, n_passes)

    learnt = handwritten.learn
    monkeypatch.setattr(handwritten, "learn", learn)
    autoencoder.fine_tuned(model, start, 1, [part, part], part)

    assert len(seen) == 2
    for values in seen:
        for one, other in zip(values, start, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(300)
def test_pre_training_helps_where_labels_are_few(tmp_path):
    shown = run("autoencoder.py", tmp_path, "--draws", "2")

    found = re.search(
        r"100 labels ([\d.]+)%; without pre-training ([\d.]+)%, and ([\d.]+)% after four", shown
    )
    assert found, shown
    reached, without, longer = map(float, found.groups())
    assert reached >= without + 100 * autoencoder.BAR
    assert reached > longer
    for name in ("reconstructed", "weights"):
        assert np.asarray(Image.open(tmp_path / "autoencoder" / f"{name}.png")).std() > 20


def test_help_teaches():
    shown = help_of("autoencoder.py")

    assert "ReconLayer" in shown
    assert "--data" in shown
