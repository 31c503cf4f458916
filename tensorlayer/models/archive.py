"""A whole model in one file: structure, weights, and data of one's own.

| extension | what it holds |
|---|---|
| `.safetensors` | arrays by name; config and data as JSON beside them |
| `.h5`, `.hdf5` and every other | HDF5: arrays by name; config and data as JSON texts |

Reading looks at the file and not at its name. Whole models of TensorLayer 2.x are read too
([`tensorlayer.models.legacy`][]). Nothing in a file is executed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tensorlayer.damage import damage_as_corrupt
from tensorlayer.errors import Corrupt, InvalidArgument, NotSerializable, WeightsMissing
from tensorlayer.models import legacy, weights
from tensorlayer.models.casting import in_types_of_numpy
from tensorlayer.models.config import read_model
from tensorlayer.models.keras_config import settle
from tensorlayer.models.memory import machine_bytes, variables_within
from tensorlayer.models.stored import NAMES, Pairs, opened, read_text, require_hdf5_names
from tensorlayer.whole import whole_file

__all__ = ["load", "save", "save_hdf5"]

Place = str | os.PathLike[str]

#: Entries that are no arrays. Datasets, since an HDF5 attribute holds at most 64 KiB.
CONFIG, CUSTOM = "__config__", "__customized_data__"
#: Where TensorLayer 2.x put its structure.
LEGACY = "model_config"


def save(path: Place, model: Any, save_weights: bool, customized_data: Any) -> None:
    """Write a model into one file, which appears whole or not at all.

    Raises
    ------
    NotSerializable
        The structure holds what JSON cannot say, or `customized_data` does.
    """
    if Path(path).suffix.lower() != ".safetensors":
        save_hdf5(path, model, save_weights, customized_data)
        return
    config, custom = _texts(model, customized_data)
    arrays = model.to_arrays() if save_weights else {}
    weights.save_safetensors(path, arrays, {"config": config, "customized_data": custom})


def save_hdf5(path: Place, model: Any, save_weights: bool, customized_data: Any) -> None:
    """Do the same as HDF5, whatever the extension."""
    import h5py

    config, custom = _texts(model, customized_data)
    arrays = in_types_of_numpy(model.to_arrays()) if save_weights else {}
    contents = {CONFIG: config, CUSTOM: custom, NAMES: json.dumps(list(arrays)), **arrays}
    require_hdf5_names(list(contents))
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        for name, value in contents.items():
            file.create_dataset(name, data=value)


def _texts(model: Any, customized_data: Any) -> tuple[str, str]:
    try:
        custom = json.dumps(customized_data)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotSerializable(
            "save: customized_data is what JSON can hold: dictionaries, lists, text and numbers. "
            f"{error}."
        ) from error
    return json.dumps(model.config), custom


def load(
    base: type,
    path: Place,
    load_weights: bool = True,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Any:
    """Return the model in a file.

    Parameters
    ----------
    base
        The class that the model's is, or is below.
    path
        A file of [`save`][], or of ``Model.save`` of TensorLayer 2.x.
    load_weights
        Whether it gets the weights of the file; otherwise they are new.
    functions
        By the name of their layer, what a file of TensorLayer 2.x holds as pickled code.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    Corrupt
        It is damaged, or holds no structure.
    BrokenConfig
        The structure is none, or names what this program does not have or allow.
    WeightsMissing
        The file holds a structure alone, and its weights are wanted.
    StructureMismatch
        The weights are those of another structure.
    """
    with _opened(path) as whole:
        # Without weights nothing says how large the variables may be, but the machine.
        n_bytes = weights.room_bytes(whole.arrays) if whole.arrays else machine_bytes()
        with variables_within(n_bytes):
            if whole.is_legacy:
                names = frozenset(name for name, _ in whole.arrays)
                model = legacy.read_model(base, whole.config, names, functions or {})
            else:
                model = read_model(base, whole.config)
            vars(model)["customized_data"] = whole.custom  # a tf.Module would wrap it
            if load_weights:
                _assign(model, path, whole)
        return model


class _Whole(NamedTuple):
    """What an open file holds."""

    config: Any
    custom: Any
    arrays: Pairs = []  # noqa: RUF012 - nobody changes it
    is_legacy: bool = False


def _assign(model: Any, path: Place, whole: _Whole) -> None:
    try:
        parameters = model.parameters
    except InvalidArgument as error:  # some are made in the first call
        raise InvalidArgument(
            f"{error} To load {os.fspath(path)!r} into a model that makes weights when it "
            "is called, make the model, call it and use its load_weights(path)."
        ) from error
    if parameters and not whole.arrays:
        raise WeightsMissing(
            f"{os.fspath(path)!r} was saved without weights. Load it with load_weights=False."
        )
    found = dict(whole.arrays)
    weights.assign(parameters, weights.by_any_name(parameters, found))
    settle(model)


@contextmanager
def _opened(path: Place) -> Iterator[_Whole]:
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {os.fspath(path)!r}.")
    import h5py

    opener = _opened_hdf5 if h5py.is_hdf5(path) else _opened_safetensors
    with opener(path) as whole:
        yield whole


@contextmanager
def _opened_safetensors(path: Place) -> Iterator[_Whole]:
    with opened(path, "safetensors") as pairs:
        texts = weights.load_texts(path)
        if "config" not in texts:
            raise Corrupt(
                f"{str(path)!r} holds weights but no structure. Use load_weights on a model for it."
            )
        custom = _json(path, texts.get("customized_data", "null"))
        yield _Whole(_json(path, texts["config"]), custom, pairs)


@contextmanager
def _opened_hdf5(path: Place) -> Iterator[_Whole]:
    import h5py

    remedy = "Get or write it again, or take an older one."
    with damage_as_corrupt(path, "cannot be read as hdf5", remedy), h5py.File(path, "r") as file:
        is_legacy = LEGACY in file.attrs
        is_ours = CONFIG in file
        has_weights = NAMES in file or "layer_names" in file.attrs
        if is_legacy:
            config = legacy.parsed(str(file.attrs[LEGACY]))
            custom = legacy.customized_data(str(file.attrs.get("customized_data", None)))
        elif is_ours:
            config, custom = (_json(path, read_text(file, name)) for name in (CONFIG, CUSTOM))
    if not is_legacy and not is_ours:
        raise Corrupt(
            f"{str(path)!r} holds weights but no structure. Use load_weights on a model for it."
        )
    if not has_weights:
        yield _Whole(config, custom, is_legacy=is_legacy)
        return
    with opened(path, "hdf5") as pairs:
        yield _Whole(config, custom, pairs, is_legacy)


def _json(path: Place, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"the structure in {str(path)!r} is no JSON: {error}.") from error
