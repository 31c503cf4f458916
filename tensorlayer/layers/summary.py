"""What ``print_params`` and ``print_layers`` show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from tensorlayer.layers.graph import Network

__all__ = ["layer_table", "parameter_table", "shapes", "show", "text_table"]

#: Columns of a table that goes into a file or a notebook: names of deep networks are long.
FILE_WIDTH = 160


def shapes(outputs: Any) -> str:
    """Return the shapes of a tensor, a spec or a structure of them, for people.

    Examples
    --------
    >>> shapes(tf.TensorSpec([None, 10]))
    '(None, 10)'
    """
    return ", ".join(str(tuple(o.shape)) for o in tf.nest.flatten(outputs))


def layer_table(network: Network) -> Table:
    """Return a row for every layer below ``network``: name, layer, output shape, parameters."""
    table = Table("name", "layer", "output shape", "parameters")
    for node in network.all_layers:
        count = f"{node.layer.count_params():,}"
        table.add_row(node.name, type(node.layer).__name__, shapes(node.outputs), count)
    return table


def parameter_table(parameters: Mapping[str, tf.Variable], details: bool = False) -> Table:
    """Return a row for every variable, and the total; with ``details`` statistics of the values."""
    statistics = {"mean": np.mean, "median": np.median, "std": np.std} if details else {}
    table = Table("name", "shape", "dtype", "trainable", *statistics)
    for name, variable in parameters.items():
        values = [f"{fn(variable.numpy()):.4g}" for fn in statistics.values()]
        shape = str(tuple(variable.shape))
        table.add_row(
            name, shape, tf.as_dtype(variable.dtype).name, str(variable.trainable), *values
        )
    total = sum(int(np.prod(variable.shape)) for variable in parameters.values())
    table.caption = f"{total:,} parameters"
    return table


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
