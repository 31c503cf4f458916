"""Weights in files: safetensors, npz by position, npz by name, and HDF5.

====================  ==========================  ==========================================
format                extension                   what it holds
====================  ==========================  ==========================================
``"safetensors"``     ``.safetensors``            arrays by name; the default
``"npz"``             ``.npz``                    arrays by position, in the order of creation
``"npz_dict"``        (give the format)           arrays by name
``"hdf5"``            ``.hdf5``, ``.h5``          arrays by name
====================  ==========================  ==========================================

A file is written beside its place and then moved there, so it is never half a file. Reading assigns
nothing unless everything fits. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from tensorlayer.errors import Corrupt, InvalidArgument, StructureMismatch, did_you_mean
from tensorlayer.whole import whole_file

__all__ = [
    "assign",
    "by_position",
    "format_of",
    "load",
    "load_with_text",
    "save",
    "save_with_text",
]

Arrays = dict[str, np.ndarray]

_OLD_ARCHIVE = (
    " An archive of TensorLayer 1.x or 2.x is read by tl.files.load_and_assign_npz, without "
    "executing what it holds."
)


def format_of(path: str | os.PathLike[str], format: str | None = None) -> str:
    """Return the format of a file: the one given, or that of the extension.

    Examples
    --------
    >>> format_of("model.h5"), format_of("model.npz", "npz_dict")
    ('hdf5', 'npz_dict')
    """
    if format is None:
        suffix = Path(path).suffix.lower().lstrip(".")
        format = {"h5": "hdf5"}.get(suffix, suffix)
    if format not in _FORMATS:
        raise InvalidArgument(
            f"weights format {format!r} of {str(path)!r} is unknown. "
            f"{did_you_mean(format, _FORMATS)}"
        )
    return format


def save(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], format: str) -> None:
    """Write the arrays; the file appears whole or not at all."""
    with whole_file(path) as temporary:
        _FORMATS[format][0](temporary, dict(arrays))


def load(path: str | os.PathLike[str], format: str) -> Arrays:
    """Read the arrays.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    Corrupt
        It is not a file of this format.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no weights file {str(path)!r}.")
    try:
        return _FORMATS[format][1](Path(path))
    except (ValueError, OSError, KeyError, EOFError) as error:
        hint = _OLD_ARCHIVE if "allow_pickle" in str(error) else ""
        raise Corrupt(f"{str(path)!r} cannot be read as {format}: {error}{hint}") from error


def save_with_text(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], text: str
) -> None:
    """Write a safetensors file that also carries a text: the model's config."""
    from safetensors.numpy import save_file

    with whole_file(path) as temporary:
        save_file(_contiguous(arrays), temporary, metadata={"config": text})


def load_with_text(path: str | os.PathLike[str]) -> tuple[Arrays, str]:
    """Return what :func:`save_with_text` wrote."""
    from safetensors import SafetensorError, safe_open

    arrays = load(path, "safetensors")
    try:
        with safe_open(path, framework="numpy") as file:
            return arrays, file.metadata()["config"]
    except (SafetensorError, KeyError, TypeError) as error:
        raise Corrupt(
            f"{str(path)!r} holds weights but no structure. Use load_weights on a model for it."
        ) from error


# -- what is in a file becomes what is in a model


def assign(
    parameters: Mapping[str, tf.Variable], arrays: Mapping[str, np.ndarray], skip: bool = False
) -> None:
    """Give every variable the array of its name, all or none.

    Parameters
    ----------
    parameters, arrays
        By name.
    skip
        Pass over names that only one side has, as one does when only a part is to be restored.
        Shapes have to agree all the same.

    Raises
    ------
    StructureMismatch
        Names or shapes do not agree; the message lists how, and nothing was assigned.
    """
    missing = [name for name in parameters if name not in arrays]
    unexpected = [name for name in arrays if name not in parameters]
    common = [name for name in parameters if name in arrays]
    shapes = [
        f"{name} is {tuple(parameters[name].shape)} in the model, {arrays[name].shape} in the file"
        for name in common
        if tuple(parameters[name].shape) != tuple(arrays[name].shape)
    ]
    if shapes or ((missing or unexpected) and not skip):
        problems = [f"missing: {_some(missing)}"] * bool(missing and not skip)
        problems += [f"not in the model: {_some(unexpected)}"] * bool(unexpected and not skip)
        problems += [f"other shapes: {_some(shapes)}"] * bool(shapes)
        raise StructureMismatch(
            f"the weights do not fit the model; {'; '.join(problems)}. Nothing was assigned. "
            "With skip=True, names that only one side has are passed over."
        )
    for name in common:
        parameters[name].assign(tf.cast(arrays[name], parameters[name].dtype))


def by_position(parameters: Mapping[str, tf.Variable], arrays: Mapping[str, np.ndarray]) -> Arrays:
    """Return the arrays under the names of the parameters in the same place.

    Raises
    ------
    StructureMismatch
        There are more or fewer arrays than parameters.
    """
    if len(parameters) != len(arrays):
        raise StructureMismatch(
            f"the file holds {len(arrays)} arrays and the model {len(parameters)} parameters: "
            f"{_some(list(parameters))}. By position both have to be the same."
        )
    return dict(zip(parameters, arrays.values(), strict=True))


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


# -- formats

#: Where an HDF5 file keeps the names of its arrays, in order.
_NAMES = "__names__"


def _save_safetensors(path: Path, arrays: Arrays) -> None:
    from safetensors.numpy import save_file

    save_file(_contiguous(arrays), path)


def _contiguous(arrays: Mapping[str, np.ndarray]) -> Arrays:
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _load_safetensors(path: Path) -> Arrays:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _save_npz(path: Path, arrays: Arrays) -> None:
    with path.open("wb") as file:
        np.savez(file, *arrays.values())


def _save_npz_dict(path: Path, arrays: Arrays) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)


def _load_npz(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as file:
        # TensorLayer 1.x and 2.x wrote the names of TensorFlow's outputs, with :0 at the end.
        return {name.removesuffix(":0"): file[name] for name in file.files}


def _save_hdf5(path: Path, arrays: Arrays) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        # A dataset, not an attribute: those end at 64 KB.
        file.create_dataset(_NAMES, data=json.dumps(list(arrays)))
        for name, array in arrays.items():
            file.create_dataset(name, data=array)


def _load_hdf5(path: Path) -> Arrays:
    import h5py

    with h5py.File(path, "r") as file:
        return {name: file[name][()] for name in json.loads(file[_NAMES][()])}


_FORMATS: dict[str, tuple[Callable[[Path, Arrays], None], Callable[[Path], Arrays]]] = {
    "safetensors": (_save_safetensors, _load_safetensors),
    "npz": (_save_npz, _load_npz),
    "npz_dict": (_save_npz_dict, _load_npz),
    "hdf5": (_save_hdf5, _load_hdf5),
}
