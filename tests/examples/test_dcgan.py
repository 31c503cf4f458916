"""The DCGAN: who trains what, what is shared, the script as it is run, killed and gone on with."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.examples.running import EXAMPLES, begin, help_of, run, run_here

sys.path.insert(0, str(EXAMPLES))

import dcgan


@pytest.fixture
def gan():
    tf.random.set_seed(0)
    return dcgan.Gan((16, 16, 1), width=4, seed=0)


def test_for_photographs_the_networks_are_those_of_the_paper():
    with tf.init_scope():
        own = dcgan.Gan((64, 64, 3), width=64, seed=0)

    shapes = [each.outputs.shape[1:] for each in own.judged.all_layers]
    for side, n_generator, n_discriminator in ((4, 1024, 512), (8, 512, 256), (16, 256, 128)):
        assert (side, side, n_generator) in shapes
        assert (side, side, n_discriminator) in shapes
    assert (64, 64, 3) in shapes


def test_the_discriminator_is_one_for_real_and_generated_images(gan):
    judged = {id(each) for each in gan.judged.trainable_weights}
    fake = {id(each) for each in gan.fake.trainable_weights}
    real = {id(each) for each in gan.real.trainable_weights}

    assert judged == fake | real
    assert not fake & real


def test_each_optimizer_moves_its_network_down_its_own_cost(gan):
    gan.for_fake, gan.for_real = tf.optimizers.SGD(0.1), tf.optimizers.SGD(0.1)
    images = tf.random.stateless_uniform([dcgan.BATCH, 16, 16, 1], [0, 1], -1, 1)
    noise = tf.random.Generator.from_seed(0).uniform([dcgan.BATCH, dcgan.N_NOISE], -1, 1)
    models = gan.fake, gan.real

    def logits():
        return gan.real(images, is_train=True), gan.judged(noise, is_train=True)

    with tf.GradientTape(persistent=True) as tape:
        real, fake = logits()
        # log(1 + exp(-x)) is the cost of a logit that should be high
        costs = (
            tf.reduce_mean(tf.math.softplus(-fake)),
            tf.reduce_mean(tf.math.softplus(-real)) + tf.reduce_mean(tf.math.softplus(fake)),
        )
    weights = [model.trainable_weights for model in models]
    wanted = [
        [w - 0.1 * g for w, g in zip(own, tape.gradient(cost, own), strict=True)]
        for own, cost in zip(weights, costs, strict=True)
    ]

    found = gan.step(images)

    np.testing.assert_allclose([found["generator"], found["discriminator"]], costs, rtol=1e-5)
    for own, values in zip(weights, wanted, strict=True):
        for weight, value in zip(own, values, strict=True):
            np.testing.assert_allclose(weight, value, rtol=1e-4, atol=1e-6, err_msg=weight.name)


def test_a_folder_of_photographs_is_streamed_but_for_those_held_out(tmp_path):
    for i in range(4 * dcgan.BATCH):
        Image.new("RGB", (178, 218), (i, 0, 0)).save(tmp_path / f"{i:06}.jpg", quality=95)
    options = argparse.Namespace(data=tmp_path, seed=0)

    data, judge = dcgan.read(options, None)

    found = np.stack([*data.as_numpy_iterator()])
    assert found.shape == (3 * dcgan.BATCH, 64, 64, 3)
    reds = np.concatenate([found, judge.held_out])[:, 32, 32, 0] * 127.5 + 127.5
    np.testing.assert_allclose(sorted(reds), np.arange(4 * dcgan.BATCH), atol=2.5)
    assert data.batch(dcgan.BATCH, drop_remainder=True).element_spec.shape == (64, 64, 64, 3)


def distances(shown):
    """Return those before and after training, as the script prints them."""
    found = re.search(r"distance ([\d.e+]+) before, ([\d.e+]+) after", shown)
    assert found, shown
    return float(found[1]), float(found[2])


def epochs_in(folder):
    """Return the numbers of the epochs whose costs were kept."""
    path = folder / "dcgan" / "events.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    events = [json.loads(line) for line in lines]
    return [each["step"] for each in events if "generator" in each]


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(330)
def test_a_run_that_was_killed_goes_on_until_digits_appear(tmp_path):
    arguments = ["--no-hub", "--quick", "--epochs", "15"]
    with begin("dcgan.py", tmp_path, *arguments) as process:
        while len(epochs_in(tmp_path)) < 3:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    before = epochs_in(tmp_path)

    shown = run("dcgan.py", tmp_path, *arguments, "--resume")

    assert len(before) < 15
    first, *_, last = epochs_in(tmp_path)[len(before) :]
    assert first in (before[-1], before[-1] + 1)  # killed before the epoch was saved, or after
    assert last == 15
    assert "nothing to go on with" not in shown
    at_first, after = distances(shown)
    assert after < at_first / 20
    kinds, sure = map(
        float, re.search(r"epoch 15: .* kinds ([\d.]+), sure ([\d.]+)", shown).groups()
    )
    assert kinds > 5
    assert sure > 0.7
    assert (tmp_path / "dcgan" / "samples-015.png").exists()


def test_what_is_no_folder_of_photographs_is_refused_in_a_line(tmp_path):
    nowhere = ["--data", str(tmp_path / "nowhere"), "--out", str(tmp_path)]

    with pytest.raises(
        SystemExit, match=r"nowhere is no folder: give --data a folder of photographs$"
    ):
        run_here("dcgan.py", "--no-hub", *nowhere)


def test_help_teaches():
    shown = help_of("dcgan.py")

    assert "Radford" in shown
    assert "--data" in shown
    assert "--quick" in shown


def test_a_folder_that_is_wrong_costs_no_checkpoint(tmp_path):
    kept = tmp_path / "run" / "checkpoint" / "checkpoint"
    kept.parent.mkdir(parents=True)
    kept.write_text("of the first run")

    with pytest.raises(SystemExit, match=r"has 0 photographs, and 256 are needed$"):
        run_here("dcgan.py", "--no-hub", "--data", str(tmp_path), "--out", str(tmp_path / "run"))

    assert kept.read_text() == "of the first run"
