"""The layer: three short methods, and two ways to spell it.

::

    net = Dense(net, n_units=800, act=tf.nn.relu, name="relu1")     # stacked
    net = Dense(n_units=800, act=tf.nn.relu, name="relu1")(net)     # called

A layer of your own is the same three methods::

    class Scaled(tl.layers.Layer):
        def __init__(self, n_units, act=None, name=None):    # store and validate
            super().__init__(name=name, act=act)
            self.n_units = n_units

        def build(self, inputs_shape):                       # make parameters
            self.W = self._get_weights("weights", [inputs_shape[-1], self.n_units])

        def forward(self, inputs):                           # tensor code, like the formula
            return tf.matmul(inputs, self.W)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from tensorlayer import activation, initializers
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import arguments, compat, graph, naming
from tensorlayer.layers.mode import current_mode, mode
from tensorlayer.layers.parameters import HasParameters
from tensorlayer.layers.tree import named_variables

__all__ = ["Layer"]


class _LayerType(type):
    """What calling a layer class does: bind the arguments, share by name, apply to a network.

    This has to be the class of the class, since the result may be a layer that exists already, or a
    network; ``__new__`` alone would run the constructor on it again.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        previous, args = compat.take_previous(cls.__name__, args, kwargs)
        is_train = compat.translate(cls, kwargs)
        if previous is not None and cls.computes_in_constructor():
            from tensorlayer.layers.legacy import LegacyLayer

            return LegacyLayer(cls, args, kwargs)(previous)
        layer = cls.make(args, kwargs)
        if previous is None:
            return layer
        return graph.connect(layer, previous, {}, is_train)

    def computes_in_constructor(cls) -> bool:
        """Whether this is a layer in the style of 1.x."""
        return cls.forward is Layer.forward and cls.__init__ is not Layer.__init__

    def make(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Layer:
        """Return the layer: the one that the scope shares, or a new one."""
        given = arguments.bind(cls, args, kwargs)
        scope = naming.current_scope()
        if given.get("name") is not None:
            shared = scope.shared(cls, scope.qualify(given["name"]), given)
            if shared is not None:
                return shared
        layer = super().__call__(*args, **kwargs)
        layer.arguments = MappingProxyType(given)
        if layer.given_name is not None:
            scope.remember(layer)
        return layer


class Layer(HasParameters, tf.Module, metaclass=_LayerType):
    """The base of all layers.

    Parameters
    ----------
    name
        Unique in the network; without one the layer is numbered. See
        :mod:`tensorlayer.layers.naming`.
    act
        An activation: a callable, a name that :func:`tensorlayer.activation.get` knows, or None.

    Notes
    -----
    ``Layer(..., prev_layer=net)`` is ``Layer(net, ...)``. Being a ``tf.Module``, a layer works with
    ``tf.train.Checkpoint``, ``tf.saved_model`` and ``tf.distribute`` as it is.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> class Shift(tl.layers.Layer):
    ...     def build(self, inputs_shape):
    ...         self.b = self._get_weights("shift", inputs_shape[-1:], init=1.0)
    ...     def forward(self, inputs):
    ...         return inputs + self.b
    >>> net = Shift(tl.layers.Input([None, 3]), name="shift")
    >>> net(tf.zeros([1, 3])).numpy()
    array([[1., 1., 1.]], dtype=float32)
    """

    #: the constructor's arguments by name, defaults included
    arguments: Mapping[str, Any] = MappingProxyType({})
    #: whether ``reuse`` gives this layer back; inputs are values, not parameters
    shares_by_name = True
    #: the variables that the layer made, by name, in order; always replaced, never changed
    _weights: Mapping[str, tf.Variable] = MappingProxyType({})
    #: whether the number in the name is ours to change when networks are joined
    has_auto_name = False

    def __init__(self, name: str | None = None, act: Any = None) -> None:
        super().__init__(name="layer")  # a module's name is an identifier; ours is a path
        self.scope = naming.current_scope()
        self.given_name: str | None = None
        if name is not None:
            self.given_name = self.scope.qualify(naming.check_name(name, type(self).__name__))
        self._label = self.given_name or naming.snake_case(type(self).__name__)
        self.act = activation.get(act)
        self._built = False

    # -- what a layer defines

    def build(self, inputs_shape: Any) -> None:
        """Make the parameters; ``inputs_shape`` is a list of sizes, or a list of such lists."""

    def forward(self, inputs: Any) -> Any:
        """Compute the outputs."""
        raise InvalidArgument(
            f"{type(self).__name__}: a layer has to define forward(self, inputs)."
        )

    # -- what a layer gets

    @property
    def name(self) -> str:
        """The full name, with the scope."""
        return self._label

    @name.setter
    def name(self, name: str) -> None:
        self._label = name

    @property
    def is_train(self) -> bool:
        """Whether this evaluation is training; see :mod:`tensorlayer.layers.mode`."""
        return bool(current_mode())

    @property
    def is_built(self) -> bool:
        """Whether the parameters exist."""
        return self._built

    @property
    def needs_autograph(self) -> bool:
        """Whether ``forward`` may hold Python control flow on tensors: only layers of others do."""
        return not type(self).__module__.startswith("tensorlayer.")

    @property
    def parameters(self) -> dict[str, tf.Variable]:
        """The variables by their name within the layer, in order of creation."""
        below = named_variables(self)
        own = {id(variable) for variable in self._weights.values()}
        return {**self._weights, **{k: v for k, v in below.items() if id(v) not in own}}

    def _get_weights(
        self,
        var_name: str,
        shape: Any,
        init: Any = initializers.RandomNormal(),  # noqa: B008 - a frozen value
        trainable: bool = True,
        dtype: tf.DType = tf.float32,
    ) -> tf.Variable:
        """Make a parameter: the one door through which they come to exist.

        Parameters
        ----------
        var_name
            Unique in the layer; the variable is called ``layer name/var_name``.
        shape
            All sizes known.
        init
            Whatever :func:`tensorlayer.initializers.get` accepts.
        trainable
            Whether gradients change it.
        dtype
            Of the values.
        """
        shape = [int(size) for size in shape]
        make = initializers.get(init)
        with tf.init_scope():
            variable = tf.Variable(
                lambda: tf.convert_to_tensor(make(shape, dtype=dtype), dtype),
                trainable=trainable,
                name=f"{self.name}/{var_name}",
                shape=shape,
            )
        self._keep({var_name: variable})
        return variable

    def _keep(self, variables: Mapping[str, tf.Variable]) -> None:
        self._weights = {**self._weights, **variables}

    def replace_variables(self, adopted: Mapping[Any, tf.Variable]) -> None:
        """Use other variables from now on; ``adopted`` maps ``variable.ref()`` to the new one."""
        self._weights = {n: adopted.get(v.ref(), v) for n, v in self._weights.items()}
        for name, value in list(vars(self).items()):
            if isinstance(value, tf.Variable):
                setattr(self, name, adopted.get(value.ref(), value))

    # -- how a layer is applied

    def __call__(self, inputs: Any, is_train: bool | None = None, **options: Any) -> Any:
        """Apply the layer: networks in, network out; tensors in, tensor out."""
        if graph.networks_in((inputs, options)):
            return graph.connect(self, inputs, options, is_train)
        with mode(is_train):
            return self.compute(inputs, **options)

    def compute(self, inputs: Any, **options: Any) -> Any:
        """Return the outputs for tensors; the first time, build the parameters for their shape."""
        self.build_for(inputs)
        with tf.name_scope(self.name):
            return self.forward(inputs, **options)

    def build_for(self, inputs: Any) -> None:
        """Build the parameters, once, for inputs (tensors or specs) of this shape."""
        if self._built:
            return
        shapes = tf.nest.map_structure(_sizes, inputs)
        self.build(shapes)
        self._built = True

    @classmethod
    def makes_parameters(cls) -> bool:
        """Whether layers of this class have something to share."""
        return cls.build is not Layer.build

    def __repr__(self) -> str:
        shown = {**self.arguments, "name": self.name}
        return arguments.describe(type(self), shown)


def _sizes(value: Any) -> list[int | None] | None:
    """Return the sizes of a tensor or spec; None where even the rank is unknown."""
    shape = getattr(value, "shape", None)
    if shape is None:
        shape = tf.convert_to_tensor(value).shape
    shape = tf.TensorShape(shape)
    return None if shape.rank is None else shape.as_list()


def require_rank(layer: Layer, inputs_shape: Any, ranks: tuple[int, ...], remedy: str) -> None:
    """Raise WrongShape unless the input has one of the ranks."""
    if inputs_shape is None or len(inputs_shape) not in ranks:
        wanted = " or ".join(map(str, ranks))
        got = "an unknown shape" if inputs_shape is None else f"shape {tuple(inputs_shape)}"
        raise WrongShape(f"{layer!r}: the input must be of rank {wanted}, got {got}. {remedy}")


def require_known(layer: Layer, size: int | None, what: str) -> int:
    """Return ``size`` if it is known, else raise InvalidArgument."""
    if size is None:
        raise InvalidArgument(
            f"{layer!r}: {what} must be known when the layer is built, got None. Give it in the "
            "shape of the Input, or put a Reshape before the layer."
        )
    return size
