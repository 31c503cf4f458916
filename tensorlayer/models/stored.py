"""Arrays in files, known before they are read.

A small file can claim any size: an HDF5 dataset that was never written, a zip that unpacks to a
thousand times its length. So opening a file gives names, shapes and types; the numbers are read
after somebody has compared those with what he expects.
"""

from __future__ import annotations

import dataclasses
import functools
import glob
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tensorlayer.damage import check_array_size, check_unpacked_size, damage_as_corrupt
from tensorlayer.errors import NotSerializable, StructureMismatch
from tensorlayer.models.tensors import dtype_of

__all__ = [
    "NAMES",
    "Pairs",
    "Stored",
    "by_name",
    "is_there",
    "opened",
    "read_text",
    "require_hdf5_names",
]

#: Where an HDF5 file keeps the names of its arrays, in order.
NAMES = "__names__"

#: The names of a million parameters. What claims to be longer is no text.
_MAX_TEXT_BYTES = 2**26
#: NumPy itself takes headers of 10,000 bytes at most.
_HEADER_BYTES = 2**16

#: Where Keras 3 keeps weights in its archives, and what tells its HDF5 files from those of others.
_WEIGHTS_OF_KERAS = "model.weights.h5"
_OF_KERAS = frozenset({"vars", "layers", "_layer_checkpoint_dependencies"})
#: Groups in them that are no weights.
_OF_TRAINING = frozenset({"optimizer", "metrics", "compile_metrics", "_compile_metrics"})


@dataclasses.dataclass(frozen=True)
class Stored:
    """An array in an open file."""

    shape: tuple[int, ...]
    dtype: np.dtype
    #: returns the array, as long as the file is open
    read: Callable[[], np.ndarray]


Pairs = list[tuple[str, Stored]]


@contextmanager
def opened(path: str | os.PathLike[str], format: str) -> Iterator[Pairs]:
    """Give the names and arrays of a file of weights in their order, without reading the arrays.

    Parameters
    ----------
    path
        The file; for a checkpoint, its prefix.
    format
        ``"safetensors"``, ``"npz"``, ``"npz_dict"``, ``"hdf5"`` (also of TensorLayer 2.x and of
        Keras), ``"keras"`` or ``"ckpt"``.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    Corrupt
        It is not a whole file of this format; also when an array is read.

    Examples
    --------
    >>> np.savez("two.npz", w=np.eye(2), b=np.zeros(2))
    >>> with opened("two.npz", "npz") as pairs:
    ...     [(name, stored.shape) for name, stored in pairs], pairs[1][1].read().tolist()
    ([('w', (2, 2)), ('b', (2,))], [0.0, 0.0])
    """
    if not is_there(path, format):
        what = "checkpoint" if format == "ckpt" else "weights file"
        hint = _prefix_of(os.fspath(path)) if format == "ckpt" else ""
        raise FileNotFoundError(f"there is no {what} {os.fspath(path)!r}.{hint}")
    remedy = "Get or write it again, or take an older one."
    guard = functools.partial(damage_as_corrupt, path, f"cannot be read as {format}", remedy)
    with ExitStack() as stack:
        with guard():
            pairs = _OPENERS[format](stack, Path(path))
        yield [(name, dataclasses.replace(each, read=guard()(each.read))) for name, each in pairs]


def is_there(path: str | os.PathLike[str], format: str) -> bool:
    """Whether there is such a file, or checkpoint."""
    return Path(f"{os.fspath(path)}.index" if format == "ckpt" else path).is_file()


def _prefix_of(path: str) -> str:
    """Return a sentence about the checkpoint that is meant by one of its files, or its folder."""
    import tensorflow as tf

    prefix = re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", path)
    if prefix == path:
        folder = path if os.path.isdir(path) else os.path.dirname(path)
        prefix = tf.train.latest_checkpoint(folder) or ""
    is_one = is_there(prefix, "ckpt")
    return f" A checkpoint goes by what its files begin with: {prefix!r}." if is_one else ""


