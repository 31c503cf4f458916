"""How near the training steps of Table 1 come to what the machine can do.

Run with ``python -m benchmarks.limits``; ``--quick`` takes half a minute. A step cannot be faster
than its floating-point operations at the rate of a large matrix product, nor than its weights are
read, and their changes made and written, at the rate of a large addition; of both rates the best of
the same rounds counts. The figure is the time of that limit divided by the time of the step: 1
would be all that the machine can do. Small products, and what lies between them, keep a network
below it.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable

import tensorflow as tf

from benchmarks import harness
from benchmarks.harness import Case, Spread
from benchmarks.overhead import OURS, WORKLOADS, stepping
from benchmarks.workloads.contestant import Contestant, Workload

PACKAGES = ("numpy", "tensorflow")
PRODUCT, ADDITION = "product of 2048 x 2048", "addition of 64 MB"
_SIDE, _ADDED = 2048, 2**26
#: Operations that change a variable by one of their inputs.
_CHANGES = ("ResourceApply", "ResourceSparseApply", "ResourceScatter", "AssignAdd", "AssignSub")


def n_operations(graph: tf.Graph) -> int:
    """Return how many floating-point operations a graph has, as TensorFlow counts them.

    Examples
    --------
    >>> with tf.Graph().as_default() as graph:
    ...     product = tf.ones([2, 3]) @ tf.ones([3, 5])
    >>> n_operations(graph)
    60
    """
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    with contextlib.redirect_stdout(io.StringIO()):
        counted = tf.compat.v1.profiler.profile(graph, options={**options, "output": "none"})
    return counted.total_float_ops


def n_bytes(graph: tf.Graph) -> int:
    """Return how many bytes have to be moved for the weights: read, changed by, and written.

    Of a table of which a step changes some rows, those rows count.
    """
    changes = [each for each in graph.get_operations() if each.type.startswith(_CHANGES)]
    if any("While" in each.type for each in graph.get_operations()):
        raise ValueError("a step with a loop is not counted: what is in it happens many times")
    return sum(3 * max(map(_size, each.inputs)) for each in changes)


def _size(tensor: tf.Tensor) -> int:
    if not tensor.dtype.is_floating:
        return 0
    if not tensor.shape.is_fully_defined():
        raise ValueError(f"{tensor.name} has no known size, got shape {tensor.shape}")
    return tensor.dtype.size * tensor.shape.num_elements()


def measured(workload: Workload, n_rounds: int) -> Case:
    """Time our step beside a large product and a large addition."""
    contestant = workload.contestants[OURS]()
    batches = [tuple(map(tf.constant, each)) for each in workload.batches(workload.n_steps)]
    runs = {OURS: stepping(contestant.step, batches, workload.n_steps), **_machine()}
    taken = harness.rounds(runs, n_rounds)
    operations, moved = _needs(contestant, batches[0])
    rates = {what: _rates(taken, what) for what in (PRODUCT, ADDITION)}
    limit = max(operations / max(rates[PRODUCT]), moved / max(rates[ADDITION]))
    steps = [each / workload.n_steps for each in taken[OURS]]
    samples = {
        f"{OURS}, ms": [1e3 * each for each in steps],
        "limit, ms": [1e3 * limit],
        "operations, 10^6": [operations / 1e6],
        "bytes of weights, 10^6": [moved / 1e6],
        f"{PRODUCT}, 10^9/s": [each / 1e9 for each in rates[PRODUCT]],
        f"{ADDITION}, 10^9 bytes/s": [each / 1e9 for each in rates[ADDITION]],
    }
    figure = Spread.of([limit / each for each in steps])
    return Case(
        name=workload.name, unit="", samples=samples, figures={f"{workload.name}: part": figure}
    )


def _needs(contestant: Contestant, batch: tuple[tf.Tensor, ...]) -> tuple[int, int]:
    graph = contestant.step.get_concrete_function(*batch).graph
    return n_operations(graph), n_bytes(graph)


def _machine() -> dict[str, Callable[[], object]]:
    """Return calls of what the rates are measured by, made once to warm up."""
    matrix = tf.random.stateless_normal([_SIDE, _SIDE], seed=(0, 1))
    source = tf.Variable(tf.ones([_ADDED // 4]))
    target = tf.Variable(tf.zeros([_ADDED // 4]))
    calls = {
        PRODUCT: lambda: tf.matmul(matrix, matrix).numpy(),
        ADDITION: lambda: target.assign_add(source),  # by all cores, as steps compute
    }
    for call in calls.values():
        call()
    return calls


def _rates(taken: harness.Samples, what: str) -> list[float]:
    amount = {PRODUCT: 2 * _SIDE**3, ADDITION: 3 * _ADDED}[what]  # it reads two, and writes one
    return [amount / seconds for seconds in taken[what]]


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write the results."""
    options = harness.options(__doc__, arguments)
    n_rounds = 5 if options.quick else 25
    cases = [measured(each, n_rounds) for each in WORKLOADS.values()]
    return harness.report(
        "limits", "Parts of what the machine can do", cases, {}, options, packages=PACKAGES
    )


if __name__ == "__main__":
    sys.exit(main())
