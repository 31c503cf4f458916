"""The order of a pass: a pure function of what is read and of two numbers.

Nothing but ``(n, seed, epoch, fingerprint)`` decides about a shuffled order: neither the batch
size, nor the number of readers, nor the process, nor the version of NumPy. So a pass can be
repeated, split and taken up again anywhere.
"""

from __future__ import annotations

import hashlib
import operator
from typing import Any

import numpy as np

from tensorlayer.errors import InvalidArgument

__all__ = ["check_integer", "permutation"]


def check_integer(name: str, value: Any, least: int | None = None) -> int:
    """Return an argument that has to be an integer, as one of Python.

    Raises
    ------
    InvalidArgument
        It is none, or less than ``least``.

    Examples
    --------
    >>> check_integer("seed", np.int64(3))
    3
    >>> check_integer("seed", 1.5)
    Traceback (most recent call last):
    tensorlayer.errors.InvalidArgument: seed must be an integer, got 1.5.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or (least is not None and number < least):
        what = {None: "an integer", 0: "an integer of at least 0", 1: "a positive integer"}[least]
        raise InvalidArgument(f"{name} must be {what}, got {value!r}.")
    return number


def permutation(n: int, *, seed: int = 0, epoch: int = 0, fingerprint: str = "") -> np.ndarray:
    """Return a permutation of ``range(n)``.

    The same arguments give the same permutation everywhere: the raw output of a counter-based
    generator is sorted, and NumPy promises never to change the raw output of a bit generator.

    Parameters
    ----------
    n
        How many samples there are.
    seed, epoch
        Any integers; another epoch is another, independent order.
    fingerprint
        Of the view, so that two views do not share an order by accident.

    Returns
    -------
    numpy.ndarray
        ``n`` indices of type ``int64``.

    Raises
    ------
    InvalidArgument
        ``seed`` or ``epoch`` is no integer.

    Examples
    --------
    >>> sorted(permutation(4, seed=1).tolist())
    [0, 1, 2, 3]
    >>> bool((permutation(9, seed=1, epoch=2) == permutation(9, seed=1, epoch=2)).all())
    True
    """
    seed, epoch = check_integer("seed", seed), check_integer("epoch", epoch)
    name = f"{seed}/{epoch}/{fingerprint}".encode()
    key = int.from_bytes(hashlib.sha256(name).digest()[:16], "little")
    return np.argsort(np.random.Philox(key=key).random_raw(n), kind="stable")
