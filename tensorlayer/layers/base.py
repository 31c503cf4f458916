"""The layer: three short methods, and two ways to spell it.

    net = Dense(net, n_units=800, act=tf.nn.relu, name="relu1")     # stacked
    net = Dense(n_units=800, act=tf.nn.relu, name="relu1")(net)     # called

A layer of your own is the same three methods:

    class Scaled(tl.layers.Layer):
        def __init__(self, n_units, name=None):              # store and validate
            super().__init__(name=name)
            self.n_units = n_units

        def build(self, inputs_shape):                       # make parameters
            self.W = self._get_weights("weights", [inputs_shape[-1], self.n_units])

        def forward(self, inputs):                           # tensor code, like the formula
            return tf.matmul(inputs, self.W)

Every layer also takes ``trainable=False`` and ``is_train=`` ([`tensorlayer.layers.mode`][]) and
``dtype=`` ([`tensorlayer.layers.precision`][]), whether its constructor names them or not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer import activation, initializers
from tensorlayer.errors import (
    InvalidArgument,
    NameMismatch,
    NameTaken,
    TensorLayerError,
    WrongShape,
)
from tensorlayer.layers import arguments, compat, computing, graph, naming
from tensorlayer.layers.capture import not_captured
from tensorlayer.layers.mode import current_mode, default_mode, mode
from tensorlayer.layers.outputs import main_of
from tensorlayer.layers.owner import Facts, OwnerType, path_of
from tensorlayer.layers.parameters import HasParameters
from tensorlayer.layers.precision import precision, wide
from tensorlayer.layers.sharing import Reuse, look_up
from tensorlayer.layers.tf1 import shared_variable, sharing

__all__ = ["Layer", "require_known", "require_rank", "require_size"]


class _LayerType(OwnerType):
    """What calling a layer class does: bind the arguments, share by name, apply to a network.

    This has to be the class of the class, since the result may be a layer that exists already, or a
    network; ``__new__`` alone would run the constructor on it again.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        previous, args = compat.take_previous(cls, args, kwargs)
        extra = compat.take_facts(cls, kwargs)
        if previous is not None and cls.computes_in_constructor():
            from tensorlayer.layers.legacy import LegacyLayer

            name = arguments.bind(cls, (None, *args), kwargs).get("name")
            return LegacyLayer(previous, cls, args, kwargs, name=name, **extra)
        is_train = extra.pop("is_train", None)
        layer, networks, is_new = cls.make(args, kwargs, extra)
        if previous is not None:
            return graph.connect(layer, (previous,), networks, is_train)
        if is_new:
            layer.facts.is_train, layer.facts.networks = is_train, networks
        elif is_train is not layer.facts.is_train:
            raise NameMismatch(
                f"{layer!r}: a layer that is shared by name was made with its mode. Give another "
                f"one with the call: {cls.__name__}(...)(net, is_train={is_train})."
            )
        elif networks:  # of this call; the layer itself has those it was made with
            return functools.partial(layer, **networks)
        return layer

    def computes_in_constructor(cls) -> bool:
        """Whether this is a layer in the style of 1.x."""
        is_plain = cls.forward is Layer.forward and cls.transform is Layer.transform
        return is_plain and cls.__init__ is not Layer.__init__

    @tf.autograph.experimental.do_not_convert  # a user's ``forward`` may make layers
    def make(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any], extra: dict[str, Any]
    ) -> tuple[Layer, dict[str, Any], bool]:
        """Return the layer, the one that the scope shares or a new one, and its input networks.

        Last comes whether it is new.
        """
        given = arguments.bind(cls, args, kwargs)
        networks = {k: v for k, v in given.items() if v is not None and graph.networks_in(v)}
        compat.require_inputs(cls, networks)
        if networks:  # they are inputs of a call, and no facts about the layer
            given.update(dict.fromkeys(networks))
            args, kwargs = (), given
        given = {**given, **extra}
        scope, refusal = naming.current_scope(), None
        facts = Facts(scope.name, scope.owner, graph=naming.current_graph())
        facts.precision = precision(extra.get("dtype"))
        may_exist = cls.shares_by_name and scope.reuse is not Reuse.NEVER
        with computing.LOCK if may_exist else nullcontext():
            if may_exist:
                layer, refusal = look_up(scope, cls, given, facts)
                if layer is not None:
                    return layer, networks, False
            try:
                with sharing(facts):
                    layer = cls.construct(args, kwargs, given, facts)
            except (TensorLayerError, TypeError) as error:
                compat.require_network(cls, args, error)
                raise
            if not arguments.switch(extra.get("trainable", True), "trainable"):
                layer.trainable = False
            if scope.owner:
                naming.give_label(layer, scope.numbers)
            if (shape := layer.shape_to_build_for()) is not None:
                computing.build(layer, (tf.TensorSpec(shape),), {})
            if refusal is None and facts.is_named and facts.shares is None:
                scope.remember(layer)
            elif refusal is not None and vars(layer).get("_own_weights"):
                raise refusal
            elif refusal is not None:
                facts.pending = (refusal, scope)
        return layer, networks, True


