"""The arguments that an object was constructed with: bound, compared and printed.

They are what parameter sharing compares, what a model's ``config`` holds and what ``repr`` shows.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import operator
import types
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, UnknownArgument, did_you_mean

__all__ = [
    "accepts",
    "bind",
    "describe",
    "differences",
    "positive",
    "same",
    "shown",
    "signature_of",
    "switch",
    "takes",
]

#: Longer texts of values are cut in messages: an initializer may hold an array of millions.
MAX_SHOWN = 80


@functools.cache
def signature_of(cls: type) -> inspect.Signature:
    """Return the signature of ``cls.__init__`` without ``self``; asking Python again is slow."""
    signature = inspect.signature(cls.__init__)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


@functools.cache
def _rest_of(cls: type) -> tuple[str, ...]:
    """Return what the constructor calls the keywords that it does not name, if it takes them."""
    parameters = signature_of(cls).parameters.values()
    return tuple(each.name for each in parameters if each.kind is inspect.Parameter.VAR_KEYWORD)


class _Plain(NamedTuple):
    """What a constructor takes that names all of its arguments."""

    by_position: tuple[str, ...]
    defaults: dict[str, Any]  #: of all arguments in order; of those that are required, anything
    required: frozenset[str]


@functools.cache
def _plain_of(cls: type) -> _Plain | None:
    """Return what the constructor takes, or None if there are arguments that it does not name."""
    parameters = signature_of(cls).parameters
    by_position, by_name = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    if any(each.kind not in {by_position, by_name} for each in parameters.values()):
        return None
    return _Plain(
        tuple(name for name, each in parameters.items() if each.kind is by_position),
        {name: each.default for name, each in parameters.items()},
        frozenset(name for name, each in parameters.items() if each.default is each.empty),
    )


def bind(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return every argument of ``cls(*args, **kwargs)`` by name, defaults included.

    Raises
    ------
    UnknownArgument
        A keyword that the constructor does not have.
    InvalidArgument
        An argument is missing, or there are too many.
    """
    plain = _plain_of(cls)
    if plain is not None and len(args) <= len(plain.by_position):
        # What nearly every call is, in an eighth of the time that Python takes for all it could be.
        given = {**dict(zip(plain.by_position, args, strict=False)), **kwargs}
        is_once = len(given) == len(args) + len(kwargs)
        if is_once and plain.required <= given.keys() <= plain.defaults.keys():
            return {**plain.defaults, **given}
    return _bind_with_errors(cls, args, kwargs)


