"""How the arguments of a submission reach the function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorlayer.errors import InvalidArgument

__all__ = ["bind"]


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
