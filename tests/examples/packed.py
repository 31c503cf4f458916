"""What tests of the networks with rounded weights share."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tests.examples.running import run


def packed_by(name: str, folder: Path, bar: float, *arguments: str) -> dict[str, np.ndarray]:
    """Run a program, look at the accuracy that it reaches, and return what it has packed."""
    shown = run(f"{name}.py", folder, *arguments)
    found = re.search(r"accuracy ([\d.]+)% on digits held out, from the packed file", shown)
    assert float(found[1]) >= 100 * bar
    with np.load(folder / name / "packed.npz") as arrays:
        return dict(arrays)


def n_weights(last: str) -> dict[str, int]:
    """Return how many weights there are in the layers of a network that rounds all of them."""
    return {
        "conv1/filters": 9 * 32,
        "conv2/filters": 9 * 32 * 64,
        "dense3/weights": 1024 * 128,
        f"{last}/weights": 128 * 10,
    }
