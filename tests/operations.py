"""What a traced step consists of: the operations of its graph and of every function it calls."""

from __future__ import annotations

import collections
from typing import Any


def operations(function: Any, *specs: Any) -> collections.Counter[str]:
    """Return how often each type of operation stands in the trace, nested functions included."""
    definition = function.get_concrete_function(*specs).graph.as_graph_def()
    nodes = list(definition.node)
    for nested in definition.library.function:
        nodes.extend(nested.node_def)
    return collections.Counter(node.op for node in nodes)
