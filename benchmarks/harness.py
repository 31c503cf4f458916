"""What benchmarks share: their options, rounds, statistics, and how results are kept.

What is compared runs in interleaved rounds in one process; a ratio is the median over rounds of the
ratios within a round, so that what slows the machine down slows down both.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"

#: What was measured of each contestant, one number for each round.
Samples = dict[str, list[float]]


@dataclasses.dataclass(frozen=True)
class Spread:
    """The median of many rounds, and what most of them lie between."""

    median: float
    p10: float
    p90: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise the rounds."""
        p10, median, p90 = np.percentile(values, [10, 50, 90])
        return cls(float(median), float(p10), float(p90))

    @classmethod
    def of_ratios(cls, values: Sequence[float], others: Sequence[float]) -> Spread:
        """Summarise the ratios within each round."""
        return cls.of(np.divide(values, others))

    def __str__(self) -> str:
        if self.p10 == self.p90:
            return f"{self.median:g}"
        digits = 1 if abs(self.median) >= 3 else 2
        low, median, high = (f"{v:,.{digits}f}" for v in (self.p10, self.median, self.p90))
        return f"{median} ({low} to {high})"


@dataclasses.dataclass(frozen=True)
class Bar:
    """What a number has to be."""

    limit: float
    is_upper: bool

    def holds(self, value: float) -> bool:
        """Whether the number is good enough."""
        return value <= self.limit if self.is_upper else value >= self.limit

    def part(self, value: float) -> float:
        """Return the part of what is allowed that a number takes; above 1 it is missed."""
        return value / self.limit if self.is_upper else self.limit / value

    def __str__(self) -> str:
        return f"{'<=' if self.is_upper else '>='} {self.limit:g}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One measurement: samples of contestants, and the figures made of them."""

    name: str
    unit: str
    samples: Samples
    figures: dict[str, Spread]


def options(doc: str, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read ``--quick``, ``--check`` and ``--output``."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar is missed")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    return parser.parse_args(arguments)


def seconds(function: Callable[[], Any]) -> float:
    """Return how long a call takes; garbage of what ran before is not its fault."""
    gc.collect()
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def growth(function: Callable[[], Any]) -> int:
    """Return by how many bytes at most the process is larger during a call than before it."""
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    function()
    return _memory("VmHWM") - before


def _memory(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(what))


def rounds(contestants: Mapping[str, Callable[[], Any]], n_rounds: int) -> Samples:
    """Return the seconds of each contestant in each round; nobody always follows the same one."""
    samples: Samples = {name: [] for name in contestants}
    order = np.random.default_rng(0)
    gc.collect()
    gc.freeze()  # what is there by now is not looked through before every call
    try:
        for _ in range(n_rounds):
            for name in order.permutation(list(contestants)):
                samples[name].append(seconds(contestants[name]))
    finally:
        gc.unfreeze()
    return samples


def machine(*packages: str) -> dict[str, object]:
    """Return what was measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def where(result: Mapping[str, Any]) -> str:
    """Return the machine in a few words."""
    return f"{result['machine']['processor']}, {result['machine']['cores']} cores"


def bars_chart(
    path: Path,
    values: Mapping[str, float],
    colours: Sequence[str],
    label: str,
    *,
    digits: int = 0,
    limit: float | None = None,
) -> None:
    """Draw numbers as horizontal bars: on a logarithmic axis, or with a line at a limit."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1 + 0.36 * len(values)), layout="constrained")
    axes = figure.add_subplot()
    drawn = axes.barh(list(values), list(values.values()), color=colours)
    axes.bar_label(drawn, [f"{each:,.{digits}f}" for each in values.values()], padding=3)
    if limit is None:
        axes.set_xscale("log")
    else:
        axes.axvline(limit, color="black", linestyle="--")
    axes.set_xlabel(label)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    figure.savefig(path, dpi=120)


def keep(result: Mapping[str, Any], table: str, folder: Path) -> Path:
    """Write the result and its table, print the table, and return where the chart belongs."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / result["name"]
    path.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    path.with_suffix(".md").write_text(table)
    print(table)
    return path.with_suffix(".png")


def verdict(spreads: Mapping[str, Spread], bars: Mapping[str, Bar], is_checked: bool) -> int:
    """Say which bars were missed, and return 1 if that is an error."""
    missed = [name for name, bar in bars.items() if not bar.holds(spreads[name].median)]
    for name in missed:
        print(f"MISSED: {name}: {spreads[name].median:.2f}, not {bars[name]}")
    return int(bool(missed) and is_checked)


def report(
    name: str,
    title: str,
    cases: Sequence[Case],
    bars: Mapping[str, Bar],
    options: argparse.Namespace,
    *,
    packages: Sequence[str],
    **about: Any,
) -> int:
    """Write result, tables and chart of some cases; return 1 if ``--check`` finds a bar missed.

    Parameters
    ----------
    name, title
        Of the files, and of the tables.
    cases
        What was measured.
    bars
        What figures have to be; those that were not measured are left out.
    options
        As `options` has read them.
    packages
        Whose versions matter.
    about
        More that the result should tell.
    """
    figures = {figure: each for case in cases for figure, each in case.figures.items()}
    bars = {figure: bar for figure, bar in bars.items() if figure in figures}
    result = {
        "name": name,
        "machine": machine(*packages),
        **about,
        "units": {case.name: case.unit for case in cases},
        "samples": {case.name: case.samples for case in cases},
        "figures": {figure: dataclasses.asdict(each) for figure, each in figures.items()},
        "bars": {figure: bar.limit for figure, bar in bars.items()},
    }
    path = keep(result, _tables(f"{title}; {where(result)}.", cases, bars), options.output)
    parts = {figure: bar.part(figures[figure].median) for figure, bar in bars.items() if bar.limit}
    if parts:
        colours = ["tab:blue" if part <= 1 else "tab:red" for part in parts.values()]
        label = "part of what the bar allows (less is better)"
        bars_chart(path, parts, colours, label, digits=2, limit=1.0)
    return verdict(figures, bars, options.check)


def _tables(head: str, cases: Sequence[Case], bars: Mapping[str, Bar]) -> str:
    """Return figures and samples as two Markdown tables."""
    lines = [head, "", "| figure | | bar |", "|---|---|---|"]
    for case in cases:
        lines += [
            f"| {name} | {each} | {bars.get(name, '')} |" for name, each in case.figures.items()
        ]
    lines += ["", "| what | | unit |", "|---|---|---|"]
    for case in cases:
        lines += [
            f"| {case.name}: {name} | {Spread.of(taken)} | {case.unit} |"
            for name, taken in case.samples.items()
        ]
    return "\n".join(lines) + "\n"
