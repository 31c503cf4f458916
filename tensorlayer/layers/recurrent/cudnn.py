"""The kernels of cuDNN, NVIDIA's library: a whole sequence as one operation of a GPU.

They hold all parameters in one row: the kernels of the inputs gate by gate, each transposed, those
of the outputs before, then two rows of biases; and their gates have an order of their own.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
from collections.abc import Iterator
from typing import NamedTuple

import tensorflow as tf

from tensorlayer.layers.recurrent.gates import Gates, GRUGates, LSTMGates, SimpleGates, State
from tensorlayer.layers.recurrent.ways import Kernels

__all__ = ["over_sequence", "serves", "without_cudnn"]

logger = logging.getLogger(__name__)

_IS_ADMITTED = contextvars.ContextVar("is_admitted", default=True)


class _Form(NamedTuple):
    """How cuDNN calls a cell, and in which order it has the gates."""

    mode: str
    order: str


_FORMS: dict[type[Gates], _Form] = {
    SimpleGates: _Form("rnn_tanh", "n"),
    LSTMGates: _Form("lstm", "ifgo"),
    GRUGates: _Form("gru", "rzn"),
}

_TYPES = (tf.float16, tf.float32, tf.float64)


@contextlib.contextmanager
def without_cudnn() -> Iterator[None]:
    """Trace recurrent layers of any GPU without the kernels of cuDNN.

    Outputs are the same, up to rounding. It is for what shall run on other machines as well, is
    differentiated twice, or is compiled by XLA, which has no such kernels; `model.export`,
    `model.as_keras` and `tl.train.run(..., jit_compile=True)` use it themselves.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> rnn = tl.layers.LSTMRNN(4, return_last_state=False, in_channels=3)
    >>> @tf.function(jit_compile=True)
    ... def forward(x):
    ...     with without_cudnn():
    ...         return rnn(x, is_train=False)
    >>> forward(tf.ones([2, 5, 3])).shape
    TensorShape([2, 5, 4])
    """
    token = _IS_ADMITTED.set(False)
    try:
        yield
    finally:
        _IS_ADMITTED.reset(token)


def serves(who: str, gates: Gates, inputs: tf.Tensor, has_recurrent_mask: bool) -> bool:
    """Return whether cuDNN computes a cell over these inputs; with a GPU, the log says why.

    Parameters
    ----------
    who
        The name of the cell, for the log.
    gates
        Its formula.
    inputs
        `(batch, steps, channels)`.
    has_recurrent_mask
        Whether outputs are dropped on their way to the next step.
    """
    if not tf.config.get_visible_devices("GPU"):
        return False
    obstacles = {
        "they are switched off": not _IS_ADMITTED.get(),
        f"they have no {type(gates).__name__}": type(gates) not in _FORMS,
        "they have other activations": not gates.has_derivative,
        "they drop nothing between steps": has_recurrent_mask,
        f"they have no {inputs.dtype.name}": inputs.dtype not in _TYPES,
        "this TensorFlow was built for ROCm": tf.sysconfig.get_build_info()["is_rocm_build"],
        # A tensor that is made now is where its operation will be; nowhere yet in most graphs.
        "it is placed on the CPU": "CPU" in tf.zeros([]).device.upper(),
    }
    found = next((why for why, is_so in obstacles.items() if is_so), None)
    if not tf.executing_eagerly():  # once for a trace, not in each call
        logger.info("%s: kernels of cuDNN: %s", who, "no, " + found if found else "yes")
    return found is None


def over_sequence(
    gates: Gates, kernels: Kernels, inputs: tf.Tensor, state: State, mask: tf.Tensor | None = None
) -> tuple[tf.Tensor, State]:
    """Return the outputs of all steps, and the last state; [`scan`][] explains the arguments.

    Outputs after the end of a sequence are anything.
    """
    lengths = _lengths(inputs, mask)
    of_layers = [each[:, tf.newaxis] for each in state]  # there is one
    outputs, h, c, _, _ = tf.raw_ops.CudnnRNNV3(
        input=inputs,
        input_h=of_layers[0],
        input_c=of_layers[1] if gates.n_states > 1 else tf.zeros([], inputs.dtype),
        params=_row(gates, kernels),
        sequence_lengths=tf.maximum(lengths, 1),  # cuDNN takes no shorter ones
        rnn_mode=_FORMS[type(gates)].mode,
        is_training=True,  # a derivative may be asked for
        time_major=False,
    )
    last = tuple(each[:, 0] for each in (h, c)[: gates.n_states])
    if mask is not None:
        is_any = lengths[:, tf.newaxis] > 0
        last = tuple(tf.where(is_any, new, old) for new, old in zip(last, state, strict=True))
    return outputs, last


def _lengths(inputs: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    if mask is None:
        return tf.fill([tf.shape(inputs)[0]], tf.shape(inputs)[1])
    return tf.reduce_sum(tf.cast(mask[..., 0], tf.int32), axis=1)


def _row(gates: Gates, kernels: Kernels) -> tf.Tensor:
    """Return all parameters as cuDNN has them."""
    of_matrices = [tf.transpose(each) for each in (kernels.W, kernels.U)]
    biases = _both_biases(gates, kernels)
    parts = [part for each in (*of_matrices, *biases) for part in _in_its_order(gates, each)]
    return tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)


def _in_its_order(gates: Gates, rows: tf.Tensor) -> list[tf.Tensor]:
    """Return what the gates have one below the other, in the order of cuDNN."""
    by_name = dict(zip(gates.order, tf.split(rows, gates.n_gates), strict=True))
    return [by_name[name] for name in _FORMS[type(gates)].order]


def _both_biases(gates: Gates, kernels: Kernels) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the biases of the inputs, and of the outputs before."""
    zeros = tf.zeros(kernels.W.shape[-1:], kernels.W.dtype)
    b = zeros if kernels.b is None else kernels.b
    if isinstance(gates, GRUGates):
        return (zeros, zeros) if kernels.b is None else (b[0], b[1])
    if isinstance(gates, LSTMGates):
        is_forget = tf.repeat([name == "f" for name in gates.order], zeros.shape[0] // 4)
        b = b + gates.forget_bias * tf.cast(is_forget, zeros.dtype)  # it may be a variable
    return zeros, b
