"""A step, traced, and many of it in one call of TensorFlow."""

from __future__ import annotations

import itertools
import operator
import threading
import time
import types
import weakref
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any, NamedTuple

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.parameters import frozen_now
from tensorlayer.layers.recurrent.cudnn import without_cudnn
from tensorlayer.train.explaining import explained
from tensorlayer.train.measures import named, scalars_of_step
from tensorlayer.train.scheduling import Scheduled, own_batch
from tensorlayer.train.workers import Workers, are_parameter_servers

__all__ = ["Loop", "Pass", "Step"]

Metrics = dict[str, tf.Tensor]
#: A function of a batch that returns a scalar, a dictionary of scalars, or nothing.
Step = Callable[..., Any]

#: How long one call of TensorFlow should take: short enough for a lively progress bar and for
#: Ctrl-C, long enough that Python's share is below a percent.
SECONDS_PER_CALL = 0.5
#: A bound for steps of almost no length.
MAX_STEPS_PER_CALL = 4096
#: For how many states of what is frozen a step stays traced: a GAN freezes two models by turns.
MAX_TRACED = 4

# By the step, or by the object whose method it is (and then by the method).
_LOOPS: weakref.WeakKeyDictionary[Any, dict[Any, Loop]] = weakref.WeakKeyDictionary()


