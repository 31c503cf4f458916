"""Layers that make one network of several, and the one that takes a network apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer import activation
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer
from tensorlayer.layers.lambda_ import Lambda
from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.tf1 import is_made_in_graph

__all__ = [
    "Concat",
    "ConcatLayer",
    "Elementwise",
    "ElementwiseLambda",
    "ElementwiseLambdaLayer",
    "ElementwiseLayer",
    "MultiplexerLayer",
    "Stack",
    "StackLayer",
    "UnStack",
    "UnStackLayer",
]


def _require_several(layer: Layer, inputs: Any) -> None:
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise InvalidArgument(f"{layer!r}: it takes a list of networks, got one. Write [a, b].")


class Concat(Layer):
    """Networks side by side along one axis.

    Parameters
    ----------
    concat_dim
        The axis; the last one, which is the channels, by default.
    name
        Unique in the network.

    Notes
    -----
    Input shape: a list that agrees but for the axis. Output shape: the sum of the sizes along it.
    No parameters.

    Raises
    ------
    InvalidArgument
        The input is no list.
    WrongShape
        The inputs do not have such an axis, or differ along another one.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 8])
    >>> Concat([tl.layers.Dense(x, 3), tl.layers.Dense(x, 4)]).outputs.shape
    TensorShape([None, 7])
    """

    def __init__(self, concat_dim: int = -1, name: str | None = None) -> None:
        super().__init__(name=name)
        self.concat_dim = concat_dim

    def forward(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Concatenate."""
        _require_several(self, inputs)
        self._require_fit([each.shape for each in inputs])
        return tf.concat(list(inputs), self.concat_dim)

    def _require_fit(self, shapes: Sequence[tf.TensorShape]) -> None:
        known = [shape for shape in shapes if shape.rank is not None]
        for shape in known:
            if not -shape.rank <= self.concat_dim < shape.rank:
                raise WrongShape(
                    f"{self!r}: concat_dim must be from {-shape.rank} to {shape.rank - 1} for an "
                    f"input of shape {tuple(shape)}."
                )
        others = [shape.as_list() for shape in known]
        for sizes in others:
            sizes[self.concat_dim] = None
        if any(not tf.TensorShape(sizes).is_compatible_with(others[0]) for sizes in others):
            raise WrongShape(
                f"{self!r}: the inputs must agree but for axis {self.concat_dim}, got shapes "
                f"{', '.join(str(tuple(shape)) for shape in shapes)}."
            )


class Elementwise(Layer):
    """Networks combined value by value: ``act(fn(fn(a, b), c))``.

    Parameters
    ----------
    combine_fn
        A function of two tensors, applied from left to right, such as ``tf.add`` or ``tf.minimum``.
        Shapes may broadcast.
    act
        The activation, applied last.
    name
        Unique in the network.

    Notes
    -----
    Input shape: a list. Output shape: that of the broadcast. No parameters.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 8])
    >>> Elementwise([x, tl.layers.Dense(x, 8)], combine_fn=tf.add, act="relu").outputs.shape
    TensorShape([None, 8])
    """

    def __init__(
        self,
        combine_fn: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = tf.minimum,
        act: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, act=act)
        self.combine_fn = combine_fn

    def transform(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Fold the inputs."""
        _require_several(self, inputs)
        combined = inputs[0]
        for each in inputs[1:]:  # a loop, so that Python's if on tensors works in the function
            combined = self.combine_fn(combined, each)
        return combined


class ElementwiseLambda(Lambda):
    r"""A function of several networks as a layer: $y = \mathrm{act}(f(x_1, x_2, \ldots))$.

    Parameters
    ----------
    fn
        A function of as many tensors as there are networks, such as
        ``lambda noise, mean, std: mean + noise * std``; all that ``Lambda`` says of a function
        holds.
    fn_weights
        Variables that the function uses but does not make.
    fn_args
        More keyword arguments of the function. Those given when the layer is called come after.
    name
        Unique in the network.
    act
        The activation, applied last.

    Notes
    -----
    Input: a list. Output shape: that of the function. Parameters: those of the function.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 4])
    >>> mean, std = tl.layers.Dense(x, 2), tl.layers.Dense(x, 2, act="softplus")
    >>> net = ElementwiseLambda([mean, std], lambda m, s: m + s * tf.random.normal(tf.shape(m)))
    >>> net.outputs.shape
    TensorShape([None, 2])
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        fn_weights: Sequence[tf.Variable] | None = None,
        fn_args: Mapping[str, Any] | None = None,
        name: str | None = None,
        act: Any = None,
    ) -> None:
        super().__init__(fn, fn_weights, fn_args, name)
        self.act = None if act is None else activation.get(act)

    def transform(self, inputs: Sequence[tf.Tensor], **options: Any) -> Any:
        """Call the function."""
        _require_several(self, inputs)
        return Lambda.forward(self, *inputs, **options)

    forward = Layer.forward  # which applies the activation


