"""Cells: what a recurrent layer does at one step.

A cell is anything with two methods:

    cell(inputs, state)                  # -> output, next state
    cell.initial_state(batch_size)       # -> the state to begin with

A state is a tensor, or a list, tuple or dictionary of tensors. Those of Keras, of Sonnet and of
TensorFlow 1 are cells as they are; the methods that Keras calls ``get_initial_state`` and
TensorFlow 1 ``zero_state`` do as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer import activation as activations
from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_known, require_rank
from tensorlayer.layers.recurrent.gates import Gates, GRUGates, LSTMGates, SimpleGates
from tensorlayer.layers.recurrent.ways import Kernels

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell"]


class GatedCell(Layer):
    """The base of cells that have one product with the inputs and one with the output before."""

    gates_class: ClassVar[type[Gates]]
    #: rows of biases; two where those of the recurrent product are by themselves
    n_biases: ClassVar[int] = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        self.units = positive(units, who, "units")
        self.gates = self.gates_class(_named(activation), _named(recurrent_activation))
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer
        self.dropout = _rate(dropout, who, "dropout")
        self.recurrent_dropout = _rate(recurrent_dropout, who, "recurrent_dropout")

    def build(self, inputs_shape: Any) -> None:
        """Make the kernels and, with `use_bias`, biases."""
        n = self.channels_of(inputs_shape)
        width = self.gates.n_gates * self.units
        self.kernel = self._get_weights("kernel", [n, width], self.kernel_initializer)
        self.recurrent_kernel = self._get_weights(
            "recurrent_kernel", [self.units, width], self.recurrent_initializer
        )
        self.bias = self._bias(width) if self.use_bias else None

    def channels_of(self, inputs_shape: Any) -> int:
        """Return the number of channels of a step."""
        inputs_shape = step_shape(inputs_shape)
        require_rank(self, inputs_shape, (2,), "A step is (batch, channels).")
        return require_known(self, inputs_shape[-1], "the number of channels")

    def _bias(self, width: int) -> tf.Variable:
        shape = [width] if self.n_biases == 1 else [self.n_biases, width]
        return self._get_weights("bias", shape, self.bias_initializer)

    def initial_state(self, batch_size: Any, dtype: Any = None) -> Any:
        """Return zeros, each `(batch_size, units)`."""
        dtype = dtype or self.facts.precision.compute or self.facts.variable_dtype or tf.float32
        zeros = tf.zeros([batch_size, self.units], dtype)
        return self.state_of([zeros] * self.gates.n_states)

    def state_specs(self, batch_size: int | None, dtype: tf.DType) -> list[tf.TensorSpec]:
        """Return shape and type of each tensor of a state."""
        return [tf.TensorSpec([batch_size, self.units], dtype)] * self.gates.n_states

    def tensors_of(self, state: Any) -> list[tf.Tensor]:
        """Return the tensors of a state, the output first."""
        return list(state)

    def state_of(self, tensors: Sequence[tf.Tensor]) -> Any:
        """Return what [`tensors_of`][] was given."""
        return list(tensors)

    def kernels(self, dtype: tf.DType) -> Kernels:
        """Return the parameters in this type."""
        found = (self.kernel, self.recurrent_kernel, self.bias)
        return Kernels(*(None if each is None else tf.cast(each, dtype) for each in found))

    def input_mask(self, batch_size: Any, n_channels: int, dtype: tf.DType) -> tf.Tensor | None:
        """Return what inputs are multiplied by in this evaluation, at all steps."""
        return self._mask(self.dropout, batch_size, n_channels, dtype)

    def recurrent_mask(self, batch_size: Any, dtype: tf.DType) -> tf.Tensor | None:
        """Return what outputs are multiplied by on their way to the next step."""
        return self._mask(self.recurrent_dropout, batch_size, self.units, dtype)

    def _mask(self, rate: float, batch_size: Any, n: int, dtype: tf.DType) -> tf.Tensor | None:
        if not (rate and self.is_train):
            return None
        return tf.nn.dropout(tf.ones([batch_size, n], dtype), rate)

    def forward(self, inputs: tf.Tensor, state: Any = None) -> tuple[tf.Tensor, Any]:
        """Compute one step."""
        batch, dtype = inputs.shape[0] or tf.shape(inputs)[0], inputs.dtype
        state = self.initial_state(batch, dtype) if state is None else state
        state = self.tensors_of(fitting_state(self, state, inputs))
        # No assignment within an expression: where a user's code is converted, this is as well.
        mask = self.input_mask(batch, inputs.shape[-1], dtype)
        if mask is not None:
            inputs *= mask
        h, kernels = state[0], self.kernels(dtype)
        mask = self.recurrent_mask(batch, dtype)
        if mask is not None:
            h *= mask
        x, h = tf.matmul(inputs, kernels.W), tf.matmul(h, kernels.U)
        new, _ = self.gates.step(x, h, self.gates.spread(kernels.b), tuple(state))
        return new[0], self.state_of(new)


class SimpleRNNCell(GatedCell):
    r"""The plain cell: $h_t = \tanh(x_t W + h_{t-1} U + b)$.

    Parameters
    ----------
    units
        The number of outputs.
    activation, use_bias
        As of [`tensorlayer.layers.LSTMCell`][].
    kernel_initializer, recurrent_initializer, bias_initializer
        Of the three parameters, as in Keras; an orthogonal $U$ neither stretches nor shrinks what
        is remembered.
    dropout, recurrent_dropout
        As of `LSTMCell`.
    name
        Unique in the network.

    Notes
    -----
    `output, state = cell(inputs, state)` with inputs `(batch, channels)`, an output `(batch,
    units)`, and as state a list of one tensor `(batch, units)`.
    Parameters: `kernel` (channels, units), `recurrent_kernel` (units, units), `bias` (units).

    References
    ----------
    Elman, "Finding structure in time", Cognitive Science, 1990.

    Examples
    --------
    >>> cell = SimpleRNNCell(units=3)
    >>> output, state = cell(tf.ones([2, 4]), cell.initial_state(2))
    >>> output.shape, len(state)
    (TensorShape([2, 3]), 1)
    """

    gates_class = SimpleGates

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            name=name,
        )


class LSTMCell(GatedCell):
    r"""Long short-term memory: gates decide what is written, kept and shown.

    $$i, f, g, o = x_t W + h_{t-1} U + b,\quad
    c_t = \sigma(f)\,c_{t-1} + \sigma(i)\tanh(g),\quad h_t = \sigma(o)\tanh(c_t)$$

    Parameters
    ----------
    units
        The number of outputs.
    activation, recurrent_activation
        Of what is new, and of the gates; callables or names. Others than tanh and sigmoid are
        differentiated step by step, which is slower.
    use_bias
        Whether there are biases.
    kernel_initializer, recurrent_initializer, bias_initializer
        Of the three parameters, as in Keras.
    unit_forget_bias
        Whether the biases of the forget gate begin with 1, so that the cell remembers at first.
    dropout
        The share of inputs that is dropped in training, in [0, 1): the same ones at all steps.
    recurrent_dropout
        The share of outputs that is dropped on their way to the next step.
    name
        Unique in the network.

    Notes
    -----
    `output, state = cell(inputs, state)` with inputs `(batch, channels)`, an output `(batch,
    units)`, and as state `[h, c]`, each `(batch, units)`.
    Parameters: `kernel` (channels, 4 units), `recurrent_kernel` (units, 4 units), `bias` (4 units),
    the gates in the order i, f, g, o.

    References
    ----------
    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation, 1997; Jozefowicz et
    al., "An empirical exploration of recurrent network architectures", ICML 2015 (the biases of 1).

    Examples
    --------
    >>> cell = LSTMCell(units=3)
    >>> output, (h, c) = cell(tf.ones([2, 4]), cell.initial_state(2))
    >>> output.shape, c.shape
    (TensorShape([2, 3]), TensorShape([2, 3]))
    """

    gates_class = LSTMGates

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            units,
            activation,
            recurrent_activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            dropout,
            recurrent_dropout,
            name,
        )
        self.unit_forget_bias = unit_forget_bias

    def _bias(self, width: int) -> tf.Variable:
        make = initializers.get(self.bias_initializer)

        def with_ones(shape: Sequence[int], dtype: Any = None) -> tf.Tensor:
            biases = tf.split(make(shape, dtype=dtype), 4)
            return tf.concat([biases[0], tf.ones_like(biases[1]), *biases[2:]], axis=0)

        return self._get_weights("bias", [width], with_ones if self.unit_forget_bias else make)


class GRUCell(GatedCell):
    r"""A gated recurrent unit: one gate for both keeping and writing, one for what is looked at.

    $$z, r = \sigma(x_t W + h_{t-1} U + b),\quad
    n = \tanh(x_t W_n + b_n + r\,(h_{t-1} U_n + b'_n)),\quad h_t = z h_{t-1} + (1 - z)\,n$$

    Parameters
    ----------
    units
        The number of outputs.
    activation, recurrent_activation, use_bias
        As of [`tensorlayer.layers.LSTMCell`][].
    kernel_initializer, recurrent_initializer, bias_initializer
        Of the three parameters, as in Keras.
    dropout, recurrent_dropout
        As of `LSTMCell`.
    name
        Unique in the network.

    Notes
    -----
    `output, state = cell(inputs, state)` with inputs `(batch, channels)`, an output `(batch,
    units)`, and as state a list of one tensor `(batch, units)`.
    Parameters: `kernel` (channels, 3 units), `recurrent_kernel` (units, 3 units), `bias` (2,
    3 units), the gates in the order z, r, n. The reset gate comes after the product, as in Keras
    and cuDNN.

    References
    ----------
    Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation", EMNLP 2014.

    Examples
    --------
    >>> cell = GRUCell(units=3)
    >>> output, state = cell(tf.ones([2, 4]), cell.initial_state(2))
    >>> output.shape, len(state)
    (TensorShape([2, 3]), 1)
    """

    gates_class = GRUGates
    n_biases = 2


def _named(activation: Any) -> Any:
    return activations.get(activation) or tf.identity


def _rate(value: Any, who: str, what: str) -> float:
    if not (isinstance(value, (int, float)) and 0 <= value < 1):
        raise InvalidArgument(
            f"{who}: {what} is the share that is dropped, in [0, 1); got {value!r}."
        )
    return float(value)


def step_shape(inputs_shape: Any) -> Any:
    """Return the shape of the inputs, if that of the state comes with it."""
    is_two = bool(inputs_shape) and isinstance(inputs_shape[0], (list, tuple))
    return inputs_shape[0] if is_two else inputs_shape


def fitting_state(cell: Layer, state: Any, inputs: tf.Tensor) -> Any:
    """Return a state in the types of this cell; only the tensor, of one, may have come by itself.

    Where the cell does not say what its states are, the state is returned as it is.

    Raises
    ------
    InvalidArgument
        It has not as many tensors as those of the cell.
    WrongShape
        A tensor has another shape: those of 1 would be repeated without a word. In a graph that
        does not know the batch size it is an error when it is evaluated.
    """
    describe = getattr(cell, "state_specs", None)
    specs = None if describe is None else describe(inputs.shape[0], inputs.dtype)
    if specs is None:
        return state
    if getattr(state, "_fields", None) == ("c", "h") and not getattr(cell, "names_states", False):
        state = [state.h, state.c]  # of a BasicLSTMCell; by their places they would be exchanged
    given = list(state) if isinstance(state, (list, tuple)) else [state]
    rule = f"{cell!r}: a state of it is {len(specs)} tensors"
    sizes = ", ".join(str(size) for size in specs[0].shape[1:])
    if len(given) != len(specs):
        raise InvalidArgument(f"{rule} (batch, {sizes}), got {len(given)}.")
    tensors = [tf.cast(each, spec.dtype) for each, spec in zip(given, specs, strict=True)]
    for tensor, spec in zip(tensors, specs, strict=True):
        if not tensor.shape.is_compatible_with(spec.shape):
            expected = ", ".join(str(size) for size in spec.shape[1:])
            raise WrongShape(
                f"{rule}, here of shape ({spec.shape[0] or 'batch'}, {expected}); got shape "
                f"{tuple(tensor.shape)}."
            )
    if all(tensor.shape.is_fully_defined() for tensor in (inputs, *tensors)):
        return tensors
    text = f"{rule}, each with one row for every sequence."
    checks = [
        tf.debugging.assert_equal(tf.shape(each)[0], tf.shape(inputs)[0], text) for each in tensors
    ]
    with tf.control_dependencies(checks):
        return [tf.identity(each) for each in tensors]
