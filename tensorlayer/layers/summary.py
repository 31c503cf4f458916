"""What ``print_params`` and ``print_layers`` show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.structure import leaves

if TYPE_CHECKING:
    from tensorlayer.layers.graph import Network
    from tensorlayer.layers.tree import Parameter

__all__ = ["layer_table", "lines", "parameter_table", "shapes", "show", "text_table"]

#: Columns of a table that goes into a file or a notebook: names of deep networks are long.
FILE_WIDTH = 160


def shapes(outputs: Any) -> str:
    """Return the shapes of a tensor, a spec or a structure of them, for people.

    Examples
    --------
    >>> shapes(tf.TensorSpec([None, 10]))
    '(None, 10)'
    """
    return ", ".join(str(_sizes(getattr(o, "shape", ()))) for o in leaves(outputs))


def lines(owner: Any, depth: int = 1) -> Iterator[str]:
    """Yield a line for each layer in a model or layer, what is in it below and indented."""
    held = owner.all_layers if hasattr(owner, "all_layers") else dict(owner.parts()).values()
    for each in held:
        if hasattr(each, "facts"):
            yield f"{'  ' * depth}{each!r}"
            yield from lines(each, depth + 1)


def layer_table(network: Network) -> Table:
    """Return a row for every layer below ``network``: name, layer, output shape, parameters."""
    table = Table("name", "layer", "output shape", "parameters")
    names = network.layer_names
    for node in network.all_layers:
        count = f"{node.layer.count_params():,}"
        name = names[node.layer]
        table.add_row(name, type(node.layer).__name__, shapes(node.outputs), count)
    return table


def parameter_table(parameters: Iterable[Parameter], details: bool = False) -> Table:
    """Return a row for every variable, and the total; with ``details`` statistics of the values."""
    statistics = {"mean": np.mean, "median": np.median, "std": np.std} if details else {}
    table = Table("name", "shape", "dtype", "trainable", *statistics)
    total = 0
    for name, variable, is_frozen, _ in parameters:
        values = _value_of(variable) if details else None
        shown = [f"{compute(values):.4g}" for compute in statistics.values()]
        is_trained = str(variable.trainable and not is_frozen)
        dtype = tf.as_dtype(variable.dtype).name
        table.add_row(name, str(_sizes(variable.shape)), dtype, is_trained, *shown)
        total += int(np.prod(_sizes(variable.shape)))
    table.caption = f"{total:,} parameters"
    return table


def _sizes(shape: Any) -> tuple[int | None, ...]:
    """Return the sizes as numbers, which those of TensorFlow 1 are not."""
    return tuple(shape.as_list() if hasattr(shape, "as_list") else shape)


def _value_of(variable: Any) -> np.ndarray:
    """Return the value; in a TensorFlow 1 graph that in the default session."""
    session = tf.compat.v1.get_default_session()
    if session is not None and getattr(variable, "graph", None) is session.graph:
        return session.run(variable)
    if not tf.executing_eagerly():
        raise InvalidArgument(
            f"print_params(details=True): the variable {variable.name!r} of a graph has its value "
            "in a session. Call it within `with session.as_default():`, or without details."
        )
    return variable.numpy()


def text_table(heading: str, rows: Iterable[str]) -> Table:
    """Return a table of one column."""
    table = Table(heading)
    for row in rows:
        table.add_row(row)
    return table


def show(table: Table) -> None:
    """Print the table on standard output, as wide as its text."""
    console = Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)
