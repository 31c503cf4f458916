"""Networks: what you get when a layer is applied to a network.

A :class:`Network` is one *call event*: a layer, the networks it was applied to, and the outputs.
The layer and the event are different objects, since one layer may be applied many times: that is
two events and one set of parameters. Everything about a whole network is a function of this module
that walks the events below it with a loop, so depth is limited by memory alone.

The one rule for outputs is *specs in, spec out; tensors in, tensor out*: above an
:func:`~tensorlayer.layers.Input` outputs are ``tf.TensorSpec`` found by abstract tracing; above an
``InputLayer(tensor)`` they are computed in the tensor's own world.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, TensorLayerError, WrongShape, did_you_mean
from tensorlayer.layers import summary
from tensorlayer.layers.mode import current_mode, mode
from tensorlayer.layers.naming import NameTable, check_unique, settle
from tensorlayer.layers.parameters import HasParameters

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer

__all__ = [
    "Network",
    "apply",
    "connect",
    "evaluate",
    "layers_of",
    "networks_in",
    "nodes",
    "parameters_of",
]


class Network(HasParameters):
    """One layer applied to networks; the handle to everything below it.

    Networks are made by applying layers, never directly.

    Attributes
    ----------
    layer
        The layer that was applied.
    inputs
        What it was applied to: a network, or a list, tuple or dictionary of networks.
    outputs
        ``tf.TensorSpec`` or tensor (or a structure of them inside a layer that returns a
        structure).
    is_train
        The mode given to the layer when the network was declared (``is_train=`` of TensorLayer
        1.x). It holds where an evaluation does not say another one.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 784], name="x")
    >>> net = tl.layers.Dense(net, n_units=10, name="logits")
    >>> net.outputs.shape
    TensorShape([None, 10])
    >>> net.count_params()
    7850
    >>> net(tf.zeros([2, 784])).shape
    TensorShape([2, 10])
    """

    def __init__(
        self,
        layer: Layer,
        inputs: Any,
        outputs: Any,
        names: NameTable,
        *,
        options: Mapping[str, Any] | None = None,
        is_train: bool | None = None,
    ) -> None:
        self.layer = layer
        self.inputs = inputs
        self.outputs = outputs
        self.is_train = is_train
        self.options = dict(options or {})
        self.parents: tuple[Network, ...] = tuple(networks_in((inputs, self.options)))
        self._names = names

    @property
    def name(self) -> str:
        """The name of the layer."""
        return self.layer.name

    @property
    def names(self) -> NameTable:
        """The names in the connected network that this one is part of."""
        return self._names.current()

    @property
    def shape(self) -> tf.TensorShape:
        """The static shape of the outputs."""
        return self.outputs.shape

    @property
    def all_layers(self) -> list[Network]:
        """The events below and including this one, without the inputs, in order of computation."""
        return [node for node in nodes(self) if node.parents]

    @property
    def input_nodes(self) -> list[Network]:
        """The inputs that this network needs, in order of first use."""
        return [node for node in nodes(self) if not node.parents]

    @property
    def parameters(self) -> dict[str, tf.Variable]:
        """The variables by their name in this network, in order of creation."""
        return parameters_of(layers_of(self))

    @property
    def all_params(self) -> list[tf.Variable]:
        """All variables, in order of creation."""
        return list(self.parameters.values())

    def print_layers(self) -> None:
        """Show the layers with their output shapes."""
        summary.show(summary.layer_table(self))

    def __call__(self, inputs: Any, is_train: bool | None = None) -> Any:
        """Evaluate the network.

        Parameters
        ----------
        inputs
            A tensor or array; for several inputs a list in the order of ``input_nodes``, or a
            dictionary by input name.
        is_train
            The mode; None keeps the mode around the call, and at last that of the declaration.

        Raises
        ------
        WrongShape
            A value does not fit the shape that its input declares.
        InvalidArgument
            There are more or fewer values than inputs.
        """
        return evaluate(self, bind_inputs(self.input_nodes, inputs), is_train)

    def __getitem__(self, key: Any) -> Network:
        """Slice the outputs, as ``net[:, :30]``."""
        from tensorlayer.layers.shape import Slice

        return Slice(self, key=key)

    def __iter__(self) -> Iterator[Network]:
        return iter(self.all_layers)

    def __len__(self) -> int:
        return len(self.all_layers)

    def __repr__(self) -> str:
        return f"<Network {self.name!r} {summary.shapes(self.outputs)} of {self.layer!r}>"


def networks_in(structure: Any) -> list[Network]:
    """Return the networks in nested lists, tuples and dictionaries, in order."""
    return [leaf for leaf in tf.nest.flatten(structure) if isinstance(leaf, Network)]


def nodes(outputs: Any, known: Container[Network] = ()) -> list[Network]:
    """Return the networks at and below ``outputs``, each after those that it was applied to.

    What is ``known``, and what only that depends on, is left out.
    """
    found: dict[Network, None] = {}
    stack = [(network, False) for network in reversed(networks_in(outputs))]
    while stack:
        network, is_expanded = stack.pop()
        if network in found or network in known:
            continue
        if is_expanded:
            found[network] = None
            continue
        stack.append((network, True))
        stack.extend((parent, False) for parent in reversed(network.parents) if parent not in found)
    return list(found)


def layers_of(outputs: Any) -> list[Layer]:
    """Return the layers below ``outputs``, each once, in order of computation."""
    return list(dict.fromkeys(node.layer for node in nodes(outputs)))


def parameters_of(layers: Sequence[Layer]) -> dict[str, tf.Variable]:
    """Return the variables of ``layers`` as ``layer name/variable name``, each variable once."""
    found: dict[str, tf.Variable] = {}
    seen: set[int] = set()
    for layer in layers:
        for name, variable in layer.parameters.items():
            if id(variable) not in seen:
                seen.add(id(variable))
                found[f"{layer.name}/{name}"] = variable
    return found


def connect(
    layer: Layer, inputs: Any, options: Mapping[str, Any], is_train: bool | None = None
) -> Any:
    """Apply ``layer``: a network, or the structure of networks if the layer returns one."""
    network = apply(layer, inputs, options, is_train)
    is_single = tf.is_tensor(network.outputs) or isinstance(network.outputs, tf.TensorSpec)
    return network if is_single else _parts(network)


def apply(
    layer: Layer, inputs: Any, options: Mapping[str, Any], is_train: bool | None = None
) -> Network:
    """Apply ``layer`` to networks: the call event, whose outputs may be a structure."""
    parents = networks_in((inputs, options))
    names = NameTable.join(parent.names for parent in parents)
    layer = settle(layer, names)
    names.add(layer)
    if names.ambiguous:
        check_unique([*layers_of(parents), layer])
    outputs = _outputs(layer, inputs, options, is_train)
    return Network(layer, inputs, outputs, names, options=options, is_train=is_train)


def _parts(network: Network) -> Any:
    """Return the structure of networks for a layer whose result is a structure."""
    from tensorlayer.layers.shape import Part

    count = len(tf.nest.flatten(network.outputs))
    parts = [Part(network, index=index) for index in range(count)]
    return tf.nest.pack_sequence_as(network.outputs, parts)


def _outputs(layer: Layer, inputs: Any, options: Mapping[str, Any], is_train: bool | None) -> Any:
    """Specs in, spec out; tensors in, tensor out."""
    values = fill((inputs, options), lambda network: network.outputs)
    leaves = tf.nest.flatten(values)
    with mode(None if current_mode() is not None else is_train):
        if not any(isinstance(leaf, tf.TensorSpec) for leaf in leaves):
            return layer.compute(values[0], **values[1])
        if any(tf.is_tensor(network.outputs) for network in networks_in((inputs, options))):
            raise InvalidArgument(
                f"{layer!r}: it joins a network over Input(shape) with one over "
                "InputLayer(tensor). Declare both in the same way."
            )
        return trace(layer, values)


def trace(layer: Layer, values: Any) -> Any:
    """Return the output specs of ``layer`` for input specs, without computing anything."""
    layer.build_for(values[0])
    flat = tf.nest.flatten(values)
    specs = [leaf for leaf in flat if isinstance(leaf, tf.TensorSpec)]

    @tf.function(autograph=layer.needs_autograph)
    def forward(*tensors: tf.Tensor) -> Any:
        given = iter(tensors)
        filled = [next(given) if isinstance(leaf, tf.TensorSpec) else leaf for leaf in flat]
        inputs, options = tf.nest.pack_sequence_as(values, filled)
        return layer.forward(inputs, **options)

    try:
        outputs = forward.get_concrete_function(*specs).structured_outputs
    except ValueError as error:
        if isinstance(error, TensorLayerError):
            raise
        raise WrongShape(
            f"{layer!r} cannot be applied to shape {summary.shapes(values[0])}: {error}"
        ) from error
    return tf.nest.map_structure(lambda o: tf.TensorSpec(o.shape, o.dtype), outputs)


def fill(structure: Any, value_of: Callable[[Network], Any]) -> Any:
    """Return the structure with every network replaced by its value."""
    return tf.nest.map_structure(
        lambda leaf: value_of(leaf) if isinstance(leaf, Network) else leaf, structure
    )


def evaluate(outputs: Any, feeds: Mapping[Network, Any], is_train: bool | None = None) -> Any:
    """Compute a network or a structure of networks, every event once.

    Parameters
    ----------
    outputs
        What to compute.
    feeds
        The value of every input, checked by :func:`bind_inputs`. The value of any other network
        may be given as well; nothing below it is computed then.
    is_train
        The mode; see :meth:`Network.__call__`.
    """
    values: dict[Network, Any] = dict(feeds)
    with mode(is_train):
        is_open = current_mode() is None
        for node in nodes(outputs, known=values):
            inputs, options = fill((node.inputs, node.options), values.__getitem__)
            with mode(node.is_train if is_open else None):
                values[node] = node.layer.compute(inputs, **options)
    return fill(outputs, values.__getitem__)


def bind_inputs(inputs: Sequence[Network], values: Any) -> dict[Network, tf.Tensor]:
    """Pair inputs with values given as one value, a list in order or a dictionary by name."""
    if isinstance(values, Mapping):
        values = _by_name(inputs, values)
    elif len(inputs) == 1:
        is_only = isinstance(values, (list, tuple)) and len(values) == 1 and _is_array(values[0])
        values = [values[0]] if is_only else [values]
    if not isinstance(values, (list, tuple)) or len(values) != len(inputs):
        names = ", ".join(repr(node.name) for node in inputs)
        got = len(values) if isinstance(values, (list, tuple)) else 1
        raise InvalidArgument(f"the network has the inputs {names}, got {got} value(s).")
    return {node: _checked(node, value) for node, value in zip(inputs, values, strict=True)}


def _is_array(value: Any) -> bool:
    return tf.is_tensor(value) or isinstance(value, np.ndarray)


def _by_name(inputs: Sequence[Network], values: Mapping[str, Any]) -> list[Any]:
    names = [node.name for node in inputs]
    for name in values:
        if name not in names:
            raise InvalidArgument(f"no input is named {name!r}. {did_you_mean(name, names)}")
    missing = [name for name in names if name not in values]
    if missing:
        raise InvalidArgument(f"the input {missing[0]!r} needs a value, got {sorted(values)}.")
    return [values[name] for name in names]


def _checked(node: Network, value: Any) -> tf.Tensor:
    """Return ``value`` as a tensor of the input's type, or raise WrongShape."""
    spec = node.layer.spec
    tensor = tf.convert_to_tensor(value, None if tf.is_tensor(value) else spec.dtype)
    if not spec.shape.is_compatible_with(tensor.shape) or tensor.dtype != spec.dtype:
        raise WrongShape(
            f"the input {node.name!r} takes {spec.dtype.name} of shape {tuple(spec.shape)}, got "
            f"{tensor.dtype.name} of shape {tuple(tensor.shape)}. Reshape or cast the value, or "
            "declare the input with another shape; None stands for any size."
        )
    return tensor
