"""What declaring ResNet-50 costs, against the one that comes with Keras, both with new weights.

Run with ``python -m benchmarks.build``; ``--quick`` takes half a minute, ``--check`` exits with 1
if the bar is missed. Weights are random, as each library makes them for this network.
"""

from __future__ import annotations

import sys

import tensorflow as tf

import tensorlayer as tl
from benchmarks import harness
from benchmarks.harness import Bar, Case, Spread

PACKAGES = ("keras", "numpy", "tensorflow")
CONTESTANTS = {
    "TensorLayer": tl.models.ResNet50,
    "Keras": lambda: tf.keras.applications.ResNet50(weights=None),
}
BARS = {"declaring ResNet-50, TensorLayer / Keras": Bar(2.0, is_upper=True)}


def main(arguments: list[str] | None = None) -> int:
    """Measure."""
    options = harness.options(__doc__, arguments)
    sizes = {name: make().count_params() for name, make in CONTESTANTS.items()}
    if len(set(sizes.values())) != 1:
        sys.exit(f"the networks differ: {sizes} parameters")
    samples = harness.rounds(CONTESTANTS, 5 if options.quick else 20)
    ratio = Spread.of_ratios(samples["TensorLayer"], samples["Keras"])
    case = Case(name="declaring", unit="s", samples=samples, figures=dict.fromkeys(BARS, ratio))
    return harness.report(
        "build",
        "Declaring ResNet-50",
        [case],
        BARS,
        options,
        packages=PACKAGES,
        n_parameters=sizes["Keras"],
    )


if __name__ == "__main__":
    sys.exit(main())
