"""Where random numbers come from: one seed argument, and the seeds that a script sets globally.

Every function that draws takes ``seed``: an integer for a result that can be repeated, a
``numpy.random.Generator`` to go on drawing from one stream (also the fastest), or None. With None
the generator is seeded by a draw from NumPy's own global stream, so ``np.random.seed(1)`` at the
top of a script decides all that follows, as it did in TensorLayer 1.x and 2.x; the library keeps
no stream of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from tensorlayer.errors import InvalidArgument

__all__ = ["Seed", "from_numpy", "from_python", "generator"]

Seed = int | np.random.Generator | None


def from_numpy() -> int:
    """Return a number that ``np.random.seed`` decides.

    Examples
    --------
    >>> np.random.seed(1)
    >>> first = from_numpy()
    >>> np.random.seed(1)
    >>> from_numpy() == first
    True
    """
    return int(np.random.randint(2**63 - 1, dtype=np.int64))


def from_python() -> int:
    """Return a number that ``random.seed`` decides.

    Examples
    --------
    >>> random.seed(1)
    >>> first = from_python()
    >>> random.seed(1)
    >>> from_python() == first
    True
    """
    return random.getrandbits(63)


def generator(seed: Seed = None, otherwise: Callable[[], int] = from_numpy) -> np.random.Generator:
    """Return the generator that ``seed`` stands for.

    Parameters
    ----------
    seed
        An integer, a generator, or None.
    otherwise
        Called for the seed where it is None: NumPy's global stream, or Python's for what drew from
        `random` in TensorLayer 1.x and 2.x.

    Raises
    ------
    InvalidArgument
        ``seed`` is no integer, generator or None.

    Examples
    --------
    >>> generator(1).random() == generator(1).random()
    True
    >>> rng = np.random.default_rng()
    >>> generator(rng) is rng
    True
    >>> np.random.seed(1)
    >>> first = generator().random()
    >>> np.random.seed(1)
    >>> generator().random() == first
    True
    """
    try:
        return np.random.default_rng(otherwise() if seed is None else seed)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(
            f"seed is a non-negative integer, a numpy.random.Generator or None, got {seed!r}."
        ) from error
