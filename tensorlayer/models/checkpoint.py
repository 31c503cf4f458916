"""TensorFlow checkpoints of arrays by name: the format of ``tf.compat.v1.train.Saver``."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

from tensorlayer.locks import one_at_a_time
from tensorlayer.whole import local_path, work_folder

__all__ = ["is_parameter", "without_training", "write"]

T = TypeVar("T")

#: What TensorFlow reads from two slices: arrays of so many axes, of these types.
_MOST_AXES = 8
_JOINED = frozenset({"float32", "float64", "int32", "int64"})

#: The end of names in a checkpoint of `tf.train.Checkpoint`, behind the path of the object.
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"

# What training leaves in a checkpoint beside the parameters: slots of optimizers, counters.
_NOT_A_PARAMETER = re.compile(
    r"(^|/)(Adam(_\d+)?|Momentum|RMSProp(_\d+)?|Adagrad|Ftrl(_\d+)?|ExponentialMovingAverage|"
    r"beta[12]_power|global_step|save_counter|_CHECKPOINTABLE_OBJECT_GRAPH)$"
)


def is_parameter(name: str) -> bool:
    """Whether the name is not one of those that training leaves in a checkpoint.

    Examples
    --------
    >>> is_parameter("dense/weights"), is_parameter("dense/weights/Adam_1")
    (True, False)
    """
    own = name.removesuffix(_VALUE)
    is_of_optimizer = own != name and own.startswith("optimizer/")
    is_slot = "/.OPTIMIZER_SLOT/" in own
    return not (is_of_optimizer or is_slot or _NOT_A_PARAMETER.search(own))


def without_training(found: Mapping[str, T], wanted: Container[str]) -> dict[str, T]:
    """Return what is a parameter, or wanted, by the paths of the objects.

    Examples
    --------
    >>> found = {"d/w/.ATTRIBUTES/VARIABLE_VALUE": 1, "d/b": 2, "d/b/Adam": 3, "global_step": 4}
    >>> without_training(found, {"global_step"})
    {'d/w': 1, 'd/b': 2, 'global_step': 4}
    """
    own = {name: name.removesuffix(_VALUE) for name in found}
    return {own[n]: each for n, each in found.items() if own[n] in wanted or is_parameter(n)}


def write(prefix: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a checkpoint that ``tf.train.load_checkpoint(prefix)`` reads.

    It consists of an index and of one or two files of data: how many is in their names and in the
    index, and another number than before. So those of before and of now are there together, and it
    is the index alone, moved to its place in one operation, that says which of them count: also
    when the process is killed, there is the old checkpoint or the new one. Only one of a single
    number, or of a single array of another type than int or float of 32 or 64 bits, which two files
    cannot share, is missing for a moment. Who writes waits for others that write into the folder.

    Examples
    --------
    >>> write("model.ckpt", {"dense/weights": np.eye(2)})
    >>> tf.train.list_variables("model.ckpt")
    [('dense/weights', [2, 2])]
    """
    prefix = local_path(prefix)
    index = Path(f"{prefix}.index")
    prefix.parent.mkdir(parents=True, exist_ok=True)
    # Two writers would take one number of files, and put theirs among each other's.
    with one_at_a_time(prefix.parent), work_folder(prefix) as work:
        (work / "new").mkdir()
        n_before = _n_files(index)
        n = _save(work / "new" / "all", arrays, n_files=2 if n_before == 1 else 1)
        if n == n_before:
            index.unlink()  # without it there is no checkpoint, and never one of each
        for part in (work / "new").glob("all.data-*"):
            part.replace(f"{prefix}{part.suffix}")
        (work / "new" / "all.index").replace(index)
        for part in prefix.parent.glob(f"{glob.escape(prefix.name)}.data-*-of-*"):
            if not part.name.endswith(f"-of-{n:05d}"):
                part.unlink(missing_ok=True)


def _n_files(index: Path) -> int:
    """Return how many files of data an index is of; 0 if there is none.

    The first entry of the table, that of no name, says so in its first field.
    """
    try:
        with index.open("rb") as file:
            found = re.match(rb"\0\0.\x08(.)", file.read(8), re.DOTALL)
    except FileNotFoundError:
        return 0
    return found[1][0] if found else 0


def _save(prefix: Path, arrays: Mapping[str, np.ndarray], n_files: int) -> int:
    """Write a checkpoint of so many files of data, one or two, if that can be; return how many."""
    pieces = [_Piece(name, np.asarray(array)) for name, array in arrays.items()]
    if n_files == 2 and len(pieces) == 1:
        pieces = _halves(pieces[0])
    files = [each for each in (pieces[i::n_files] for i in range(n_files)) if each]
    prefixes = [f"{prefix}-{index}" for index in range(len(files))]
    # In a graph and session of its own: the caller may be inside a TensorFlow 1 graph.
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for each, path in zip(files, prefixes, strict=True):
            fed = [tf.compat.v1.placeholder(one.value.dtype, one.value.shape) for one in each]
            save = tf.raw_ops.SaveV2(
                prefix=path,
                tensor_names=[one.name for one in each],
                shape_and_slices=[one.place for one in each],
                tensors=fed,
            )
            session.run(save, {to: one.value for to, one in zip(fed, each, strict=True)})
        session.run(
            tf.raw_ops.MergeV2Checkpoints(
                checkpoint_prefixes=prefixes, destination_prefix=str(prefix), delete_old_dirs=False
            )
        )
    return len(files)


class _Piece(NamedTuple):
    """An array, or a part of one."""

    name: str
    value: np.ndarray
    place: str = ""  #: of a part in the array, as TensorFlow writes it; of a whole one none


def _halves(whole: _Piece) -> list[_Piece]:
    """Return both halves of an array along its longest axis, if TensorFlow can join them."""
    value = whole.value
    if value.size < 2 or value.ndim > _MOST_AXES or value.dtype.name not in _JOINED:
        return [whole]
    axis = int(np.argmax(value.shape))
    shape, half = " ".join(map(str, value.shape)), value.shape[axis] // 2

    def piece(start: int, stop: int) -> _Piece:
        ranges = ["-"] * value.ndim
        ranges[axis] = f"{start},{stop - start}"
        rows = np.take(value, range(start, stop), axis)
        return _Piece(whole.name, rows, f"{shape} {':'.join(ranges)}")

    return [piece(0, half), piece(half, value.shape[axis])]
