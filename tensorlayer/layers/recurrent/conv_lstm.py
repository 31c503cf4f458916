"""Recurrent layers whose products are convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tensorlayer import activation, initializers
from tensorlayer.errors import InvalidArgument, NotBuilt, WrongShape
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_known, require_rank
from tensorlayer.layers.recurrent.cells import fitting_state, step_shape
from tensorlayer.layers.recurrent.rnn import FixedSteps

__all__ = ["BasicConvLSTMCell", "ConvLSTMCell", "ConvLSTMLayer", "ConvRNNCell"]


class ConvRNNCell(Layer):
    """The base of cells whose inputs, outputs and states are images.

    One of your own defines `build`, `forward(inputs, state)` and `initial_state(batch_size)`.

    Examples
    --------
    >>> issubclass(BasicConvLSTMCell, ConvRNNCell)
    True
    """


class ConvLSTMCell(ConvRNNCell):
    r"""An LSTM of images: $i, g, f, o = W * [x_t, h_{t-1}] + b$.

    $$c_t = \sigma(f + b_f)\,c_{t-1} + \sigma(i)\tanh(g),\quad h_t = \sigma(o)\tanh(c_t)$$

    Parameters
    ----------
    n_filter
        The number of channels of outputs and of each state.
    filter_size
        Height and width of the filters.
    forget_bias
        What is added to the forget gate; 1 makes the cell remember at first.
    act
        Of what is new, and of what is shown.
    W_init
        Of the filters, by default uniform in [-0.1, 0.1].
    b_init
        Of the biases.
    name
        Unique in the network.

    Notes
    -----
    `output, state = cell(inputs, state)` with inputs `(batch, height, width, channels)`, an output
    `(batch, height, width, n_filter)` and as state a list `[h, c]` of that shape. Padding is SAME.
    Parameters: `Matrix` (filter height, filter width, channels + n_filter, 4 n_filter) and `Bias`
    (4 n_filter), the gates in the order i, g, f, o.

    References
    ----------
    Shi et al., "Convolutional LSTM network: a machine learning approach for precipitation
    nowcasting", NIPS 2015.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 5, 8, 8, 3])
    >>> net, state = tl.layers.RNN(net, cell=ConvLSTMCell(n_filter=4, name="cell"))
    >>> net.outputs.shape
    TensorShape([None, 5, 8, 8, 4])
    """

    def __init__(
        self,
        n_filter: int,
        filter_size: Sequence[int] = (3, 3),
        forget_bias: float = 1.0,
        act: Any = "tanh",
        W_init: Any = initializers.RandomUniform(-0.1, 0.1),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        self.n_filter = positive(n_filter, who, "n_filter")
        if len(filter_size) != 2:
            raise InvalidArgument(
                f"{who}: filter_size is height and width, got {tuple(filter_size)}."
            )
        self.filter_size = tuple(positive(n, who, "filter_size") for n in filter_size)
        self.forget_bias = forget_bias
        self.activation = activation.get(act) or tf.identity
        self.W_init = W_init
        self.b_init = b_init
        self.size: tuple[int, ...] | None = None

    def build(self, inputs_shape: Any) -> None:
        """Make filters and biases."""
        inputs_shape = step_shape(inputs_shape)
        require_rank(self, inputs_shape, (4,), "A step is (batch, height, width, channels).")
        n = require_known(self, inputs_shape[-1], "the number of channels")
        self.size = tuple(require_known(self, n, "the size of an image") for n in inputs_shape[1:3])
        shape = [*self.filter_size, n + self.n_filter, 4 * self.n_filter]
        self.W = self._get_weights("Matrix", shape, self.W_init)
        self.b = self._get_weights("Bias", [4 * self.n_filter], self.b_init)

    def initial_state(self, batch_size: Any, dtype: Any = None) -> list[tf.Tensor]:
        """Return zeros, of images of the size that it was built for."""
        if self.size is None:
            raise NotBuilt(f"{self!r}: the size of its states is that of images it was built for.")
        dtype = dtype or self.facts.variable_dtype or tf.float32
        return [tf.zeros([batch_size, *self.size, self.n_filter], dtype) for _ in range(2)]

    def state_specs(self, batch_size: int | None, dtype: tf.DType) -> list[tf.TensorSpec]:
        """Return shape and type of each tensor of a state."""
        return [tf.TensorSpec([batch_size, *self.size, self.n_filter], dtype)] * 2

    def forward(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Compute one step."""
        h, c = fitting_state(self, state, inputs)
        z = tf.nn.conv2d(tf.concat([inputs, h], axis=-1), self.W, 1, "SAME") + self.b
        i, g, f, o = tf.split(z, 4, axis=-1)
        c = tf.sigmoid(f + self.forget_bias) * c + tf.sigmoid(i) * self.activation(g)
        h = tf.sigmoid(o) * self.activation(c)
        return h, [h, c]


