"""Events: the numbers that a training run tells about itself, buffered and written in blocks.

    events   {_id, schema, model, run, name, steps: [...], values: [...], written}

Writing only ever adds blocks. Reading folds them: for one model, run, name and step the value that
was written last counts. So a task that is executed again, which keeps its run, replaces its own
events instead of doubling them; and events are visible while a task is still running, unlike its
outputs.
"""

from __future__ import annotations

import atexit
import dataclasses
import datetime
import logging
import operator
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from bson import ObjectId
from bson.timestamp import Timestamp
from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError, DocumentTooLarge, PyMongoError

from tensorlayer.errors import InvalidArgument, StoreError
from tensorlayer.storage.connection import Store
from tensorlayer.storage.inserting import insert
from tensorlayer.storage.names import check_field, check_int, check_key

__all__ = ["Event", "EventLog", "check_step", "check_values", "events_of"]

#: A value waits no longer than this before it is written, so a killed process loses less than 1 s.
FLUSH_SECONDS = 0.5

#: Values in memory before `EventLog.log` writes them itself: 100 bytes each, 10 MB. More would only
#: hide that the database is slower than the training.
MAX_BUFFERED = 100_000

#: Values in one document: about 25 KB, so that a block is cheap to read and far from any limit.
MAX_BLOCK = 1_000

_logger = logging.getLogger(__name__)

_INDEXES = (
    IndexModel([("model", ASCENDING), ("name", ASCENDING), ("written", ASCENDING)]),
    IndexModel([("model", ASCENDING), ("written", ASCENDING)]),
)

#: Version of the layout of a block.
SCHEMA = 1

#: What the server says when the document is to blame, not the moment: BadValue, FailedToParse,
#: Overflow, InvalidBSON, validation failed, too large, key of an index too large.
_BAD_DOCUMENT = frozenset({2, 9, 15, 22, 121, 10334, 17280})

