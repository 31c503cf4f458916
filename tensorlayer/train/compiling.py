"""Whether XLA makes a step faster: found out on the first batches, while they train."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any, Literal

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.explaining import explained
from tensorlayer.train.loop import Loop, Pass, Step, as_tensors

__all__ = ["Faster", "JitCompile", "loop_of"]

#: False: as TensorFlow does it; True: by XLA; "auto": the faster of both.
JitCompile = bool | Literal["auto"]

#: Steps of each way that are measured, after one that traces and compiles.
N_MEASURED = 5

_logger = logging.getLogger(__name__)


def loop_of(step: Step, jit_compile: JitCompile) -> Loop | Faster:
    """Return what runs a step in this way.

    Raises
    ------
    InvalidArgument
        There is no such way.
    """
    if jit_compile == "auto":
        return Faster(Loop.of(step), Loop.of(step, jit_compile=True))
    if not isinstance(jit_compile, bool):
        raise InvalidArgument(
            f"training: jit_compile is True, False or 'auto', got {jit_compile!r}."
        )
    return Loop.of(step, jit_compile)


class Faster:
    """Two loops of one step, of which the faster one goes on.

    They take turns on the first batches, each of which is trained on once. What XLA cannot compile
    goes on without it. Which one it is is logged.

    Parameters
    ----------
    plain, compiled
        The loops.
    clock
        Returns seconds.

    Examples
    --------
    >>> def double(x):
    ...     return 2 * x
    >>> loop = Faster(Loop.of(double), Loop.of(double, jit_compile=True))
    >>> loop.begin(tf.data.Dataset.from_tensors(1.0).repeat(3)).advance(at_most=2)
    (1, {'loss': 2.0})
    """

    def __init__(
        self, plain: Loop, compiled: Loop, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._ways = {"plain": plain, "compiled": compiled}
        self._seconds: dict[str, list[float]] = {"plain": [], "compiled": []}
        self._clock = clock
        self._chosen: str | None = None

    def begin(self, batches: Iterable[Any]) -> Pass:
        """Return a pass over the data, with the step traced for it and no batch used."""
        for way in self._ways.values():
            way.expect(batches)
        return Pass(self, batches)

    def trace(self, batch: Any) -> Any:
        """Return the step for such a batch as a concrete function, which is traced but not run."""
        return self._ways["plain"].trace(batch)

    def run(
        self,
        iterator: Any,
        at_most: int,
        names: tuple[str, ...],
        *,
        is_in_graph: bool,
        agreed: Callable[[int], int] = int,
    ) -> tuple[int, bool, dict[str, float]]:
        """Run some steps as `Loop.run` does; one, as long as it is not known which is faster."""
        if self._chosen is not None:
            way = self._ways[self._chosen]
            return way.run(iterator, at_most, names, is_in_graph=is_in_graph, agreed=agreed)
        for batch in iterator:
            with explained():
                metrics = self._try(as_tensors(batch))
            return 1, False, {name: float(metrics[name]) for name in names}
        return 0, True, dict.fromkeys(names, 0.0)

    def _try(self, batch: Any) -> dict[str, float]:
        """Make a step in the way whose turn it is."""
        name = min(self._seconds, key=lambda name: len(self._seconds[name]))
        started = self._clock()
        try:
            metrics = {key: float(value) for key, value in self._ways[name].step(batch).items()}
        except (tf.errors.OpError, ValueError, TypeError, NotImplementedError) as error:
            if name == "plain":
                raise
            self._choose("plain", f"XLA cannot compile it: {str(error).splitlines()[0]}")
            return self._ways["plain"].step(batch)  # nothing of it was computed
        self._seconds[name].append(self._clock() - started)
        if min(map(len, self._seconds.values())) > N_MEASURED:
            self._compare()
        return metrics

    def _compare(self) -> None:
        taken = {name: statistics.median(each[1:]) for name, each in self._seconds.items()}
        said = ", ".join(f"{1e3 * seconds:.2f} ms {name}" for name, seconds in taken.items())
        self._choose(min(taken, key=taken.__getitem__), said)

    def _choose(self, name: str, why: str) -> None:
        self._chosen = name
        _logger.info("training: the step goes on %s (%s).", name, why)