def _bind_with_errors(
    cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    signature, rest = signature_of(cls), _rest_of(cls)
    parameters = signature.parameters
    unknown = [name for name in kwargs if name not in parameters and not rest]
    if unknown:
        raise UnknownArgument(
            f"{cls.__name__}: unknown argument {unknown[0]!r}. "
            f"{did_you_mean(unknown[0], parameters)}"
        )
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidArgument(
            f"{cls.__name__}: {error}. It takes {cls.__name__}{signature}."
        ) from error
    bound.apply_defaults()
    arguments = dict(bound.arguments)
    for name in rest:
        arguments.update(arguments.pop(name))
    return arguments


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the names of the arguments in which the two differ."""
    missing = object()
    names = {**one, **other}
    return [n for n in names if not same(one.get(n, missing), other.get(n, missing))]


def same(one: Any, other: Any) -> bool:
    """Whether two arguments mean the same.

    A function that is defined anew each time its enclosing function runs, such as an ``act=lambda``
    within a ``def discriminator(x, reuse)``, is the same if code, defaults and captured values are.
    """
    if one is other:
        return True
    if isinstance(one, types.FunctionType) and isinstance(other, types.FunctionType):
        return one.__code__ is other.__code__ and same(_captured(one), _captured(other))
    if isinstance(one, functools.partial) and isinstance(other, functools.partial):
        return same((one.func, one.args, one.keywords), (other.func, other.args, other.keywords))
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, type) or isinstance(other, type):
        return False  # classes, which are not the same one
    if tf.is_tensor(one) or tf.is_tensor(other) or isinstance(one, tf.Variable):
        return False  # not the same object, and comparing tensors would compute
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return not differences(one, other)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is type(other) and hasattr(one, "facts"):  # a layer with values is itself alone
        return not (one.is_built and other.is_built) and same(one.arguments, other.arguments)
    if type(one) is type(other) and hasattr(one, "get_config"):
        return same(_configuration(one), _configuration(other))
    return bool(one == other)


def _configuration(thing: Any) -> Any:
    """Return how ``thing`` was configured, without what Keras adds by itself.

    Keras numbers its objects over the whole process, and notes the shapes they were built for, in a
    Sequential also as a first layer.
    """
    return _without(thing.get_config(), {"name", "build_config", "build_input_shape"})


def _without(value: Any, keys: set[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(item, keys) for key, item in value.items() if key not in keys}
    if isinstance(value, (list, tuple)):
        return [_without(item, keys) for item in value if not _is_keras_input(item)]
    return value


def _is_keras_input(config: Any) -> bool:
    return isinstance(config, Mapping) and config.get("class_name") == "InputLayer"


def _captured(function: types.FunctionType) -> tuple[Any, ...]:
    cells = [_content(cell, function) for cell in function.__closure__ or ()]
    return (function.__defaults__, function.__kwdefaults__, cells)


def _content(cell: types.CellType, function: types.FunctionType) -> Any:
    """Return what a closure holds: nothing yet, perhaps, or the function itself."""
    try:
        content = cell.cell_contents
    except ValueError:
        return None
    return "itself" if content is function else content


def describe(cls: type, arguments: Mapping[str, Any]) -> str:
    """Return ``Dense(n_units=10, act=relu)``: the class and what is not a default."""
    parameters = signature_of(cls).parameters
    texts = [
        f"{name}={shown(value)}"
        for name, value in arguments.items()
        if name not in parameters or not same(value, parameters[name].default)
    ]
    return f"{cls.__name__}({', '.join(texts)})"


def shown(value: Any) -> str:
    """Return a short text for a value in a message.

    Examples
    --------
    >>> shown(np.zeros([1000, 1000])), shown(tf.nn.relu), shown("a")
    ('array of shape (1000, 1000)', 'relu', "'a'")
    """
    if isinstance(value, np.ndarray) or tf.is_tensor(value):
        return f"array of shape {tuple(value.shape)}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):  # such as an initializer
        fields = dataclasses.fields(value)
        inner = ", ".join(f"{f.name}={shown(getattr(value, f.name))}" for f in fields)
        return f"{type(value).__name__}({inner})"
    if isinstance(value, (list, tuple)) and len(value) > MAX_SHOWN:
        return f"{type(value).__name__} of {len(value)} values"
    text = getattr(value, "__name__", None) or repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function takes this keyword."""
    parameters = inspect.signature(function).parameters
    return name in parameters or any(
        each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()
    )


def positive(value: Any, who: str, what: str) -> int:
    """Return ``value`` if it is a positive integer, also of NumPy, else raise InvalidArgument.

    Examples
    --------
    >>> positive(np.int64(3), "Dense", "n_units")
    3
    """
    if not isinstance(value, bool) and hasattr(value, "__index__") and operator.index(value) > 0:
        return operator.index(value)
    raise InvalidArgument(f"{who}: {what} must be a positive integer, got {value!r}.")


def probability(keep: float, who: str, of_what: str) -> float:
    """Return ``keep`` if it is a probability other than 0, else raise InvalidArgument.

    Examples
    --------
    >>> probability(0.5, "Dropout", "a unit")
    0.5
    """
    if not 0 < keep <= 1:
        raise InvalidArgument(
            f"{who}: keep is the probability of keeping {of_what}, in (0, 1]; got {keep!r}."
        )
    return keep


def switch(value: Any, what: str) -> bool:
    """Return ``value`` if it is True or False, also of NumPy or an eager tensor.

    A text such as ``"False"`` counts as true in Python, so it is refused.

    Examples
    --------
    >>> switch(np.bool_(False), "is_train")
    False
    """
    if isinstance(value, bool):  # all others take longer to tell apart
        return value
    is_symbolic = tf.is_tensor(value) and not hasattr(value, "numpy")
    if not is_symbolic and not isinstance(value, (str, bytes)) and value in (True, False):
        return bool(value)
    shown_value = "a tensor of a trace" if is_symbolic else repr(value)
    raise InvalidArgument(
        f"{what} is True or False, got {shown_value}. Within a tf.function give it as a value of "
        "Python; from the command line compare the text, as in text == 'True'."
    )


def accepts(cls: type, name: str) -> bool:
    """Whether the constructor of ``cls`` has an argument of this name."""
    return name in signature_of(cls).parameters
