"""A model's structure as plain JSON, and the model that JSON describes.

::

    {"format": 1,
     "inputs": [0], "outputs": {"is": "node", "index": 2},
     "layers": {"x": {"class": "tensorlayer.layers._Input", "arguments": {...}}, ...},
     "nodes": [{"layer": "x"}, {"layer": "relu1", "inputs": {"is": "node", "index": 0}}, ...]}

A subclass of ``Model`` is described by its name and its constructor's arguments. Reading a config
only constructs layers and models that the program has imported: see
:mod:`tensorlayer.models.values`.
"""

from __future__ import annotations

import contextvars
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import NotSerializable
from tensorlayer.layers import graph
from tensorlayer.layers.base import Layer
from tensorlayer.layers.graph import Network
from tensorlayer.models.values import decode, decode_layer, encode, encode_layer

__all__ = ["FORMAT", "describe_network", "digest", "read_network"]

#: Raised when a config of this version could not be read by the version before.
FORMAT = 1


def describe_network(inputs: Any, outputs: Any) -> dict[str, Any]:
    """Return the JSON of a network: its layers, and the events that connect them.

    Raises
    ------
    NotSerializable
        A layer's argument cannot be written; the message names layer and argument.
    """
    order = graph.nodes([inputs, outputs])
    places = {node: index for index, node in enumerate(order)}
    nodes = graph.networks_in(inputs)
    is_list = isinstance(inputs, Network) or list(inputs) == nodes
    return {
        "format": FORMAT,
        "inputs": [places[n] for n in nodes]
        if is_list
        else _describe_links(inputs, places, "inputs"),
        "outputs": _describe_links(outputs, places, "outputs"),
        "layers": {node.name: encode_layer(node.layer) for node in order},
        "nodes": [_describe_node(node, places) for node in order],
    }


def _describe_node(node: Network, places: Mapping[Network, int]) -> dict[str, Any]:
    described: dict[str, Any] = {"layer": node.name}
    if node.parents:
        key = "inputs" if len(node.args) == 1 else "arguments"
        described[key] = _describe_links(node.inputs, places, node.name)
    if node.options:
        described["options"] = _describe_links(node.options, places, node.name)
    if node.is_train is not None:
        described["is_train"] = node.is_train
    return described


def _describe_links(structure: Any, places: Mapping[Network, int], place: str) -> Any:
    if isinstance(structure, Network):
        return {"is": "node", "index": places[structure]}
    if isinstance(structure, list):
        return [_describe_links(item, places, place) for item in structure]
    if isinstance(structure, tuple):
        items = [_describe_links(item, places, place) for item in structure]
        return {"is": "tuple", "items": items}
    if isinstance(structure, Mapping):
        items = {key: _describe_links(item, places, place) for key, item in structure.items()}
        return {"is": "dict", "items": items}
    return encode(structure, place)


def read_network(config: Mapping[str, Any]) -> tuple[list[Network], Any]:
    """Return the inputs and outputs of the network that ``config`` describes.

    It is built outside of every scope and mode of the caller, so that names are those in the
    config.
    """
    if config.get("format") != FORMAT:
        raise NotSerializable(
            f"this is format {config.get('format')!r} of a model's config; this version of the "
            f"library reads format {FORMAT}."
        )
    return contextvars.Context().run(_read_network, config)


def _read_network(config: Mapping[str, Any]) -> tuple[list[Network], Any]:
    layers = {name: decode_layer(name, entry) for name, entry in config["layers"].items()}
    built: list[Network] = []
    for node in config["nodes"]:
        layer = layers[node["layer"]]
        if "inputs" not in node and "arguments" not in node:
            built.append(Network(layer, (), {}, layer.spec))
            continue
        args = [node["inputs"]] if "inputs" in node else node["arguments"]
        inputs = _read_links(args, built)
        options = _read_links(node.get("options", {"is": "dict", "items": {}}), built)
        built.append(graph.apply(layer, inputs, options, node.get("is_train")))
    inputs = config["inputs"]
    if isinstance(inputs, list) and all(isinstance(index, int) for index in inputs):
        inputs = [{"is": "node", "index": index} for index in inputs]
    return _read_links(inputs, built), _read_links(config["outputs"], built)


def _read_links(value: Any, built: Sequence[Network]) -> Any:
    if isinstance(value, list):
        return [_read_links(item, built) for item in value]
    kind = value.get("is") if isinstance(value, Mapping) else None
    if kind == "node":
        return built[value["index"]]
    if kind == "tuple":
        return tuple(_read_links(value["items"], built))
    if kind == "dict":
        return {key: _read_links(item, built) for key, item in value["items"].items()}
    return decode(value)


def digest(config: Mapping[str, Any], parameters: Mapping[str, tf.Variable]) -> str:
    """Return the identity of a structure: a hash of its config and of the parameters' shapes.

    Two models have the same digest exactly if the weights of one can be used by the other.
    """
    shapes = {
        name: [tf.as_dtype(variable.dtype).name, *variable.shape]
        for name, variable in parameters.items()
    }
    structure = {key: value for key, value in config.items() if key != "name"}
    text = json.dumps([structure, shapes], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
