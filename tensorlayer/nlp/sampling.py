"""Drawing a token from the probabilities that a model gives.

Each function takes the probabilities of one step (a softmax's output; the sum need not be exactly
one) and returns a token id. Without a ``seed`` each call draws anew; pass one
``numpy.random.Generator`` to all calls of a text to make it repeatable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.seeds import Seed, generator

__all__ = ["sample", "sample_nucleus", "sample_top"]

Probabilities = Sequence[float] | np.ndarray

#: Tokens that mostly have the share of :func:`sample_nucleus`; if not, eight times as many.
_FIRST_GUESS = 256


def sample(
    a: Probabilities | None = None, temperature: float | None = 1.0, seed: Seed = None
) -> int:
    r"""Draw a token with probability $p_i^{1/T} / \sum_j p_j^{1/T}$.

    Parameters
    ----------
    a
        Probabilities, (n_tokens,).
    temperature
        T. At 1 the model's own probabilities; below it, likely tokens become likelier. None or 0
        for the likeliest token, above 1 for more variety.
    seed
        A number or a generator.

    Raises
    ------
    InvalidArgument
        These are no probabilities, or the temperature is negative.

    Examples
    --------
    >>> sample([0.0, 1.0, 0.0])
    1
    >>> sample([0.3, 0.6, 0.1], temperature=None)
    1
    """
    p = _probabilities(a, "sample")
    if temperature is None or temperature == 0:
        return int(p.argmax())
    if not temperature > 0:
        raise InvalidArgument(
            f"sample: temperature is positive, or None for the likeliest token, got {temperature}."
        )
    # In logarithms, so that small temperatures do not underflow to 0 / 0.
    with np.errstate(divide="ignore"):
        logits = np.log(p) / temperature
    return _draw(np.exp(logits - logits.max()), seed)


def sample_top(a: Probabilities | None = None, top_k: int = 10, seed: Seed = None) -> int:
    """Draw among the ``top_k`` likeliest tokens, in proportion to their probabilities.

    Parameters
    ----------
    a
        Probabilities, (n_tokens,).
    top_k
        How many tokens may be drawn; as many as there are, if there are fewer. Of equally likely
        tokens those with the smaller id come first.
    seed
        A number or a generator.

    Raises
    ------
    InvalidArgument
        These are no probabilities, or ``top_k`` is not positive.

    Examples
    --------
    >>> sample_top([0.1, 0.7, 0.2], top_k=1)
    1
    """
    p = _probabilities(a, "sample_top")
    if top_k < 1:
        raise InvalidArgument(f"sample_top: top_k is at least 1, got {top_k!r}.")
    return _draw_among(p, _likeliest(p, top_k), seed)


def sample_nucleus(a: Probabilities | None = None, top_p: float = 0.9, seed: Seed = None) -> int:
    """Draw among the fewest tokens that together have the probability ``top_p`` or more.

    Where the model is sure few tokens remain, where it is not many: neither nonsense from the long
    tail nor repetition.

    Parameters
    ----------
    a
        Probabilities, (n_tokens,).
    top_p
        The share, in (0, 1]. 0.9 to 0.95 is where the source found text most like people's.
    seed
        A number or a generator.

    Raises
    ------
    InvalidArgument
        These are no probabilities, or ``top_p`` is not a share.

    References
    ----------
    A. Holtzman, J. Buys, L. Du, M. Forbes, Y. Choi: The curious case of neural text degeneration.
    ICLR 2020.

    Examples
    --------
    >>> {sample_nucleus([0.5, 0.1, 0.4], top_p=0.8) for _ in range(100)} <= {0, 2}
    True
    """
    p = _probabilities(a, "sample_nucleus")
    if not 0 < top_p <= 1:
        raise InvalidArgument(f"sample_nucleus: top_p is in (0, 1], got {top_p!r}.")
    count, share = _FIRST_GUESS, top_p * p.sum()
    while (order := _likeliest(p, count)).size < p.size and p[order].sum() < share:
        count *= 8
    n_before = np.searchsorted(np.cumsum(p[order]), share)  # tokens that do not reach it yet
    return _draw_among(p, order[: n_before + 1], seed)


def _probabilities(a: Probabilities | None, who: str) -> np.ndarray:
    """Return float64 probabilities, up to a factor."""
    p = np.asarray(() if a is None else a, np.float64)
    # Infinite ones, and those that are no numbers, are seen in the sum.
    if p.ndim != 1 or not p.size or not 0 < p.sum() < np.inf or p.min() < 0:
        raise InvalidArgument(
            f"{who}: a is a vector of probabilities, finite, not negative and not all zero, got "
            f"{'nothing' if a is None else f'shape {p.shape}: {p!r:.60}'}. Apply a softmax to "
            "logits, and sample one row of a batch at a time."
        )
    return p


def _likeliest(p: np.ndarray, count: int) -> np.ndarray:
    """Return the likeliest tokens, the first first; of equal ones those with the smaller id."""
    count = min(count, p.size)
    # In so many blocks there is a token that is as likely as the last of so many largest ones: few
    # are above that, and sorting those takes a hundredth of sorting all.
    width = math.isqrt(p.size // count)
    largest = p[: p.size // width * width].reshape(width, -1).max(axis=0)
    least = np.partition(largest, largest.size - count)[largest.size - count]
    tokens = np.flatnonzero(p >= least)
    return tokens[np.argsort(-p[tokens], kind="stable")][:count]


def _draw(weights: np.ndarray, seed: Seed) -> int:
    return int(generator(seed).choice(len(weights), p=weights / weights.sum()))


def _draw_among(p: np.ndarray, tokens: np.ndarray, seed: Seed) -> int:
    return int(tokens[_draw(p[tokens], seed)])
