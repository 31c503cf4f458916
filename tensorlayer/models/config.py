"""A model's structure as plain JSON, and the model that JSON describes.

    {"format": 2, "class": "tensorlayer.models.Model", "name": "mlp", "version_info": {...},
     "inputs": {"is": "node", "index": 0}, "outputs": {"is": "node", "index": 2},
     "model_architecture": [
         {"layer": "x", "class": "tensorlayer.layers._Input", "arguments": {...}},
         {"layer": "relu1", "class": "tensorlayer.layers.Dense", "arguments": {...},
          "inputs": [{"is": "node", "index": 0}]},
         {"layer": "relu1", "inputs": [{"is": "node", "index": 1}]}]}

The architecture is the list of nodes, each a layer applied to nodes before; a layer is described
where it is applied first. A subclass of ``Model`` with a constructor of its own is described by its
name and the arguments of that. What occurs several times is described once
([`tensorlayer.models.shared`][]); what is frozen, and in which types something computes, stands
under ``"state"`` ([`tensorlayer.models.state`][]).

A config may come from a stranger. Reading it constructs layers and models that the program has
imported ([`tensorlayer.models.names`][]), makes their parameters as long as they fit into memory,
and traces the layers for their shapes. It computes nothing and imports nothing, and whatever is
wrong with it is a [`tensorlayer.errors.BrokenConfig`][] that says where.
"""

from __future__ import annotations

import contextvars
import datetime
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import tensorflow as tf

from tensorlayer import __version__
from tensorlayer.errors import BrokenConfig, NotSerializable
from tensorlayer.layers import arguments, graph
from tensorlayer.layers.base import Layer
from tensorlayer.layers.graph import Network
from tensorlayer.layers.naming import isolated
from tensorlayer.layers.setting import setting
from tensorlayer.layers.structure import leaves
from tensorlayer.models.keras_config import without_numbers
from tensorlayer.models.memory import machine_bytes, variables_within
from tensorlayer.models.names import find_class, import_path
from tensorlayer.models.places import check_depth, item, reading
from tensorlayer.models.shared import Read, current_read, current_written, reading_into, writing
from tensorlayer.models.state import describe_state, precision_of, restore_later, without_state
from tensorlayer.models.values import (
    NODES_READ,
    NODES_WRITTEN,
    decode,
    decode_arguments,
    decode_layer,
    encode,
    encode_layer,
)

__all__ = ["FORMAT", "describe", "describe_model", "digest", "read_model", "read_within"]

M = TypeVar("M")

#: Raised when a config of this version could not be read by the version before.
FORMAT = 2
#: Where, when and with what a config was written: no part of the structure.
VERSION_INFO = "version_info"


def describe(model: Any) -> dict[str, Any]:
    """Return the JSON of a model.

    Raises
    ------
    NotSerializable
        An argument cannot be written; the message names layer and argument.
    """
    with writing():
        described = {**describe_model(model, is_outermost=True), VERSION_INFO: _version_info()}
    try:
        check_depth(described, "its config")
    except BrokenConfig as error:
        raise NotSerializable(
            f"model {model.name!r}: {error} So it could not be read again. Nest models and layers "
            "less deeply: a network of many layers is as flat as one of few."
        ) from error
    return described


def describe_model(model: Any, is_outermost: bool) -> dict[str, Any]:
    """Return the JSON of a model, perhaps within the config of another one."""
    described: dict[str, Any] = {"class": import_path(type(model)), "name": model.name}
    if "outputs" in model.arguments and model.outputs is not None:
        described.update(_describe_network(vars(model)["_given_ends"]["in"], model.outputs))
    else:
        place = f"model {model.name!r}"
        given = {
            key: encode(value, f"{place}, argument {key}")
            for key, value in model.arguments.items()
            if key != "name"
        }
        described.update(format=FORMAT, arguments=given)
    return {**described, **describe_state(model, is_outermost)}


def _describe_network(inputs: Any, outputs: Any) -> dict[str, Any]:
    """Return the JSON of a network: its layers, and the events that connect them."""
    order = graph.nodes([inputs, outputs])
    places = {node: index for index, node in enumerate(order)}
    described = _describe_layers(order)  # before: their arguments are no part of the network
    listed = [inputs] if isinstance(inputs, Network) else inputs  # which is the same model
    with setting(NODES_WRITTEN, places):
        return {
            "format": FORMAT,
            "inputs": encode(listed, "inputs"),
            "outputs": encode(outputs, "outputs"),
            "model_architecture": [
                _describe_node(node, described.pop(node.layer_name, {})) for node in order
            ],
        }


def _describe_layers(order: Sequence[Network]) -> dict[str, Any]:
    written = current_written()
    # One that is applied twice is one layer.
    layers = {node.layer_name: node.layer for node in order}
    return {
        name: written.once(layer, functools.partial(encode_layer, layer))
        for name, layer in layers.items()
    }


