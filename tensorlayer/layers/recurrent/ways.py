"""Two ways of a gated cell through a sequence and back: one step after the other, or a loop.

Both compute

    for t in range(steps):
        state = gates.step(W x[t], U h, b, state)

and its derivative, with one product for the weights over all steps at once.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tensorlayer.layers.recurrent.gates import Gates, State

__all__ = ["Derivatives", "Kernels", "Loop", "Steps", "Way", "are_few", "n_steps", "turned"]

#: So many steps are put into the graph one after the other. More would take long to trace.
_FEW_STEPS = 40
#: Weights above this size (bytes) push each other out of the cache from step to step.
_CACHE = 2**21
#: Products of fewer rows wait for weights, not for arithmetic.
_FEW_ROWS = 64

#: One for each tensor of a step.
Arrays = tuple[tf.TensorArray, ...]


@dataclasses.dataclass(frozen=True)
class Kernels:
    """The parameters of a cell: `W` for inputs, `U` for the output before, and biases or None."""

    W: tf.Tensor
    U: tf.Tensor
    b: Any = None


class Derivatives(NamedTuple):
    """Of the inputs, the kernels and the first state; of the products, as rows, for the biases."""

    inputs: tf.Tensor
    W: tf.Tensor
    U: tf.Tensor
    products: list[tf.Tensor]
    state: State


@dataclasses.dataclass(frozen=True)
class Way(abc.ABC):
    """A way through a sequence.

    Parameters
    ----------
    gates
        The formula of a step.
    mask
        `(batch, steps, 1)`, false where a sequence is over, or None.
    recurrent_mask
        `(batch, units)`, by which outputs are multiplied on their way to the next step, or None.
    """

    gates: Gates
    mask: tf.Tensor | None = None
    recurrent_mask: tf.Tensor | None = None

    @abc.abstractmethod
    def forward(
        self, inputs: tf.Tensor, kernels: Kernels, state: State, keeps: bool
    ) -> tuple[tf.Tensor, State, Any]:
        """Return the outputs `(batch, steps, units)`, the last state and what `backward` needs."""

    @abc.abstractmethod
    def backward(
        self, kernels: Kernels, kept: Any, d_outputs: tf.Tensor, d_last: State
    ) -> Derivatives:
        """Return the derivatives."""

    def _spread(self, kernels: Kernels, state: State) -> Kernels:
        """Return the kernels with biases as a step takes them."""
        return dataclasses.replace(kernels, b=self.gates.spread(kernels.b, state))

    def _dropped(self, h: tf.Tensor) -> tf.Tensor:
        return h if self.recurrent_mask is None else h * self.recurrent_mask

    def _back(
        self, saved: State, d_state: State, transposed_U: tf.Tensor, is_live: tf.Tensor | None
    ) -> tuple[State, State]:
        """Return the derivatives of the products of a step, and those of the state before it."""
        d_products, before = self.gates.back(saved, d_state)
        # None of sequences that are over, whatever was in them
        d_products = tuple(_chosen(is_live, each, tf.zeros_like(each)) for each in d_products)
        before = tuple(_chosen(is_live, a, b) for a, b in zip(before, d_state, strict=True))
        through = self._dropped(tf.matmul(d_products[-1], transposed_U))
        return d_products, (before[0] + through, *before[1:])

    def _step(
        self, x: tf.Tensor, kernels: Kernels, state: State, is_live: tf.Tensor | None
    ) -> tuple[State, State]:
        """Return the next state, the old one of sequences that are over; and what is saved."""
        product = tf.matmul(self._dropped(state[0]), kernels.U)
        new, saved = self.gates.step(x, product, kernels.b, state)
        return tuple(_chosen(is_live, a, b) for a, b in zip(new, state, strict=True)), saved


class Steps(Way):
    """All steps in the graph, one after the other, for few of them.

    What a step does not wait for runs beside it: the next layer begins when the first output is
    there. For that steps are cut out as slices and put together by one operation, which TensorFlow
    skips where they meet.
    """

    def forward(
        self, inputs: tf.Tensor, kernels: Kernels, state: State, keeps: bool
    ) -> tuple[tf.Tensor, State, Any]:
        """Return the outputs, the last state and what `backward` needs."""
        outputs, kept, kernels = [], [], self._spread(kernels, state)
        # Who is differentiated by TensorFlow would get a derivative of full length for each slice.
        for t, x in enumerate(self._cut(inputs) if keeps else tf.unstack(inputs, axis=1)):
            before = state[0]
            product = tf.matmul(x, kernels.W)
            state, saved = self._step(product, kernels, state, self._is_live(t))
            outputs.append(state[0])
            kept.append((x, before, saved))
        return tf.stack(outputs, axis=1), state, kept

    def backward(
        self, kernels: Kernels, kept: Any, d_outputs: tf.Tensor, d_last: State
    ) -> Derivatives:
        """Return the derivatives."""
        d_inputs, d_products, d_state = [], [], d_last
        # Once: small products with a transposed matrix are slow.
        transposed_W, transposed_U = tf.transpose(kernels.W), tf.transpose(kernels.U)
        for t, (_, _, saved) in reversed(list(enumerate(kept))):
            d_state = (d_state[0] + d_outputs[:, t], *d_state[1:])
            d, d_state = self._back(saved, d_state, transposed_U, self._is_live(t))
            d_inputs.append(tf.matmul(d[0], transposed_W))
            d_products.append(d)
        products = [tf.concat(each[::-1], axis=0) for each in zip(*d_products, strict=True)]
        xs, hs, _ = zip(*kept, strict=True)
        return Derivatives(
            tf.stack(d_inputs[::-1], axis=1),
            tf.matmul(tf.concat(xs, axis=0), products[0], transpose_a=True),
            tf.matmul(tf.concat([self._dropped(h) for h in hs], 0), products[-1], transpose_a=True),
            products,
            d_state,
        )

    def _cut(self, sequence: tf.Tensor) -> list[tf.Tensor]:
        return [sequence[:, t] for t in range(sequence.shape[1])]

    def _is_live(self, t: int) -> tf.Tensor | None:
        return None if self.mask is None else self.mask[:, t]


class Loop(Way):
    """A loop of TensorFlow, for many steps or an unknown number of them."""

    def forward(
        self, inputs: tf.Tensor, kernels: Kernels, state: State, keeps: bool
    ) -> tuple[tf.Tensor, State, Any]:
        """Return the outputs, the last state and what `backward` needs."""
        inputs = turned(inputs)
        steps, multiplied = n_steps(inputs), _multiplied(inputs, kernels.W)
        is_live, kernels = self._are_live(), self._spread(kernels, state)

        def body(t: tf.Tensor, new: State, outputs: tf.TensorArray, saved: Arrays) -> Any:
            new, kept = self._step(multiplied(t), kernels, new, is_live(t))
            return t + 1, new, outputs.write(t, new[0]), _written(saved, t, kept if keeps else ())

        (outputs,) = _arrays(inputs, steps, 1)
        saved = _arrays(inputs, steps, self.gates.n_saved if keeps else 0)
        _, last, outputs, saved = tf.while_loop(
            lambda t, *_: t < steps,
            body,
            (0, tuple(state), outputs, saved),
            maximum_iterations=steps,
        )
        outputs = outputs.stack()
        return turned(outputs), last, (inputs, state, outputs, saved)

    def backward(
        self, kernels: Kernels, kept: Any, d_outputs: tf.Tensor, d_last: State
    ) -> Derivatives:
        """Return the derivatives."""
        inputs, state, outputs, saved = kept
        steps, is_live = n_steps(inputs), self._are_live()
        transposed_U = tf.transpose(kernels.U)
        coming = _unstacked(turned(d_outputs))

        def body(t: tf.Tensor, d_state: State, products: Arrays) -> Any:
            d_state = (d_state[0] + coming.read(t), *d_state[1:])
            d, before = self._back(
                [each.read(t) for each in saved], d_state, transposed_U, is_live(t)
            )
            return t - 1, before, _written(products, t, d)

        _, d_state, products = tf.while_loop(
            lambda t, *_: t >= 0,
            body,
            (steps - 1, tuple(d_last), _arrays(inputs, steps, self.gates.n_products)),
            maximum_iterations=steps,
        )
        products = [_rows(each.stack()) for each in products]
        before = self._dropped(tf.concat([state[0][tf.newaxis], outputs[:-1]], axis=0))
        d_inputs = tf.matmul(products[0], kernels.W, transpose_b=True)
        return Derivatives(
            turned(tf.reshape(d_inputs, tf.shape(inputs))),
            tf.matmul(_rows(inputs), products[0], transpose_a=True),
            tf.matmul(_rows(before), products[-1], transpose_a=True),
            products,
            d_state,
        )

    def _are_live(self) -> Callable[[tf.Tensor], tf.Tensor | None]:
        if self.mask is None:
            return lambda t: None
        mask = turned(self.mask)
        return lambda t: mask[t]


def are_few(sequence: tf.Tensor) -> bool:
    """Return whether the number of steps of `(batch, steps, ...)` is known, and small."""
    steps = sequence.shape[1]
    return steps is not None and 0 < steps <= _FEW_STEPS


def turned(sequence: tf.Tensor) -> tf.Tensor:
    """Return it with steps and batch exchanged."""
    return tf.transpose(sequence, [1, 0, *range(2, sequence.shape.rank)])


def n_steps(turned: tf.Tensor) -> int | tf.Tensor:
    """Return how many steps `(steps, batch, ...)` has."""
    return tf.shape(turned)[0] if turned.shape[0] is None else turned.shape[0]


def _multiplied(inputs: tf.Tensor, W: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return the function from a step to $Wx$.

    All steps at once where weights are large and rows few. Otherwise step by step: that runs beside
    the product of the step before, and what it gives is still in the cache when it is needed.
    """
    batch = inputs.shape[1] or 1
    is_large = W.dtype.size * (W.shape.num_elements() or 0) > _CACHE
    if is_large and batch < _FEW_ROWS:
        shape = tf.concat([tf.shape(inputs)[:2], W.shape[-1:]], axis=0)
        products = tf.reshape(tf.matmul(_rows(inputs), W), shape)
        products.set_shape([*inputs.shape[:2], W.shape[-1]])
        return _unstacked(products).read
    steps = _unstacked(inputs)
    return lambda t: tf.matmul(steps.read(t), W)


def _chosen(is_live: tf.Tensor | None, new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
    return new if is_live is None else tf.where(is_live, new, old)


def _unstacked(sequence: tf.Tensor) -> tf.TensorArray:
    return tf.TensorArray(sequence.dtype, n_steps(sequence)).unstack(sequence)


def _arrays(like: tf.Tensor, steps: int | tf.Tensor, n: int) -> Arrays:
    # Not cleared when it is read: somebody may ask for two gradients.
    return tuple(tf.TensorArray(like.dtype, steps, clear_after_read=False) for _ in range(n))


def _written(arrays: Arrays, t: tf.Tensor, values: Any) -> Arrays:
    return tuple(array.write(t, value) for array, value in zip(arrays, values, strict=True))


def _rows(sequence: tf.Tensor) -> tf.Tensor:
    """Return the steps one below the other, `(steps * batch, units)`."""
    return tf.reshape(sequence, [-1, sequence.shape[-1]])
