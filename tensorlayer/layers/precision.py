"""In which type a layer keeps its parameters, and in which it computes.

By default both are the type of the input. A layer may be given another one, ``Dense(...,
dtype="float64")``, or a Keras policy such as ``"mixed_bfloat16"``; the global policy of
``tf.keras.mixed_precision`` holds for all others. Under a mixed policy parameters are kept in
float32 and computed with in 16 bits: ``forward`` sees them, and its inputs, cast.

Whatever the types, means, moments and places in images are computed in 32 bits at least: sums of 16
overflow above 65504, or lose what is small. Moving averages are kept in as many: a step of theirs
is often too small to be seen in 16.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.setting import setting
from tensorlayer.layers.structure import leaves, rebuild

__all__ = [
    "OF_THE_INPUT",
    "Precision",
    "cast",
    "double",
    "exactly",
    "first_float",
    "mean",
    "precision",
    "require_floats",
    "stand_in",
    "wide",
    "widened",
    "within",
]

T = TypeVar("T")


class Precision(NamedTuple):
    """The types of a layer; None is the type of the input."""

    variable: tf.DType | None = None
    compute: tf.DType | None = None

    @property
    def of_input(self) -> bool:
        """Whether the layer has no types of its own."""
        return self.compute is None

    @property
    def is_mixed(self) -> bool:
        """Whether parameters are cast before they are used."""
        return self.variable != self.compute


OF_THE_INPUT = Precision()
_AROUND: ContextVar[Precision | None] = ContextVar("tensorlayer_precision", default=None)


def precision(dtype: Any = None) -> Precision:
    """Return what a dtype or a policy says, or else the layer around, or the global policy.

    Examples
    --------
    >>> precision("mixed_float16")
    Precision(variable=tf.float32, compute=tf.float16)
    >>> precision(tf.float64).is_mixed
    False
    """
    if dtype is None:
        keras = sys.modules.get("keras")
        if (around := _AROUND.get()) or keras is None:  # nobody can have set a policy
            return around or OF_THE_INPUT
        policy = keras.config.dtype_policy()
        return OF_THE_INPUT if policy.name == keras.config.floatx() else _of(policy)
    try:
        if isinstance(dtype, str) and dtype.startswith("mixed_"):
            dtype = tf.keras.mixed_precision.Policy(dtype)
        given = _of(dtype)
    except (TypeError, ValueError):
        given = Precision()
    if given.variable is None or not given.variable.is_floating:
        raise InvalidArgument(
            "dtype is a floating-point type of TensorFlow or a policy such as 'mixed_bfloat16', "
            f"got {dtype!r}."
        )
    return given


def exactly(types: Precision) -> AbstractContextManager[object]:
    """Make layers with these types, whatever the policy of the program."""
    return setting(_AROUND, types)


def within(types: Precision) -> AbstractContextManager[object]:
    """Let what a layer makes meanwhile have its types, if it has types of its own."""
    return nullcontext() if types.of_input else exactly(types)


def _of(dtype: Any) -> Precision:
    """Return what a policy says; with a type, both are that."""
    named = (getattr(dtype, name, dtype) for name in ("variable_dtype", "compute_dtype"))
    return Precision(*map(tf.as_dtype, named))


def first_float(values: Any) -> tf.DType:
    """Return the type of the first floating-point tensor or spec, float32 if there is none."""
    dtypes = (getattr(value, "dtype", None) for value in leaves(values))
    return next((d for d in dtypes if isinstance(d, tf.DType) and d.is_floating), tf.float32)


def cast(values: Any, dtype: tf.DType | None) -> Any:
    """Return the structure with every floating-point tensor in this type."""
    if dtype is None:
        return values

    def change(value: Any) -> Any:
        is_other = tf.is_tensor(value) and value.dtype.is_floating and value.dtype != dtype
        return tf.cast(value, dtype) if is_other else value

    return rebuild(values, change)


def wide(dtype: tf.DType) -> tf.DType:
    """Return float32 for floating-point numbers of fewer bits, others as they are.

    Examples
    --------
    >>> wide(tf.bfloat16), wide(tf.float64), wide(tf.int8)
    (tf.float32, tf.float64, tf.int8)
    """
    return tf.float32 if dtype.is_floating and dtype.size < tf.float32.size else dtype


def widened(tensor: tf.Tensor) -> tf.Tensor:
    """Return a tensor in 32 bits at least: sums and squares of 16 overflow, or lose what is small.

    Examples
    --------
    >>> widened(tf.constant(1, tf.float16)).dtype, widened(tf.constant(1, tf.float64)).dtype
    (tf.float32, tf.float64)
    """
    dtype = wide(tensor.dtype)
    return tensor if dtype == tensor.dtype else tf.cast(tensor, dtype)


def mean(tensor: tf.Tensor, axes: Any) -> tf.Tensor:
    """Return the mean in the type of the tensor, summed in 32 bits at least.

    Examples
    --------
    >>> float(mean(tf.fill([100, 100], tf.constant(8, tf.float16)), [0, 1]))
    8.0
    """
    return tf.cast(tf.reduce_mean(widened(tensor), axes), tensor.dtype)


def require_floats(owner: Any, tensor: tf.Tensor) -> None:
    """Raise InvalidArgument for integers, to which a result between them would be cut."""
    if tensor.dtype.is_integer or tensor.dtype.is_bool:
        raise InvalidArgument(
            f"{owner!r}: it computes with floating-point numbers, got {tensor.dtype.name}. Cast "
            "the input with tf.cast(x, tf.float32)."
        )


@contextmanager
def stand_in(thing: T, dtype: tf.DType) -> Iterator[T]:
    """Compute with a double of ``thing`` whose trainable variables are cast to ``dtype``.

    So ``forward`` is written once for every precision. Other variables are left as they are, since
    they may be assigned to.
    """

    def is_cast(value: Any) -> bool:
        return isinstance(value, tf.Variable) and value.trainable and value.dtype.is_floating

    def change(value: Any) -> Any:
        return tf.cast(value, dtype) if is_cast(value) else value

    attributes = list(vars(thing).items())  # another thread may add to them
    casts = {
        name: rebuild(value, change)
        for name, value in attributes
        if any(map(is_cast, leaves(value)))  # other containers may be changed in place
    }
    with double(thing, casts) as standing:
        yield standing


@contextmanager
def double(thing: T, attributes: Mapping[str, Any]) -> Iterator[T]:
    """Compute with a double of ``thing`` that has other values in these attributes.

    What ``forward`` stores in an attribute of the double is stored in ``thing`` afterwards.
    """
    standing = object.__new__(type(thing))
    # Past __setattr__: a tf.Module would track the values as parts of a checkpoint.
    vars(standing).update({**vars(thing), **attributes})
    before = dict(vars(standing))
    yield standing
    for name, value in vars(standing).items():
        if before.get(name, standing) is not value:
            setattr(thing, name, value)
