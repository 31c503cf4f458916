"""Arrays in the types of the variables that they are for, as long as nothing is cut.

Fewer digits are no loss: that is how weights of one precision are used in another. An imaginary
part, a fraction or a size that the other type does not have is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tensorlayer.errors import StructureMismatch

__all__ = ["in_type_of", "in_types_of_numpy", "require_kinds", "some"]


def require_kinds(dtypes: Mapping[str, tuple[np.dtype, tf.DType]]) -> None:
    """Refuse what the types alone tell, before any array is read.

    Parameters
    ----------
    dtypes
        By name, the type of the array and that of the variable.

    Raises
    ------
    StructureMismatch
        An array does not hold numbers, or complex ones for a real variable.
    """
    others = [f"{name} of {given}" for name, (given, _) in dtypes.items() if not _is_number(given)]
    if others:
        raise StructureMismatch(
            f"weights are numbers; the file holds {some(others)}. Nothing was assigned."
        )
    for name, (given, wanted) in dtypes.items():
        if tf.as_dtype(given).is_complex and not wanted.is_complex:
            raise _cut(name, given, wanted, "its imaginary part")


def in_type_of(name: str, array: np.ndarray, dtype: tf.DType) -> np.ndarray:
    """Return the array in the type of a variable.

    Raises
    ------
    StructureMismatch
        Something would be cut: fractions, or numbers beyond the range of the type.

    Examples
    --------
    >>> in_type_of("step", np.array([3.0]), tf.int64)
    array([3])
    >>> in_type_of("step", np.array([0.5]), tf.int64)
    Traceback (most recent call last):
    tensorlayer.errors.StructureMismatch: 'step' is float64 in the file and int64 in the model...
    """
    array = np.asarray(array)
    wanted = dtype.as_numpy_dtype
    if array.dtype == wanted:
        return array
    with np.errstate(all="ignore"):
        fitted = array.astype(wanted)
    if dtype.is_integer or dtype.is_bool:
        is_whole = np.array_equal(fitted.astype(array.dtype), array)
        # Back and forth is not enough: -1 as an unsigned number comes back as -1.
        if not is_whole or np.any((fitted < 0) != (array < 0)):
            raise _cut(name, array.dtype, dtype, "fractions or numbers beyond its range")
    elif np.any(np.isfinite(array) & ~np.isfinite(fitted)):
        raise _cut(name, array.dtype, dtype, "numbers beyond its range")
    return fitted


def in_types_of_numpy(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return arrays of types that NumPy lacks, such as bfloat16, in one that has their values.

    NumPy and HDF5 would write them as raw bytes, which nobody can read as numbers again.
    """
    values = {name: np.asarray(array) for name, array in arrays.items()}
    return {n: a.astype(np.float32) if _is_foreign(a.dtype) else a for n, a in values.items()}


def _is_foreign(dtype: np.dtype) -> bool:
    return dtype.kind == "V" and dtype.names is None and _is_number(dtype)


def _cut(name: str, given: np.dtype, wanted: tf.DType, what: str) -> StructureMismatch:
    return StructureMismatch(
        f"{name!r} is {given} in the file and {wanted.name} in the model, which would cut off "
        f"{what}. Nothing was assigned. Convert the array before if that is meant."
    )


def _is_number(dtype: np.dtype) -> bool:
    try:
        kind = tf.as_dtype(dtype)
    except TypeError:  # records, dates, raw bytes
        return False
    return kind.is_floating or kind.is_integer or kind.is_bool or kind.is_complex


def some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are.

    Examples
    --------
    >>> some(["a", "b", "c", "d", "e", "f", "g"])
    'a, b, c, d, e and 2 more'
    """
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