class Loop:
    """A traced step and a traced loop around it.

    Parameters
    ----------
    find
        Returns the step. A loop that is kept must not keep its step alive.
    jit_compile
        Whether XLA compiles the step.

    Examples
    --------
    >>> def double(x):
    ...     return 2 * x
    >>> Loop.of(double) is Loop.of(double)
    True
    >>> Loop.of(double).begin(tf.data.Dataset.from_tensors(1.0).repeat(3)).advance(at_most=2)
    (1, {'loss': 2.0})
    """

    def __init__(self, find: Callable[[], Step], jit_compile: bool = False) -> None:
        self._given, self._jit_compile = find, jit_compile
        self._traced: dict[frozenset[int], _Traced] = {}
        self._n_steps = 1
        self._data: Callable[[], Any] = lambda: None
        self._frozen = frozen_now()

    @property
    def _functions(self) -> _Traced:
        """What is traced for what is frozen now."""
        frozen = frozen_now()
        if frozen not in self._traced:
            self._traced[frozen] = _Traced(
                self._find_traced(),
                many=tf.function(self._run_in_graph, autograph=False),
                by_worker=tf.function(self._run_by_worker, autograph=False),
            )
            if len(self._traced) > MAX_TRACED:
                del self._traced[next(iter(self._traced))]
        return self._traced[frozen]

    def _find_traced(self) -> Callable[[], Step]:
        find = self._given
        is_function = hasattr(find(), "get_concrete_function")
        if is_function and not self._jit_compile:  # perhaps it is traced already
            return find

        def call(*batch: Any) -> Any:
            # XLA has no kernels of cuDNN.
            with without_cudnn() if self._jit_compile else nullcontext():
                return (find().python_function if is_function else find())(*batch)

        function = tf.function(call, reduce_retracing=True, jit_compile=self._jit_compile or None)
        return lambda: function

    def _find(self) -> Step:
        return self._functions.find()

    @property
    def scheduled(self) -> Step:
        """The step as workers take it: a function of the iterator over all data that each has."""
        return self._functions.by_worker

    @classmethod
    def of(cls, step: Step, jit_compile: bool = False) -> Loop:
        """Return the loop of a step, the same one as long as the step exists."""
        is_method = isinstance(step, types.MethodType)
        owner, name = (step.__self__, step.__func__) if is_method else (step, None)
        find = weakref.WeakMethod if is_method else weakref.ref
        try:
            loops = _LOOPS.setdefault(owner, {})
        except TypeError:  # it cannot be hashed, or not be held weakly
            return cls(lambda: step, jit_compile)
        if loops.setdefault("id", id(owner)) != id(owner):  # equal to another, and not it
            return cls(lambda: step, jit_compile)
        if (name, jit_compile) not in loops:
            loops[name, jit_compile] = cls(find(step), jit_compile)
        return loops[name, jit_compile]

    def begin(self, batches: Iterable[Any]) -> Pass | Scheduled:
        """Return a pass over the data, with the step traced for it and no batch used."""
        if are_parameter_servers(tf.distribute.get_strategy()):
            return Scheduled(self, batches)
        self.expect(batches)
        return Pass(self, batches)

    def expect(self, batches: Iterable[Any]) -> None:
        """Begin with a step in a call, unless these are the data of the pass before.

        A step over other data may take any time, and nothing ends a call half-way.
        """
        if self._data() is not batches:
            is_held = isinstance(batches, tf.data.Dataset)
            self._n_steps, self._data = 1, weakref.ref(batches) if is_held else lambda: None

    def trace(self, batch: Any) -> Any:
        """Return the step for such a batch as a concrete function, which is traced but not run."""
        with tf.variable_creator_scope(_outside):
            return self._find().get_concrete_function(*_arguments(batch))

    def run(
        self,
        iterator: Any,
        at_most: int,
        names: tuple[str, ...],
        *,
        is_in_graph: bool,
        agreed: Callable[[int], int] = int,
    ) -> tuple[int, bool, dict[str, float]]:
        """Run as many steps as take ``SECONDS_PER_CALL``; workers have to agree how many.

        Returns
        -------
        count, is_over, sums
            The steps, whether the data has come to its end, and the metrics summed up.
        """
        started = time.perf_counter()
        if self._frozen != (frozen := frozen_now()):  # another trace, which takes its own time
            self._n_steps, self._frozen = 1, frozen
        limit = min(self._n_steps, at_most)
        with explained():
            if is_in_graph:
                count, sums = self._functions.many(iterator, tf.constant(limit), names)
            else:
                count, sums = self._run_in_python(iterator, limit)
            count, sums = int(count), {name: float(value) for name, value in sums.items()}
        if count == limit:
            fit = int(SECONDS_PER_CALL * count / max(time.perf_counter() - started, 1e-6))
            self._n_steps = max(1, min(agreed(fit), 2 * self._n_steps, MAX_STEPS_PER_CALL))
        return count, count < limit, sums

    def step(self, batch: Any) -> Metrics:
        """Make one step, and return its metrics by name."""
        # As float64, so that a mean does not depend on how many steps there are in a call.
        result = self._find()(*_arguments(batch))
        return {name: tf.cast(value, tf.float64) for name, value in named(result).items()}

    def _run_in_graph(
        self, iterator: Any, limit: tf.Tensor, names: tuple[str, ...]
    ) -> tuple[tf.Tensor, Metrics]:
        def body(count: tf.Tensor, upcoming: Any, sums: Metrics) -> tuple[Any, ...]:
            # The step is in no tf.cond, inside of which replicas cannot be synchronised. Behind the
            # limit no batch is drawn: between calls the iterator stands where training does.
            metrics = self.step(upcoming.get_value())
            following = tf.cond(
                count + 1 < limit,
                iterator.get_next_as_optional,
                lambda: tf.experimental.Optional.empty(iterator.element_spec),
            )
            return count + 1, following, {name: sums[name] + metrics[name] for name in names}

        zeros = dict.fromkeys(names, tf.constant(0.0, tf.float64))
        start = (0, iterator.get_next_as_optional(), zeros)
        count, _, sums = tf.while_loop(
            lambda count, upcoming, sums: upcoming.has_value(), body, start, parallel_iterations=1
        )
        return count, sums

    def _run_by_worker(self, iterator: Any) -> Metrics:
        return self.step(own_batch(iterator))

    def _run_in_python(self, iterator: Any, limit: int) -> tuple[int, Metrics]:
        count, sums = 0, {}
        for count, batch in enumerate(itertools.islice(iterator, limit), 1):  # noqa: B007
            metrics = self.step(as_tensors(batch))
            sums = {name: value + sums.get(name, 0) for name, value in metrics.items()}
        return count, sums


class _Traced(NamedTuple):
    """Functions of TensorFlow: a step, and what is made of it."""

    find: Callable[[], Step]  #: returns the step
    many: Step  #: steps in a loop
    by_worker: Step  #: a step on a worker's own batch


