"""Models that are not of this library: Keras models, and plain dictionaries of arrays.

Neither TensorFlow nor Keras is imported unless a Keras model is saved or loaded. A Keras model is
its own JSON and its weights by the paths of its variables. The JSON may come from a stranger, so it
is looked at before Keras builds anything of it: what it names has to be a part of Keras that makes
layers, or registered with Keras by this very program.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tensorlayer.errors import BrokenConfig, InvalidArgument, NotSerializable, StructureMismatch
from tensorlayer.models.version import Savable

__all__ = ["Arrays", "KerasModel", "check_keras", "kind_of", "restore", "savable"]

#: Parts of Keras whose classes and functions compute, and do nothing else.
_PARTS = (
    *("activations", "constraints", "dtype_policies", "initializers", "layers", "losses"),
    *("metrics", "models", "ops", "optimizers", "quantizers", "random", "regularizers"),
)

#: How deep a model may be nested; Keras itself gives up earlier.
_DEEPEST = 100


class Arrays:
    """A dictionary of arrays, as `Models.save` takes it.

    Examples
    --------
    >>> Arrays({"w": [1.0, 2.0]}).to_arrays()
    {'w': array([1., 2.])}
    """

    config: dict[str, Any] = {"kind": "arrays"}  # noqa: RUF012 - nobody changes it

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        for name in arrays:
            if not isinstance(name, str) or name == "__metadata__" or not _is_unicode(name):
                raise NotSerializable(
                    f"A dictionary of arrays has the name {name!r:.80}. Names are strings of valid "
                    "Unicode, and not '__metadata__'."
                )
        self._arrays = {str(name): np.asanyarray(array) for name, array in arrays.items()}

    @property
    def structure_digest(self) -> str:
        """Hash of names, shapes and types."""
        return _digest(
            sorted([name, array.shape, array.dtype.name] for name, array in self._arrays.items())
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays."""
        return self._arrays


class KerasModel:
    """A built Keras model, as `Models.save` takes it.

    Two models that the same code has made are one structure, although Keras numbers their names.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        if not model.built:
            raise NotSerializable(
                f"Keras model {model.name!r} has no weights yet. Build it, or call it once."
            )

    @property
    def config(self) -> dict[str, Any]:
        """The JSON of Keras, without how the model was compiled."""
        try:
            described = json.loads(self._model.to_json())
        except (TypeError, ValueError, NotImplementedError) as error:
            raise NotSerializable(
                f"Keras model {self._model.name!r} cannot say its structure: {error}. Give its "
                "class get_config, or save a dictionary of its weights."
            ) from error
        described.pop("compile_config", None)
        return {"kind": "keras", "model": described}

    @property
    def structure_digest(self) -> str:
        """Hash of the kinds of layers, and of shapes and types of the weights, in order."""
        layers = list(_kinds(self._model))
        weights = [[each.name, list(each.shape), str(each.dtype)] for each in self._model.weights]
        return _digest([layers, weights])

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the weights by the paths of their variables."""
        arrays = {each.path: np.asarray(each) for each in self._model.weights}
        if len(arrays) < len(self._model.weights):
            raise NotSerializable(
                f"Keras model {self._model.name!r}: several variables have one path. Give its "
                "layers names of their own."
            )
        return arrays


def savable(model: Any) -> Savable:
    """Return ``model`` as something with ``config``, ``structure_digest`` and ``to_arrays()``.

    Raises
    ------
    InvalidArgument
        It is neither a model of ours or of Keras nor a dictionary of arrays.
    """
    if isinstance(model, Mapping):
        return Arrays(model)
    if hasattr(type(model), "to_arrays") or hasattr(model, "structure_digest"):
        return model
    keras = sys.modules.get("keras")  # whoever has a Keras model has imported it
    if keras is not None and isinstance(model, keras.Model):
        return KerasModel(model)
    raise InvalidArgument(
        f"save: a model of this library, a Keras model or a dictionary of arrays is needed, got "
        f"{type(model).__name__}. Give one of them, or something with config, structure_digest and "
        "to_arrays()."
    )


def kind_of(config: Any) -> str | None:
    """Return ``"keras"`` or ``"arrays"``; None for a model of this library."""
    kind = config.get("kind") if isinstance(config, Mapping) else None
    return kind if kind in ("keras", "arrays") else None


def restore(config: Mapping[str, Any], arrays: dict[str, np.ndarray], digest: str) -> Any:
    """Return what was saved: a new Keras model, or a dictionary of arrays that may be written to.

    Raises
    ------
    BrokenConfig
        The JSON is not that of a Keras model, or names what it must not.
    StructureMismatch
        The Keras of this program builds another structure from it.
    """
    if kind_of(config) == "arrays":
        return {name: np.array(array) for name, array in arrays.items()}
    import keras

    from tensorlayer.models.keras_config import settle

    described = config.get("model")
    check_keras(described, keras)
    try:
        model = keras.models.model_from_json(json.dumps(described))
    except Exception as error:  # Keras raises anything when it reads what it did not write
        raise BrokenConfig(f"This is no Keras model: {str(error)[:300]}") from error
    if not isinstance(model, keras.Model):
        raise BrokenConfig(f"This is no Keras model: it describes a {type(model).__name__}.")
    n_weights = len(model.weights)
    if KerasModel(model).structure_digest != digest or n_weights != len(arrays):
        raise StructureMismatch(
            "The Keras of this program builds another structure from the stored JSON. Load it with "
            "the release that saved it, or read the arrays."
        )
    # By order: the names may be those of another model of the same structure, see `KerasModel`.
    model.set_weights(list(arrays.values()))
    settle(model)
    return model


def check_keras(described: Any, keras: Any, depth: int = 0) -> None:
    """Refuse Keras JSON that names anything outside of the parts of Keras that compute.

    Raises
    ------
    BrokenConfig
        It does, and no class of the program is registered for it.
    """
    if depth > _DEEPEST:
        raise BrokenConfig(f"A Keras model: its JSON is nested deeper than {_DEEPEST} levels.")
    if isinstance(described, Mapping):
        if "class_name" in described or "module" in described:
            _check_name(described, keras)
        described = list(described.values())
    if isinstance(described, list):
        for each in described:
            check_keras(each, keras, depth + 1)


def _check_name(described: Mapping[str, Any], keras: Any) -> None:
    module, name = described.get("module"), described.get("class_name")
    registered = described.get("registered_name")
    is_class = name not in ("__lambda__", "Lambda", "function")  # of which Keras reads more
    is_known = isinstance(registered, str) and keras.saving.get_registered_object(registered)
    if is_class and is_known:
        return
    parts = [part for part in str(module).split(".") if part != "src"]
    is_keras = parts[0] == "keras" and (len(parts) == 1 or parts[1] in _PARTS)
    if name in ("__lambda__", "Lambda") or (module is not None and not is_keras):
        raise BrokenConfig(
            f"A Keras model names {module}.{name}, which is no part of Keras that computes. "
            "Register the class with keras.saving.register_keras_serializable, if it is yours."
        )


def _kinds(model: Any) -> Iterator[str]:
    for layer in getattr(model, "layers", ()):
        yield type(layer).__name__
        yield from _kinds(layer)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _digest(structure: Any) -> str:
    return hashlib.sha256(json.dumps(structure).encode()).hexdigest()
