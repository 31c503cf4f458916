"""Keras layers and models in the config of a model: their own JSON, checked before it is read.

    {"is": "keras", "layer": {"module": "keras.layers", "class_name": "Dense", "config": {...}}}

What the JSON names has to be a part of Keras that computes, or registered with Keras by the program
([`tensorlayer.models.foreign`][]); nothing is unpickled. Weights are saved with those of the model.

Names are kept as they are. Keras numbers those that it gives over the whole process, so they are no
part of the identity of a structure: the same code has the same one in the next process.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from tensorlayer.errors import BrokenConfig, NotSerializable
from tensorlayer.layers import tree
from tensorlayer.models.foreign import check_keras
from tensorlayer.models.places import item, reading
from tensorlayer.models.shared import current_read, current_written

__all__ = ["describe_keras", "read_keras", "settle", "without_numbers"]

_HUMPS = (re.compile(r"(.)([A-Z][a-z]+)"), re.compile(r"([a-z])([A-Z])"))
#: Where a config refers to layers by name, each with two indices after it.
_REFERENCES = ("keras_history", "input_layers", "output_layers")


def describe_keras(layer: Any, place: str) -> dict[str, Any]:
    """Return the JSON of a Keras layer or model, or a reference to where the config has it.

    Raises
    ------
    NotSerializable
        Keras cannot describe it, or could not find its class again.

    Examples
    --------
    >>> import tensorflow as tf
    >>> described = describe_keras(tf.keras.layers.Dense(3), "fn")
    >>> described["layer"]["class_name"], described["layer"]["config"]["units"]
    ('Dense', 3)
    """
    return current_written().once(layer, lambda: _described(layer, place))


def _described(layer: Any, place: str) -> dict[str, Any]:
    import keras

    kind = type(layer).__name__
    try:
        described = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    except (TypeError, ValueError, NotImplementedError) as error:
        raise NotSerializable(
            f"{place}: the Keras layer {layer.name!r} cannot say its structure: {error}. Give "
            f"{kind} a get_config, and save only the weights until it has one."
        ) from error
    described.pop("compile_config", None)
    try:
        check_keras(described, keras)
    except BrokenConfig as error:
        raise NotSerializable(f"{place}: {error}") from error
    return {"is": "keras", "layer": described}


def read_keras(value: Mapping[str, Any], place: str) -> Any:
    """Return a new Keras layer or model as [`describe_keras`][] described it.

    Raises
    ------
    BrokenConfig
        It is damaged, or names what it must not.
    """
    import keras

    described = item(value, "layer", Mapping, place)
    with reading(f"{place}['layer']"):
        check_keras(described, keras)
        layer = keras.saving.deserialize_keras_object(described)
        if not isinstance(layer, keras.layers.Layer):
            raise BrokenConfig(
                f"{place}['layer']: it describes a {type(layer).__name__}, no layer."
            )
    current_read().keep(value, layer, place)
    return layer


def settle(owner: Any) -> None:
    """Have layers of Keras below ``owner`` take note of weights that were assigned.

    Some compute with a copy of what they have learned from data, as ``Normalization``. Keras itself
    calls their ``finalize_state`` when it loads a file.

    Examples
    --------
    >>> import numpy as np
    >>> layer = tf.keras.layers.Normalization()
    >>> layer.build([None, 1])
    >>> layer.set_weights([np.array([5.0]), np.array([4.0]), np.array(1)])
    >>> settle(layer)
    >>> layer(tf.constant([[7.0]])).numpy().tolist()
    [[1.0]]
    """
    for layer in _layers_below(owner, set()):
        finalize = getattr(layer, "finalize_state", None)
        if callable(finalize):
            finalize()


def _layers_below(owner: Any, seen: set[int]) -> Iterator[Any]:
    """Yield the layers of Keras in it, those within layers first, each once."""
    may_hold = isinstance(owner, (tf.Module, list, tuple, Mapping)) or tree.is_keras(owner)
    if id(owner) in seen or not may_hold:
        return
    seen.add(id(owner))
    is_ours = isinstance(owner, tree.Owner)
    for _, part in type(owner).parts(owner) if is_ours else tree.children(owner):
        yield from _layers_below(part, seen)
    if tree.is_keras(owner):
        yield owner


def without_numbers(config: Any) -> Any:
    """Return a config in which the names that Keras may have given count from the first one on.

    Examples
    --------
    >>> dense = {"class_name": "Dense", "config": {"name": "dense_17"}}
    >>> mine = {"class_name": "Dense", "config": {"name": "mine"}}
    >>> without_numbers([{"is": "keras", "layer": {"layers": [dense, mine]}}])
    [{'is': 'keras', 'layer': {'layers': [{'class_name': 'Dense', 'config': {'name': 'dense'}},
                                          {'class_name': 'Dense', 'config': {'name': 'mine'}}]}}]
    """
    if isinstance(config, list):
        return [without_numbers(each) for each in config]
    if not isinstance(config, Mapping):
        return config
    if config.get("is") == "keras":
        return _renumbered(config)
    return {key: without_numbers(value) for key, value in config.items()}


def _renumbered(described: Any) -> Any:
    found = dict(_names(described))
    kept = {name for name, stem in found.items() if stem is None}
    new: dict[str, str] = {}
    for name, stem in found.items():
        if stem is not None:
            numbered = itertools.chain([stem], (f"{stem}_{n}" for n in itertools.count(1)))
            taken = kept.union(new.values())
            new[name] = next(each for each in numbered if each not in taken)
    return _renamed(described, new)


def _names(described: Any) -> Iterator[tuple[str, str | None]]:
    """Yield the names of layers, and what Keras has numbered; None for a name of somebody's own."""
    if isinstance(described, Mapping):
        config, kind = described.get("config"), described.get("class_name")
        name = config.get("name") if isinstance(config, Mapping) else None
        if isinstance(name, str) and isinstance(kind, str):
            stem = _snake_case(kind)
            yield name, stem if re.fullmatch(rf"{re.escape(stem)}(_\d+)?", name) else None
        described = list(described.values())
    if isinstance(described, list):
        for each in described:
            yield from _names(each)


def _snake_case(kind: str) -> str:
    """Return what Keras calls a layer of this class."""
    for hump in _HUMPS:
        kind = hump.sub(r"\1_\2", kind)
    return kind.lower()


def _renamed(described: Any, new: Mapping[str, str]) -> Any:
    if isinstance(described, list):
        return [_renamed(each, new) for each in described]
    if not isinstance(described, Mapping):
        return described
    found = {key: _renamed(value, new) for key, value in described.items()}
    if isinstance(found.get("name"), str):
        found["name"] = new.get(found["name"], found["name"])
    for key in set(_REFERENCES).intersection(found):
        found[key] = _referring(found[key], new)
    return found


def _referring(value: Any, new: Mapping[str, str]) -> Any:
    """Return references, ``[name, 0, 0]`` or lists of them, with the new names."""
    if isinstance(value, list):
        return [_referring(each, new) for each in value]
    if isinstance(value, dict):
        return {key: _referring(each, new) for key, each in value.items()}
    return new.get(value, value) if isinstance(value, str) else value
