"""Weights in files: safetensors, npz by position, npz by name, HDF5, and TensorFlow checkpoints.

| format | extension | what it holds |
|---|---|---|
| `"safetensors"` | `.safetensors` | arrays by name |
| `"npz"` | `.npz` | arrays by position, in the order of creation |
| `"npz_dict"` | (give the format) | arrays by name |
| `"hdf5"` | `.hdf5`, `.h5`, or none | arrays by name |
| `"ckpt"` | `.ckpt` | a TensorFlow checkpoint: arrays by name |
| `"keras"` | `.keras` | a whole model of Keras 3, of which the arrays are read |

HDF5 files are also read as TensorLayer 2.x and Keras wrote them. An `.npz` that was written by name
is read by name, whichever format is given. Names of others are mapped to those of the model, see
[`tensorlayer.models.matching`][].

A file is written beside its place and then moved there, so it is never half a file. Before anything
is read, names, shapes and types are compared; before anything is assigned, everything is read.
Nothing is pickled.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import (
    InvalidArgument,
    StructureMismatch,
    did_you_mean,
)
from tensorlayer.models import checkpoint, matching, synonyms
from tensorlayer.models.casting import in_type_of, in_types_of_numpy, require_kinds, some
from tensorlayer.models.matching import Skipped
from tensorlayer.models.stored import NAMES, Pairs, Stored, by_name, opened, require_hdf5_names
from tensorlayer.whole import whole_file

__all__ = [
    "assign",
    "by_position",
    "format_of",
    "load",
    "load_texts",
    "restore",
    "room_bytes",
    "save",
    "save_safetensors",
    "values_of",
]

_log = logging.getLogger(__name__)

Arrays = dict[str, np.ndarray]

_MARGIN_BYTES = 2**28


def format_of(path: str | os.PathLike[str], format: str | None = None) -> str:
    """Return the format of a file: the one given, or that of the extension.

    Examples
    --------
    >>> format_of("model.h5"), format_of("model.npz", "npz_dict"), format_of("model.ckpt-100")
    ('hdf5', 'npz_dict', 'ckpt')
    """
    if format is None:
        suffix = Path(path).suffix.lower().lstrip(".").partition("-")[0]
        format = {"h5": "hdf5", "": "hdf5"}.get(suffix, suffix)
    if format not in {*_WRITERS, *_READ_ONLY}:
        raise InvalidArgument(
            f"weights format {format!r} of {str(path)!r} is unknown. "
            f"{did_you_mean(format, [*_WRITERS, *_READ_ONLY])}"
        )
    return format


# -- files


def save(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], format: str) -> None:
    """Write the arrays; the file appears whole or not at all."""
    if format not in _WRITERS:
        raise InvalidArgument(
            f"weights are not written as {format!r}: {_READ_ONLY[format]}. "
            f"{did_you_mean(format, _WRITERS)}"
        )
    _WRITERS[format](path, dict(arrays))


def load(path: str | os.PathLike[str], format: str) -> Arrays:
    """Read the arrays, whatever their size; [`restore`][] compares before it reads.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    Corrupt
        It is not a file of this format.
    """
    with opened(path, format) as pairs:
        return {name: stored.read() for name, stored in by_name(pairs).items()}


def save_safetensors(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    texts: dict[str, str] | None = None,
) -> None:
    """Write a safetensors file, which may also carry texts, such as the model's config."""
    from safetensors.numpy import save_file

    # Not ascontiguousarray, which makes a list of a number.
    dense = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    with whole_file(path) as temporary:
        save_file(dense, temporary, metadata=texts)


