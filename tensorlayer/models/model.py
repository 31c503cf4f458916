"""The model: a network, or code of your own, as one unit with one structure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from tensorlayer.errors import (
    InvalidArgument,
    ModeError,
    NotANetwork,
    did_you_mean,
)
from tensorlayer.layers import computing, graph, naming, summary
from tensorlayer.layers.base import Layer
from tensorlayer.layers.feeding import bind_inputs
from tensorlayer.layers.graph import Network
from tensorlayer.layers.mode import current_mode, mode
from tensorlayer.layers.nested import ModelLayer
from tensorlayer.layers.outputs import main_of
from tensorlayer.layers.owner import OwnerType
from tensorlayer.layers.structure import leaves
from tensorlayer.layers.tree import children, owners
from tensorlayer.models import config as configs
from tensorlayer.models.keras_layer import TensorLayerModel, unique_name
from tensorlayer.models.persistence import Persistent

__all__ = ["Model"]

#: Attributes of a static model that hold its network.
_ENDS = frozenset({"_computed_layers", "_given_ends"})


class Model(Persistent, metaclass=OwnerType):
    """A network as one unit: it knows its mode, its structure and its weights.

    Parameters
    ----------
    inputs
        The network or list of networks that values are fed to, made by ``Input``.
    outputs
        What is computed: a network, or a structure of networks.
    name
        For people; two models may have the same.

    Notes
    -----
    A *static* model is given ``inputs`` and ``outputs``. A model of your own is a subclass that
    makes layers in its constructor and computes in ``forward``:

        class Classifier(tl.models.Model):
            def __init__(self, n_classes):
                super().__init__()
                self.hidden = tl.layers.Dense(800, act="relu", in_channels=784)
                self.logits = tl.layers.Dense(n_classes, in_channels=800)

            def forward(self, x):
                return self.logits(self.hidden(x))

    Its layers are called after the attributes that hold them (``hidden/weights``), in alphabetical
    order as in TensorLayer 2.x.

    Whether a model trains is said by ``train()`` or ``eval()``, or by each call; a model that is
    never told refuses to guess. Like a layer, every model also takes ``trainable=False``.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 4], name="x")
    >>> model = Model(x, tl.layers.Dense(x, n_units=2, name="logits"), name="small")
    >>> model(tf.zeros([3, 4]), is_train=False).shape
    TensorShape([3, 2])
    >>> model.get_layer("logits")
    Dense(n_units=2, name='logits')
    """

    _told: bool | None = None
    _given_ends: Mapping[str, Any] = MappingProxyType({"in": None, "out": None})
    #: the constructor's arguments by name, defaults included
    arguments: Mapping[str, Any]

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None) -> None:
        super().__init__(name="model")  # a module's name is an identifier; ours is for people
        self.facts.own_name = name
        if outputs is None:
            if type(self).forward is Model.forward:
                raise InvalidArgument(
                    "Model: give inputs and outputs, or make a subclass that defines forward()."
                )
            return
        _require_inputs(inputs, outputs)
        # Past __setattr__: a tf.Module would wrap the lists and dictionaries.
        vars(self)["_given_ends"] = {"in": inputs, "out": outputs}
        names = naming.names_of(graph.layers_of([self.inputs, outputs]))
        for layer, layer_name in names.items():  # from now on the structure relies on the names
            layer.name = layer_name
        self._computed_layers = list(names)

    # -- computing

    def forward(self, inputs: Any) -> Any:
        """Compute the outputs; a model of your own defines it."""
        fed = bind_inputs(self._given_ends["in"], inputs)
        return graph.evaluate(self.outputs, fed)

    def __call__(self, *inputs: Any, is_train: bool | None = None, **options: Any) -> Any:
        """Compute the outputs in a mode.

        Parameters
        ----------
        inputs
            A tensor or array; for several inputs a list in their order or a dictionary by name. A
            network gives a network: the model is a layer then. A model of your own takes what its
            ``forward`` takes.
        is_train
            The mode of this call; without it that of ``train()`` or ``eval()``, or that of an
            evaluation around this one, for which a layer that was told none infers.

        Raises
        ------
        ModeError
            The mode was not said, or the call contradicts ``train()`` or ``eval()``.
        """
        if graph.networks_in((inputs, options)):
            return self.as_layer()(*inputs, is_train=is_train, **options)
        with mode(self._mode_of_call(is_train)):
            return main_of(self.follow(*inputs, **options))

    def _mode_of_call(self, asked: bool | None) -> bool:
        if asked is None:
            said = self._said_mode()
            if said is None and naming.current_scope().is_of_forward:
                return False  # as the layer around it
            if said is None:
                raise ModeError(
                    f"model {self.name!r}: call train() or eval() first, or give is_train=True or "
                    "is_train=False with the call."
                )
            return said
        if self._told is not None and self._told != asked:
            raise ModeError(
                f"model {self.name!r}: it was told is_train={self._told} by train() or eval(), "
                f"but was called with is_train={asked}. Say it in one of the two ways."
            )
        return asked

    def _said_mode(self) -> bool | None:
        """Return the mode: ``eval()`` freezes, ``train()`` holds where nobody around said one."""
        return False if self._told is False or not self.trainable else self.is_train

    def follow(self, *inputs: Any, **options: Any) -> Any:
        """Compute in the mode around the call, unless ``eval()`` said to infer.

        This is how the model computes as a part of a larger one.
        """
        if self.outputs is None:
            inputs, options = computing.tensors_of(self, inputs, options)
        with mode(self._said_mode()):
            return computing.compute(self, inputs, options)

    @property
    def is_train(self) -> bool | None:
        """Within ``forward`` the mode of the evaluation, else that of ``train()`` or ``eval()``.

        Layers of Keras in a ``forward`` of yours are told it: ``self.drop(x,
        training=self.is_train)``.
        """
        around = current_mode()
        return self._told if around is None else around

    @is_train.setter
    def is_train(self, is_train: bool | None) -> None:
        self._told = is_train

    def train(self) -> None:
        """Train from now on: dropout drops, batch normalisation uses the batch."""
        self._told = True

    def eval(self) -> None:
        """Infer from now on."""
        self._told = False

    test = infer = eval

    # -- what it consists of

    @property
    def name(self) -> str:
        """The name for people."""
        return self.facts.own_name or naming.snake_case(type(self).__name__)

    @property
    def inputs(self) -> Sequence[Network] | None:
        """The inputs in order; None for a model of your own."""
        return None if self.outputs is None else tuple(graph.networks_in(self._given_ends["in"]))

    @property
    def outputs(self) -> Any:
        """The network, or structure of networks, that is computed; None for a model of your own."""
        return self._given_ends["out"]

    @property
    def _is_its_network(self) -> bool:
        """Whether nothing but its network is computed: ``forward`` is not the user's."""
        return type(self).forward is Model.forward

    @property
    def all_layers(self) -> list[Layer]:
        """The layers, each once: in order of computation, then by the attributes that hold them."""
        return list(dict.fromkeys(layer for _, layer in self._held_layers()))

    def _held_layers(self) -> list[tuple[str, Layer]]:
        """Return the layers with their paths: of the network, and in attributes."""
        found: list[tuple[str, Layer]] = []
        stack = list(reversed(list(type(self).parts(self))))
        while stack:
            path, value = stack.pop()
            if isinstance(value, Layer):
                found.append((path, value))
            elif isinstance(value, (list, tuple, Mapping)):
                stack += reversed([(f"{path}/{key}", part) for key, part in children(value)])
        return found

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the layers of the network; with a ``forward`` of your own, also what it has.

        Attributes come by the alphabet, as in 2.x.
        """
        if self.outputs is not None:
            yield from ((layer.name, layer) for layer in self._computed_layers)
        if not self._is_its_network:
            own = (part for part in super().parts() if part[0] not in _ENDS)
            yield from sorted(own, key=lambda part: part[0])

    @property
    def all_params(self) -> list[tf.Variable]:
        """As ``all_weights``, under the name of 1.x."""
        return self.all_weights

    @property
    def n_weights(self) -> int:
        """The number of variables."""
        return len(self.parameters)

    def release_memory(self) -> None:
        """Do nothing: a declared network holds no values that could be let go."""

    def print_all_layers(self) -> None:
        """Show the layers, one on each line."""
        summary.show(summary.text_table("layer", map(repr, self.all_layers)))

    def get_layer(self, name: str | int | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or path, or by its place in `all_layers`.

        A path leads through attributes, and into layers of layers: what it is in the names of
        parameters. The layer of ``mlp/hidden/weights`` in a `LayerList` is ``mlp/hidden``.

        Raises
        ------
        InvalidArgument
            There is none, or not exactly one of name and index is given.
        """
        if (name is None) == (index is None):
            raise InvalidArgument(f"model {self.name!r}: get_layer takes a name or an index.")
        key = index if name is None else name
        layers = self.all_layers
        if isinstance(key, int):
            if not -len(layers) <= key < len(layers):
                raise InvalidArgument(
                    f"model {self.name!r} has {len(layers)} layers, got index {key}."
                )
            return layers[key]
        below = ((path, part) for path, part in owners(self) if isinstance(part, Layer))
        named = ((layer.name, layer) for layer in layers if layer.facts.is_named)
        # What comes later counts: the own name before the path, the first of several on a path.
        known = dict([*reversed([*self._held_layers(), *below]), *named])
        if not isinstance(key, str):
            raise InvalidArgument(
                f"model {self.name!r}: get_layer takes a name or an index, got {key!r}."
            )
        if key in known:
            return known[key]
        names = list(known)
        raise InvalidArgument(
            f"model {self.name!r} has no layer {key!r}. {did_you_mean(key, names)}"
        )

    def as_layer(self, name: str | None = None) -> ModelLayer:
        """Return the model as a layer, to be used once or more in a larger network.

        It is one layer: a model that is applied twice is shared.
        """
        name = name or self.facts.own_name
        layers = self.facts.as_layers
        if name not in layers:
            layers[name] = ModelLayer(model=self, name=name)
        return layers[name]

    # -- structure

    @property
    def config(self) -> dict[str, Any]:
        """The structure as plain JSON; see [`tensorlayer.models.config`][]."""
        return configs.describe(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Model:
        """Return a new model with the structure that ``config`` describes, and fresh weights.

        The config may come from a stranger; see [`tensorlayer.models.config.read_model`][].
        """
        return configs.read_model(Model, config)

    @property
    def structure_digest(self) -> str:
        """A hash of the structure and the shapes of the parameters."""
        return configs.digest(self.config, self.parameters)

    # -- other worlds

    def as_keras(self, name: str | None = None) -> tf.keras.layers.Layer:
        """Return the model as a Keras layer, for a Keras model and its ``fit``.

        Both have the same variables; see [`tensorlayer.models.keras_layer`][]. Without ``name`` it
        is called like the model, numbered as Keras numbers its layers.

        Examples
        --------
        >>> import tensorlayer as tl
        >>> x = tl.layers.Input([None, 4], name="x")
        >>> model = Model(x, tl.layers.Dense(x, 2, name="d"), name="inner")
        >>> outer = tf.keras.Sequential([tf.keras.Input([4]), model.as_keras()])
        >>> outer.count_params(), outer.weights[0].value is model.all_weights[0]
        (10, True)
        """
        return TensorLayerModel(self, name=name or unique_name(self.name))

    def __str__(self) -> str:
        """Return a line for each layer with its settings, layers within layers indented."""
        return "\n".join([repr(self), *summary.lines(self)])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} of {len(self.all_layers)} layers>"


def _require_inputs(inputs: Any, outputs: Any) -> None:
    """Raise unless ``inputs`` are inputs, and all that ``outputs`` needs."""
    given = graph.networks_in(inputs)
    is_network = [isinstance(leaf, Network) for leaf in leaves([inputs, outputs])]
    if not given or not all(is_network) or len(is_network) == len(given):
        error = InvalidArgument if all(is_network) else NotANetwork
        raise error(
            f"Model: inputs and outputs are networks, got inputs={inputs!r}, outputs={outputs!r}."
        )
    for node in given:
        if node.parents:
            raise InvalidArgument(f"Model: inputs are made by tl.layers.Input, got {node!r}.")
    needed = [node for node in graph.nodes(outputs) if not node.parents and node not in given]
    if needed:
        names = ", ".join(repr(node.name) for node in needed)
        raise InvalidArgument(
            f"Model: the outputs also need the inputs {names}. Add them to inputs."
        )
