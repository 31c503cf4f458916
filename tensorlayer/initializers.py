"""Initial values of parameters.

An initializer is called with a shape and a dtype and returns the value. Those of this module are
plain values: two with the same arguments are equal, and they go into a model's ``config`` as they
are. Wherever the library takes an initializer it also accepts a Keras initializer, the name of one
(``"he_normal"``), a number or an array.

Examples
--------
>>> Constant(2.0)((2,), tf.float32).numpy().tolist()
[2.0, 2.0]
>>> TruncatedNormal(stddev=0.1) == TruncatedNormal(stddev=0.1)
True
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument

__all__ = [
    "Initializer",
    "Zeros",
    "Ones",
    "Constant",
    "RandomUniform",
    "RandomNormal",
    "TruncatedNormal",
    "zeros",
    "ones",
    "constant",
    "random_uniform",
    "random_normal",
    "truncated_normal",
    "get",
]


class Initializer:
    """A value that makes tensors of a shape and a dtype: the base of all in this module."""

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Return a tensor of ``shape`` and ``dtype``."""
        raise TypeError(f"{type(self).__name__} has to define __call__(shape, dtype).")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal initializer."""
        return dataclasses.asdict(self) if dataclasses.is_dataclass(self) else {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Make the initializer that ``get_config`` described."""
        return cls(**config)


@dataclasses.dataclass(frozen=True)
class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Return zeros."""
        return tf.zeros(shape, dtype)


@dataclasses.dataclass(frozen=True)
class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Return ones."""
        return tf.ones(shape, dtype)


@dataclasses.dataclass(frozen=True)
class Constant(Initializer):
    """One value everywhere, or an array of the shape.

    Parameters
    ----------
    value
        A number, or nested lists or an array that broadcasts to the shape.
    """

    value: Any = 0

    def __post_init__(self) -> None:
        if isinstance(self.value, np.ndarray):  # plain lists compare and go into JSON
            object.__setattr__(self, "value", self.value.tolist())

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Return the value, broadcast to ``shape``."""
        return tf.broadcast_to(tf.constant(self.value, dtype), shape)


@dataclasses.dataclass(frozen=True)
class RandomUniform(Initializer):
    """Uniform on [minval, maxval).

    Parameters
    ----------
    minval, maxval
        The bounds.
    seed
        Of the operation; with ``None`` the global seed decides.
    """

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Draw the tensor."""
        return tf.random.uniform(shape, self.minval, self.maxval, dtype, self.seed)


@dataclasses.dataclass(frozen=True)
class RandomNormal(Initializer):
    """Normal with a mean and a standard deviation.

    Parameters
    ----------
    mean, stddev
        Of the distribution.
    seed
        Of the operation; with ``None`` the global seed decides.
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Draw the tensor."""
        return tf.random.normal(shape, self.mean, self.stddev, dtype, self.seed)


@dataclasses.dataclass(frozen=True)
class TruncatedNormal(RandomNormal):
    """Normal, drawn again beyond two standard deviations.

    Parameters
    ----------
    mean, stddev
        Of the normal distribution before it is truncated; 0.05 is small enough for stacked ReLUs.
    seed
        Of the operation; with ``None`` the global seed decides.
    """

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Draw the tensor."""
        return tf.random.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


zeros = Zeros
ones = Ones
constant = Constant
random_uniform = RandomUniform
random_normal = RandomNormal
truncated_normal = TruncatedNormal


def get(init: Any) -> Callable[..., tf.Tensor]:
    """Return the initializer that ``init`` stands for.

    Parameters
    ----------
    init
        A callable, returned as it is; a number or an array, for :class:`Constant`; or the name of a
        Keras initializer.

    Raises
    ------
    InvalidArgument
        It is none of these.

    Examples
    --------
    >>> get(0.5)
    Constant(value=0.5)
    >>> type(get("he_normal")).__name__
    'HeNormal'
    """
    if callable(init):
        return init
    if isinstance(init, (int, float, list, np.ndarray, np.generic)):
        return Constant(init)
    if isinstance(init, str):
        try:
            return tf.keras.initializers.get(init)
        except ValueError as error:
            raise InvalidArgument(
                f"unknown initializer {init!r}. Give a callable, a number, an array or the name of "
                "a Keras initializer such as 'he_normal'."
            ) from error
    raise InvalidArgument(
        f"an initializer is a callable, a number, an array or a name, got {init!r}."
    )
