"""The benchmark of Table 1: what it compares, and that it says when a bar is missed."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import overhead
from benchmarks.workloads.contestant import Workload, descending


def slope(rate):
    def make():
        weight = tf.Variable(4.0)
        return descending(lambda x, y: tf.reduce_mean((weight * x - y) ** 2), [weight], rate)

    return make


def keras():
    model = tf.keras.Sequential([tf.keras.layers.Input([1]), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    return model


POINTS = np.array([[1.0], [2.0], [3.0]], np.float32)
LINE = Workload(
    name="line",
    unit="points",
    per_step=3,
    n_steps=20,
    n_at_once=2,
    n_rounds_of_a_place=25,
    batches=lambda n: [(POINTS, 2 * POINTS)] * n,
    contestants={"native": slope(0.05), "TensorLayer": slope(0.05)},
    keras=keras,
    loop_bar=1e9,
)


@pytest.fixture
def line(monkeypatch):
    monkeypatch.setattr(overhead, "WORKLOADS", {"line": LINE})
    monkeypatch.setattr(overhead, "PACKAGES", ("keras",))


def test_steps_and_loops_are_compared_and_kept(line, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- overhead -->\nold\n<!-- end of overhead -->\nafter\n")

    arguments = ["--quick", "--check", "--output", str(tmp_path), "--readme", str(page)]
    assert overhead.main(arguments) == 1  # a bar is missed

    shown = capsys.readouterr().out
    assert "MISSED: line, loop: tl.train.run / native, loop in Python" in shown
    assert "not >= 1e+09" in shown
    result = json.loads((tmp_path / "overhead.json").read_text())
    steps, loops = result["samples"]["line, step"], result["samples"]["line, loop"]
    assert set(steps) == {"native", "TensorLayer", overhead.ON_BATCH}
    assert set(loops) == {overhead.PYTHON_LOOP, overhead.LOOP, overhead.FIT}
    assert {len(each) for each in steps.values()} == {60}
    assert {len(each) for each in loops.values()} == {5}
    ratio = result["figures"]["line, step: TensorLayer / native"]["median"]
    assert ratio == pytest.approx(np.median(np.divide(steps["TensorLayer"], steps["native"])))
    assert (tmp_path / "overhead.md").exists()
    assert (tmp_path / "overhead.png").exists()
    before, _, after = page.read_text().partition("| line, points/s | ")
    assert before.startswith("before\n<!-- overhead -->\n| | native | TensorLayer |")
    assert after.startswith(f"{np.median(steps['native']):,.0f} | ")
    assert after.endswith("|\n<!-- end of overhead -->\nafter\n")


def test_all_is_made_anew_after_some_rounds_in_another_order():
    order = []
    makers = {
        name: lambda name=name: order.append(name) or slope(0.05)() for name in ("native", *"abcd")
    }
    many = dataclasses.replace(LINE, contestants={**makers, "TensorLayer": slope(0.05)})

    case = overhead.steps(many, 5)

    assert {len(each) for each in case.samples.values()} == {60}  # in places of 25, 25 and 10
    orders = [order[:5], order[5:10], order[10:]]
    assert [sorted(each) for each in orders] == [["a", "b", "c", "d", "native"]] * 3
    assert orders[0] != orders[1] != orders[2]
    assert list(case.samples)[:2] == ["native", "a"]


def test_every_way_of_running_it_trains():
    data = LINE.dataset(20)
    for way in (overhead.looping, overhead.running):
        made = LINE.begin()["native"]
        way(made, data)
        assert float(made.weights[0]) == pytest.approx(2.0, abs=1e-3)
    made = LINE.begin()["native"]
    overhead.stepping(made.step, [tuple(map(tf.constant, each)) for each in LINE.batches(20)], 20)
    assert float(made.weights[0]) == pytest.approx(2.0, abs=1e-3)


def test_a_few_steps_at_a_time_go_through_all_batches():
    seen = []

    def step(x):
        seen.append(x)
        return 0.0

    run = overhead.stepping(step, [(1,), (2,), (3,)], 2)  # which warms up
    run(), run()

    assert seen == [1, 2, 3, 1, 2, 3]


def test_bars_are_those_that_are_promised():
    bars = {name: bar.limit for name, bar in overhead.bars().items()}

    assert bars["word2vec, loop: tl.train.run / native, loop in Python"] == 2.0
    assert bars["PTB, loop: tl.train.run / native, loop in Python"] == 1.0
    assert bars["CIFAR-10, step: TensorLayer / native"] == 0.99
    assert bars["PTB, step: TensorLayer / native, inputs ahead"] == 0.99
    assert len(bars) == 13


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        overhead.main(["--help"])

    assert "tl.train.run" in capsys.readouterr().out
