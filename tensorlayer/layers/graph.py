"""Networks: what you get when a layer is applied to a network.

A [`Network`][] is one *call event*: a layer, the networks it was applied to, and the outputs.
The layer and the event are different objects, since one layer may be applied many times: that is
two events and one set of parameters. Everything about a whole network is a function of this module
that walks the events below it with a loop, so depth is limited by memory alone.

The one rule for outputs is *specs in, spec out; tensors in, tensor out*: above an
[`tensorlayer.layers.Input`][] outputs are ``tf.TensorSpec`` found by abstract tracing
([`tensorlayer.layers.tracing`][]); above an ``InputLayer(tensor)`` they are computed in the
tensor's own world.
"""

from __future__ import annotations

import copy
import functools
import itertools
import operator
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import summary
from tensorlayer.layers.computing import compute
from tensorlayer.layers.feeding import bind_inputs
from tensorlayer.layers.mode import default_mode, mode
from tensorlayer.layers.naming import give_label, may_be_taken, names_of
from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.parameters import HasParameters
from tensorlayer.layers.structure import leaves, rebuild
from tensorlayer.layers.tf1 import ForSessions, declared_mode, making, side
from tensorlayer.layers.tracing import trace

if TYPE_CHECKING:
    from tensorlayer.layers.base import Layer

__all__ = [
    "Network",
    "Networks",
    "apply",
    "connect",
    "evaluate",
    "layers_of",
    "networks_in",
    "nodes",
]

_NOT_A_TENSOR = (
    "{!r} is a network, not a tensor, a list or a container. TensorFlow's functions come into a "
    "network as layers: tl.layers.Lambda(net, tf.nn.relu); its events are net.all_layers."
)


class Network(ForSessions, HasParameters):
    """One layer applied to networks; the handle to everything below it.

    Networks are made by applying layers, never directly.

    Attributes
    ----------
    layer
        The layer that was applied.
    args, options
        What it was applied to, by position and by keyword: networks, or lists, tuples and
        dictionaries of networks.
    outputs
        ``tf.TensorSpec`` or tensor (or a structure of them inside a layer that returns a
        structure).
    is_train
        The mode that was declared with it (``is_train=`` of TensorLayer 1.x); see
        [`tensorlayer.layers.mode`][].
    sides
        What the layer gives besides, by name: see [`tensorlayer.layers.Outputs`][].

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

    layer: Layer
    args: tuple[Any, ...]
    options: dict[str, Any]
    outputs: Any
    is_train: bool | None
    sides: dict[str, Network]
    numbers: Counter[str]  #: of unnamed layers below, by kind, at least

    def __init__(
        self,
        layer: Layer,
        args: Sequence[Any],
        options: Mapping[str, Any],
        outputs: Any,
        is_train: bool | None = None,
    ) -> None:
        args, options = tuple(args), dict(options)
        parents = tuple(dict.fromkeys(networks_in((args, options))))
        # Past __setattr__: a tf.Module would wrap and track each of them.
        vars(self).update(layer=layer, args=args, options=options, outputs=outputs, sides={})
        vars(self).update(is_train=is_train, parents=parents)
        # Names are found by walking; for every new layer, time that would grow with the square.
        numbers = functools.reduce(operator.or_, (p.numbers for p in parents), Counter())
        give_label(layer, numbers)
        vars(self)["numbers"] = numbers

    # -- what it is

    @property
    def name(self) -> str:
        """The name of the layer in this network."""
        if self.sides:  # it is a part of what its layer gave
            return self.parents[0].name
        return self.layer_name

    @property
    def layer_name(self) -> str:
        """The name of the very layer, also where that only takes a part of what another gave."""
        return self.layer.name if self.layer.facts.is_named else self.layer_names[self.layer]

    @property
    def layer_names(self) -> dict[Layer, str]:
        """The layers below, in order of computation, with their names in this network."""
        return names_of(dict.fromkeys(node.layer for node in self.plan))

    @property
    def inputs(self) -> Any:
        """What the layer was applied to: a network or a structure of them."""
        return self.args[0] if len(self.args) == 1 else list(self.args)

    @property
    def shape(self) -> tf.TensorShape:
        """The static shape of the outputs."""
        return self.outputs.shape

    @functools.cached_property
    def plan(self) -> list[Network]:
        """The events below and including this one, in order of computation."""
        return nodes(self)

    @property
    def all_layers(self) -> list[Network]:
        """The events below and including this one, without the inputs, in order of computation."""
        return [node for node in self.plan if node.parents]

    @property
    def input_nodes(self) -> list[Network]:
        """The inputs that this network needs, in order of first use."""
        return [node for node in self.plan if not node.parents]

    @property
    def all_params(self) -> list[tf.Variable]:
        """All variables, in order of creation."""
        return list(self.parameters.values())

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the layers by their names in this network."""
        yield from ((layer.facts.in_owner(n), layer) for layer, n in self.layer_names.items())

    def place(self, base: str, path: str) -> tuple[str, str]:
        """Return the paths of named and unnamed layers: a network owns none of them."""
        return base, path

    def print_layers(self) -> None:
        """Show the layers with their output shapes."""
        summary.show(summary.layer_table(self))

    @property
    def trainable(self) -> bool:
        """Whether training may change any layer below; setting it sets it for all of them."""
        return any(layer.trainable for layer in layers_of(self))

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        for layer in layers_of(self):
            layer.trainable = trainable

    # -- what it does

    def __call__(self, inputs: Any, *, is_train: bool | None = None) -> Any:
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
        needed = self.input_nodes
        structure = needed[0] if len(needed) == 1 else needed
        return evaluate(self, bind_inputs(structure, inputs), is_train)

    def __getitem__(self, key: Any) -> Network:
        """Slice the outputs, as ``net[:, :30]``."""
        from tensorlayer.layers.shape import Slice

        if isinstance(key, int) and not isinstance(key, bool):  # the way in which lists are read
            self.__iter__()
        return Slice(self, key=key)

    def __getattr__(self, name: str) -> Any:
        """Return what the layer gives besides its result, or offers to its networks."""
        sides = vars(self).get("sides", {})
        if name in sides:
            return side(sides[name])
        # What has sides is a part of what its layer gave.
        layer = self.parents[0].layer if sides else vars(self).get("layer")
        if name in getattr(layer, "for_networks", ()):
            found = getattr(layer, name)
            return functools.partial(found, self) if callable(found) else found
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __len__(self) -> int:
        if not self.parents:  # TensorFlow would take it for an empty list
            self.__iter__()
        return len(self.all_layers)

    def __bool__(self) -> bool:
        return True

    def __iter__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise InvalidArgument(_NOT_A_TENSOR.format(self))

    __tf_tensor__ = __array__ = __iter__

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        """Return a copy with layers of its own; event by event, so that depth does not matter."""
        for node in nodes(self):
            if id(node) not in memo:
                memo[id(node)] = copied = object.__new__(Network)
                kept = list(vars(node).items())  # another thread may ask for the plan meanwhile
                vars(copied).update({k: copy.deepcopy(v, memo) for k, v in kept if k != "plan"})
        return memo[id(self)]

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        """Give a ``tf.train.Checkpoint`` the layers, by name."""
        return {name: layer for layer, name in self.layer_names.items()}

    def __repr__(self) -> str:
        own = f" {self.layer.name!r}" if self.layer.facts.is_named else ""
        return f"<Network{own} {summary.shapes(self.outputs)} of {self.layer!r}>"


