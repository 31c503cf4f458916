"""A cell over a sequence, as one operation with a derivative of its own.

The loop that it stands for:

    for t in range(steps):
        state = gates.step(W x[t], U h, b, state)

TensorFlow would differentiate that step by step, and add up a gradient of the size of all weights
at each one. Here the loop backwards only finds the derivatives of $Wx$ and $Uh$; those of the
weights are then one product each, over all steps at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tensorlayer.layers.recurrent.gates import Gates, State

__all__ = ["Kernels", "scan", "unroll"]

#: One for each tensor of a step.
Arrays = tuple[tf.TensorArray, ...]

#: Weights above this size (bytes) push each other out of the cache from step to step.
_CACHE = 2**21
#: Products of fewer rows wait for weights, not for arithmetic.
_FEW_ROWS = 64


@dataclasses.dataclass(frozen=True)
class Kernels:
    """The parameters of a cell: `W` for inputs, `U` for the output before, and biases or None."""

    W: tf.Tensor
    U: tf.Tensor
    b: tf.Tensor | None = None


def scan(
    gates: Gates,
    kernels: Kernels,
    inputs: tf.Tensor,
    state: State,
    mask: tf.Tensor | None = None,
    recurrent_mask: tf.Tensor | None = None,
    in_training: bool = True,
) -> tuple[tf.Tensor, State]:
    """Return the outputs of all steps, and the last state.

    Parameters
    ----------
    gates, kernels
        The cell.
    inputs
        `(steps, batch, channels)`.
    state
        The state to begin with, each `(batch, units)`.
    mask
        `(steps, batch, 1)`, false where a sequence is over: its state then stays as it is.
    recurrent_mask
        `(batch, units)`, by which outputs are multiplied on their way to the next step.
    in_training
        Whether a derivative will be asked for. If not, nothing is kept for one, and TensorFlow's
        own serves who asks nevertheless.
    """
    if not (in_training and gates.has_derivative):
        loop = _Loop(gates, mask, recurrent_mask)
        outputs, last, _ = loop.forward(inputs, kernels, state, keeps=False)
        return outputs, last
    tensors = [inputs, kernels.W, kernels.U, *state]
    if kernels.b is not None:
        tensors.append(kernels.b)
    results = _differentiable(_Loop(gates, mask, recurrent_mask))(*tensors)
    return results[0], tuple(results[1:])


def _differentiable(loop: _Loop) -> Callable[..., Any]:
    n_states = loop.gates.n_states

    @tf.custom_gradient
    def run(inputs: tf.Tensor, W: tf.Tensor, U: tf.Tensor, *rest: tf.Tensor) -> Any:
        state, biases = rest[:n_states], rest[n_states:]
        kernels = Kernels(W, U, *biases)
        outputs, last, saved = loop.forward(inputs, kernels, state, keeps=True)

        def back(d_outputs: tf.Tensor, *d_last: tf.Tensor) -> list[tf.Tensor]:
            products, d_state = loop.backward(kernels, saved, d_outputs, d_last)
            products = [_rows(each) for each in products]
            before = tf.concat([state[0][tf.newaxis], outputs[:-1]], axis=0)
            if loop.recurrent_mask is not None:
                before *= loop.recurrent_mask
            gradients = [
                tf.reshape(tf.matmul(products[0], W, transpose_b=True), tf.shape(inputs)),
                tf.matmul(_rows(inputs), products[0], transpose_a=True),
                tf.matmul(_rows(before), products[-1], transpose_a=True),
                *d_state,
                *(loop.gates.back_bias(*products) for _ in biases),
            ]
            return [_only_once(each) for each in gradients]

        return (outputs, *last), back

    return run


@dataclasses.dataclass(frozen=True)
class _Loop:
    """Both ways through a sequence."""

    gates: Gates
    mask: tf.Tensor | None
    recurrent_mask: tf.Tensor | None

    def forward(
        self, inputs: tf.Tensor, kernels: Kernels, state: State, keeps: bool
    ) -> tuple[tf.Tensor, State, Arrays]:
        """Return outputs, the last state and what `backward` needs."""
        steps, multiplied = _steps(inputs), _multiplied(inputs, kernels.W)

        def body(t: tf.Tensor, state: State, outputs: tf.TensorArray, saved: Arrays) -> Any:
            h = state[0] if self.recurrent_mask is None else state[0] * self.recurrent_mask
            new, kept = self.gates.step(multiplied(t), tf.matmul(h, kernels.U), kernels.b, state)
            new = self._held(t, new, state)
            return t + 1, new, outputs.write(t, new[0]), _written(saved, t, kept if keeps else ())

        arrays = _arrays(inputs, steps, self.gates.n_saved if keeps else 0)
        _, last, outputs, saved = tf.while_loop(
            lambda t, *_: t < steps,
            body,
            (0, tuple(state), *_arrays(inputs, steps, 1), arrays),
            maximum_iterations=steps,
        )
        return outputs.stack(), last, saved

    def backward(
        self, kernels: Kernels, saved: Arrays, d_outputs: tf.Tensor, d_last: State
    ) -> tuple[list[tf.Tensor], State]:
        """Return the derivatives of the products of all steps, and of the first state."""
        steps = _steps(d_outputs)
        U = tf.transpose(kernels.U)  # once: small products with a transposed matrix are slow
        coming = _unstacked(d_outputs)

        def body(t: tf.Tensor, d_state: State, products: Arrays) -> Any:
            d_state = (d_state[0] + coming.read(t), *d_state[1:])
            d_products, before = self.gates.back([each.read(t) for each in saved], d_state)
            d_products = [self._live(t, each) for each in d_products]
            through = tf.matmul(d_products[-1], U)
            if self.recurrent_mask is not None:
                through *= self.recurrent_mask
            before = self._held(t, before, d_state)
            before = (before[0] + through, *before[1:])
            return t - 1, before, _written(products, t, d_products)

        _, d_state, products = tf.while_loop(
            lambda t, *_: t >= 0,
            body,
            (steps - 1, tuple(d_last), _arrays(d_outputs, steps, self.gates.n_products)),
            maximum_iterations=steps,
        )
        return [each.stack() for each in products], d_state

    def _held(self, t: tf.Tensor, new: State, old: State) -> State:
        """Return the new state; the old one of sequences that are over."""
        if self.mask is None:
            return tuple(new)
        return tuple(tf.where(self.mask[t], a, b) for a, b in zip(new, old, strict=True))

    def _live(self, t: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
        """Return the derivatives; none of sequences that are over, whatever was in them."""
        if self.mask is None:
            return d
        return tf.where(self.mask[t], d, tf.zeros_like(d))


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


def _steps(sequence: tf.Tensor) -> int | tf.Tensor:
    return tf.shape(sequence)[0] if sequence.shape[0] is None else sequence.shape[0]


def _unstacked(sequence: tf.Tensor) -> tf.TensorArray:
    return tf.TensorArray(sequence.dtype, _steps(sequence)).unstack(sequence)


def _arrays(like: tf.Tensor, steps: int | tf.Tensor, n: int) -> Arrays:
    # Not cleared when it is read: somebody may ask for two gradients.
    return tuple(tf.TensorArray(like.dtype, steps, clear_after_read=False) for _ in range(n))


def _written(arrays: Arrays, t: tf.Tensor, values: Any) -> Arrays:
    return tuple(array.write(t, value) for array, value in zip(arrays, values, strict=True))


def _rows(sequence: tf.Tensor) -> tf.Tensor:
    """Return the steps one below the other, `(steps * batch, units)`."""
    return tf.reshape(sequence, [-1, sequence.shape[-1]])


def _only_once(gradient: tf.Tensor) -> tf.Tensor:
    """Return it as something that cannot be differentiated itself."""
    return tf.raw_ops.PreventGradient(
        input=gradient,
        message="A recurrent layer in training has first derivatives only. Evaluate it with "
        "is_train=False to differentiate it twice.",
    )


def unroll(
    step: Callable[[tf.Tensor, Any], tuple[Any, Any]],
    inputs: tf.Tensor,
    state: Any,
    mask: tf.Tensor | None = None,
) -> tuple[tf.Tensor, Any]:
    """Return the outputs of all steps, and the last state, of any function of a step.

    Parameters
    ----------
    step
        From an input and a state to an output and the next state.
    inputs
        `(steps, batch, ...)`.
    state
        A tensor, or lists, tuples and dictionaries of tensors.
    mask
        `(steps, batch, 1)`, false where a sequence is over.
    """
    steps, array = _steps(inputs), _unstacked(inputs)

    def body(t: tf.Tensor, flat: list[tf.Tensor], outputs: tf.TensorArray) -> Any:
        output, new = step(array.read(t), tf.nest.pack_sequence_as(state, flat))
        new = tf.nest.flatten(new)
        if mask is not None:
            new = [tf.where(_like(mask[t], a), a, b) for a, b in zip(new, flat, strict=True)]
        return t + 1, new, outputs.write(t, tf.cast(output, inputs.dtype))

    flat = tf.nest.flatten(state)
    _, last, outputs = tf.while_loop(
        lambda t, *_: t < steps,
        body,
        (0, flat, tf.TensorArray(inputs.dtype, steps)),
        maximum_iterations=steps,
    )
    return outputs.stack(), tf.nest.pack_sequence_as(state, last)


def _like(mask: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Return `(batch, 1)` with as many axes as the values have."""
    return tf.reshape(mask, [-1] + [1] * (values.shape.rank - 1))