class Pass:
    """One pass over the data, some steps at a time.

    Attributes
    ----------
    iterator
        Of the data; it stands behind the last batch that was used, and ends with the pass.
    n_batches
        How many there are in all, where the data knows it.
    variables
        All that the step reads or changes.
    is_over
        Whether the data has come to its end.
    """

    def __init__(self, loop: Loop, batches: Iterable[Any]) -> None:
        if isinstance(batches, tf.data.Dataset):
            batches = batches.prefetch(tf.data.AUTOTUNE)  # read while the step before is computed
        length = operator.length_hint(batches, -1)
        self.n_batches = None if length < 0 else length
        self.iterator = iter(batches)
        self.variables: tuple[tf.Variable, ...] = ()
        self.is_over = False
        self._loop, self._names, self._workers = loop, (), Workers()
        # Of tf.data or of a distribution strategy
        self._is_in_graph = hasattr(self.iterator, "get_next_as_optional")
        is_spread = isinstance(self.iterator, tf.distribute.DistributedIterator)
        if self._workers.n > 1 and not is_spread:  # each has its own
            self._workers.require_alike("the number of batches", self.n_batches)
            self.iterator, self._is_in_graph = self._workers.in_step(self.iterator), False
        elif self.n_batches == 0:
            return
        if self._is_in_graph:
            self._trace(self.iterator.element_spec)
            return
        for first in self.iterator:
            self.iterator = itertools.chain([first], self.iterator)
            self._trace(as_tensors(first))
            break

    def _trace(self, batch: Any) -> None:
        traced = self._loop.trace(batch)
        self.variables = tuple(traced.variables)
        is_spread = isinstance(self.iterator, tf.distribute.DistributedIterator)
        # Workers ask each other for every batch whether there is one, which no tf.cond may hold.
        if self._workers.n > 1 or (is_spread and _is_gathering(traced)):
            self._is_in_graph = False  # one step in a call
        self._names = tuple(scalars_of_step(traced.structured_outputs))

    def skip(self, n_batches: int) -> None:
        """Pass over batches that were used already."""
        found = sum(1 for _ in itertools.islice(self.iterator, n_batches))
        if found < n_batches:
            raise InvalidArgument(
                f"a run that goes on needs the batches that it began with: {n_batches} of them "
                f"were used already, and now there are {found}."
            )

    def advance(self, at_most: int) -> tuple[int, dict[str, float]]:
        """Run some steps; return how many, and their metrics summed up."""
        count, self.is_over, sums = self._loop.run(
            self.iterator,
            at_most,
            self._names,
            is_in_graph=self._is_in_graph,
            agreed=self._workers.least,
        )
        return count, sums

    def close(self) -> None:
        """Let go of the iterator.

        tf.data tunes a pipeline in a thread that looks up after 10, 20, 40 ms and so on, up to
        every minute, and the end of an iterator often waits for its next look. Training does not,
        unless it leaves data unread: what belongs to that is closed when this returns.
        """
        held, self.iterator = [self.iterator], iter(())
        if self.is_over and hasattr(held[0], "get_next_as_optional"):
            threading.Thread(target=held.clear, daemon=True).start()


def _is_gathering(traced: Any) -> bool:
    """Whether replicas put rows together, as those of sparse gradients.

    Within one call of TensorFlow such an operation has one shape; a short batch has fewer rows.
    """
    definition = traced.graph.as_graph_def()
    nested = (function.node_def for function in definition.library.function)
    nodes = itertools.chain(definition.node, *nested)
    return any(node.op.startswith("CollectiveGather") for node in nodes)


def _outside(create: Callable[..., Any], **options: Any) -> Any:
    """Make a variable outside of the trace, also one of several replicas.

    The initial values of replicas depend on each other; tf.function could not lift them out.
    """
    if tf.is_symbolic_tensor(options.get("initial_value")):
        constant = tf.get_static_value(options["initial_value"])  # that of Keras's Nadam is one
        if constant is None:
            raise InvalidArgument(
                "a training step makes variables before its first batch, got "
                f"{options.get('name')!r} whose initial value is computed from the batch. Make the "
                "variable before training."
            )
        options["initial_value"] = constant
    with tf.init_scope():
        return create(**options)


def _arguments(batch: Any) -> tuple[Any, ...]:
    return tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)


def as_tensors(batch: Any) -> Any:
    """Return a batch of Python with its arrays and numbers as tensors: they are traced once."""
    return tf.nest.map_structure(
        lambda leaf: tf.convert_to_tensor(leaf) if _is_plain(leaf) else leaf, batch
    )


def _is_plain(leaf: Any) -> bool:
    is_spread = isinstance(leaf, tf.distribute.DistributedValues)
    return not (leaf is None or is_spread or tf.is_tensor(leaf))
