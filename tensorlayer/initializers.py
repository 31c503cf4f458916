"""Initial values of parameters.

An initializer is called with a shape and a dtype and returns the value. Those of this module are
plain values: two with the same arguments are equal, and they go into a model's ``config`` as they
are. Wherever the library takes an initializer it also accepts any other callable of a shape and a
dtype, such as a Keras initializer; a name of this module (``"truncated_normal"``) or of Keras
(``"he_normal"``); a number or an array.

Those that draw follow ``tf.random.set_seed``. Keras initializers draw from seeds of their own:
``tf.keras.utils.set_random_seed`` sets both.

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
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape

__all__ = [
    "Initializer",
    "Zeros",
    "Ones",
    "Constant",
    "RandomUniform",
    "RandomNormal",
    "TruncatedNormal",
    "BilinearUpsampling",
    "zeros",
    "ones",
    "constant",
    "random_uniform",
    "random_normal",
    "truncated_normal",
    "deconv2d_bilinear_upsampling_initializer",
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
    """All zeros.

    Examples
    --------
    >>> Zeros()((2,)).numpy().tolist()
    [0.0, 0.0]
    """

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Return zeros."""
        return tf.zeros(shape, dtype)


@dataclasses.dataclass(frozen=True)
class Ones(Initializer):
    """All ones.

    Examples
    --------
    >>> Ones()((2,)).numpy().tolist()
    [1.0, 1.0]
    """

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

    Raises
    ------
    WrongShape
        When called: the value does not broadcast to the shape.

    Examples
    --------
    >>> Constant([1.0, 2.0])((2, 2)).numpy().tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """

    value: Any = 0

    def __post_init__(self) -> None:
        if isinstance(self.value, (np.ndarray, np.generic)):  # plain values compare and go to JSON
            object.__setattr__(self, "value", self.value.tolist())

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Return the value, broadcast to ``shape``."""
        value = tf.constant(self.value, dtype)
        wanted = tf.TensorShape(shape)
        if tf.broadcast_static_shape(value.shape, wanted) != wanted:
            raise WrongShape(
                f"Constant: a value of shape {value.shape} does not broadcast to the shape "
                f"{wanted} of the parameter."
            )
        return tf.broadcast_to(value, shape)


@dataclasses.dataclass(frozen=True)
class RandomUniform(Initializer):
    """Uniform on [minval, maxval).

    Parameters
    ----------
    minval, maxval
        The bounds.
    seed
        Of the operation; with ``None`` the global seed decides.

    Examples
    --------
    >>> values = RandomUniform(-1.0, 1.0)((100,)).numpy()
    >>> bool((-1 <= values).all() and (values < 1).all())
    True
    """

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Draw the tensor."""
        if self.seed is None and _is_large(shape, dtype):
            width = tf.constant(self.maxval, dtype) - tf.constant(self.minval, dtype)
            return _drawn_in_place(tf.raw_ops.RandomUniform, shape, dtype, width, self.minval)
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

    Examples
    --------
    >>> RandomNormal(mean=3.0, stddev=0.0)((2,)).numpy().tolist()
    [3.0, 3.0]
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Draw the tensor."""
        if self.seed is None and _is_large(shape, dtype):
            draw = tf.raw_ops.RandomStandardNormal
            return _drawn_in_place(draw, shape, dtype, self.stddev, self.mean)
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

    Examples
    --------
    >>> bool((abs(TruncatedNormal(stddev=0.5)((100,)).numpy()) <= 1.0).all())
    True
    """

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Draw the tensor."""
        if self.seed is None and _is_large(shape, dtype):
            draw = tf.raw_ops.TruncatedNormal
            return _drawn_in_place(draw, shape, dtype, self.stddev, self.mean)
        return tf.random.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


