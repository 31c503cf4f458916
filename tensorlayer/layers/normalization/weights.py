"""Normalisation of weights: wrappers that go around any layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import computing
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer
from tensorlayer.layers.precision import double, widened
from tensorlayer.layers.updates import update

__all__ = ["SpectralNorm", "WeightNorm"]


class _Reparametrized(Layer):
    """A layer around another one, which computes with something made of its weight instead."""

    keeps_precision = True  # the layer within has types of its own
    #: makes of the weight, in 32 bits at least, what the layer within computes with instead
    change: Callable[[tf.Tensor], tf.Tensor]

    def __init__(self, layer: Layer, weight: str, axis: int, name: str | None) -> None:
        super().__init__(name=name)
        if not isinstance(layer, Layer):
            who = type(self).__name__
            raise InvalidArgument(
                f"{who}: it goes around a layer that is applied to nothing yet, as in "
                f"{who}(Conv2d(32)); got {layer!r}."
            )
        self.layer = layer
        self.weight = weight
        self.axis = axis

    def shape_to_build_for(self) -> Any:
        """Return what the arguments of the layer within tell."""
        return self.layer.shape_to_build_for()

    def build(self, inputs_shape: Any) -> None:
        """Build the layer within."""
        layer = self.layer
        if not layer.facts.is_named:
            layer.facts.label = self.facts.label or self.name
        computing.build(layer, (tf.TensorSpec(inputs_shape, self.facts.variable_dtype),), {})
        computing.settle(layer, ())
        variable = getattr(layer, self.weight, None)
        if not isinstance(variable, tf.Variable):
            raise InvalidArgument(
                f"{self!r}: weight is the attribute that holds the weight of {layer!r}, got "
                f"{self.weight!r}, which is {type(variable).__name__}."
            )
        rank = variable.shape.rank
        if not -rank <= self.axis < rank:
            raise InvalidArgument(f"{self!r}: axis is one of the {rank} axes of its weight.")
        self.others = tuple(axis for axis in range(rank) if axis != self.axis % rank)
        self.n_outputs = variable.shape[self.axis]

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute what the layer within does with the changed weight."""
        exact = tf.convert_to_tensor(getattr(self.layer, self.weight))
        types = self.layer.facts.precision
        weight = self.change(widened(exact))
        weight = tf.cast(weight, types.compute if types.is_mixed else exact.dtype)
        with double(self.layer, {self.weight: weight}) as standing:
            return computing.run(standing, inputs, options)

    @property
    def needs_autograph(self) -> bool:  # type: ignore[override]
        """Whether the layer within is somebody else's."""
        return self.layer.needs_autograph

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the layer within, whose variables go by the name of this one, and the own ones."""
        yield "", self.layer
        yield from self._own_weights.items()


class WeightNorm(_Reparametrized):
    r"""A layer whose weight is $w = g\,v / \|v\|$: length and direction are learnt apart.

    The norm is that of each output's weights. The gradient of the direction is then scaled by
    itself, which makes training less sensitive to the learning rate and needs no batch.

    Parameters
    ----------
    layer
        The layer, applied to nothing yet. Its weight becomes $v$.
    weight
        The attribute of the layer that holds the weight.
    axis
        The axis of the weight that belongs to the outputs: the last one, but -2 for transposed
        convolutions.
    name
        Unique in the network.

    Notes
    -----
    Input and output shape: those of the layer. Parameters: those of the layer, then `g` (outputs).
    It starts at $\|v\|$, so that the layer computes at first what it would without this.

    Raises
    ------
    InvalidArgument
        `layer` is none, or has no such weight or axis.

    References
    ----------
    Salimans and Kingma, "Weight normalization", NIPS 2016.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = WeightNorm(tl.layers.Input([None, 4]), tl.layers.Dense(3, act="relu"), name="wn")
    >>> list(net.parameters)
    ['wn/weights', 'wn/biases', 'wn/g']
    """

    def __init__(
        self, layer: Layer, weight: str = "W", axis: int = -1, name: str | None = None
    ) -> None:
        super().__init__(layer, weight, axis, name)

    def build(self, inputs_shape: Any) -> None:
        """Make the lengths: those that the weights have."""
        super().build(inputs_shape)
        weight = getattr(self.layer, self.weight)

        def lengths(shape: Any, dtype: Any = None) -> tf.Tensor:
            del shape, dtype
            value = weight if tf.executing_eagerly() else weight.initial_value
            squares = tf.square(widened(tf.convert_to_tensor(value)))
            return tf.sqrt(tf.reduce_sum(squares, self.others))

        self.g = self._get_weights("g", [self.n_outputs], lengths)

    def change(self, W: tf.Tensor) -> tf.Tensor:
        """Return the directions, with the lengths."""
        shape = [1] * W.shape.rank
        shape[self.axis] = self.n_outputs
        g = tf.cast(self.g, W.dtype)
        return tf.nn.l2_normalize(W, self.others) * tf.reshape(g, shape)


class SpectralNorm(_Reparametrized):
    r"""A layer whose weight is $W / \sigma(W)$: no input is stretched by more than 1.

    $\sigma$ is the largest singular value of the weight as a matrix with a column for each output.
    It bounds how fast the discriminator of a GAN changes, which keeps its training stable.

    A power iteration estimates it: in training $u \leftarrow W^T W u / \|W^T W u\|$ goes on where
    it was, since weights change little from step to step; then $\sigma = \|W u\|$.

    Parameters
    ----------
    layer
        The layer, applied to nothing yet.
    n_iterations
        Steps of the iteration at each evaluation in training. One is enough in the long run.
    weight
        The attribute of the layer that holds the weight.
    axis
        The axis of the weight that belongs to the outputs: the last one, but -2 for transposed
        convolutions.
    name
        Unique in the network.

    Notes
    -----
    Input and output shape: those of the layer. Parameters: those of the layer, then `u` (outputs),
    which gradients do not change. In inference, and frozen, it stands still. No gradient goes
    through the iteration.

    Raises
    ------
    InvalidArgument
        `layer` is none, or has no such weight or axis.

    References
    ----------
    Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 64, 64, 3])
    >>> net = SpectralNorm(net, tl.layers.Conv2d(32, (4, 4), (2, 2), act="lrelu"), name="h0")
    >>> list(net.parameters), len(net.trainable_weights)
    (['h0/filters', 'h0/biases', 'h0/u'], 2)
    """

    def __init__(
        self,
        layer: Layer,
        n_iterations: int = 1,
        weight: str = "W",
        axis: int = -1,
        name: str | None = None,
    ) -> None:
        super().__init__(layer, weight, axis, name)
        self.n_iterations = positive(n_iterations, "SpectralNorm", "n_iterations")

    def build(self, inputs_shape: Any) -> None:
        """Make the vector of the power iteration."""
        super().build(inputs_shape)
        normal = initializers.RandomNormal(stddev=1.0)
        self.u = self._get_weights("u", [self.n_outputs], normal, trainable=False)

    def change(self, W: tf.Tensor) -> tf.Tensor:
        """Return the weight divided by its largest singular value."""
        rows = tf.transpose(W, [*self.others, self.axis % W.shape.rank])
        matrix = tf.reshape(rows, [-1, self.n_outputs])
        fixed = tf.stop_gradient(matrix)
        u = tf.nn.l2_normalize(tf.cast(self.u, W.dtype))
        if self.is_train:
            for _ in range(self.n_iterations):
                v = tf.linalg.matvec(fixed, u)
                u = tf.nn.l2_normalize(tf.linalg.matvec(fixed, v, transpose_a=True))
            u = update([(self.u, tf.cast(u, self.u.dtype))], u)
        v = tf.nn.l2_normalize(tf.linalg.matvec(fixed, u))
        sigma = tf.reduce_sum(v * tf.linalg.matvec(matrix, u))
        return tf.math.divide_no_nan(W, sigma)  # weights of zeros have no direction
