"""The identity of a task: one digest of what is to be done.

Two submissions with the same function, arguments and keys are the same task. Every argument counts
with its type, so ``1``, ``1.0``, ``True`` and ``"1"`` are four different ones, and a list is not a
tuple; neither the order of a dictionary nor the memory layout of an array matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorlayer.storage.digests import digest

__all__ = ["identity"]


def identity(
    function: str,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    input: str | None = None,
    model: str | None = None,
    output: str | None = None,
) -> str:
    """Return the SHA-256, in hexadecimal, of what a task is.

    Raises
    ------
    InvalidArgument
        An argument is of a type that cannot be stored; the message names its place.

    Examples
    --------
    >>> identity("my:train", (1,)) == identity("my:train", (1,))
    True
    >>> identity("my:train", (1,)) == identity("my:train", (True,))
    False
    """
    keys = {"input": input, "model": model, "output": output}
    parts = {
        "function": function,
        f"{function} args": tuple(args),
        f"{function} kwargs": kwargs or {},
        f"{function} keys": keys,
    }
    return digest(parts.items())
