"""What it takes to begin: the import, a layer, a thousand layers, and memory for weights.

Run with ``python -m benchmarks.start``; ``--quick`` takes half a minute, ``--check`` exits with 1
if a bar is missed. The import and the memory are measured in processes of their own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import tensorlayer as tl
from benchmarks import harness
from benchmarks.harness import Bar, Case, Samples, Spread

PACKAGES = ("numpy", "tensorflow")
IMPORT, LAYER = "import tensorlayer, s", "making a Dense without its variables, us"
STACKED = "1,000 stacked layers / 4 times 250 of them"
RESNET, PEAK = "declaring ResNet-50, s", "peak memory of declaring VGG-16 / its parameters"
BARS = {
    IMPORT: Bar(0.3, is_upper=True),
    LAYER: Bar(50.0, is_upper=True),
    STACKED: Bar(1.25, is_upper=True),
    RESNET: Bar(3.0, is_upper=True),
    PEAK: Bar(1.25, is_upper=True),
}
_AT_ONCE = 200  # layers of a round

_IMPORTING = """
import sys, time
started = time.perf_counter()
import tensorlayer
print(time.perf_counter() - started)
assert "tensorflow" not in sys.modules
"""

_DECLARING = """
from tensorlayer.startup import quiet_tensorflow
quiet_tensorflow()
import tensorlayer as tl
from benchmarks.harness import growth
tl.layers.Dense(tl.layers.Input([None, 2]), 2)
made = []
grown = growth(lambda: made.append(tl.models.vgg16()))
print(grown / sum(4 * weight.shape.num_elements() for weight in made[0].all_weights))
"""


def in_processes(code: str, n_rounds: int) -> list[float]:
    """Return the number that each of some new processes prints."""
    command = [sys.executable, "-c", code]
    return [
        float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        for _ in range(n_rounds)
    ]


def stack(n_layers: int) -> None:
    """Declare layers one upon the other."""
    net = tl.layers.Input([None, 4])
    for _ in range(n_layers):
        net = tl.layers.Dense(net, 4)


def layers() -> None:
    """Make layers that do not know their input, and so make no variables."""
    for _ in range(_AT_ONCE):
        tl.layers.Dense(4)


def timed(function: Callable[[], object], n_rounds: int) -> list[float]:
    """Return the seconds of some calls after a first one."""
    function()
    return [harness.seconds(function) for _ in range(n_rounds)]


def declaring(n_rounds: int) -> Case:
    """Time layers by themselves, stacked, and in a network that people use."""
    short, long = (lambda: stack(250)), (lambda: stack(1000))
    taken = harness.rounds({"250 layers": short, "1,000 layers": long}, n_rounds)
    taken["a Dense"] = [each / _AT_ONCE for each in timed(layers, 5 * n_rounds)]
    taken["ResNet-50"] = timed(tl.models.ResNet50, n_rounds)
    samples: Samples = {name: [1e3 * each for each in times] for name, times in taken.items()}
    four = [4 * each for each in taken["250 layers"]]
    figures = {
        LAYER: Spread.of([1e6 * each for each in taken["a Dense"]]),
        STACKED: Spread.of_ratios(taken["1,000 layers"], four),
        RESNET: Spread.of(taken["ResNet-50"]),
    }
    return Case(name="declaring", unit="ms", samples=samples, figures=figures)


def beginning(n_rounds: int) -> Case:
    """Measure the import, and the memory of weights."""
    imports, peaks = in_processes(_IMPORTING, n_rounds), in_processes(_DECLARING, n_rounds)
    figures = {IMPORT: Spread.of(imports), PEAK: Spread.of(peaks)}
    samples = {"import tensorlayer": [1e3 * each for each in imports]}
    return Case(name="beginning", unit="ms", samples=samples, figures=figures)


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    options = harness.options(__doc__, arguments)
    n_rounds = 3 if options.quick else 9
    cases = [beginning(n_rounds), declaring(n_rounds)]
    return harness.report("start", "Beginning", cases, BARS, options, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
