"""Small conversions that scripts use."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.seeds import Seed

__all__ = ["dict_to_one", "flatten_list", "get_random_int", "list_string_to_dict"]

T = TypeVar("T")


def dict_to_one(dp_dict: Mapping[T, Any]) -> dict[T, int]:
    """Return a dictionary with the same keys and all values 1.

    TensorLayer 1.x turned dropout off so: ``feed.update(dict_to_one(net.all_drop))``.

    Examples
    --------
    >>> dict_to_one({"drop1": 0.5})
    {'drop1': 1}
    """
    return dict.fromkeys(dp_dict, 1)


def flatten_list(list_of_list: Iterable[Iterable[T]]) -> list[T]:
    """Return the items of the lists in a list, one after the other.

    Examples
    --------
    >>> flatten_list([[1, 2, 3], [4, 5], [6]])
    [1, 2, 3, 4, 5, 6]
    """
    return [item for items in list_of_list for item in items]


def list_string_to_dict(string: Sequence[str]) -> dict[str, int]:
    """Return the place of each string of a list.

    Examples
    --------
    >>> list_string_to_dict(["a", "b", "c"])
    {'a': 0, 'b': 1, 'c': 2}
    """
    return {each: place for place, each in enumerate(string)}


def get_random_int(
    min_v: int = 0, max_v: int = 10, number: int = 5, seed: Seed = None
) -> list[int]:
    """Return random integers.

    Parameters
    ----------
    min_v, max_v
        The smallest and the largest.
    number
        How many.
    seed
        The same seed gives the same numbers, also 0, which TensorLayer 1.x and 2.x ignored.
        With None ``random.seed`` decides; a ``numpy.random.Generator`` goes on drawing.

    Raises
    ------
    InvalidArgument
        ``max_v`` is below ``min_v``.

    Examples
    --------
    >>> numbers = get_random_int(min_v=0, max_v=10, number=5, seed=10)
    >>> len(numbers), numbers == get_random_int(seed=10)
    (5, True)
    """
    if max_v < min_v:
        raise InvalidArgument(
            f"get_random_int: max_v is not below min_v, got min_v={min_v}, max_v={max_v}."
        )
    if isinstance(seed, np.random.Generator):
        return seed.integers(min_v, max_v, number, endpoint=True).tolist()
    source = random if seed is None else random.Random(seed)
    return [source.randint(min_v, max_v) for _ in range(number)]
