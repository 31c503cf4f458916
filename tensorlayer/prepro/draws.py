"""Random draws: values between limits, coins, and one draw for a list of images.

Every function of [`tensorlayer.prepro`][] that draws takes ``seed`` as its last keyword, as
[`tensorlayer.seeds`][] says.
"""

from __future__ import annotations

import functools
import math
import numbers
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.seeds import Seed, generator

__all__ = ["Limits", "coin", "draw", "finite", "multi", "stack", "up_to"]

#: A number that is taken as it is, or a pair (low, high) to draw from.
Limits = float | Sequence[float]


def draw(limits: Limits, rng: np.random.Generator, who: str) -> float:
    """Return a number as it is, or draw uniformly between a pair.

    Parameters
    ----------
    limits
        A number, or (low, high).
    rng
        Draws only for a pair.
    who
        The function and argument that an error names.

    Raises
    ------
    InvalidArgument
        It is neither, low > high, or one is not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> draw(0.5, rng, "zoom: zoom_range")
    0.5
    >>> 0.9 <= draw((0.9, 1.1), rng, "zoom: zoom_range") <= 1.1
    True
    """
    if isinstance(limits, numbers.Real):
        return float(finite(limits, who))
    if not isinstance(limits, str) and np.shape(limits) == (2,) and limits[0] <= limits[1]:
        return float(rng.uniform(*finite(limits, who)))
    raise InvalidArgument(f"{who} is a number or a pair (low, high), got {limits!r}.")


def up_to(limit: float, is_random: bool, seed: Seed, who: str) -> float:
    """Return the limit itself, or a draw of up to it on each side.

    Raises
    ------
    InvalidArgument
        The limit is not finite.
    """
    limit = float(finite(limit, who))
    return float(generator(seed).uniform(-abs(limit), abs(limit))) if is_random else limit


def finite(value: Any, who: str) -> Any:
    """Return a number, or several, as they are.

    Raises
    ------
    InvalidArgument
        One is NaN or infinite, which would leave an image without a pixel of the original.

    Examples
    --------
    >>> finite(float("nan"), "rotation: rg")
    Traceback (most recent call last):
    ...
    tensorlayer.errors.InvalidArgument: rotation: rg must be finite, got nan.
    """
    is_number = isinstance(value, (int, float))  # NumPy takes 2 µs, brightness() of a picture 15
    if not (math.isfinite(value) if is_number else np.isfinite(value).all()):
        raise InvalidArgument(f"{who} must be finite, got {value!r}.")
    return value


def coin(probability: float, rng: np.random.Generator, who: str) -> bool:
    """Return True with a probability.

    Raises
    ------
    InvalidArgument
        The probability is not in [0, 1].
    """
    if not 0 <= probability <= 1:
        raise InvalidArgument(f"{who} is a probability in [0, 1], got {probability!r}.")
    return bool(rng.random() < probability)


def stack(items: Sequence[Any]) -> np.ndarray | list[Any]:
    """Return one array, or the list as it is where the shapes differ.

    Examples
    --------
    >>> stack([[1, 2], [3, 4]]).shape, stack([[1, 2], [3]])
    ((2, 2), [[1, 2], [3]])
    """
    try:
        return np.asarray(items)
    except ValueError:  # NumPy's word for shapes that differ
        return list(items)


def multi(function: Callable[..., np.ndarray], name: str) -> Callable[..., Any]:
    """Return ``function`` for a list of images: one draw for all of them.

    Each image is handled with the same random numbers, so an image and its mask stay aligned.

    Parameters
    ----------
    function
        Takes an image first and draws only from its keyword ``seed``.
    name
        The name of the new function.

    Examples
    --------
    >>> from tensorlayer.prepro import flip_axis
    >>> both = multi(flip_axis, "flip_axis_multi")
    >>> both([np.array([[1, 2]]), np.array([[3, 4]])], axis=1).tolist()
    [[[2, 1]], [[4, 3]]]
    """

    @functools.wraps(function)
    def apply(x: Iterable[np.ndarray], *args: Any, seed: Seed = None, **kwargs: Any) -> Any:
        entropy = int(generator(seed).integers(2**63))
        return stack([function(image, *args, seed=entropy, **kwargs) for image in x])

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"""Apply [`{function.__name__}`][] with one draw to every image of a list.

    The arguments are those of [`{function.__name__}`][]; images of one size, such as a picture
    and its mask, stay aligned. Returns one array, or a list where the results differ in shape.
    """
    return apply
