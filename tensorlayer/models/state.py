"""What is true of a layer or model now, beside its arguments: in configs, under ``"state"``.

    {"class": ..., "arguments": {...},
     "state": {"precision": ["float32", "bfloat16"],  # of a policy of the program
               "trainable": false,                    # since it was made
               "is_train": false,                     # a nested model that was told eval()
               "parts": {"backbone": {"trainable": false}}}}  # what its constructor made

Only what differs from what the constructor gives is written. It is no part of the identity of a
structure: weights fit whatever is frozen.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf

from tensorlayer.errors import BrokenConfig
from tensorlayer.layers import arguments, tree
from tensorlayer.layers.base import Layer
from tensorlayer.layers.precision import OF_THE_INPUT, Precision, exactly
from tensorlayer.models.places import item, reading
from tensorlayer.models.shared import current_read, current_written

__all__ = ["describe_state", "precision_of", "restore_later", "without_state"]


def describe_state(thing: Any, is_outermost: bool = False) -> dict[str, Any]:
    """Return ``{"state": ...}`` of a layer or model, or nothing if it is as it was made.

    Parameters
    ----------
    thing
        The layer or model. Its arguments have been described already.
    is_outermost
        Whether this is the model that is saved: in which mode it computes is for its user to say.
    """
    state: dict[str, Any] = {}
    types = _precision(thing)
    if types != OF_THE_INPUT:
        state["precision"] = [types.variable.name, types.compute.name]
    state.update(_switches(thing, is_mode_left_out=is_outermost))
    # What was declared with a layer there, its maker declares again.
    parts = {path: _switches(part, isinstance(part, Layer)) for path, part in _made_within(thing)}
    parts = {path: switches for path, switches in parts.items() if switches}
    if parts:
        state["parts"] = parts
    return {"state": state} if state else {}


def _switches(thing: Any, is_mode_left_out: bool) -> dict[str, Any]:
    switches: dict[str, Any] = {}
    # Said by somebody, and not by an argument: False may be what its constructor sets.
    said = vars(thing).get("_is_trainable")
    if said is not None and said is not getattr(thing, "arguments", {}).get("trainable"):
        switches["trainable"] = said
    is_train = _told(thing)
    if is_train is not None and not is_mode_left_out:
        switches["is_train"] = is_train
    return switches


def _told(thing: Any) -> bool | None:
    """Return the mode that a model was told, or that was declared with a layer."""
    if isinstance(thing, Layer):
        return thing.facts.is_train
    return vars(thing).get("_told", vars(thing).get("is_train"))


def _precision(thing: Any) -> Precision:
    """Return the types that the program's policy gave, and no argument."""
    if isinstance(thing, Layer):
        return OF_THE_INPUT if _is_given_dtype(thing) else thing.facts.precision
    # A model has no types of its own; the policy was that of what its constructor made.
    others: list[str] = []
    for path, part in _made_within(thing):
        if not isinstance(part, Layer) or any(path.startswith(f"{other}/") for other in others):
            continue
        if _is_given_dtype(part):
            others.append(path)
        elif part.facts.precision != OF_THE_INPUT:
            return part.facts.precision
    return OF_THE_INPUT


def _is_given_dtype(layer: Layer) -> bool:
    return "dtype" in layer.arguments and not arguments.accepts(type(layer), "dtype")


def _made_within(thing: Any) -> list[tuple[str, Any]]:
    """Return what the constructor made: what ``thing`` holds and the config does not describe."""
    if getattr(thing, "outputs", None) is not None:  # the layers of a static model are described
        return []
    return list(_below(thing, "", {id(thing)}, is_all=False))


def _below(value: Any, path: str, seen: set[int], is_all: bool) -> Iterator[tuple[str, Any]]:
    """Yield layers and models below ``value`` by path, all or those that are not described."""
    is_owner = isinstance(value, tree.Owner)
    for name, part in type(value).parts(value) if is_owner else tree.children(value):
        at = tree.join(path, name)
        if not is_all and current_written().has(part):
            continue
        if isinstance(part, tree.Owner):
            yield at, part
        if id(part) not in seen and _may_hold_owners(part):
            seen.add(id(part))
            yield from _below(part, at, seen, is_all)


def _may_hold_owners(value: Any) -> bool:
    is_leaf = isinstance(value, tf.Variable) or tree.is_keras(value)
    return isinstance(value, (tf.Module, Mapping, list, tuple)) and not is_leaf


# -- reading


def precision_of(entry: Mapping[str, Any], place: str) -> AbstractContextManager[None]:
    """Let what is described be made with the types that it had."""
    if "state" not in entry:
        return exactly(OF_THE_INPUT)
    at = f"{place}['state']"
    names = entry["state"].get("precision") if isinstance(entry["state"], Mapping) else None
    if names is None:
        return exactly(OF_THE_INPUT)
    with reading(f"{at}['precision']"):
        variable, compute = (tf.as_dtype(name) for name in names)
        if not (variable.is_floating and compute.is_floating):
            raise BrokenConfig(f"{at}['precision']: two floating-point types, got {names!r:.80}.")
    return exactly(Precision(variable, compute))


def restore_later(entry: Mapping[str, Any], thing: Any, place: str) -> None:
    """Give ``thing`` its state when the whole model is made, and so its parts are."""
    if "state" in entry:
        state = item(entry, "state", Mapping, place)
        current_read().later(functools.partial(_restore, thing, state, f"{place}['state']"))


def _restore(thing: Any, state: Mapping[str, Any], place: str) -> None:
    _switch(thing, state, place)
    if "parts" not in state:
        return
    with reading(place):
        parts = dict(_below(thing, "", {id(thing)}, is_all=True))
    for path, switches in item(state, "parts", Mapping, place).items():
        at = f"{place}['parts'][{path!r}]"
        if path not in parts:
            raise BrokenConfig(
                f"{at}: {thing!r} has no such part when it is made. What a forward makes later "
                "cannot be restored as frozen: make it in the constructor."
            )
        _switch(parts[path], switches, at)


def _switch(thing: Any, switches: Any, place: str) -> None:
    if not isinstance(switches, Mapping):
        raise BrokenConfig(f"{place}: it has to be an object, got {switches!r:.80}.")
    if "trainable" in switches:
        thing.trainable = item(switches, "trainable", bool, place)
    if "is_train" in switches:
        is_train = item(switches, "is_train", bool, place)
        if isinstance(thing, Layer):
            thing.facts.is_train = is_train
        else:
            thing.train() if is_train else thing.eval()


def without_state(config: Any) -> Any:
    """Return a config without the state in it, and without the values of its variables.

    Examples
    --------
    >>> without_state({"class": "Dense", "arguments": {}, "state": {"trainable": False}})
    {'class': 'Dense', 'arguments': {}}
    """
    if isinstance(config, list):
        return [without_state(each) for each in config]
    if not isinstance(config, Mapping):
        return config
    left_out = {"state"} if "class" in config else set()
    if config.get("is") == "variable":
        left_out = {"value"}
    kept = {key: value for key, value in config.items() if key not in left_out}
    return {key: without_state(value) for key, value in kept.items()}