class BasicConvLSTMCell(ConvLSTMCell):
    """A [`tensorlayer.layers.ConvLSTMCell`][] with the arguments of TensorLayer 1.x.

    Parameters
    ----------
    shape
        Height and width of the images.
    filter_size
        Height and width of the filters.
    num_features
        The number of channels of outputs and of each state.
    forget_bias
        What is added to the forget gate; 1 makes the cell remember at first.
    input_size, state_is_tuple
        Without effect; the state is always a list `[h, c]`.
    act
        Of what is new, and of what is shown.
    W_init
        Of the filters, by default uniform in [-0.1, 0.1].
    name
        Unique in the network.

    Examples
    --------
    >>> cell = BasicConvLSTMCell((8, 8), (3, 3), 4)
    >>> output, state = cell(tf.ones([2, 8, 8, 3]), cell.initial_state(2))
    >>> output.shape
    TensorShape([2, 8, 8, 4])
    """

    def __init__(
        self,
        shape: Sequence[int],
        filter_size: Sequence[int],
        num_features: int,
        forget_bias: float = 1.0,
        input_size: Any = None,
        state_is_tuple: bool = False,
        act: Any = "tanh",
        W_init: Any = initializers.RandomUniform(-0.1, 0.1),  # noqa: B008 - a frozen value
        name: str | None = None,
    ) -> None:
        del input_size, state_is_tuple
        super().__init__(num_features, filter_size, forget_bias, act, W_init, name=name)
        self.size = tuple(positive(n, "BasicConvLSTMCell", "shape") for n in shape)

    def build(self, inputs_shape: Any) -> None:
        """Make filters and biases, for images of the shape that was given."""
        given = self.size
        super().build(inputs_shape)
        if self.size != given:
            raise WrongShape(
                f"{self!r}: the images are of {tuple(self.size)}, not of shape={tuple(given)}."
            )


class ConvLSTMLayer(FixedSteps):
    """A cell of convolutions over a sequence of images.

    Parameters
    ----------
    cell_shape
        Height and width of the images; None for those of the input.
    feature_map
        The number of channels of the outputs.
    filter_size
        Height and width of the filters.
    cell_fn
        A class of cells, made as `cell_fn(cell_shape, filter_size, feature_map, W_init=...)`.
    initializer
        Of the filters.
    n_steps
        The number of steps that the input has; None for any.
    initial_state
        The state to begin with, as of [`tensorlayer.layers.RNN`][]: a network, or a variable, which
        is learned. None for zeros.
    return_last
        Whether to return only the output of the last step.
    return_seq_2d
        Whether to return all outputs as rows, `(batch * steps, height * width * feature_map)`.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, steps, height, width, channels)`.
    Output shape: `(batch, steps, height, width, feature_map)`, without steps if `return_last`.
    The network has `initial_state` and `final_state`, lists `[h, c]` of networks.

    Raises
    ------
    WrongShape
        The input is of another rank, or of another number of steps.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 5, 8, 8, 3])
    >>> net = ConvLSTMLayer(net, cell_shape=(8, 8), feature_map=4, n_steps=5, return_last=True)
    >>> net.outputs.shape, len(net.final_state)
    (TensorShape([None, 8, 8, 4]), 2)
    """

    def __init__(
        self,
        cell_shape: Sequence[int] | None = None,
        feature_map: int = 1,
        filter_size: Sequence[int] = (3, 3),
        cell_fn: Any = BasicConvLSTMCell,
        initializer: Any = initializers.RandomUniform(-0.1, 0.1),  # noqa: B008 - a frozen value
        n_steps: int | None = 5,
        initial_state: Any = None,
        return_last: bool = False,
        return_seq_2d: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if cell_shape is None and cell_fn is BasicConvLSTMCell:
            self.cell = ConvLSTMCell(feature_map, filter_size, W_init=initializer)
        else:
            self.cell = cell_fn(cell_shape, filter_size, feature_map, W_init=initializer)
        self.n_steps = n_steps
        self.initial_state = initial_state
        self.return_last = return_last
        self.return_seq_2d = return_seq_2d

    def build(self, inputs_shape: Any) -> None:
        """Make the parameters of the cell."""
        remedy = "A sequence of images is (batch, steps, height, width, channels)."
        require_rank(self, inputs_shape, (5,), remedy)
        super().build(inputs_shape)
