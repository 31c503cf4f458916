"""What makes two samples the same: a digest of their content, and the key that follows from it."""

from __future__ import annotations

from typing import Any

from tensorlayer.errors import InvalidName
from tensorlayer.storage import digests

__all__ = ["MAX_KEY", "check_sample_key", "digest"]

#: What the values of `digest` are, for messages.
_PLACES = ("sample", "label", "tags")

#: Characters of a sample's key: a path in an archive fits, and so does an index entry of MongoDB.
MAX_KEY = 512


def digest(*values: Any) -> str:
    """Return the SHA-256 of sample, label and tags, as 64 hexadecimal digits.

    Equal content gives the same digest in every process and on every machine: the order of a
    mapping and the byte order of an array do not count, type and shape do, and a list is not a
    tuple. A NumPy scalar counts as its number, since labels come from lists and from arrays.

    Raises
    ------
    InvalidArgument
        A value is of a kind that a sample cannot hold; the message says where.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    >>> digest(1) == digest("1")
    False
    """
    return digests.digest(zip(_PLACES, values, strict=False), by_number=True)


def check_sample_key(key: Any) -> str:
    """Return ``key`` if a sample may be called so: a printable string of 1 to `MAX_KEY` characters.

    A key is only ever compared, never a path or a field, so ``/`` and ``$`` are fine.

    Raises
    ------
    InvalidName
        It is not.
    """
    if isinstance(key, str) and 0 < len(key) <= MAX_KEY and key.isprintable():
        return key
    raise InvalidName(
        f"Sample key {key!r:.80}: must be a printable string of 1 to {MAX_KEY} characters. "
        "Give another key, or none: then the content is the key."
    )
