"""What is to be done: the arguments of a call, and one digest of it all, the identity of a task.

Two submissions with the same function, arguments and keys are the same task. Every argument counts
with its type, so ``1``, ``1.0``, ``True`` and ``"1"`` are four different ones, and a list is not a
tuple; neither the order of a dictionary nor the memory layout of an array matters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorlayer.errors import InvalidArgument
from tensorlayer.storage.digests import digest

__all__ = ["identity", "bind"]


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


def bind(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    keys: Mapping[str, str | None],
) -> inspect.BoundArguments:
    """Match arguments with the parameters of a function.

    The keys ``input``, ``model`` and ``output`` are given to a function that has parameters of
    these names, and only to such a one; any function can read them from the current context.

    Raises
    ------
    InvalidArgument
        They do not fit.

    Examples
    --------
    >>> def train(rate, model): ...
    >>> bind(train, [0.1], {}, {"model": "mlp", "input": "mnist"}).arguments
    {'rate': 0.1, 'model': 'mlp'}
    """
    signature = inspect.signature(function)
    wanted = {
        name: key for name, key in keys.items() if key is not None and name in signature.parameters
    }
    try:
        return signature.bind(*args, **{**kwargs, **wanted})
    except TypeError as error:
        raise InvalidArgument(
            f"submit: {function.__qualname__}{signature} cannot be called like this: {error}. "
            "Give the arguments that it takes."
        ) from error
