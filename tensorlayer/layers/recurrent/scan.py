"""A cell over a sequence, as one operation with a derivative of its own.

TensorFlow would differentiate it step by step, and add up a gradient of the size of all weights at
each one. Here the way back only finds the derivatives of $Wx$ and $Uh$; those of the weights are
then one product each, over all steps at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tensorlayer.layers.recurrent.gates import Gates, State
from tensorlayer.layers.recurrent.ways import Kernels, Loop, Steps, Way, are_few, n_steps, turned
from tensorlayer.layers.tf1 import plain_sizes

__all__ = ["scan", "unroll"]


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
        `(batch, steps, channels)`. Up to 40 steps, if their number is known, are put into the graph
        one after the other; otherwise there is a loop.
    state
        The state to begin with, each `(batch, units)`.
    mask
        `(batch, steps, 1)`, false where a sequence is over: its state then stays as it is.
    recurrent_mask
        `(batch, units)`, by which outputs are multiplied on their way to the next step.
    in_training
        Whether a derivative will be asked for. If not, nothing is kept for one, and TensorFlow's
        own serves who asks nevertheless.
    """
    way = (Steps if are_few(inputs) else Loop)(gates, mask, recurrent_mask)
    tensors = [tf.convert_to_tensor(each) for each in (kernels.W, kernels.U)]
    if kernels.b is not None:
        tensors.append(tf.nest.map_structure(tf.convert_to_tensor, kernels.b))
    if not (in_training and gates.has_derivative):
        outputs, last, _ = way.forward(inputs, Kernels(*tensors), tuple(state), keeps=False)
        return outputs, last
    results = _differentiable(way)(inputs, *state, *tensors)
    return results[0], tuple(results[1:])


def _differentiable(way: Way) -> Callable[..., Any]:
    n_states = way.gates.n_states

    @tf.custom_gradient
    def run(inputs: tf.Tensor, *rest: tf.Tensor) -> Any:
        state, kernels = rest[:n_states], Kernels(*rest[n_states:])
        outputs, last, kept = way.forward(inputs, kernels, state, keeps=True)

        def back(d_outputs: tf.Tensor, *d_last: tf.Tensor) -> list[tf.Tensor]:
            # What was gathered from comes with a sparse derivative.
            d_outputs, *d_last = (tf.convert_to_tensor(each) for each in (d_outputs, *d_last))
            with plain_sizes():  # it is asked for when the graph is differentiated
                found = way.backward(kernels, kept, d_outputs, d_last)
            gradients = [found.inputs, *found.state, found.W, found.U]
            if kernels.b is not None:
                gradients.append(way.gates.back_bias(*found.products))
            return [_only_once(each) for each in gradients]

        return (outputs, *last), back

    return run


def _only_once(gradient: tf.Tensor) -> tf.Tensor:
    """Return it as something that cannot be differentiated itself."""
    return tf.raw_ops.PreventGradient(
        input=gradient,
        message="A recurrent layer in training has first derivatives only. Evaluate it with "
        "is_train=False, on a GPU within tl.layers.without_cudnn(), to differentiate it twice.",
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
        `(batch, steps, ...)`.
    state
        A tensor, or lists, tuples and dictionaries of tensors.
    mask
        `(batch, steps, 1)`, false where a sequence is over.
    """
    inputs, mask = turned(inputs), None if mask is None else turned(mask)
    steps = n_steps(inputs)
    array = tf.TensorArray(inputs.dtype, steps).unstack(inputs)

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
    return turned(outputs.stack()), tf.nest.pack_sequence_as(state, last)


def _like(mask: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Return `(batch, 1)` with as many axes as the values have."""
    return tf.reshape(mask, [-1] + [1] * (values.shape.rank - 1))
