"""Whole models of TensorLayer 2.x: their structure, which is a Python literal, and who is who.

    {"name": "mlp", "version_info": {...}, "inputs": "x_node_0", "outputs": "d1_node_0",
     "model_architecture": [
         {"class": "_InputLayer", "prev_layer": None,
          "args": {"shape": [None, 6], "dtype": "tf.float32", "name": "x", "layer_type": "normal"}},
         {"class": "Dense", "prev_layer": ["x_node_0"],
          "args": {"n_units": 5, "act": "relu", "name": "d1", "layer_type": "normal"}}]}

It is read as a literal and never evaluated. Initializers are not in it: the weights are in the same
file, and whether a layer has biases is seen from them. A function of TensorFlow is its bare name,
or a pickle that holds nothing but its name; both are looked up in a table. Any other function is
pickled code, which is not executed: ``Model.load(path, functions={"layer": function})`` gives it.
"""

from __future__ import annotations

import ast
import base64
import binascii
import pickletools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import tensorflow as tf

from tensorlayer import layers
from tensorlayer.errors import BrokenConfig, Corrupt
from tensorlayer.layers import arguments
from tensorlayer.layers.base import Layer
from tensorlayer.layers.graph import Network, networks_in
from tensorlayer.models.admitted import FUNCTIONS
from tensorlayer.models.places import check_depth, item, reading

__all__ = ["customized_data", "parsed", "read_model"]

M = TypeVar("M")
Functions = Mapping[str, Callable[..., Any]]

#: How 2.x marks a pickled function: ("is_Func", its bytes in base 64).
_PICKLED = "is_Func"
#: Where functions are that 2.x wrote by their bare names, in the order of looking.
_MODULES = (
    "tensorflow.nn",
    "tensorflow.math",
    "tensorflow",
    "tensorlayer.activation",
    "tensorflow.keras.activations",
)
#: All that a pickle of a name consists of.
_NAMING = frozenset({"PROTO", "FRAME", "MEMOIZE", "BINPUT", "STOP"})
_NAMES = frozenset({"SHORT_BINUNICODE", "BINUNICODE"})
#: A structure of a million layers is shorter.
_MAX_LENGTH = 2**26


def parsed(text: str) -> Any:
    """Return the structure in a text.

    Raises
    ------
    Corrupt
        It is no literal of Python.

    Examples
    --------
    >>> parsed("{'name': 'mlp', 'inputs': ('x_node_0',)}")
    {'name': 'mlp', 'inputs': ('x_node_0',)}
    >>> parsed("__import__('os').getcwd()")
    Traceback (most recent call last):
    tensorlayer.errors.Corrupt: The structure is no literal of Python...
    """
    try:
        if len(text) > _MAX_LENGTH:
            raise ValueError(f"it has {len(text)} characters")
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise Corrupt(
            f"The structure is no literal of Python ({error!s:.200}). Build the model in code, and "
            "load the weights with load_weights."
        ) from error


def customized_data(text: str) -> Any:
    """Return the data of one's own; the text itself where it is no literal, such as of an array.

    Examples
    --------
    >>> customized_data("{'epoch': 3}"), customized_data("array([1, 2])")
    ({'epoch': 3}, 'array([1, 2])')
    """
    try:
        return parsed(text)
    except Corrupt:
        return text


def read_model(
    base: Callable[..., M],
    config: Any,
    weight_names: frozenset[str],
    functions: Functions,
    place: str = "model_config",
) -> M:
    """Return a new model of this structure.

    Parameters
    ----------
    base
        The class of models.
    config
        What [`parsed`][] returns.
    weight_names
        The names of the weights in the file.
    functions
        Functions by the name of their layer, for those that are pickled.
    place
        What errors call the structure.

    Raises
    ------
    BrokenConfig
        It is no structure of 2.x, a layer or argument is unknown, or a function is pickled and not
        given.
    """
    check_depth(config, place)
    with reading(place), layers.isolated():
        reader = _Reader(base, weight_names, functions)
        nodes = reader.nodes(item(config, "model_architecture", list, place), place)
        ends = [_at(nodes, config.get(end), f"{place}['{end}']") for end in ("inputs", "outputs")]
        return base(*ends, name=item(config, "name", str, place))


