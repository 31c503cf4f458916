"""Cells over batches of sequences: lengths, directions, layers upon layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import computing
from tensorlayer.layers.base import Layer
from tensorlayer.layers.precision import require_floats
from tensorlayer.layers.recurrent import cudnn
from tensorlayer.layers.recurrent.cells import fitting_state
from tensorlayer.layers.recurrent.foreign import ForeignCell
from tensorlayer.layers.recurrent.scan import scan, unroll
from tensorlayer.layers.tree import join

__all__ = [
    "StackedCells",
    "as_cell",
    "first_state",
    "last_output",
    "lengths_of",
    "make_parameters",
    "run",
    "up_to_last",
]


class StackedCells(Layer):
    """Cells one upon the other: each gets what the one below it gives.

    Parameters
    ----------
    cells
        At least one.
    keep_in, keep_out
        The probabilities of keeping an input of each cell, and an output of the last one, in
        training; at each step others.
    """

    def __init__(
        self,
        cells: Sequence[Any],
        keep_in: float = 1.0,
        keep_out: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not cells:
            raise InvalidArgument("a list of cells needs at least one, got an empty one.")
        self.cells = [as_cell(cell) for cell in cells]
        self.keep_in, self.keep_out = keep_in, keep_out

    def initial_state(self, batch_size: Any, dtype: Any = None) -> list[Any]:
        """Return a list of the states of all."""
        return [cell.initial_state(batch_size, dtype) for cell in self.cells]

    def build(self, inputs_shape: Any) -> None:
        """Build one after the other, each for the outputs of the one below."""
        shape = inputs_shape
        for name, cell in self.parts():
            label = join(self.facts.label or self.name, name)
            outputs = make_parameters(self, cell, shape, label)
            shape = [None, *outputs.shape[1:]]

    def parts(self) -> Iterator[tuple[str, Layer]]:
        """Yield the cells by their numbers; a single one needs none."""
        is_one = len(self.cells) == 1
        yield from (("" if is_one else f"cell_{i}", cell) for i, cell in enumerate(self.cells))

    def forward(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, list[Any]]:
        """Compute one step."""
        new = []
        for cell, before in zip(self.cells, state, strict=True):
            inputs, after = cell(self.dropped(inputs, self.keep_in), before)
            new.append(after)
        return self.dropped(inputs, self.keep_out), new

    def dropped(self, values: tf.Tensor, keep: float) -> tf.Tensor:
        """Return the values, in training without those that are dropped."""
        return tf.nn.dropout(values, 1 - keep) if self.is_train and keep < 1 else values


def as_cell(cell: Any) -> Layer:
    """Return a cell as a layer: as it is, stacked if it is a list, or around a foreign one."""
    if isinstance(cell, (list, tuple)):
        return StackedCells(cell)
    if isinstance(cell, Layer) and hasattr(cell, "initial_state"):
        return cell
    return ForeignCell(cell)


def make_parameters(owner: Layer, cell: Layer, step_shape: Any, label: str) -> tf.TensorSpec:
    """Make the parameters of a cell, and return the spec of its outputs.

    Parameters
    ----------
    owner
        The layer that holds the cell.
    step_shape
        Of an input of one step.
    label
        How variables are called if the cell has no name.
    """
    dtype = owner.facts.variable_dtype or tf.float32
    if not cell.facts.is_named:
        cell.facts.label = label
    inputs = tf.TensorSpec(step_shape, dtype)
    computing.build(cell, (inputs,), {})
    computing.settle(cell, ())

    def step(values: tf.Tensor) -> Any:
        return computing.run(cell, (values, cell.initial_state(tf.shape(values)[0], dtype)), {})[0]

    output = tf.function(step, autograph=False).get_concrete_function(inputs)
    return output.structured_outputs


def first_state(given: Any, default: Any, inputs: tf.Tensor) -> Any:
    """Return the state that a call was given, or else the default of its layer.

    A row of a default is that of every sequence: a layer is made before anybody knows how many
    there are.
    """
    if given is not None or default is None:
        return given
    n = tf.shape(inputs)[0]

    def rows(each: Any) -> Any:
        if not hasattr(each, "shape"):
            return each  # a number in a list of them
        each = tf.convert_to_tensor(each)
        is_one = each.shape.rank and each.shape[0] == 1
        return tf.repeat(each, n, axis=0) if is_one else each

    return tf.nest.map_structure(rows, default)


def run(
    cell: Layer, inputs: tf.Tensor, state: Any, lengths: tf.Tensor | None = None
) -> tuple[tf.Tensor, Any]:
    """Return the outputs of all steps, `(batch, steps, ...)`, and the state after the last one.

    Parameters
    ----------
    cell
        A cell that is built.
    inputs
        `(batch, steps, ...)`.
    state
        The state to begin with, or None for that of the cell.
    lengths
        `(batch)`. Outputs after the end of a sequence are 0, its state is that of its last step.
    """
    is_given = state is not None
    if not is_given:
        state = cell.initial_state(tf.shape(inputs)[0], inputs.dtype)
    if isinstance(cell, StackedCells):
        return _run_stacked(cell, inputs, state, lengths)
    if is_given:
        state = fitting_state(cell, state, inputs)
    mask = None
    if lengths is not None:
        mask = tf.sequence_mask(lengths, tf.shape(inputs)[1])[..., tf.newaxis]
        inputs = _masked(inputs, mask)  # what is behind the end may be anything, also NaN
    gates = getattr(cell, "gates", None)
    outputs, last = (_unroll if gates is None else _scan)(cell, inputs, state, mask)
    if mask is not None:
        outputs = _masked(outputs, mask)
    outputs.set_shape([inputs.shape[0], inputs.shape[1], *outputs.shape[2:]])
    return outputs, last


def _run_stacked(cells: StackedCells, inputs: tf.Tensor, state: Any, lengths: Any) -> Any:
    """Run one layer after the other, each over the whole sequence."""
    last = []
    for cell, before in zip(cells.cells, _for_each(cells, state), strict=True):
        inputs, after = run(cell, cells.dropped(inputs, cells.keep_in), before, lengths)
        last.append(after)
    return cells.dropped(inputs, cells.keep_out), last


def _for_each(cells: StackedCells, state: Any) -> Any:
    if not isinstance(state, (list, tuple)) or len(state) != len(cells.cells):
        raise InvalidArgument(
            f"a state of {len(cells.cells)} stacked cells is a list of as many states, got "
            f"{state!r:.200}."
        )
    return state


def _scan(cell: Any, inputs: tf.Tensor, state: Any, mask: tf.Tensor | None) -> tuple[Any, Any]:
    """Compute a gated cell as one operation."""
    dtype, batch = inputs.dtype, tf.shape(inputs)[0]
    dropped = cell.input_mask(batch, inputs.shape[-1], dtype)
    if dropped is not None:
        inputs *= dropped[:, tf.newaxis]
    flat = tuple(tf.cast(each, dtype) for each in cell.tensors_of(state))
    recurrent_mask = cell.recurrent_mask(batch, dtype)
    given = cell.gates, cell.kernels(dtype), inputs, flat, mask
    if cudnn.serves(cell.name, cell.gates, inputs, recurrent_mask is not None):
        outputs, last = cudnn.over_sequence(*given)
    else:
        outputs, last = scan(*given, recurrent_mask, in_training=cell.is_train)
    return outputs, cell.state_of(last)


def _unroll(cell: Any, inputs: tf.Tensor, state: Any, mask: tf.Tensor | None) -> tuple[Any, Any]:
    """Compute any other cell step by step."""
    require_floats(cell, inputs)  # outputs are of their type
    over_steps = getattr(cell, "over_steps", None)
    with nullcontext() if over_steps is None else over_steps(inputs[:, 0], state):
        return unroll(cell, inputs, state, mask)


def _masked(sequence: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    mask = tf.reshape(mask, tf.concat([tf.shape(mask)[:2], [1] * (sequence.shape.rank - 2)], 0))
    return tf.where(mask, sequence, tf.zeros_like(sequence))


def lengths_of(layer: Layer, inputs: tf.Tensor, lengths: Any) -> tf.Tensor | None:
    """Return the lengths of the sequences as int32, looked at.

    Raises
    ------
    InvalidArgument
        One is negative, or beyond the steps. In a graph that is an error when it is evaluated.
    WrongShape
        They are not `(batch)`.
    """
    if lengths is None:
        return None
    lengths = tf.convert_to_tensor(lengths)
    if not lengths.dtype.is_integer and lengths.shape.num_elements() != 0:
        raise InvalidArgument(
            f"{layer!r}: sequence_length holds whole numbers, got {lengths.dtype.name}. Give "
            "tf.cast(lengths, tf.int32)."
        )
    if lengths.shape.rank != 1 or not lengths.shape.is_compatible_with(inputs.shape[:1]):
        raise WrongShape(
            f"{layer!r}: sequence_length holds one length for each of the {inputs.shape[0]} "
            f"sequences, got shape {lengths.shape}."
        )
    lengths = tf.cast(lengths, tf.int64)  # not yet int32: that would wrap round
    steps = tf.shape(inputs, tf.int64)[1]
    rule = "sequence_length is between 0 and the number of steps"
    known, n_steps = tf.get_static_value(lengths), tf.get_static_value(steps)
    if known is not None and n_steps is not None:
        if known.size and not 0 <= known.min() <= known.max() <= n_steps:
            raise InvalidArgument(
                f"{layer!r}: {rule}, {n_steps}; got {known.min()} to {known.max()}."
            )
        return tf.cast(lengths, tf.int32)
    fits = tf.reduce_all((lengths >= 0) & (lengths <= steps))
    with tf.control_dependencies([tf.debugging.Assert(fits, [f"{layer!r}: {rule}.", lengths])]):
        return tf.cast(lengths, tf.int32)


def up_to_last(counts: tf.Tensor) -> tf.Tensor:
    """Return how many steps there are up to the last that counts, `(batch)` int32, of booleans."""
    places = tf.range(1, tf.shape(counts)[1] + 1)
    # Of no steps at all, the largest would be the least number there is.
    return tf.maximum(tf.reduce_max(tf.where(counts, places, 0), axis=1), 0)


def last_output(outputs: tf.Tensor, lengths: tf.Tensor | None) -> tf.Tensor:
    """Return the output of the last step of each sequence; 0 of one that has none."""
    if lengths is None:
        return outputs[:, -1]
    return tf.gather(outputs, tf.maximum(lengths - 1, 0), axis=1, batch_dims=1)
