"""What rounding means, by NumPy and by comparing with every level; and what gradients pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


def levels(x: np.ndarray, low: float, high: float, k: int) -> np.ndarray:
    """Return the nearest of 2**k evenly spaced levels."""
    grid = np.linspace(low, high, 2**k)
    return grid[np.abs(np.asarray(x, "float64")[..., None] - grid).argmin(-1)]


def of_range(x: np.ndarray, k: int) -> np.ndarray:
    """Return the nearest levels of the range of the values."""
    return levels(x, x.min(), x.max(), k)


def ternary(x: np.ndarray) -> np.ndarray:
    """Return -1, 0 or 1."""
    t = 0.7 * np.abs(x).mean()
    return np.where(x > t, 1, np.where(x < -t, -1, 0))


def alpha(x: np.ndarray) -> float:
    """Return the mean size of what is not 0 in the ternary values."""
    return np.abs(x)[ternary(x) != 0].mean()


class Method(NamedTuple):
    """Values of weights and inputs, and the factors or limits of their gradients."""

    weights: Callable[[np.ndarray], np.ndarray]
    inputs: Callable[[np.ndarray], np.ndarray] = lambda x: x
    passed: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda w, g: g
    inputs_passed: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda x, g: g


def dorefa(bitW: int, bitA: int) -> Method:
    return Method(
        lambda w: np.sign(w) * np.abs(w).mean() if bitW == 1 else levels(w, -1, 1, bitW),
        lambda x: levels(np.minimum(np.abs(x), 1), 0, 1, bitA),
        lambda w, g: g if bitW == 1 else g * (np.abs(w) <= 1),
        lambda x, g: g * np.sign(x) * (np.abs(x) <= 1),
    )


#: By the beginning of the layer's name, and its arguments.
METHODS: list[tuple[str, dict[str, Any], Method]] = [
    ("Binary", {}, Method(np.sign, passed=lambda w, g: np.clip(g, -1, 1))),
    ("Ternary", {}, Method(lambda w: alpha(w) * ternary(w))),
    ("Dorefa", {}, dorefa(1, 3)),
    ("Dorefa", {"bitW": 4, "bitA": 2}, dorefa(4, 2)),
    ("Quan", {}, Method(lambda w: of_range(w, 8), lambda x: of_range(x, 8))),
    ("Quan", {"bitW": 2, "bitA": 3}, Method(lambda w: of_range(w, 2), lambda x: of_range(x, 3))),
    ("Quan", {"bitW": 32, "bitA": 2}, Method(lambda w: w, lambda x: of_range(x, 2))),
]
NAMES = [" ".join([name, *map(str, arguments.values())]) for name, arguments, _ in METHODS]