class Layer(HasParameters, metaclass=_LayerType):
    """The base of all layers.

    Parameters
    ----------
    name
        Unique in the network; without one the layer is numbered. See
        [`tensorlayer.layers.naming`][].
    act
        An activation: a callable, a name that [`tensorlayer.activation.get`][] knows, or None.

    Notes
    -----
    ``Layer(..., prev_layer=net)`` is ``Layer(net, ...)``. Being a ``tf.Module``, a layer works with
    ``tf.train.Checkpoint``, ``tf.saved_model`` and ``tf.distribute`` as it is.

    A layer defines ``forward``, or ``transform`` if the activation is to be applied after it.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> class Shift(tl.layers.Layer):
    ...     def build(self, inputs_shape):
    ...         self.b = self._get_weights("shift", inputs_shape[-1:], init=1.0)
    ...     def transform(self, inputs):
    ...         return inputs + self.b
    >>> net = Shift(tl.layers.Input([None, 3]), act="relu", name="shift")
    >>> net(tf.constant([[-3.0, 0.0, 1.0]])).numpy()
    array([[0., 1., 2.]], dtype=float32)
    """

    #: the constructor's arguments by name, defaults included
    arguments: Mapping[str, Any]
    facts: Facts
    #: whether ``reuse`` gives this layer back; inputs are values, not parameters
    shares_by_name = True
    #: whether it computes in the type of its parameters under a mixed policy: statistics need it
    keeps_precision = False
    #: whether ``forward`` may hold Python control flow on tensors: only layers of others do
    needs_autograph: ClassVar[bool] = False
    #: whether 1.x began a network with it: it takes a tensor where others take a network
    begins_networks: ClassVar[bool] = False
    #: attributes that its networks have as well; of functions, the network is the first argument
    for_networks: ClassVar[tuple[str, ...]] = ()
    #: the variables that the layer made, by name, in order
    _own_weights: Mapping[str, tf.Variable] = MappingProxyType({})
    act: Callable[[Any], Any] | None = None
    _built = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not ("needs_autograph" in vars(cls) or cls.__module__.startswith("tensorlayer.")):
            cls.needs_autograph = True

    def __init__(self, name: str | None = None, act: Any = None) -> None:
        super().__init__(name="layer")  # a module's name is an identifier; ours is a path
        vars(self).setdefault("facts", Facts())
        if name is not None:
            self.facts.own_name = naming.check_name(name, type(self).__name__)
        if act is not None:
            self.act = activation.get(act)

    # -- what a layer defines

    def build(self, inputs_shape: Any) -> None:
        """Make the parameters.

        Parameters
        ----------
        inputs_shape
            A list of sizes, or a list of such lists for several inputs. What ``forward`` takes by
            keyword, ``build`` may take as well: it gets the shape.
        """

    def transform(self, inputs: Any) -> Any:
        """Compute what the activation is applied to."""
        raise InvalidArgument(
            f"{type(self).__name__}: a layer has to define forward(self, inputs), or "
            "transform(self, inputs) if the activation comes after it."
        )

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute the outputs: the activation of what [`transform`][] gives."""
        outputs = self.transform(*inputs, **options)
        act = getattr(self.act, "follow", self.act)  # a model follows the mode of the layer
        return outputs if act is None else act(outputs)

    def shape_to_build_for(self) -> Any:
        """Return the shape of the inputs as far as the arguments tell, or None if too little."""
        return None

    # -- what a layer gets

    @property
    def name(self) -> str:
        """The full name, with scope and owner; without a name, that of the class."""
        return path_of(self)

    @name.setter
    def name(self, name: str) -> None:
        name = naming.check_name(name, type(self).__name__)
        self.facts.own_name = name.removeprefix(f"{self.facts.prefix}/")
        naming.note(self)

    @property
    def is_train(self) -> bool:
        """Whether this evaluation is training; see [`tensorlayer.layers.mode`][]."""
        return bool(current_mode())

    @property
    def is_built(self) -> bool:
        """Whether ``build`` has made all parameters that it makes."""
        return self._built or type(self).build is Layer.build

    @is_built.setter
    def is_built(self, is_built: bool) -> None:
        self._built = is_built

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the parameters and what the attributes hold."""
        yield from self._own_weights.items()
        yield from super().parts()

    def differs_here(self) -> str:
        """Say in which way what is around it here would make another layer; empty if it would not.

        What its arguments do not tell: [`tensorlayer.layers.foreign`][].
        """
        return ""

    def place(self, base: str, path: str) -> tuple[str, str]:
        """Return the path of the layer: by its name if it has one, else by what holds it."""
        if self.facts.is_named:
            own = self.facts.in_owner(self.name)
            path = f"{base}/{own}" if base else own
        return path, path

    def _get_weights(
        self,
        var_name: str,
        shape: Any,
        init: Any = initializers.RandomNormal(),  # noqa: B008 - a frozen value
        trainable: bool = True,
        dtype: Any = None,
    ) -> tf.Variable:
        """Make a parameter: the one door through which they come to exist.

        Parameters
        ----------
        var_name
            Unique in the layer; the variable is called ``layer name/var_name``.
        shape
            All sizes known.
        init
            Whatever [`tensorlayer.initializers.get`][] accepts.
        trainable
            Whether gradients change it.
        dtype
            Of the values; None for that of the layer.
        """
        if var_name in self._own_weights:
            raise NameTaken(f"{self!r} has a parameter {var_name!r} already. Give it another name.")
        shape = [int(size) for size in shape]
        dtype = self.facts.variable_dtype if dtype is None else tf.as_dtype(dtype)
        full_name = f"{self.facts.label or self.name}/{var_name}"
        shared = shared_variable(self, var_name, shape)  # AutoGraph: no assignment in an `if`
        if shared is not None:
            self._own_weights = {**self._own_weights, var_name: shared}
            return shared
        make = initializers.get(init)
        aggregation = tf.VariableAggregation
        # What training moves beside gradients is the mean of what replicas find.
        is_statistic = not trainable and dtype.is_floating
        with tf.init_scope(), tf.name_scope(""), not_captured():
            variable = tf.Variable(
                lambda: self._initial(var_name, make, shape, dtype),
                trainable=trainable,
                aggregation=aggregation.MEAN if is_statistic else aggregation.NONE,
                name=full_name,
                shape=shape,
            )
        self._keep_weights({var_name: variable})
        return variable

    def _initial(
        self, var_name: str, make: Callable[..., Any], shape: list[int], dtype: tf.DType
    ) -> tf.Tensor:
        """Return the initial value of a parameter, of its shape and type."""
        # Values are drawn in 32 bits: not all of linear algebra is there for fewer.
        drawn = wide(dtype)
        try:
            value = tf.cast(make(shape, dtype=drawn), dtype)
        except (TypeError, ValueError) as error:
            raise InvalidArgument(
                f"{self!r}: the initializer of {var_name!r} fails when it is called as "
                f"init({shape}, dtype={drawn.name}): {error}"
            ) from error
        if not value.shape.is_compatible_with(shape):
            raise WrongShape(
                f"{self!r}: the parameter {var_name!r} is of shape {tuple(shape)}, its initializer "
                f"gives {tuple(value.shape)}."
            )
        return value

    def _keep_weights(self, variables: Mapping[str, tf.Variable]) -> None:
        self._own_weights = {**self._own_weights, **variables}
        for variable in variables.values():
            variable.layer = self  # so that the layer can be shared as long as its variables live

    # -- how a layer is applied

    def __call__(self, *inputs: Any, is_train: bool | None = None, **options: Any) -> Any:
        """Apply the layer: networks in, network out; tensors or arrays in, tensor out."""
        if self.facts.networks:
            options = {**self.facts.networks, **options}
        if graph.networks_in((inputs, options)):
            return graph.connect(self, inputs, options, is_train)
        with mode(is_train), default_mode(self.facts.is_train):
            inputs, options = computing.tensors_of(self, inputs, options)
            return main_of(computing.compute(self, inputs, options))

    @property
    def config(self) -> dict[str, Any]:
        """Class and arguments, as they were given; what is None is left out.

        A saved model holds them as JSON: [`Model.config`][tensorlayer.models.model.Model.config].
        """
        given = {key: value for key, value in self.arguments.items() if value is not None}
        return {"class": type(self).__name__, "args": {**given, "name": self.name}}

    def __repr__(self) -> str:
        if "facts" not in vars(self):
            return f"<{type(self).__name__} before super().__init__()>"
        shown = {**self.arguments, "name": self.name}
        return arguments.describe(type(self), shown)