def by_name(pairs: Pairs) -> dict[str, Stored]:
    """Return the arrays by name.

    Raises
    ------
    StructureMismatch
        Several have the same name.
    """
    arrays = dict(pairs)
    if len(arrays) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise StructureMismatch(
            f"the file holds several arrays named {', '.join(twice[:5])}. Read it in order "
            "instead, with tl.files.load_hdf5_to_weights_in_order."
        )
    return arrays


def _open_safetensors(stack: ExitStack, path: Path) -> Pairs:
    from safetensors import safe_open

    file = stack.enter_context(safe_open(path, framework="numpy"))
    parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    return [
        (
            name,
            Stored(
                tuple(part.get_shape()),
                dtype_of(part.get_dtype()),
                functools.partial(file.get_tensor, name),
            ),
        )
        for name, part in parts.items()
    ]


def _open_npz(stack: ExitStack, path: Path) -> Pairs:
    archive = stack.enter_context(zipfile.ZipFile(path))
    n_unpacked = sum(each.file_size for each in archive.filelist)
    check_unpacked_size(path, path.stat().st_size, n_unpacked)
    # TensorLayer 1.x and 2.x wrote the names of TensorFlow's outputs, with :0 at the end.
    return [
        (name.removesuffix(".npy").removesuffix(":0"), _npy(archive, name))
        for name in archive.namelist()
    ]


def _npy(archive: zipfile.ZipFile, name: str) -> Stored:
    with archive.open(name) as member:
        head = io.BytesIO(member.read(_HEADER_BYTES))
    major, _ = np.lib.format.read_magic(head)
    readers = {1: np.lib.format.read_array_header_1_0}
    shape, _, dtype = readers.get(major, np.lib.format.read_array_header_2_0)(head)
    if dtype.hasobject:
        raise ValueError(
            f"{name!r} is pickled. An archive of TensorLayer 1.x or 2.x is read by "
            "tl.files.load_and_assign_npz, without executing what it holds"
        )
    n_bytes = archive.getinfo(name).file_size - head.tell()

    def read() -> np.ndarray:
        check_array_size(shape, dtype, n_bytes)
        return _read_npy(archive, name)

    return Stored(shape, dtype, read)