class Networks(list):
    """The networks of a layer that gives a list."""

    @property
    def outputs(self) -> list[Network]:
        """The networks, as 1.x called them."""
        return list(self)


def networks_in(structure: Any) -> list[Network]:
    """Return the networks in nested lists, tuples and dictionaries, in order."""
    if isinstance(structure, (list, tuple, Mapping)):
        return [leaf for leaf in leaves(structure) if isinstance(leaf, Network)]
    return [structure] if isinstance(structure, Network) else []


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


# -- declaring


def connect(
    layer: Layer, args: Sequence[Any], options: Mapping[str, Any], is_train: bool | None = None
) -> Any:
    """Apply ``layer``: a network, or the structure of networks if the layer returns one."""
    network = apply(layer, args, options, is_train)
    if not isinstance(network.outputs, (list, tuple, Mapping)):
        return network
    from tensorlayer.layers.shape import Part

    index = itertools.count()
    parts = rebuild(
        network.outputs, lambda leaf: Network(Part(index=next(index)), (network,), {}, leaf)
    )
    if not isinstance(parts, Outputs):
        return Networks(parts) if isinstance(parts, list) else parts
    main, sides = parts
    for name in sides:
        if hasattr(Network, name):
            raise InvalidArgument(
                f"{layer!r}: {name!r} is what every network has; call what the layer gives besides "
                "its result by another name."
            )
    for part in networks_in(main):
        part.sides.update(sides)
    return main


def apply(
    layer: Layer, args: Sequence[Any], options: Mapping[str, Any], is_train: bool | None = None
) -> Network:
    """Apply ``layer`` to networks: the call event, whose outputs may be a structure."""
    is_train = declared_mode(layer, is_train, networks_in((args, options)))
    network = Network(layer, args, options, None, is_train)
    if may_be_taken(layer, len(network.parents)):
        names_of(layers_of(network))  # it raises if that is here
    with default_mode(is_train):
        vars(network)["outputs"] = _outputs(network)
    return network


def _outputs(network: Network) -> Any:
    """Specs in, spec out; tensors in, tensor out."""
    layer, given = network.layer, {parent: parent.outputs for parent in network.parents}
    args, options = fill((network.args, network.options), given)
    are_specs = {isinstance(leaf, tf.TensorSpec) for leaf in leaves(list(given.values()))}
    if are_specs == {False}:
        with making(network, given):
            return compute(layer, args, options)
    if are_specs == {True}:
        return trace(layer, args, options)
    raise InvalidArgument(
        f"{layer!r}: it joins a network over Input(shape) with one over InputLayer(tensor). "
        "Declare both in the same way."
    )


# -- evaluating


def fill(structure: Any, values: Mapping[Network, Any]) -> Any:
    """Return the structure with every network replaced by its value."""
    return rebuild(structure, lambda leaf: values[leaf] if isinstance(leaf, Network) else leaf)


def evaluate(outputs: Any, feeds: Mapping[Network, Any], is_train: bool | None = None) -> Any:
    """Compute a network or a structure of networks, every event once.

    Parameters
    ----------
    outputs
        What to compute.
    feeds
        The value of every input. The value of any other network may be given as well; nothing
        below it is computed then.
    is_train
        The mode; see [`Network.__call__`][].
    """
    values: dict[Network, Any] = dict(feeds)
    is_cut = any(node.parents for node in feeds)
    plan = outputs.plan if isinstance(outputs, Network) and not is_cut else nodes(outputs, values)
    with mode(is_train):
        for node in plan:
            if node not in values:
                values[node] = _computed(node, values)
    return fill(outputs, values)


def _computed(node: Network, values: Mapping[Network, Any]) -> Any:
    args, options = node.args, node.options
    if len(args) == 1 and not options and isinstance(args[0], Network):  # as nearly all are
        args = (values[args[0]],)
    else:
        args, options = fill((args, options), values)
    with default_mode(node.is_train):
        return compute(node.layer, args, options)
