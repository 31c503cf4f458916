"""NumPy's files, also those of earlier releases that hold pickled object arrays.

``numpy.load`` either refuses object arrays or unpickles them, which executes what the file
says. The functions here read them with [`tensorlayer.files.pickled`][] instead.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from tensorlayer.damage import check_array_size, check_unpacked_size, damage_as_corrupt
from tensorlayer.errors import Corrupt
from tensorlayer.files import pickled

if TYPE_CHECKING:
    from tensorlayer.models.stored import Stored

_REMEDY = "Make it or get it again."

__all__ = ["opened_in_order", "read_in_order", "read_npy", "read_npz"]


def read_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of an npz archive by name, in the order of the file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    Corrupt
        It is damaged, no npz archive, or an object array in it holds more than arrays and plain
        values. Nothing was executed.

    Examples
    --------
    >>> np.savez("two.npz", w=np.eye(2), b=np.zeros(2))
    >>> {name: array.shape for name, array in read_npz("two.npz").items()}
    {'w': (2, 2), 'b': (2,)}
    """
    _require_file(path)
    with (
        damage_as_corrupt(path, "cannot be read as an npz archive", _REMEDY),
        zipfile.ZipFile(path) as archive,
    ):
        n_unpacked = sum(each.file_size for each in archive.filelist)
        check_unpacked_size(path, Path(path).stat().st_size, n_unpacked)
        return {
            name.removesuffix(".npy"): _read_member(archive, name) for name in archive.namelist()
        }


def read_in_order(path: str | os.PathLike[str]) -> list[np.ndarray]:
    """Return the arrays of an npz archive of weights in their order.

    TensorLayer 1.x and 2.x wrote them all as one pickled object array ``params``.

    Raises
    ------
    FileNotFoundError, Corrupt
        As for [`read_npz`][].
    """
    arrays = read_npz(path)
    if list(arrays) == ["params"]:
        return [_whole_array(item) for item in arrays["params"]]
    return list(arrays.values())


@contextmanager
def opened_in_order(path: str | os.PathLike[str]) -> Iterator[Sequence[np.ndarray | Stored]]:
    """Give what [`read_in_order`][] returns; arrays that are not pickled are not read yet."""
    from tensorlayer.models.stored import opened

    with ExitStack() as stack:
        try:
            pairs = stack.enter_context(opened(path, "npz"))
        except Corrupt:  # pickled; or damaged, and read_in_order says so
            pairs = []
        is_plain = pairs and pairs[0][0] != "params"
        yield [stored for _, stored in pairs] if is_plain else read_in_order(path)


def _whole_array(item: object) -> np.ndarray:
    """Undo what NumPy did to parameters of equal first dimension: an array of rows."""
    if isinstance(item, np.ndarray) and item.dtype == np.dtype(object):
        return np.stack([_whole_array(row) for row in item])
    return np.asarray(item)


def read_npy(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the array of an npy file.

    Raises
    ------
    FileNotFoundError, Corrupt
        As for [`read_npz`][].
    """
    _require_file(path)
    with (
        damage_as_corrupt(path, "cannot be read as an npy file", _REMEDY),
        open(path, "rb") as file,
    ):
        return _read_array(file, Path(path).stat().st_size)


def _read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as file:
        return _read_array(file, archive.getinfo(name).file_size)


def _read_array(file: BinaryIO, n_bytes: int) -> np.ndarray:
    major, _ = np.lib.format.read_magic(file)
    readers = {1: np.lib.format.read_array_header_1_0}
    shape, _, dtype = readers.get(major, np.lib.format.read_array_header_2_0)(file)
    if dtype.kind == "O":
        array = pickled.load(file)
        if not isinstance(array, np.ndarray) or array.shape != shape:
            raise ValueError(f"the header says an array of {shape}, the pickle something else")
        return array
    check_array_size(shape, dtype, n_bytes - file.tell())
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _require_file(path: str | os.PathLike[str]) -> None:
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {os.fspath(path)!r}.")