class _Reader:
    """Reads the layers of one structure."""

    def __init__(
        self, base: Callable[..., Any], weight_names: frozenset[str], functions: Functions
    ) -> None:
        self._base = base
        self._weight_names = weight_names
        self._functions = functions

    def nodes(self, entries: Sequence[Any], place: str) -> dict[str, Network]:
        """Return the networks by their names in 2.x: the layer and how often it was used before."""
        nodes: dict[str, Network] = {}
        made: dict[str, Layer] = {}
        for index, entry in enumerate(entries):
            where = f"{place}['model_architecture'][{index}]"
            with reading(where):
                name = item(item(entry, "args", Mapping, where), "name", str, where)
                if entry.get("class") == "_InputLayer":
                    network = _input(entry["args"])
                else:
                    if name not in made:
                        made[name] = self.layer(entry, where)
                    network = made[name](_previous(nodes, entry, where))
                n_before = sum(node.rpartition("_node_")[0] == name for node in nodes)
                nodes[f"{name}_node_{n_before}"] = network
        return nodes

    def layer(self, entry: Any, place: str) -> Any:
        """Return the layer that an entry describes."""
        given = dict(item(entry, "args", Mapping, place))
        name = item(given, "name", str, place)
        kind = given.pop("layer_type", "normal")
        if kind == "layerlist":
            inner = item(given, "layers", list, place)
            found = [self.layer(each, f"{place}['layers'][{i}]") for i, each in enumerate(inner)]
            return layers.LayerList(found, name=name)
        if kind == "modellayer":
            model = read_model(
                self._base, given.get("model"), self._weight_names, self._functions, place
            )
            return layers.ModelLayer(model, name=name)
        cls = _class(entry, place)
        if name in self._functions and kind != "normal":  # a Keras layer
            given = {"fn": self._functions[name], "name": name}
        with reading(place):
            return cls(**self._arguments(cls, given, place))

    def _arguments(self, cls: type, given: Mapping[str, Any], place: str) -> dict[str, Any]:
        name = given["name"]
        known = {
            key: self._value(value, name, f"{place}['args'][{key!r}]")
            for key, value in given.items()
            if key != "is_train"  # which 2.x ignored
        }
        own = {each for each in self._weight_names if each.rpartition("/")[0] == name}
        has_biases = any(each.endswith(("biases", "bias")) for each in own)
        if own and not has_biases and arguments.accepts(cls, "b_init"):
            known["b_init"] = None
        return known

    def _value(self, value: Any, layer: str, place: str) -> Any:
        is_pickled = isinstance(value, tuple) and value[:1] == (_PICKLED,)
        key = place.rpartition("[")[2].strip("']")
        if not is_pickled and not (key in {"act", "fn", "combine_fn"} and isinstance(value, str)):
            return value
        if layer in self._functions:
            return self._functions[layer]
        if key == "act" and not is_pickled:
            return value  # activations have names here as well
        function = _named(value) if is_pickled else _public(value, _MODULES)
        if function is None:
            raise BrokenConfig(
                f"{place}: layer {layer!r} holds pickled code or a function that is not public in "
                "TensorFlow. It is not executed. Give the function with "
                f"Model.load(path, functions={{{layer!r}: function}})."
            )
        return function


def _class(entry: Any, place: str) -> type:
    name = item(entry, "class", str, place)
    cls = getattr(layers, name, None) if name in layers.__all__ else None
    if not (isinstance(cls, type) and issubclass(cls, Layer)):
        raise BrokenConfig(
            f"{place}['class']: tl.layers has no layer {name!r}. Build the model in code, and load "
            "the weights with load_weights."
        )
    return cls


def _input(given: Mapping[str, Any]) -> Network:
    dtype = str(given.get("dtype", "float32")).removeprefix("tf.")
    return layers.Input(given["shape"], tf.as_dtype(dtype), name=given["name"])


def _previous(nodes: Mapping[str, Network], entry: Any, place: str) -> Any:
    """Return the network, or the list of them, that a layer was applied to."""
    previous = entry.get("prev_layer")
    found = _at(nodes, previous, f"{place}['prev_layer']")
    if not networks_in(found):
        raise BrokenConfig(f"{place}['prev_layer']: the layer is applied to nothing.")
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _at(nodes: Mapping[str, Network], name: Any, place: str) -> Any:
    """Return the network of a name, or a list of them."""
    if isinstance(name, (list, tuple)):
        return [_at(nodes, each, place) for each in name]
    if not isinstance(name, str) or name not in nodes:
        raise BrokenConfig(f"{place}: there is no node {name!r:.80} before.")
    return nodes[name]


# -- functions


def _public(name: str | None, modules: Sequence[str]) -> Callable[..., Any] | None:
    """Return the function of tensors that has this bare name."""
    paths = (f"{module}.{name}" for module in modules)
    return next((FUNCTIONS[path] for path in paths if path in FUNCTIONS), None)


def _named(value: tuple[Any, ...]) -> Callable[..., Any] | None:
    """Return what a pickle names, if that is public in TensorFlow or here, and all that it does.

    The operations are listed, none is executed.
    """
    try:
        data = base64.b64decode(value[1], validate=True)
        found = list(pickletools.genops(data))
    except (binascii.Error, ValueError, TypeError, IndexError):
        return None
    words = [argument for code, argument, _ in found if code.name in _NAMES]
    rest = [code.name for code, _, _ in found if code.name not in _NAMES | _NAMING]
    if rest == ["GLOBAL"] and not words:  # of old protocols
        words = next(argument for code, argument, _ in found if code.name == "GLOBAL").split(" ")
        rest = ["STACK_GLOBAL"]
    if rest != ["STACK_GLOBAL"] or len(words) != 2:
        return None
    package = words[0].partition(".")[0]  # the modules below are private and change
    return _public(words[1], [each for each in _MODULES if each.partition(".")[0] == package])
