"""A step, run over data, epoch after epoch."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.callbacks import Callback, Epoch, Every, Interval, is_count
from tensorlayer.train.checkpoint import Checkpoint
from tensorlayer.train.compiling import Faster, JitCompile, loop_of
from tensorlayer.train.evaluation import Evaluation
from tensorlayer.train.loop import Loop, Pass, Step
from tensorlayer.train.place import Place, Sums
from tensorlayer.train.profiling import Profile
from tensorlayer.train.signals import SIGNALS, Postponed
from tensorlayer.train.workers import Workers, are_parameter_servers

__all__ = ["Evaluate", "run"]

#: What is measured between epochs, by name.
Evaluate = Callable[[], Mapping[str, float]]


def run(
    step: Step,
    data: Iterable[Any] | Callable[[int], Iterable[Any]],
    *,
    n_epoch: int = 1,
    first_epoch: int = 1,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    progress: bool | None = None,
    jit_compile: JitCompile = False,
    evaluate: Evaluate | None = None,
    profile: Profile | str | os.PathLike[str] | None = None,
) -> list[Epoch]:
    """Run a training step over a dataset, epoch after epoch.

    Parameters
    ----------
    step
        A function of one batch that returns a scalar or a dictionary of scalars. It is traced once
        for each kind of batch, and not again when the same step is run again; if it makes variables
        (an optimizer's), TensorFlow traces it a second time to see that it makes them once.
    data
        A ``tf.data.Dataset`` (also a distributed one), passed over once for each epoch; any other
        iterable of batches, such as a list or a generator, whose steps are called one by one; or a
        function of the epoch's number that returns one. In the scope of a
        ``tf.distribute.MultiWorkerMirroredStrategy`` each worker takes its share of every batch.
    n_epoch
        The number of epochs to run.
    first_epoch
        The number of the first epoch, for a run that goes on.
    callbacks
        Called in order with each finished [`Epoch`][], or, wrapped in [`Every`][], with an
        [`Interval`][] after every so many steps. If one returns True (and nothing else), training
        ends; an epoch that was not finished then counts as one that was. One with a method
        ``resume(history)`` is told the epochs before, when a run goes on: what it has changed, as
        which layers are frozen, is not in the checkpoint.
    checkpoint
        Where to save the run and what of it; the run goes on from there if it was begun already,
        also with more epochs. Ctrl-C and SIGTERM are obeyed as soon as the run is saved, a second
        one at once.
    progress
        Show a progress bar; None for one where standard error is a terminal.
    jit_compile
        Whether XLA compiles the step, once for each shape of a batch; False by default, since
        compiling takes seconds and not every operation can be compiled. With ``"auto"`` the first
        batches are trained on both ways by turns, and the faster one goes on; what cannot be
        compiled goes on without.
    evaluate
        Called after each epoch, before the callbacks; what it returns is recorded with the other
        metrics of the epoch. An [`Evaluation`][tensorlayer.train.Evaluation], or a function of
        yours that returns numbers by name. The run is saved before it and the callbacks, so that a
        kill does not cost the epoch: they are called again. Ctrl-C ends an evaluation at once.
    profile
        A folder for a trace of some steps, which TensorBoard shows; a table of the ten operations
        that took longest is printed. A [`Profile`][tensorlayer.train.Profile] says which steps.

    Returns
    -------
    list of Epoch
        Also those before a run that goes on.

    Raises
    ------
    InvalidArgument
        An argument is of no use; the data is empty, or an iterator is to be passed over several
        times; the step returns something else than scalars (nothing is trained then); what is
        evaluated is called as a metric of the step is; or see [`Checkpoint`][] and
        [`Profile`][tensorlayer.train.Profile].
    StructureMismatch
        The checkpoint is that of something else.

    Notes
    -----
    Traces are kept with the step for as long as it exists. What it reads from Python, such as a
    number outside of it, is what it was when it was traced; use a ``tf.Variable`` for what changes.
    Except for what is frozen: ``trainable`` of layers and models holds as it is set, also between
    epochs. A step that is a ``tf.function`` already keeps the traces that it has.

    Examples
    --------
    >>> import tensorflow as tf
    >>> total = tf.Variable(0.0)
    >>> def step(x):
    ...     total.assign_add(tf.reduce_sum(x))
    ...     return {"sum": tf.reduce_sum(x)}
    >>> data = tf.data.Dataset.from_tensor_slices([1.0, 2.0, 3.0, 4.0]).batch(2)
    >>> epochs = run(step, data, n_epoch=2)
    >>> epochs[0].metrics, total.numpy().item()
    ({'sum': 5.0}, 20.0)
    """
    callbacks = list(callbacks) if isinstance(callbacks, Iterable) else callbacks
    _require(data, n_epoch, callbacks, checkpoint)
    if n_epoch > 1 and isinstance(data, Iterator):
        raise InvalidArgument(
            f"training for {n_epoch} epochs passes over the data as often, got a "
            f"{type(data).__name__}, which can be passed over once. Give a list, or a function of "
            "the epoch's number that makes one."
        )
    if evaluate is not None and not callable(evaluate):
        raise InvalidArgument(
            "training: evaluate is a function without arguments that returns numbers by name, got "
            f"a {type(evaluate).__name__}. Make one of data: tl.train.Evaluation(network, metrics, "
            "data)."
        )
    training = _Training(loop_of(step, jit_compile), callbacks, checkpoint, progress, evaluate)
    alone = checkpoint.locked() if checkpoint else contextlib.nullcontext()
    with alone, training.profiled(profile):
        return training.run(data, first_epoch, first_epoch + n_epoch - 1)


def _require(data: Any, n_epoch: Any, callbacks: Any, checkpoint: Any) -> None:
    """Raise InvalidArgument for what is no data, no number of epochs, and so on."""
    rules = (
        (is_count(n_epoch, at_least=0), "n_epoch is a whole number, at least 0", n_epoch),
        (
            any(hasattr(data, name) for name in ("__call__", "__iter__", "__getitem__")),
            "data is a dataset or another iterable of batches, or a function that returns one",
            data,
        ),
        (
            isinstance(callbacks, Iterable) and all(map(_is_callback, callbacks)),
            "callbacks is a list of functions and tl.train.Every",
            callbacks,
        ),
        (
            checkpoint is None or isinstance(checkpoint, Checkpoint),
            "checkpoint is a tl.train.Checkpoint(folder, values)",
            checkpoint,
        ),
    )
    for is_kept, rule, value in rules:
        if not is_kept:
            raise InvalidArgument(f"training: {rule}, got {value!r}.")


def _is_callback(value: Any) -> bool:
    return isinstance(value, Every) or callable(value)


def _is_true(answer: Any) -> bool:
    """Whether a callback asks for the end; what else one returns is its own business."""
    is_flag = isinstance(answer, (bool, np.bool_))
    if tf.is_tensor(answer):
        is_flag = answer.dtype == tf.bool and answer.shape.rank == 0
    return is_flag and bool(answer)


class _Training:
    """One run: what it is made of, and how far it has come."""

    def __init__(
        self,
        loop: Loop | Faster,
        callbacks: Sequence[Callback],
        checkpoint: Checkpoint | None,
        progress: bool | None,
        evaluate: Evaluate | None,
    ) -> None:
        self._loop, self._checkpoint, self._progress = loop, checkpoint, progress
        self._evaluate, self._profile, self._saved = evaluate, None, ""
        self._callbacks = [each for each in callbacks if not isinstance(each, Every)]
        self._everys = [each for each in callbacks if isinstance(each, Every)]
        self._signals = Postponed(() if checkpoint is None else SIGNALS)
        self._workers = Workers()
        is_apart = are_parameter_servers(tf.distribute.get_strategy())
        if (self._workers.n > 1 or is_apart) and isinstance(loop, Faster):
            raise InvalidArgument(
                "training by several workers: they would not find the same way faster, got "
                "jit_compile='auto'. Give True or False."
            )

    @contextlib.contextmanager
    def profiled(self, profile: Profile | str | os.PathLike[str] | None) -> Iterator[None]:
        """Profile what is run in this context, if there is a profile."""
        if profile is None:
            yield
            return
        self._profile = profile if isinstance(profile, Profile) else Profile(profile)
        self._profile.begin()
        try:
            yield
            self._profile.end()
        finally:
            self._profile.stop()

    def run(self, data: Any, first: int, last: int) -> list[Epoch]:
        data = self._workers.spread(data)
        found = self._checkpoint.find() if self._checkpoint else None
        place = self._place = found or Place(epoch=first)
        if len(place.intervals) != len(self._everys):
            place.intervals = [Sums() for _ in self._everys]
        self._workers.require_alike(
            "what is called between steps, and the place where training goes on (in a folder that "
            "all workers see),",
            {
                "every": [each.n_steps for each in self._everys],
                "callbacks": bool(self._callbacks),
                "evaluate": self._evaluate is not None,
                "checkpoint": self._checkpoint is not None and (self._checkpoint.every or "epochs"),
                "profile": self._profile and (self._profile.skip, self._profile.n_steps),
                "epoch": (place.epoch, last),
                "step": place.step,
            },
        )
        begun = self._go_on(data, first) if found else None
        while place.epoch <= last and not place.is_stopped:
            if not place.is_between:
                self._run_epoch(begun, data, last)
            elif begun:
                begun.close()
            begun = None
            if not place.is_stopped:
                place.begin_next()
        return place.history

    def _begin(self, data: Any) -> Pass:
        batches = self._workers.spread(data(self._place.epoch)) if callable(data) else data
        running = self._loop.begin(batches)
        self._require_batches(running.n_batches)
        if self._checkpoint:
            self._checkpoint.require_all(running.variables)
        return running

    def _go_on(self, data: Any, first: int) -> Pass:
        """Begin the epoch that the checkpoint was written in, and restore everything."""
        place = self._place
        # Data that counts its passes has to count those before.
        evaluated = self._evaluate.data if isinstance(self._evaluate, Evaluation) else ()
        for _ in range(first, place.epoch):
            for each in (() if callable(data) else data, evaluated):
                next(iter(each), None)
        running = self._begin(data)  # which makes the variables
        if place.is_between:
            next(iter(evaluated), None)
        self._checkpoint.restore()
        running.skip(1 if place.is_between else place.sums.n_steps)
        intervals = (every.callback for every in self._everys)
        for callback in (*self._callbacks, *intervals, self._evaluate):
            if place.history and hasattr(callback, "resume"):
                callback.resume(place.history)
        return running

    def _run_epoch(self, begun: Pass | None, data: Any, last: int) -> None:
        place = self._place
        started = time.perf_counter() - place.seconds
        running = begun or self._begin(data)
        disable = None if self._progress is None else not self._progress
        disable = disable if self._workers.is_chief else True
        options = {"total": running.n_batches, "initial": place.sums.n_steps, "disable": disable}
        bar = tqdm(desc=f"epoch {place.epoch}/{last}", unit="step", **options)
        with self._signals:
            with bar:
                self._advance(running, bar, started)
            running.close()
            self._after_epoch()

    def _advance(self, running: Pass, bar: tqdm, started: float) -> None:
        place = self._place
        while not (running.is_over or place.is_stopped):
            count, sums = running.advance(self._until_stop())
            if count:
                place.add(count, sums, time.perf_counter() - started)
                if self._profile:
                    self._profile.count(count)
                means = place.sums.means.items()
                bar.set_postfix({name: f"{mean:.4g}" for name, mean in means}, refresh=False)
                bar.update(count)
                self._after_steps()

    def _until_stop(self) -> int:
        """Return how many steps there are until Python has something to do."""
        periods = [every.n_steps for every in self._everys]
        if self._checkpoint and self._checkpoint.every:
            periods.append(self._checkpoint.every)
        step = self._place.step
        ahead = [period - step % period for period in periods]
        if self._profile:
            ahead.append(self._profile.n_ahead)
        return min(ahead, default=sys.maxsize)

    def _after_steps(self) -> None:
        place = self._place
        for index, (every, sums) in enumerate(zip(self._everys, place.intervals, strict=True)):
            if place.step % every.n_steps == 0:
                place.intervals[index] = Sums()
                interval = Interval(
                    epoch=place.epoch, step=place.step, n_steps=sums.n_steps, metrics=sums.means
                )
                place.is_stopped |= _is_true(every.callback(interval))
        if self._everys:
            place.is_stopped = self._workers.any(place.is_stopped)
        if self._checkpoint and not place.is_stopped:  # else the epoch ends now, and is saved then
            is_due = self._checkpoint.every and place.step % self._checkpoint.every == 0
            self._save(is_due=bool(is_due))

    def _after_epoch(self) -> None:
        place = self._place
        self._require_batches(place.sums.n_steps)
        if self._checkpoint and (self._evaluate or self._callbacks) and not place.is_stopped:
            self._save(is_due=True)  # however long they take, the epoch is not trained again
        epoch = place.end_epoch(self._evaluated())
        place.is_stopped |= True in [_is_true(callback(epoch)) for callback in self._callbacks]
        place.is_stopped = self._workers.any(place.is_stopped)
        if self._checkpoint:
            self._save(is_due=True)

    def _evaluated(self) -> Mapping[str, float]:
        if self._evaluate is None:
            return {}
        is_saved = not self._place.is_stopped
        with self._signals.let_through() if is_saved else contextlib.nullcontext():
            found = self._evaluate()
        if not (found is None or isinstance(found, Mapping)):
            raise InvalidArgument(
                "training: evaluate returns numbers by name, or nothing, got a "
                f"{type(found).__name__}. Return for example {{'val_loss': loss}}."
            )
        return found or {}

    def _save(self, *, is_due: bool) -> None:
        """Save if it is time, or if a signal is about to end the program."""
        place = self._place.to_json()
        # A signal to one worker is one to all: the others would wait for it.
        if heard := -self._workers.least(-(self._signals.waiting or 0)):
            self._signals.waiting = heard
        if (is_due or self._signals.waiting is not None) and place != self._saved:
            self._checkpoint.save(self._place)
            self._saved = place
        self._signals.deliver()

    def _require_batches(self, found: int | None) -> None:
        if found == 0:
            raise InvalidArgument(
                f"epoch {self._place.epoch} of training has no batch. Check the dataset and, if it "
                "drops the remainder, the batch size."
            )
