"""Nested values in one file: ``save_any_to_npy`` and ``load_npy_to_any``.

Earlier releases pickled the value. Here the arrays are stored as arrays and the structure around
them as JSON, in one npz container: ``numpy.load`` opens it, whatever the name of the file ends
with, and nothing in it can be executed. Files of earlier releases are read as well.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from tensorlayer.errors import Corrupt, NotSerializable
from tensorlayer.files.npz import read_npy, read_npz
from tensorlayer.whole import whole_file

__all__ = ["load_npy_to_any", "save_any_to_npy"]

#: The entry with the structure.
TREE = "tree"


def save_any_to_npy(save_dict: Any = None, name: str | os.PathLike[str] = "file.npy") -> None:
    """Write a nested value into a file, which appears whole or not at all.

    Parameters
    ----------
    save_dict
        Dictionaries, lists and tuples of arrays, numbers, text, bytes, booleans and None. A single
        array becomes a plain npy file.
    name
        The path.

    Raises
    ------
    NotSerializable
        There is something else in it; the message says where.

    Examples
    --------
    >>> save_any_to_npy({"step": 3, "weights": [np.eye(2), np.zeros(2)]}, "state.npy")
    >>> load_npy_to_any(name="state.npy")["step"]
    3
    """
    if isinstance(save_dict, np.ndarray) and not save_dict.dtype.hasobject:
        with whole_file(name) as temporary, temporary.open("wb") as file:
            np.save(file, save_dict, allow_pickle=False)
        return
    arrays: list[np.ndarray] = []
    text = json.dumps(_describe(save_dict, arrays, "the value"))
    tree = np.frombuffer(text.encode(), np.uint8)
    with whole_file(name) as temporary, temporary.open("wb") as file:
        np.savez(file, **{TREE: tree}, **{str(i): array for i, array in enumerate(arrays)})


def load_npy_to_any(path: str | os.PathLike[str] = "", name: str = "file.npy") -> Any:
    """Return the value that [`save_any_to_npy`][] wrote, here or in an earlier release.

    Parameters
    ----------
    path
        The folder.
    name
        The file in it.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    Corrupt
        It is damaged, or a pickle in it holds more than arrays and plain values.
    """
    file = Path(path) / name
    if file.is_file() and file.read_bytes()[:2] == b"PK":
        arrays = read_npz(file)
        try:
            return _restore(json.loads(arrays[TREE].tobytes()), arrays)
        except (LookupError, TypeError, ValueError) as error:
            raise Corrupt(f"{str(file)!r} holds arrays but no valid structure: {error}.") from error
    array = read_npy(file)
    return array.item() if array.dtype == object and array.ndim == 0 else array


def _describe(value: Any, arrays: list[np.ndarray], place: str) -> Any:
    """Return the structure as JSON; the arrays go to ``arrays``."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, (list, tuple)):
        items = [_describe(item, arrays, f"{place}[{i}]") for i, item in enumerate(value)]
        return {type(value).__name__ if type(value) in (list, tuple) else "list": items}
    if isinstance(value, dict):
        return {"dict": [_describe_item(k, v, arrays, place) for k, v in value.items()]}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    array = np.asarray(value) if isinstance(value, (np.ndarray, np.generic, complex)) else None
    if array is None or array.dtype.hasobject:
        kind = f"a {type(value).__name__}" if array is None else "an array of objects"
        raise NotSerializable(
            f"save_any_to_npy: {place} is {kind}. Arrays, numbers, text, bytes, booleans, None and "
            "lists, tuples and dictionaries of those are saved; convert it first."
        )
    arrays.append(array)
    return {"array" if isinstance(value, np.ndarray) else "scalar": len(arrays) - 1}


def _describe_item(key: Any, value: Any, arrays: list[np.ndarray], place: str) -> list[Any]:
    return [
        _describe(key, arrays, f"a key of {place}"),
        _describe(value, arrays, f"{place}[{key!r}]"),
    ]


def _restore(node: Any, arrays: dict[str, np.ndarray]) -> Any:
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    if kind == "dict":
        return {_restore(key, arrays): _restore(value, arrays) for key, value in content}
    if kind in {"list", "tuple"}:
        items = [_restore(item, arrays) for item in content]
        return items if kind == "list" else tuple(items)
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind in {"array", "scalar"}:
        array = arrays[str(content)]
        return array if kind == "array" else array[()]
    raise ValueError(f"unknown kind of value {kind!r}")