def require_rank(layer: Layer, inputs_shape: Any, ranks: tuple[int, ...], remedy: str) -> None:
    """Raise WrongShape unless the input has one of the ranks."""
    if any(isinstance(size, (list, tuple)) for size in inputs_shape or ()):
        raise WrongShape(f"{layer!r}: it takes one input, got a list of {len(inputs_shape)}.")
    if inputs_shape is None or len(inputs_shape) not in ranks:
        wanted = " or ".join(map(str, ranks))
        got = "an unknown shape" if inputs_shape is None else f"shape {tuple(inputs_shape)}"
        raise WrongShape(f"{layer!r}: the input must be of rank {wanted}, got {got}. {remedy}")


def require_size(layer: Layer, shape: tf.TensorShape, axis: int, size: int | None) -> None:
    """Raise WrongShape unless the input is as long along an axis as the parameters are for.

    TensorFlow would say nothing where it can broadcast.
    """
    if None not in {shape[axis], size} and shape[axis] != size:
        raise WrongShape(
            f"{layer!r}: its parameters are for a size of {size} along axis {axis}, got shape "
            f"{tuple(shape)}. Make another layer for it."
        )


def require_known(layer: Layer, size: int | None, what: str) -> int:
    """Return ``size`` if it is known, else raise InvalidArgument."""
    if size is None:
        raise InvalidArgument(
            f"{layer!r}: {what} must be known when the layer is built, got None. Give it in the "
            "shape of the Input, or put a Reshape before the layer."
        )
    return size