@dataclasses.dataclass(frozen=True)
class BilinearUpsampling(Initializer):
    r"""Filters of a transposed convolution that enlarges each channel by interpolation.

    In a filter of size $k$, with $f=\lceil k/2\rceil$ and the centre
    $c=(k-1)/2$, the value at $(x,y)$ is $(1-|x-c|/f)(1-|y-c|/f)$ from a channel
    to itself, and 0 to others. With strides of $f$ and ``SAME`` padding that is bilinear
    interpolation by a factor of $f$, but for the border.

    Raises
    ------
    WrongShape
        When called: the shape is not ``(k, k, n_out, n_in)`` with ``n_in >= n_out``.

    References
    ----------
    Long et al., "Fully convolutional networks for semantic segmentation", CVPR 2015.

    Examples
    --------
    >>> BilinearUpsampling()((4, 4, 1, 1)).numpy()[1, :, 0, 0].tolist()
    [0.1875, 0.5625, 0.5625, 0.1875]
    """

    #: What the function below and the errors call it.
    NAME: ClassVar[str] = "deconv2d_bilinear_upsampling_initializer"

    def __call__(self, shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Return the filters."""
        size, n_out, n_in = self.check(shape)
        factor = (size + 1) // 2
        tent = 1 - np.abs(np.arange(size) - (size - 1) / 2) / factor
        channels = np.eye(n_out, n_in)
        return tf.constant(np.einsum("x,y,oi->xyoi", tent, tent, channels), dtype)

    @classmethod
    def check(cls, shape: Sequence[int]) -> tuple[int, int, int]:
        """Return the filter's size, ``n_out`` and ``n_in`` of a shape that fits."""
        sizes = tuple(tf.TensorShape(shape).as_list())
        if len(sizes) != 4 or sizes[0] != sizes[1] or sizes[3] < sizes[2]:
            raise WrongShape(
                f"{cls.NAME}: the shape of the filters is (size, size, n_out, n_in) with n_in >= "
                f"n_out, got {sizes}. Each channel is enlarged on its own."
            )
        return sizes[0], sizes[2], sizes[3]


def deconv2d_bilinear_upsampling_initializer(shape: Sequence[int]) -> BilinearUpsampling:
    """Return the initializer of a transposed convolution that enlarges by interpolation.

    Parameters
    ----------
    shape
        Of the filters: ``(size, size, n_out, n_in)``. To enlarge by a factor, the size is
        ``2 * factor - factor % 2``.

    Returns
    -------
    BilinearUpsampling
        It computes the filters when it is called with the shape of the parameter.

    Raises
    ------
    WrongShape
        The filters are not square, or ``n_in`` is less than ``n_out``.

    Examples
    --------
    >>> init = deconv2d_bilinear_upsampling_initializer((3, 3, 1, 1))
    >>> init((3, 3, 1, 1)).numpy()[:, :, 0, 0].tolist()
    [[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]]
    """
    BilinearUpsampling.check(shape)
    return BilinearUpsampling()


#: From so many values on, 16 MB of 32 bits, the memory is worth tracing a function.
_MANY = 2**22


def _is_large(shape: Sequence[int], dtype: tf.DType) -> bool:
    if not tf.executing_eagerly():  # where a size may be a tensor
        return False
    return tf.TensorShape(shape).num_elements() >= _MANY and tf.as_dtype(dtype).is_floating


def _drawn_in_place(
    draw: Callable[..., tf.Tensor],
    shape: Sequence[int],
    dtype: tf.DType,
    factor: float | tf.Tensor,
    offset: float,
) -> tf.Tensor:
    """Return what ``tf.random`` returns, with one copy in memory instead of its three.

    Three copies of the largest weight of a VGG are more than twice all of its weights. What
    TensorFlow computes within a graph, it computes in place.
    """
    # Before tracing: a graph numbers its operations, and equal graphs would draw the same. (With a
    # seed of one's own, each draw goes on where the last one ended, in no function.)
    numbers = tf.compat.v1.random.get_seed(None)
    seeds = {name: n or 0 for name, n in zip(("seed", "seed2"), numbers, strict=True)}

    @tf.function(autograph=False)
    def drawn() -> tf.Tensor:
        return draw(shape=shape, dtype=dtype, **seeds) * factor + offset

    return drawn()


zeros = Zeros
ones = Ones
constant = Constant
random_uniform = RandomUniform
random_normal = RandomNormal
truncated_normal = TruncatedNormal


_NAMED: dict[str, type[Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "random_uniform": RandomUniform,
    "random_normal": RandomNormal,
    "truncated_normal": TruncatedNormal,
    "bilinear_upsampling": BilinearUpsampling,
}


def get(init: Any) -> Callable[..., tf.Tensor]:
    """Return the initializer that ``init`` stands for.

    Parameters
    ----------
    init
        A callable, returned as it is; a class of initializers, for its defaults; a number or an
        array, for [`Constant`][]; or a name: of this module, such as ``"truncated_normal"``, or
        of Keras.

    Raises
    ------
    InvalidArgument
        It is none of these.

    Examples
    --------
    >>> get(0.5), get("ones")
    (Constant(value=0.5), Ones())
    >>> type(get("he_normal")).__name__
    'HeNormal'
    """
    if isinstance(init, type):
        return init()
    if callable(init):
        return init
    if isinstance(init, (int, float, list, np.ndarray, np.generic)):
        return Constant(init)
    if isinstance(init, str):
        return _NAMED[init]() if init in _NAMED else _from_keras(init)
    raise InvalidArgument(
        f"an initializer is a callable, a number, an array or a name, got {init!r}."
    )


def _from_keras(name: str) -> Callable[..., tf.Tensor]:
    # Not keras.initializers.get, which hands the name to a deserialiser: names come from files too.
    found = getattr(tf.keras.initializers, name, None)
    if isinstance(found, type) and issubclass(found, tf.keras.initializers.Initializer):
        return found()
    raise InvalidArgument(
        f"unknown initializer {name!r}. Give a callable, a number, an array, one of "
        f"{', '.join(map(repr, _NAMED))}, or the name of a Keras initializer such as "
        "'he_normal'."
    )
