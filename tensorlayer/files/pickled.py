"""Pickled arrays of older programs, read without executing anything.

Unpickling can call any function that the file names. TensorLayer writes no pickles, but archives of
earlier releases hold their arrays as pickled objects, and so do some well-known datasets. This
module reads them with a decoder that knows the few names by which NumPy describes an array and
nothing else. Even these do not lead to NumPy: each stands for a small record of this module, and
the array is made from the record afterwards, with type, shape and length checked. What a pickle
consists of is looked through before ([`tensorlayer.files.opcodes`][]).

What may come out: arrays of numbers and text, object arrays, lists, tuples and dictionaries of
those, numbers, text, bytes, booleans and None. Anything else is refused before it exists.
"""

from __future__ import annotations

import io
import math
import pickle  # noqa: TID251 - the one place; see above
import re
from typing import Any, BinaryIO

import numpy as np

from tensorlayer.errors import Corrupt
from tensorlayer.files.opcodes import check

__all__ = ["load", "loads"]

#: How deep lists, tuples, dictionaries and object arrays may be nested. The archives need three
#: levels; a bound keeps a hostile file from exhausting the stack.
MAX_DEPTH = 32

_ATOMS = frozenset({int, float, str, bytes, bool, type(None)})
# Booleans, integers, floats, complex numbers, bytes, text; the letters are NumPy's.
_TYPE_CODE = re.compile(r"[biufcSU][0-9]{1,9}")
_BYTE_ORDERS = frozenset({"<", ">", "=", "|"})


def loads(data: bytes, encoding: str = "latin1") -> Any:
    r"""Return the arrays and plain values in ``data``; see [`load`][].

    Examples
    --------
    >>> loads(b"(lp0\nI1\naI2\na.")
    [1, 2]
    >>> loads(b"cos\nsystem\n(S'reboot'\ntR.")
    Traceback (most recent call last):
    tensorlayer.errors.Corrupt: The pickle names 'os.system'...
    """
    return load(io.BytesIO(data), encoding)


def load(file: BinaryIO, encoding: str = "latin1") -> Any:
    """Return the arrays and plain values of one pickle.

    Parameters
    ----------
    file
        Open for reading in binary mode; it is read to its end.
    encoding
        How the byte strings of Python 2 become text. Latin-1 maps each byte to one letter, so that
        the raw numbers of an array come back as they were.

    Raises
    ------
    Corrupt
        The pickle names anything but NumPy's arrays, or is damaged. Nothing was executed.
    """
    try:
        data = file.read()
        check(data)
        return _Reader().plain(_Decoder(io.BytesIO(data), encoding=encoding).load())
    except _DAMAGE as error:
        raise Corrupt(
            f"The pickle is damaged ({type(error).__name__}: {error}). Get the file again."
        ) from error


# MemoryError and RecursionError: lengths and depths in a damaged file are anything.
_DAMAGE = (
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    RecursionError,
)


# -- what the names stand for; no record has an attribute that a pickle could set


class _Record:
    __slots__ = ("state",)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Record):
    """Stands for ``numpy.ndarray``: its state is (version, shape, dtype, is_fortran, data)."""

    __slots__ = ()


class _Type(_Record):
    """Stands for ``numpy.dtype``: the code, and the byte order in the state."""

    __slots__ = ("code",)

    def __init__(self, code: Any, *_: Any) -> None:
        self.code = code
        self.state = (3, "|")


class _Reconstruct(_Record):
    """Stands for ``_reconstruct(ndarray, (0,), b"b")``, an array that gets its state later."""

    __slots__ = ()

    def __new__(cls, kind: Any, *_: Any) -> Any:
        if kind is not _Array:
            raise ValueError("an array of a class of its own")
        return _Array()


class _Scalar(_Record):
    """Stands for ``scalar(dtype, data)``."""

    __slots__ = ()

    def __init__(self, kind: Any, data: Any = None) -> None:
        self.state = (1, (), kind, False, data)


class _Buffer(_Record):
    """Stands for ``_frombuffer(data, dtype, shape, order)`` of pickle protocol 5."""

    __slots__ = ()

    def __init__(self, data: Any, kind: Any, shape: Any, order: Any) -> None:
        self.state = (1, shape, kind, order == "F", data)