#: (model, run, name)
_Series = tuple[str, str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """One value of one metric at one step of one run.

    Parameters
    ----------
    model
        Key of the model.
    run
        Identity of the training run: the task's id, or one id for each connection.
    name
        Of the metric.
    step
        Number of the training step.
    value
        Any float, also NaN and infinity.
    written
        When the server got it, in whole seconds; up to `FLUSH_SECONDS` after it was logged.
    """

    model: str
    run: str
    name: str
    step: int
    value: float
    written: datetime.datetime


class EventLog:
    """The events of a project: `hub.models.log`, `flush` and `events` are its methods.

    Safe to use from any thread. `log` only fills a buffer; a background thread writes it. What was
    logged is lost only if the process is killed within `FLUSH_SECONDS`; after `flush`, nothing is.

    Parameters
    ----------
    store
        Where events are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._collection = store.indexes("events", *_INDEXES)
        self._buffered: dict[_Series, tuple[list[int], list[float]]] = {}
        self._n_buffered = 0
        self._buffer_lock = threading.Lock()
        self._write_lock = threading.Lock()
        #: Blocks whose writing failed; they keep their ids, so writing them again adds nothing
        #: twice.
        self._unwritten: list[dict[str, Any]] = []
        #: What was wrong with blocks that the database will never take, until a flush has told it.
        self._set_aside: list[str] = []
        self._writer: threading.Thread | None = None
        self._closed = threading.Event()

    def log(self, key: str, values: Mapping[str, Any], *, step: int, run: str) -> None:
        """Add one value for each metric; a few microseconds.

        Raises
        ------
        InvalidName
            The key or the name of a metric breaks a rule.
        InvalidArgument
            A value is not a number, or ``step`` not an integer of 64 bits.
        StoreUnavailable
            `MAX_BUFFERED` values wait, and the database is away for longer than the budget.
        """
        check_key(key, "model key")
        _check_run(run)
        step, checked = check_step(step), check_values(values)
        with self._buffer_lock:
            for name, value in checked.items():
                steps, numbers = self._buffered.setdefault((key, run, name), ([], []))
                steps.append(step)
                numbers.append(value)
            self._n_buffered += len(checked)
            full = self._n_buffered >= MAX_BUFFERED
            if self._writer is None:
                self._start()
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what was logged; when this returns, a majority of the servers has it on disk.

        Raises
        ------
        StoreUnavailable
            The database is away for longer than the budget. Nothing is lost: the next flush tries
            again.
        StoreError
            The database refused a block, perhaps by a rule of its administrator, since the last
            flush; told once. All others are written.
        """
        with self._write_lock:
            self._write()
            told, self._set_aside = self._set_aside, []
        if told:
            raise StoreError(
                f"Events: the database refused {len(told)} blocks, which are lost; everything else "
                f"is written. {' '.join(told[:3])} Check the validation rules of the collection "
                "'events', and log these values again."
            )

    def close(self) -> None:
        """Flush, and end the background thread."""
        self._closed.set()
        self.flush()

    def read(self, key: str, name: str | None = None) -> list[Event]:
        """Return the events of a model, of one metric or of all, ordered by run, name and step.

        Runs come in the order in which they first wrote. Of several values for one step of a run,
        the last one counts. What this process has logged is flushed before.
        """
        self._write_quietly()
        query = (
            {"model": key} if name is None else {"model": key, "name": check_field(name, "metric")}
        )
        blocks = self._store.call(
            lambda: list(self._collection.find(query).sort([("written", ASCENDING)]))
        )
        return list(_fold(blocks))

    def _start(self) -> None:
        reference = weakref.WeakMethod(self._write_quietly)
        self._writer = threading.Thread(
            target=_flush_regularly,
            args=(reference, self._closed),
            name="tensorlayer-events",
            daemon=True,
        )
        self._writer.start()
        atexit.register(_flush_quietly, reference)

    def _write_quietly(self) -> None:
        """Write, and leave what was refused to be told by the next flush of the user."""
        with self._write_lock:
            self._write()
            if self._set_aside:
                _logger.warning("Events were refused by the database: %s", self._set_aside[-1])

    def _write(self) -> None:
        with self._buffer_lock:
            taken, self._buffered, self._n_buffered = self._buffered, {}, 0
        self._unwritten += _blocks(taken)
        try:
            insert(self._store, self._collection, self._unwritten)
        except Exception as error:
            if not _blames_a_document(error):
                raise
            self._write_one_by_one()
        self._unwritten = []

    def _write_one_by_one(self) -> None:
        """Find the blocks that cannot be written: one of them must not hold up all others."""
        while self._unwritten:
            block = self._unwritten[0]
            try:
                insert(self._store, self._collection, [block])
            except Exception as error:
                if not _blames_a_document(error):
                    raise
                self._set_aside.append(_about(block, error))
            del self._unwritten[0]


def _blames_a_document(error: Exception) -> bool:
    if isinstance(error, BulkWriteError):
        return all(each["code"] in _BAD_DOCUMENT for each in error.details["writeErrors"])
    # What the driver cannot encode is an error of bson, or one of the language.
    return isinstance(error, DocumentTooLarge) or not isinstance(error, PyMongoError | StoreError)


def _about(block: Mapping[str, Any], error: Exception) -> str:
    steps = f"steps {block['steps'][0]} to {block['steps'][-1]}"
    return f"Model {block['model']!r}, {block['name']!r}, {steps}: {error!s:.200}."


def _flush_regularly(reference: weakref.WeakMethod[Any], closed: threading.Event) -> None:
    while not closed.wait(FLUSH_SECONDS):
        if not _flush_quietly(reference):
            return


def _flush_quietly(reference: weakref.WeakMethod[Any]) -> bool:
    """Flush if the log still exists; a failure is logged, and shows in the next explicit flush."""
    flush = reference()
    if flush is None:
        return False
    try:
        flush()
    except Exception as error:  # noqa: BLE001 - without this thread every later event is lost
        _logger.warning("Events wait in memory: %s", error)
    return True


def check_step(step: Any) -> int:
    """Return ``step`` if it is an integer of any kind that the database can hold."""
    if isinstance(step, bool) or not hasattr(step, "__index__"):
        raise InvalidArgument(f"step must be an integer, got {step!r}. It counts training steps.")
    return check_int(operator.index(step), "step")


def _check_run(run: Any) -> None:
    try:
        run.encode()
    except (AttributeError, UnicodeEncodeError) as error:
        raise InvalidArgument(
            f"run must be a string of valid Unicode, got {run!r:.80}. Name the run otherwise."
        ) from error


def check_values(values: Mapping[str, Any]) -> dict[str, float]:
    """Return metrics with checked names and values as floats."""
    if not isinstance(values, Mapping):
        raise InvalidArgument(
            f"values must be a mapping of name to number, got {type(values).__name__}. "
            'Write {"loss": 0.1}.'
        )
    return {check_field(name, "metric"): _number(name, value) for name, value in values.items()}


def _number(name: str, value: Any) -> float:
    if isinstance(value, str | bytes):
        raise InvalidArgument(f"Metric {name!r} must be a number, got {value!r:.80}.")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgument(
            f"Metric {name!r} must be one number, got {type(value).__name__}. Take its mean, or "
            "log its parts under names of their own."
        ) from error


def _blocks(series: Mapping[_Series, tuple[list[int], list[float]]]) -> Iterator[dict[str, Any]]:
    for (model, run, name), (steps, values) in series.items():
        for start in range(0, len(steps), MAX_BLOCK):
            yield {
                "_id": ObjectId(),
                "schema": SCHEMA,
                "model": model,
                "run": run,
                "name": name,
                "steps": steps[start : start + MAX_BLOCK],
                "values": values[start : start + MAX_BLOCK],
                "written": Timestamp(0, 0),  # the server puts its own clock here, strictly rising
            }


def _fold(documents: list[dict[str, Any]]) -> Iterator[Event]:
    """Yield what counts of blocks that are ordered by their time of writing."""
    folded: dict[str, dict[str, dict[int, Event]]] = defaultdict(lambda: defaultdict(dict))
    for document in documents:
        for event in events_of(document):
            folded[event.run][event.name][event.step] = event
    for names in folded.values():
        for _, series in sorted(names.items()):
            for _, event in sorted(series.items()):
                yield event


def events_of(document: Mapping[str, Any]) -> list[Event]:
    """Return the events of a block; none, and a warning, if it is damaged. The only decoder.

    Examples
    --------
    >>> block = {"model": "mlp", "run": "r", "name": "loss", "steps": [1], "values": [0.5]}
    >>> [(event.step, event.value) for event in events_of(block)]
    [(1, 0.5)]
    >>> events_of({"model": "mlp", "run": "r", "name": "loss", "steps": [1]})
    []
    """
    try:
        written = document.get("written") or Timestamp(0, 0)
        common = {"model": document["model"], "run": document.get("run", "")}
        common |= {"name": document["name"], "written": written.as_datetime()}
        if not all(isinstance(common[name], str) for name in ("model", "run", "name")):
            raise TypeError("a name is no string")
        pairs = zip(document["steps"], document["values"], strict=True)
        return [
            Event(step=operator.index(step), value=float(value), **common) for step, value in pairs
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        _logger.warning("Events: block %s is damaged: %r", document.get("_id"), error)
        return []
