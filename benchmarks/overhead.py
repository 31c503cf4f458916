"""What our layers cost beside TensorFlow: the paper's Table 1, on three workloads.

Run with ``python -m benchmarks.overhead``; ``--workload PTB`` measures one, ``--quick`` takes a
minute or two, ``--check`` exits with 1 if a bar is missed. Two things are measured, in interleaved
rounds in one process:

1. *A step*: called from Python, batch after batch; the same data, first weights and gradient
   descent for everybody. Native is TensorFlow written by hand. Of PTB there are two, and what is
   ahead of both is what counts. Of 1 % nothing is seen in rounds of a second: in two of them the
   very same step differs by 5 %. So there are twelve times as many rounds as of loops, of some
   steps each, in which the machine has no time to change. And all is made anew now and then, in
   another order: the same step on tables at another place in memory can be 5 % slower.
2. *A loop*: over a ``tf.data.Dataset``. Native is what one writes, ``for batch in data``; ours is
   `tl.train.run`, which makes many steps in one call of TensorFlow; Keras is ``fit``.

Rates are images or words in a second, and a ratio above 1 says that we are faster.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

import tensorlayer as tl
from benchmarks import harness
from benchmarks.blocks import write_block
from benchmarks.harness import Bar, Case, Samples, Spread
from benchmarks.workloads import cifar10, ptb, skipgram
from benchmarks.workloads.contestant import Contestant, Workload

PACKAGES = ("dm-sonnet", "keras", "numpy", "tensorflow")
WORKLOADS = {each.WORKLOAD.name: each.WORKLOAD for each in (cifar10, ptb, skipgram)}
OURS, LOOP, FIT, ON_BATCH = "TensorLayer", "tl.train.run", "Keras fit", "Keras train_on_batch"
PYTHON_LOOP = "native, loop in Python"
ROUNDS_OF_STEPS = 12  # for one of loops


def _step_figure(workload: str, other: str) -> str:
    return f"{workload}, step: TensorLayer / {other}"


def _loop_figure(workload: str, other: str) -> str:
    return f"{workload}, loop: tl.train.run / {other}"


def bars() -> dict[str, Bar]:
    """Return what every figure has to be at least."""
    found = {}
    for name, workload in WORKLOADS.items():
        natives = [each for each in workload.contestants if each.startswith("native")]
        found |= {_step_figure(name, each): Bar(0.99, is_upper=False) for each in natives}
        found[_step_figure(name, ON_BATCH)] = Bar(1.0, is_upper=False)
        found[_loop_figure(name, PYTHON_LOOP)] = Bar(workload.loop_bar, is_upper=False)
        found[_loop_figure(name, FIT)] = Bar(1.0, is_upper=False)
    return found


def stepping(
    step: Callable[..., Any], batches: Sequence[tuple[Any, ...]], n_steps: int
) -> Callable[[], None]:
    """Return a call that makes steps on the next batches; it has been called once, to warm up."""
    upcoming = itertools.cycle(batches)

    def run() -> None:
        for batch in itertools.islice(upcoming, n_steps):
            loss = step(*batch)
        float(loss)

    run()
    return run


def looping(contestant: Contestant, data: tf.data.Dataset) -> Callable[[], None]:
    """Return a call that trains over the data as one writes it without the library."""

    def run() -> None:
        for batch in data:
            loss = contestant.step(*batch)
        float(loss)

    run()
    return run


def running(contestant: Contestant, data: tf.data.Dataset) -> Callable[[], None]:
    """Return a call that trains over the data with the library."""

    def run() -> None:
        tl.train.run(contestant.step, data, progress=False)

    run(), run()  # the second knows how many steps fit into a call
    return run


def fitting(model: tf.keras.Model, data: tf.data.Dataset) -> Callable[[], None]:
    """Return a call that trains over the data with Keras."""

    def run() -> None:
        model.fit(data, verbose=0, shuffle=False)

    run()
    return run


def steps(workload: Workload, n_rounds: int) -> Case:
    """Compare what a step takes."""
    arrays, n = workload.batches(workload.n_steps), workload.n_at_once
    tensors = [tuple(map(tf.constant, batch)) for batch in arrays]
    taken: Samples = {}
    in_all, at_once = ROUNDS_OF_STEPS * n_rounds, workload.n_rounds_of_a_place
    for begin in range(0, in_all, at_once):
        made = workload.begin(seed=begin)
        runs = {name: stepping(each.step, tensors, n) for name, each in made.items()}
        runs[ON_BATCH] = stepping(workload.keras().train_on_batch, arrays, n)
        for name, times in harness.rounds(runs, min(at_once, in_all - begin)).items():
            taken.setdefault(name, []).extend(times)
    rates = _rates(workload, n, taken)
    others = [name for name in rates if name != OURS]
    figures = {
        _step_figure(workload.name, each): Spread.of_ratios(rates[OURS], rates[each])
        for each in others
    }
    return Case(name=f"{workload.name}, step", unit=_unit(workload), samples=rates, figures=figures)


def loops(workload: Workload, n_rounds: int) -> Case:
    """Compare what a loop over a dataset takes."""
    data, made = workload.dataset(workload.n_steps), workload.begin()
    runs = {
        PYTHON_LOOP: looping(made["native"], data),
        LOOP: running(made[OURS], data),
        FIT: fitting(workload.keras(), data),
    }
    rates = _rates(workload, workload.n_steps, harness.rounds(runs, n_rounds))
    figures = {
        _loop_figure(workload.name, each): Spread.of_ratios(rates[LOOP], rates[each])
        for each in (PYTHON_LOOP, FIT)
    }
    return Case(name=f"{workload.name}, loop", unit=_unit(workload), samples=rates, figures=figures)


def summary(cases: Sequence[Case]) -> str:
    """Return medians as the table of a README, a row for each workload."""
    found = {case.name: case.samples for case in cases}
    columns = ("native", OURS, ON_BATCH, PYTHON_LOOP, LOOP, FIT)
    lines = [
        "| | " + " | ".join(columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for name, workload in WORKLOADS.items():
        if f"{name}, step" not in found:
            continue
        rates = found[f"{name}, step"] | found[f"{name}, loop"]
        values = [f"{Spread.of(rates[column]).median:,.0f}" for column in columns]
        lines.append(f"| {name}, {_unit(workload)} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _rates(workload: Workload, n_steps: int, taken: Mapping[str, list[float]]) -> Samples:
    count = n_steps * workload.per_step
    return {name: [count / each for each in times] for name, times in taken.items()}


def _unit(workload: Workload) -> str:
    return f"{workload.unit}/s"


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workload", choices=list(WORKLOADS), help="only this one")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar is missed")
    parser.add_argument(
        "--output", type=Path, default=harness.RESULTS, help="folder of the results"
    )
    parser.add_argument("--readme", type=Path, help="a page whose table is to be written anew")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    chosen = options(arguments)
    names = [chosen.workload] if chosen.workload else list(WORKLOADS)
    n_rounds = 5 if chosen.quick else 25
    cases = []
    for name in names:
        cases += [compare(WORKLOADS[name], n_rounds) for compare in (steps, loops)]
    if chosen.readme:
        write_block(chosen.readme, "overhead", summary(cases))
    return harness.report(
        "overhead" if not chosen.workload else f"overhead_{chosen.workload}",
        "Training on three workloads",
        cases,
        bars(),
        chosen,
        packages=PACKAGES,
        n_rounds=n_rounds,
    )


if __name__ == "__main__":
    sys.exit(main())