def _describe_node(node: Network, described: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON of a node: into the description of its layer, which may still get an id."""
    described["layer"] = node.layer_name
    if node.parents:
        described["inputs"] = encode(list(node.args), node.name)
    if node.options:
        described["options"] = encode(node.options, node.name)
    if node.is_train is not None:
        described["is_train"] = node.is_train
    return described


# -- reading


def read_model(base: type[M], config: Any, place: str = "config") -> M:
    """Return a new model with the structure that ``config`` describes.

    Parameters
    ----------
    base
        The class that the model's is, or is below.
    config
        JSON, perhaps of a stranger.
    place
        What errors call the config.

    Raises
    ------
    BrokenConfig
        It describes no model, one that would compute while it is read, or one whose variables do
        not fit into the memory of this machine. The message says where.
    """
    check_depth(config, place)
    read = Read()
    with reading(place), variables_within(machine_bytes()), reading_into(read):
        model = read_within(base, config, place)
        read.finish()
        return model


def read_within(base: type[M], config: Any, place: str) -> M:
    """Do what [`read_model`][] does for a model within the one that is being read."""
    with reading(place):
        if item(config, "format", object, place) != FORMAT:
            raise BrokenConfig(
                f"{place}: this is format {config['format']!r:.80} of a model's config; this "
                f"version of the library reads format {FORMAT}."
            )
        kind = find_class(base, item(config, "class", str, place))
        name = item(config, "name", str, place)
        if "model_architecture" in config:
            # Outside of every scope and mode of the caller: names are those in the config.
            ends = contextvars.Context().run(_read_network, config, place, current_read())
            model = kind(*ends, name=name)
        else:
            described = item(config, "arguments", Mapping, place)
            given = decode_arguments(described, f"{place}['arguments']")
            if arguments.accepts(kind, "name"):
                given["name"] = name
            with precision_of(config, place):
                model = kind(**given)
        restore_later(config, model, place)
        return model


def _read_network(config: Mapping[str, Any], place: str, read: Read) -> tuple[Any, Any]:
    with isolated(), reading_into(read):
        return _read_nodes(config, place)


def _read_nodes(config: Mapping[str, Any], place: str) -> tuple[Any, Any]:
    nodes = item(config, "model_architecture", list, place)
    layers = _read_layers(nodes, place)
    built: list[Network] = []
    with setting(NODES_READ, built):
        for index, node in enumerate(nodes):
            built.append(_read_node(node, layers, f"{place}['model_architecture'][{index}]"))
        inputs = decode(item(config, "inputs", object, place), f"{place}['inputs']")
        return inputs, decode(item(config, "outputs", object, place), f"{place}['outputs']")


def _read_layers(nodes: Sequence[Any], place: str) -> dict[str, Layer]:
    """Return the layers that nodes describe, by name."""
    layers: dict[str, Layer] = {}
    for index, node in enumerate(nodes):
        where = f"{place}['model_architecture'][{index}]"
        name = item(node, "layer", str, where)
        if "class" not in node and "is" not in node:
            continue
        if name in layers:
            raise BrokenConfig(f"{where}: the layer {name!r} is described twice.")
        layers[name] = decode_layer(name, node, where)
    return layers


def _read_node(node: Any, layers: Mapping[str, Layer], place: str) -> Network:
    name = item(node, "layer", str, place)
    if name not in layers:
        raise BrokenConfig(f"{place}['layer']: there is no layer {name!r}.")
    layer = layers[name]
    with reading(place):
        if "inputs" not in node:
            return _declare(layer)
        inputs = decode(item(node, "inputs", list, place), f"{place}['inputs']")
        options = decode(node["options"], f"{place}['options']") if "options" in node else {}
        is_train = node.get("is_train")
        if not isinstance(options, dict) or not (is_train is None or isinstance(is_train, bool)):
            raise BrokenConfig(f"{place}: options are an object and is_train is true or false.")
        _require_specs((inputs, options), place)
        return graph.apply(layer, inputs, options, is_train)


def _require_specs(structure: Any, place: str) -> None:
    """Refuse a layer that is applied to constants alone: its function would run right now."""
    outputs = [network.outputs for network in graph.networks_in(structure)]
    if not any(isinstance(leaf, tf.TensorSpec) for leaf in leaves(outputs)):
        raise BrokenConfig(
            f"{place}['inputs']: the layer is applied to no network, so it would compute while "
            "the config is read. Layers of a saved model stand above its inputs."
        )


def _declare(layer: Layer) -> Network:
    if not isinstance(getattr(layer, "spec", None), tf.TensorSpec):
        raise NotSerializable(f"{layer!r} is no input, so it has to be applied to something.")
    return Network(layer, (), {}, layer.spec)


def _version_info() -> dict[str, str]:
    """Return what wrote a config, in the words of TensorLayer 2.x."""
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    return {
        "tensorlayer_version": __version__,
        "backend": "tensorflow",
        "backend_version": tf.__version__,
        "training_device": "gpu" if has_gpu else "cpu",
        "save_date": datetime.datetime.now(tz=datetime.timezone.utc).isoformat(),
    }


def digest(config: Mapping[str, Any], parameters: Mapping[str, tf.Variable]) -> str:
    """Return the identity of a structure: a hash of its config and of the parameters' shapes.

    Two models have the same digest exactly if the weights of one can be used by the other.
    """
    shapes = {
        name: [tf.as_dtype(variable.dtype).name, *variable.shape]
        for name, variable in parameters.items()
    }
    no_structure = {"name", VERSION_INFO}
    named = without_numbers(without_state(config))
    structure = {k: v for k, v in named.items() if k not in no_structure}
    text = json.dumps([structure, shapes], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
