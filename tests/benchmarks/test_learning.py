"""What the networks of Table 1 learn: ours and the native one, compared on what is held out."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import learning
from benchmarks.workloads.contestant import Workload, descending

POINTS = np.linspace(-1, 1, 8, dtype=np.float32)[:, None]


def line(power):
    """Return a contestant whose weight fits a line, or a constant: that learns something else."""

    def make():
        weight = tf.Variable(tf.random.normal([]))
        return descending(lambda x, y: tf.reduce_mean((weight * x**power - y) ** 2), [weight], 0.3)

    return make


def course(ours):
    workload = Workload(
        name="line", unit="points", per_step=8, n_steps=1, n_at_once=1, loop_bar=1.0,
        batches=None, keras=None, contestants={"native": line(1), "TensorLayer": line(ours)},
    )  # fmt: skip

    def batches(data, n_batches, seed):
        rng = np.random.default_rng(seed)
        noise = rng.normal(0, 0.1, (n_batches + 3, 8, 1)).astype(np.float32)
        found = [(POINTS, 3 * POINTS + each) for each in noise]
        return found[3:], found[:3]

    return learning.Course(workload, "points", batches, 300, 0.5)


def run(monkeypatch, folder, ours, *arguments):
    monkeypatch.setattr(learning, "COURSES", (course(ours),))
    monkeypatch.setattr(learning, "PACKAGES", ("keras",))
    return learning.main(["--check", "--output", str(folder), *arguments])


def test_both_learn_the_same(monkeypatch, tmp_path):
    assert run(monkeypatch, tmp_path, 1) == 0

    samples = json.loads((tmp_path / "learning.json").read_text())["samples"]["line"]
    assert samples["native, before"] == samples["TensorLayer, before"]
    assert len(samples["native, after"]) == len(learning.SEEDS)
    assert np.mean(samples["native, after"]) == pytest.approx(0.01, rel=0.5)  # that of the noise


def test_what_learns_something_else_is_told(monkeypatch, tmp_path, capsys):
    assert run(monkeypatch, tmp_path, 2) == 1

    shown = capsys.readouterr().out
    assert "MISSED: line: difference to native / that of seeds" in shown
    assert "MISSED: line: part of the first cost that is left" in shown


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        learning.main(["--help"])

    assert "--text8" in capsys.readouterr().out