def load_texts(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the texts in a file of [`save_safetensors`][]."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return file.metadata() or {}


def room_bytes(pairs: Pairs) -> int:
    """Return how much memory the variables of a model with these arrays may take."""
    # Eight bytes for each number, and what layers may keep beside their parameters.
    return 8 * sum(math.prod(stored.shape) for _, stored in pairs) + _MARGIN_BYTES


# -- what is in a file becomes what is in a model


def restore(
    parameters: Mapping[str, tf.Variable],
    path: str | os.PathLike[str],
    format: str,
    skip: bool = False,
    in_order: bool | None = None,
    names: matching.Names | None = None,
) -> Skipped:
    """Give every variable the array that a file holds for it; see [`assign`][].

    Parameters
    ----------
    parameters
        Variables by name.
    path, format
        The file.
    skip
        Pass over what does not fit.
    in_order
        Whether places count and not names; None for that only where the file has no names.
    names
        What parameters are called in the file, see [`tensorlayer.models.matching`][].

    Raises
    ------
    FileNotFoundError, Corrupt, StructureMismatch
        As for [`load`][] and [`assign`][].
    InvalidArgument
        The names fit neither the parameters nor each other, or places are to count.
    """
    if names is not None and in_order:
        raise InvalidArgument("load_weights: names and in_order=True contradict each other.")
    there = None if names is None else matching.names_there(parameters, names)
    with opened(path, format) as pairs:
        if in_order:
            places = {str(place): stored for place, (_, stored) in enumerate(pairs)}
            return assign(parameters, by_position(parameters, places), skip)
        found: Mapping[str, Stored] = by_name(pairs)
        if format == "ckpt":
            wanted = set(parameters if there is None else there.values())
            found = checkpoint.without_training(found, wanted)
        if there is not None:
            return _assign(parameters, matching.matched(there, found), skip, there)
        if format == "npz":
            found = _positional(parameters, found)
        return assign(parameters, found if skip else by_any_name(parameters, found), skip)


def by_any_name(
    parameters: Mapping[str, tf.Variable], found: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return arrays under the names of the parameters, if those are synonyms; else as they are."""
    if set(parameters) == set(found):
        return found
    return synonyms.renamed(parameters, found) or found


def _positional(
    parameters: Mapping[str, tf.Variable], found: Mapping[str, Stored]
) -> Mapping[str, Stored]:
    """Return arrays without names under those of the parameters, and others as they are."""
    places = [f"arr_{index}" for index in range(len(found))]  # how NumPy calls them
    if set(found) != set(places):
        return found
    return by_position(parameters, {place: found[place] for place in places})


def assign(
    parameters: Mapping[str, tf.Variable],
    arrays: Mapping[str, np.ndarray | Stored],
    skip: bool = False,
) -> Skipped:
    """Give every variable the array of its name, all or none.

    Parameters
    ----------
    parameters
        Variables by name.
    arrays
        Arrays by name, or arrays in an open file, which are read when all of them fit.
    skip
        Pass over what does not fit, as one does when only a part is to be restored: names that only
        one side has, and arrays of another shape, such as the head for another number of classes.
        A warning is logged that says what.

    Returns
    -------
    Skipped
        What was passed over.

    Raises
    ------
    StructureMismatch
        Names or shapes do not agree, with ``skip`` all of them, or an array does not hold numbers,
        or ones that the type of the variable would cut. The message lists how, and nothing was
        assigned.
    InvalidArgument
        Variables of a TensorFlow 1 graph: assigning only plans an operation there.
    """
    there = {name: name for name in parameters}
    return _assign(parameters, matching.matched(there, arrays), skip, there)


def _assign(
    parameters: Mapping[str, tf.Variable],
    matched: matching.Matched,
    skip: bool,
    there: Mapping[str, str],
) -> Skipped:
    arrays = matched.arrays
    _require_values(list(parameters.values()), "tl.files.load_and_assign_npz(..., sess=session)")
    common = [name for name in parameters if name in arrays]
    require_kinds({name: (arrays[name].dtype, parameters[name].dtype) for name in common})
    sizes = {name: (tuple(parameters[name].shape), tuple(arrays[name].shape)) for name in common}
    reshaped = {name: size for name, size in sizes.items() if size[0] != size[1]}
    skipped = Skipped(
        tuple(name for name in parameters if name not in arrays),
        matched.left,
        tuple(reshaped),
        tuple(f"{n} is {a} in the model, {b} in the file" for n, (a, b) in reshaped.items()),
    )
    fitting = [name for name in common if name not in reshaped]
    if skipped and (not skip or not fitting):
        remedy = "they have nothing in common" if skip else "skip=True passes over what does not"
        missing = {name: there.get(name, name) for name in skipped.missing}
        raise StructureMismatch(
            f"the weights do not fit the model; {skipped}. Nothing was assigned: {remedy}."
            f"{matching.closest(missing, skipped.unexpected)}"
        )
    values = {
        name: tf.constant(in_type_of(name, _read(arrays[name]), parameters[name].dtype))
        for name in fitting
    }
    for name, value in values.items():
        parameters[name].assign(value)
    skipped = dataclasses.replace(skipped, loaded=tuple(fitting))
    if skipped:
        _log.warning("some weights were skipped; %s", skipped)
    return skipped


def values_of(parameters: Mapping[str, tf.Variable]) -> Arrays:
    """Return the values of variables; in a TensorFlow 1 graph those in the default session.

    Raises
    ------
    InvalidArgument
        There is a graph and no session.
    """
    variables = list(parameters.values())
    session = tf.compat.v1.get_default_session()
    if session is not None and all(getattr(v, "graph", None) is session.graph for v in variables):
        return dict(zip(parameters, session.run(variables), strict=True))
    _require_values(variables, "tl.files.save_npz_dict(net.all_params, path, sess=session)")
    return {name: variable.numpy() for name, variable in parameters.items()}


def _require_values(variables: Sequence[Any], remedy: str) -> None:
    """Refuse variables that have values in a session only."""
    is_graph = not tf.executing_eagerly() and not tf.inside_function()
    if is_graph and any(isinstance(variable, tf.Variable) for variable in variables):
        raise InvalidArgument(
            "weights: in a TensorFlow 1 graph variables have values in a session only, which a "
            f"model does not know. Use {remedy}, or read them within `with session.as_default():`."
        )


def _read(array: np.ndarray | Stored) -> np.ndarray:
    return array.read() if isinstance(array, Stored) else array


def by_position(parameters: Mapping[str, tf.Variable], arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays under the names of the parameters in the same place.

    Raises
    ------
    StructureMismatch
        There are more or fewer arrays than parameters.
    """
    if len(parameters) != len(arrays):
        raise StructureMismatch(
            f"the file holds {len(arrays)} arrays and the model {len(parameters)} parameters: "
            f"{some(list(parameters))}. By position both have to be the same."
        )
    return dict(zip(parameters, arrays.values(), strict=True))


# -- writing


def _save_npz(path: str | os.PathLike[str], arrays: Arrays) -> None:
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, *in_types_of_numpy(arrays).values())


def _save_npz_dict(path: str | os.PathLike[str], arrays: Arrays) -> None:
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **in_types_of_numpy(arrays))


def _save_hdf5(path: str | os.PathLike[str], arrays: Arrays) -> None:
    import h5py

    require_hdf5_names([NAMES, *arrays])
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        # A dataset, not an attribute: those end at 64 KB.
        file.create_dataset(NAMES, data=json.dumps(list(arrays)))
        for name, array in in_types_of_numpy(arrays).items():
            file.create_dataset(name, data=array)


#: Formats that others write, and how.
_READ_ONLY = {"keras": "Keras does that, for a Keras model with model.as_keras() in it"}

_WRITERS: dict[str, Callable[[str | os.PathLike[str], Arrays], None]] = {
    "safetensors": save_safetensors,
    "npz": _save_npz,
    "npz_dict": _save_npz_dict,
    "hdf5": _save_hdf5,
    "ckpt": checkpoint.write,
}