class _Encode(_Record):
    """Stands for ``_codecs.encode(text, "latin1")``: Python 3 writing bytes for Python 2."""

    __slots__ = ()

    def __new__(cls, text: str, encoding: str) -> Any:
        if encoding not in {"latin1", "latin-1"} or type(text) is not str:
            raise ValueError(f"text in the encoding {encoding!r}")
        return text.encode("latin-1")


class _Empty(_Record):
    """Stands for ``bytes()``: Python 3 writing no bytes for Python 2."""

    __slots__ = ()

    def __new__(cls) -> Any:
        return b""


_ADMITTED: dict[tuple[str, str], type] = {
    **{
        (f"numpy.{core}.{module}", name): record
        for core in ("core", "_core")
        for module, name, record in [
            ("multiarray", "_reconstruct", _Reconstruct),
            ("multiarray", "scalar", _Scalar),
            ("numeric", "_frombuffer", _Buffer),
        ]
    },
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _Encode,
    ("__builtin__", "bytes"): _Empty,
}


class _Decoder(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        if (module, name) not in _ADMITTED:
            raise Corrupt(
                f"The pickle names '{module}.{name}'. Only NumPy arrays, lists, tuples, "
                "dictionaries, numbers and text are read; nothing was executed. Save the data "
                "again with numpy.savez, where it was made."
            )
        return _ADMITTED[module, name]


# -- records become arrays


class _Reader:
    """Turns what the decoder returned into plain values, each shared part once."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        self._depth = 0

    def plain(self, value: Any) -> Any:
        if type(value) in _ATOMS:
            return value
        if id(value) not in self._done:
            if self._depth == MAX_DEPTH:
                raise ValueError(f"nested more than {MAX_DEPTH} levels deep, or in itself")
            self._depth += 1
            self._done[id(value)] = self._compound(value)
            self._depth -= 1
        return self._done[id(value)]

    def _compound(self, value: Any) -> Any:
        if type(value) in (list, tuple):
            if _ATOMS.issuperset(map(type, value)):  # a dataset's lists of numbers, at C speed
                return value
            return type(value)([self.plain(item) for item in value])
        if type(value) is dict:
            return {self._key(key): self.plain(item) for key, item in value.items()}
        if isinstance(value, (_Array, _Scalar, _Buffer)):
            array = self._array(*value.state[-4:])
            return array[()] if isinstance(value, _Scalar) else array
        raise ValueError(f"a {type(value).__name__} in it is neither an array nor a plain value")

    def _key(self, key: Any) -> Any:
        if type(key) not in _ATOMS:
            raise ValueError(f"a {type(key).__name__} as the key of a dictionary")
        return key

    def _array(self, shape: Any, kind: Any, is_fortran: Any, data: Any) -> np.ndarray:
        if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(f"the shape {shape!r}")
        if type(kind) is not _Type:
            raise ValueError("an array without a type")
        order, count = "F" if is_fortran else "C", math.prod(shape)
        if _text(kind.code) in {"O", "O4", "O8"}:
            return self._objects(data, count).reshape(shape, order=order)
        dtype = _dtype(kind)
        raw = data.encode("latin-1") if type(data) is str else bytes(memoryview(data))
        if len(raw) != count * dtype.itemsize:
            raise ValueError(f"{len(raw)} bytes for an array of {shape} {dtype}")
        flat = np.frombuffer(raw, dtype) if count else np.empty(0, dtype)
        return flat.reshape(shape, order=order).copy(order)

    def _objects(self, data: Any, count: int) -> np.ndarray:
        if type(data) is not list or len(data) != count:
            raise ValueError(f"an object array that does not hold {count} objects")
        array = np.empty(count, object)
        for i, item in enumerate(data):
            array[i] = self.plain(item)
        return array


def _dtype(kind: _Type) -> np.dtype:
    code, order = _text(kind.code), _text(kind.state[1])
    if not _TYPE_CODE.fullmatch(code) or order not in _BYTE_ORDERS:
        raise ValueError(f"an array of type {order!r}{code!r}")
    return np.dtype(order + code)


def _text(value: Any) -> str:
    if type(value) not in (str, bytes):
        raise ValueError(f"a {type(value).__name__} in the place of a type's name")
    return value if type(value) is str else value.decode("ascii")
