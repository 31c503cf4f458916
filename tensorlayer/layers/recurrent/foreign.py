"""Cells of other libraries, and how those of Keras are computed as our own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer
from tensorlayer.layers.recurrent.gates import Gates, GRUGates, LSTMGates, SimpleGates
from tensorlayer.layers.recurrent.ways import Kernels
from tensorlayer.layers.tree import is_keras

__all__ = ["ForeignCell"]

#: How the first state is asked for: by Sonnet and here, by Keras, by TensorFlow 1.
_BEGINNINGS = ("initial_state", "get_initial_state", "zero_state")

#: Held while a cell of Keras drops something: it keeps what it has drawn in itself.
_DROPPING = threading.RLock()


class ForeignCell(Layer):
    """Any object with the two methods of a cell.

    Parameters
    ----------
    cell
        A cell of Keras, a core of Sonnet, or an object of one's own. Its variables are found if it
        is of Keras or a `tf.Module`.
    """

    keeps_precision = True  # its variables are not ours to cast
    needs_autograph = True  # and its code is somebody else's

    def __init__(self, cell: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        beginning = next((each for each in _BEGINNINGS if hasattr(cell, each)), None)
        if not callable(cell) or beginning is None or isinstance(cell, type):
            raise InvalidArgument(
                f"a cell is called as cell(inputs, state) and has initial_state(batch_size), got "
                f"{cell!r}. Give one of tl.layers.LSTMCell, GRUCell and SimpleRNNCell, of Keras, "
                "or an object with these methods."
            )
        self.cell = cell
        self._begin = getattr(cell, beginning)

    def build(self, inputs_shape: Any) -> None:
        """Run it once, eagerly, so that its variables are there before any loop."""
        with tf.init_scope():
            self._call(tf.zeros([1, *inputs_shape[1:]]), self.initial_state(1))
        # A tf.Module that holds this does not look into objects of Keras, and a checkpoint not for
        # the state of their random numbers, which is no weight.
        self._found = [each.value for each in getattr(self.cell, "variables", ()) if is_keras(each)]

    def initial_state(self, batch_size: Any, dtype: Any = None) -> Any:
        """Return the state to begin with."""
        if self._begin.__name__ == "zero_state":
            return self._begin(batch_size, dtype or tf.float32)
        return self._begin(batch_size=batch_size)

    def forward(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
        """Compute one step."""
        return self._call(inputs, state, is_train=self.is_train)

    @contextlib.contextmanager
    def over_steps(self, inputs: tf.Tensor, state: Any) -> Iterator[None]:
        """Drop the same at all steps in this context, and something else in the next one.

        A cell of Keras draws at its first step what it drops, and keeps that until it is told to
        forget it. What it drew in a loop could not be used outside of the loop.

        Parameters
        ----------
        inputs
            Of one step.
        state
            The state to begin with.
        """
        drop = [each for each in _cells_in(self.cell) if hasattr(each, "reset_dropout_mask")]
        if not (drop and self.is_train):
            yield
            return
        with _DROPPING:
            _forget(drop)
            try:
                self._call(inputs, state, is_train=True)
                yield
            finally:
                _forget(drop)

    def state_specs(self, batch_size: int | None, dtype: tf.DType) -> list[tf.TensorSpec] | None:
        """Return shape and type of each tensor of a state of a Keras cell; None if not known."""
        if not is_keras(self.cell):
            return None
        sizes = getattr(self.cell, "state_size", None)
        sizes = sizes if isinstance(sizes, (list, tuple)) else [sizes]
        if not all(isinstance(size, int) for size in sizes):
            return None
        return [tf.TensorSpec([batch_size, size], self.cell.compute_dtype) for size in sizes]

    def _call(self, inputs: tf.Tensor, state: Any, is_train: bool = False) -> Any:
        if is_keras(self.cell):
            return self.cell(inputs, state, training=is_train)
        return self.cell(inputs, state)

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the cell: its variables go by the name of what holds this."""
        yield "", self.cell

    @property
    def gates(self) -> Gates | None:
        """The formulas, if they are known to be those of a Keras cell."""
        keras = tf.keras.layers
        known: dict[type, Gates] = {
            keras.SimpleRNNCell: SimpleGates(),
            keras.LSTMCell: LSTMGates(),
            keras.GRUCell: GRUGates(),
        }
        gates, cell = known.get(type(self.cell)), self.cell
        if gates is None or cell.dropout or cell.recurrent_dropout:
            return None
        activations = tf.keras.activations
        is_usual = cell.activation is activations.tanh and (
            getattr(cell, "recurrent_activation", activations.sigmoid) is activations.sigmoid
        )
        return gates if is_usual and getattr(cell, "reset_after", True) else None

    def tensors_of(self, state: Any) -> list[tf.Tensor]:
        """Return the tensors of a state of a Keras cell, which are ordered as in the formulas."""
        return list(state)

    def state_of(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return what [`tensors_of`][] was given."""
        return list(tensors)

    def kernels(self, dtype: tf.DType) -> Kernels:
        """Return the parameters of a Keras cell."""
        cell = self.cell
        found = (cell.kernel, cell.recurrent_kernel, cell.bias if cell.use_bias else None)
        return Kernels(*(None if each is None else tf.cast(each.value, dtype) for each in found))

    def input_mask(self, *_: Any) -> tf.Tensor | None:
        """Return None: a cell of Keras that drops something has no gates here."""
        return None

    def recurrent_mask(self, *_: Any) -> tf.Tensor | None:
        """Return None, as of the inputs."""
        return None


def _cells_in(cell: Any) -> Iterator[Any]:
    """Yield a cell of Keras, and those that are stacked in it."""
    if is_keras(cell):
        yield cell
        for each in getattr(cell, "cells", ()):
            yield from _cells_in(each)


def _forget(cells: Sequence[Any]) -> None:
    for cell in cells:
        cell.reset_dropout_mask()
        cell.reset_recurrent_dropout_mask()