def _read_npy(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as member:
        array = np.lib.format.read_array(member, allow_pickle=False)
        if member.read(1):  # at the end, where the checksum is compared
            raise ValueError(f"{name!r} is longer than it says")
    return array


def _open_hdf5(stack: ExitStack, path: Path) -> Pairs:
    import h5py

    return _hdf5(stack.enter_context(h5py.File(path, "r")))


def _hdf5(file: Any) -> Pairs:
    """Return what an open HDF5 file holds, whoever wrote it."""
    whole = _inside(file, "model_weights") if "model_weights" in file else file  # of Keras 2
    if "layer_names" in whole.attrs:
        return _layers(whole)
    if NAMES not in file and not _OF_KERAS.isdisjoint(file):
        return _variables(file)
    return [(name, _dataset(file, name)) for name in json.loads(read_text(file, NAMES))]


def require_hdf5_names(names: Sequence[str]) -> None:
    """Refuse names under which HDF5 cannot hold arrays beside each other.

    Raises
    ------
    NotSerializable
        One is the path to another one: HDF5 has an array there or a group, not both.
    """
    # What HDF5 makes of a path: "a/./b" is "a/b".
    parts = [tuple(p for p in name.split("/") if p not in {"", "."}) for name in names]
    groups = {path[:length] for path in parts for length in range(len(path))}
    taken: set[tuple[str, ...]] = set()
    for name, path in zip(names, parts, strict=True):
        if path in groups or path in taken:
            raise NotSerializable(
                f"HDF5 cannot hold {name!r}: other arrays are stored below that name, or under it. "
                "Call the layer otherwise, or write safetensors."
            )
        taken.add(path)


def read_text(file: Any, name: str) -> str:
    """Return a text in an open HDF5 file; KeyError or ValueError if there is none."""
    dataset = file[name]
    if dataset.shape != () or dataset.dtype.itemsize > _MAX_TEXT_BYTES:
        raise ValueError(f"{name!r} is no text")
    return _text(dataset[()])


def _layers(group: Any) -> Pairs:
    """Return what TensorLayer 2.x wrote: a group for each layer, layers within layers."""
    pairs: Pairs = []
    names = [_text(name) for name in group.attrs["layer_names"]]
    if len(set(names)) < len(names):  # nested, they would be more with each level
        raise ValueError(f"a layer is named twice in {names}")
    for layer in [_inside(group, name) for name in names]:
        if "layer_names" in layer.attrs:
            pairs += _layers(layer)
        names = map(_text, layer.attrs.get("weight_names", ()))
        pairs += [(name.removesuffix(":0"), _dataset(layer, name)) for name in names]
    return pairs


def _variables(file: Any) -> Pairs:
    """Return what Keras 3 wrote: groups as it nests layers, in each of them ``vars/0``, ``vars/1``.

    Keras numbers layers of one class: ``layers/dense_1/vars/0``. What training left is not there.
    """
    import h5py

    names: list[str] = []

    def visit(name: str, thing: Any) -> None:
        parts = name.split("/")
        is_weight = parts[0] not in _OF_TRAINING and "seed_generator" not in parts
        if isinstance(thing, h5py.Dataset) and is_weight:
            names.append(name)

    file.visititems(visit)  # it follows no links, neither in circles nor to other files
    return [(name, _of_keras(_dataset(file, name), file[name])) for name in sorted(names, key=_key)]


def _key(name: str) -> list[tuple[int, str]]:
    """Return what sorts ``vars/10`` behind ``vars/9``."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def _of_keras(stored: Stored, dataset: Any) -> Stored:
    """Return an array with its type, where HDF5 has none for it."""
    if dataset.attrs.get("dtype") != "bfloat16" or stored.dtype.itemsize != 2:
        return stored
    dtype = dtype_of("BF16")
    return Stored(stored.shape, dtype, lambda: stored.read().view(dtype))


def _open_keras(stack: ExitStack, path: Path) -> Pairs:
    import h5py

    archive = stack.enter_context(zipfile.ZipFile(path))
    check_unpacked_size(path, path.stat().st_size, sum(each.file_size for each in archive.filelist))
    if _WEIGHTS_OF_KERAS not in archive.namelist():
        raise ValueError(f"there is no {_WEIGHTS_OF_KERAS!r} in it")
    unpacked = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    with archive.open(_WEIGHTS_OF_KERAS) as member:  # it ends where the archive says it does
        shutil.copyfileobj(member, unpacked)
    return _hdf5(stack.enter_context(h5py.File(unpacked, "r")))


def _dataset(group: Any, name: str) -> Stored:
    dataset = _inside(group, name)
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{name!r} lies in another file")
    return Stored(tuple(dataset.shape), dataset.dtype, lambda: dataset[()])


def _inside(group: Any, name: str) -> Any:
    """Return what a group holds, unless a link leads out of the file."""
    found = group[name]
    if found.file.filename != group.file.filename:
        raise ValueError(f"{name!r} lies in another file")
    return found


def _text(name: str | bytes) -> str:
    """Return a name that h5py 2 wrote as bytes and h5py 3 as text."""
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)


def _open_checkpoint(stack: ExitStack, path: Path) -> Pairs:
    import tensorflow as tf

    if set(str(path)) & set("*?[]\\"):  # signs that TensorFlow takes for a pattern
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        for file in path.parent.glob(f"{glob.escape(path.name)}.*"):
            Path(folder, "w" + file.name[len(path.name) :]).symlink_to(file.resolve())
        path = Path(folder, "w")
    reader = tf.train.load_checkpoint(str(path))
    dtypes = reader.get_variable_to_dtype_map()
    return [
        (
            name,
            Stored(
                tuple(shape),
                np.dtype(dtypes[name].as_numpy_dtype),
                functools.partial(reader.get_tensor, name),
            ),
        )
        for name, shape in sorted(reader.get_variable_to_shape_map().items())
    ]


_OPENERS: dict[str, Callable[[ExitStack, Path], Pairs]] = {
    "safetensors": _open_safetensors,
    "npz": _open_npz,
    "npz_dict": _open_npz,
    "hdf5": _open_hdf5,
    "ckpt": _open_checkpoint,
    "keras": _open_keras,
}