class Stack(Layer):
    """Networks of one shape side by side along a new axis.

    Parameters
    ----------
    axis
        Where the new axis is in the output; 1 is behind the batch.
    name
        Unique in the network.

    Notes
    -----
    Input: a list of $n$ of the same shape. Output shape: that shape with $n$ at ``axis``.
    No parameters.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 8])
    >>> Stack([tl.layers.Dense(x, 3), tl.layers.Dense(x, 3)], axis=1).outputs.shape
    TensorShape([None, 2, 3])
    """

    def __init__(self, axis: int = 1, name: str | None = None) -> None:
        super().__init__(name=name)
        self.axis = axis

    def forward(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Stack."""
        _require_several(self, inputs)
        return tf.stack(list(inputs), self.axis)


class UnStack(Layer):
    """A network for each entry along one axis.

    Parameters
    ----------
    num
        The number of entries; None where the shape tells.
    axis
        Which axis goes. 0 is the batch, whose size has to be known then.
    name
        Unique in the network.

    Notes
    -----
    Output: a list of networks, or of tensors if it is applied to a tensor, each with the shape of
    the input without ``axis``. ``.outputs`` of the list of networks is the list itself, as in 1.x.
    No parameters.

    Raises
    ------
    WrongShape
        There is no such axis, or its size is not known and ``num`` is not given, or another.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> steps = UnStack(tl.layers.Input([None, 3, 8]), axis=1)
    >>> len(steps), steps[0].outputs.shape
    (3, TensorShape([None, 8]))
    """

    def __init__(self, num: int | None = None, axis: int = 0, name: str | None = None) -> None:
        super().__init__(name=name)
        self.num = None if num is None else positive(num, "UnStack", "num")
        self.axis = axis

    def forward(self, inputs: tf.Tensor) -> list[tf.Tensor]:
        """Take apart."""
        rank = inputs.shape.rank
        size = inputs.shape[self.axis] if -rank <= self.axis < rank else None
        num = self.num or size
        if num is None or size not in {None, num}:
            raise WrongShape(
                f"{self!r}: the size of axis {self.axis} must be known, and num if that is given; "
                f"got shape {tuple(inputs.shape)} and num={self.num}. Give num, or another axis."
            )
        return tf.unstack(inputs, self.num, self.axis)


class MultiplexerLayer(Layer):
    """One of several networks of the same shape, chosen while it computes.

    Parameters
    ----------
    name
        Unique in the network.
    sel
        Which one, counted from 0: a number, or a network that gives one, such as
        ``Input([], "int32")``. It can be given with each call, ``layer([a, b], sel=1)``, there also
        as a tensor; so one trace serves every choice. None is the first one; over placeholders of
        TensorFlow 1 it is a placeholder, ``net.sel``, which has to be fed.

    Notes
    -----
    Input: a list of networks of one shape. Output shape: the same. No parameters.

    All of them are computed, whichever is chosen; a gradient reaches the one that is.

    Raises
    ------
    InvalidArgument
        A number ``sel`` is not one of a network.
    WrongShape
        ``sel`` is not a single number, or the networks are not of one shape.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x, sel = tl.layers.Input([None, 2], name="x"), tl.layers.Input([], "int32", name="sel")
    >>> double, half = tl.layers.Lambda(x, lambda x: 2 * x), tl.layers.Lambda(x, lambda x: x / 2)
    >>> net = MultiplexerLayer([double, half], sel=sel)
    >>> net({"x": [[4.0, 6.0]], "sel": 1}).numpy().tolist()
    [[2.0, 3.0]]
    """

    def __init__(self, name: str | None = None, sel: Any = None) -> None:
        super().__init__(name=name)
        self.sel = sel

    def forward(self, inputs: Sequence[tf.Tensor], sel: Any = None) -> tf.Tensor | Outputs:
        """Choose."""
        _require_several(self, inputs)
        if any(not inputs[0].shape.is_compatible_with(each.shape) for each in inputs):
            shapes = ", ".join(str(tuple(each.shape)) for each in inputs)
            raise WrongShape(f"{self!r}: it chooses between networks of one shape, got {shapes}.")
        sel = self.sel if sel is None else sel
        if sel is None and is_made_in_graph():
            sel = tf.compat.v1.placeholder(tf.int32, [], name="sel")
            return Outputs(tf.gather(tf.stack(list(inputs)), sel), sel=sel)
        sel = 0 if sel is None else sel
        if not tf.is_tensor(sel) and (isinstance(sel, float) or sel not in range(len(inputs))):
            raise InvalidArgument(
                f"{self!r}: sel is the number of one of {len(inputs)} networks, from 0 to "
                f"{len(inputs) - 1}; got {sel!r}."
            )
        if tf.is_tensor(sel) and sel.shape.rank not in {0, None}:
            raise WrongShape(f"{self!r}: sel is a single number, got shape {tuple(sel.shape)}.")
        return tf.gather(tf.stack(list(inputs)), sel) if tf.is_tensor(sel) else inputs[sel]


ConcatLayer = Concat
ElementwiseLambdaLayer = ElementwiseLambda
ElementwiseLayer = Elementwise
StackLayer = Stack
UnStackLayer = UnStack
