"""How near steps come to what the machine can do: what is counted."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import limits
from benchmarks.workloads.contestant import Workload, descending


def graph_of(function, *specs):
    return tf.function(function, autograph=False).get_concrete_function(*specs).graph


def test_operations_of_a_convolution():
    kernel = tf.ones([3, 3, 4, 8])
    specs = tf.TensorSpec([2, 10, 12, 4])

    graph = graph_of(lambda x: tf.nn.conv2d(x, kernel, 1, "VALID"), specs)

    assert limits.n_operations(graph) == 2 * (2 * 8 * 10 * 8) * (3 * 3 * 4)


def test_bytes_of_weights_that_change_as_a_whole_or_in_rows():
    dense, table = tf.Variable(tf.ones([10, 7])), tf.Variable(tf.ones([1000, 5]))
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.1)

    def step(rows):
        slices = tf.IndexedSlices(tf.ones([3, 5]), rows, tf.constant([1000, 5]))
        optimizer.apply_gradients([(tf.ones([10, 7]), dense), (slices, table)])
        return tf.constant(0.0)

    graph = graph_of(step, tf.TensorSpec([3], tf.int32))

    assert limits.n_bytes(graph) == 3 * 4 * (70 + 15)


def test_a_step_is_measured_beside_the_machine(tmp_path, monkeypatch):
    def ours():
        weight = tf.Variable(tf.ones([64, 64]))
        return descending(lambda x: tf.reduce_mean((x @ weight) ** 2), [weight], 0.01)

    workload = Workload(
        name="product", unit="rows", per_step=32, n_steps=2, n_at_once=2, loop_bar=1.0, keras=None,
        batches=lambda n: [(np.ones([32, 64], np.float32),)] * n, contestants={"TensorLayer": ours},
    )  # fmt: skip
    monkeypatch.setattr(limits, "WORKLOADS", {"product": workload})

    assert limits.main(["--quick", "--output", str(tmp_path)]) == 0

    result = json.loads((tmp_path / "limits.json").read_text())
    samples = result["samples"]["product"]
    assert samples["operations, 10^6"] == [pytest.approx(2 * 2 * 32 * 64 * 64 / 1e6, rel=0.1)]
    assert samples["bytes of weights, 10^6"] == [pytest.approx(3 * 4 * 64 * 64 / 1e6)]
    part = result["figures"]["product: part"]["median"]
    (limit,), taken = samples["limit, ms"], samples["TensorLayer, ms"]
    assert part == pytest.approx(np.median(limit / np.array(taken)))
    assert 0 < part < 1
