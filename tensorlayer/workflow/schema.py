"""The three collections of the workflow, their indexes, and the messages in one of them.

A message, a `Notification`, is written for each end of a task, in the transaction that ends it.
Whoever decides what comes next (a plan, a user's script) reads these instead of searching all
tasks. The id of a message follows from the task, its attempt and its end, so it exists once however
often its transaction had to be repeated.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from tensorlayer.workflow.documents import SCHEMA, TEXT, TIME, WHOLE, checked, optional
from tensorlayer.workflow.tasks import HISTORY_LENGTH, STATE, Status, Task

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection

    from tensorlayer.storage.connection import Store

__all__ = [
    "OBSERVED_SHARE",
    "WAITING",
    "tasks",
    "notifications",
    "agents",
    "waiting",
    "said_by_its_agent",
    "logged",
    "later",
    "lease_times",
    "listed",
    "Notification",
    "post",
    "messages_of",
    "forget",
]

# A text that is no UTF-8 or a year that Python lacks must not stop whoever reads the document: it
# is read as something that breaks a rule of its field.
_TOLERANT: CodecOptions = CodecOptions(
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",
)

# An agent that has not said a word for this long is no longer listed. An hour: long enough to see
# in a list that it died, short enough that the list stays a list of agents.
_AGENT_SILENCE_SECONDS = 3600

#: The share of a lease that an observer has to see unchanged. Half: less would meet a late beat,
#: more would prolong the recovery.
OBSERVED_SHARE = 0.5

#: The index of claims, which has to be named: the server would sometimes take one of those for
#: lists, and sort all that waits.
WAITING = "waiting_of_module"


def tasks(store: Store) -> Collection:
    """Return the collection of tasks.

    The two partial indexes hold only what waits and what runs, so the cost of a claim does not
    depend on how many tasks have finished.
    """
    found = store.indexes(
        "tasks",
        IndexModel([("identity", ASCENDING), ("created", DESCENDING)]),
        IndexModel(
            [("queue", ASCENDING), ("module", ASCENDING), ("not_before", ASCENDING)],
            name=WAITING,
            partialFilterExpression={"state": Status.WAITING.value},
        ),
        IndexModel(
            [("lease.suspect", ASCENDING)],
            name="running",
            partialFilterExpression={"state": Status.RUNNING.value},
        ),
        IndexModel([("created", DESCENDING)]),
        IndexModel([("state", ASCENDING), ("created", DESCENDING)]),
        IndexModel([("queue", ASCENDING), ("created", DESCENDING)]),
        IndexModel([("blobs", ASCENDING)], sparse=True),
    )
    return found.with_options(codec_options=_TOLERANT)


def waiting(queues: Sequence[str], modules: Sequence[str]) -> dict[str, Any]:
    """Return the query for what agents of these queues that have imported these modules may take.

    A document without a module was written by somebody else; whoever takes it looks at it.
    """
    return {
        "state": Status.WAITING.value,
        "queue": {"$in": list(queues)},
        "module": {"$in": [*modules, None]},
        "$expr": {"$lte": ["$not_before", "$$NOW"]},
    }


def notifications(store: Store) -> Collection:
    """Return the collection of completion messages."""
    found = store.indexes(
        "notifications", IndexModel([("task", ASCENDING), ("created", ASCENDING)])
    )
    return found.with_options(codec_options=_TOLERANT)


def agents(store: Store) -> Collection:
    """Return the collection of agents; the server removes those that fell silent."""
    return store.indexes(
        "agents", IndexModel([("beat", ASCENDING)], expireAfterSeconds=_AGENT_SILENCE_SECONDS)
    )


def said_by_its_agent(name: str) -> dict[str, Any]:
    """Return the stage that adds what the agent of a running task says now, if it has the task."""
    words = {"$expr": {"$in": ["$$task", listed("$running")]}}
    return {
        "$lookup": {
            "from": "agents",
            "localField": "lease.owner",
            "foreignField": "_id",
            "let": {"task": "$_id"},
            "pipeline": [{"$match": words}, {"$project": {"_id": 0, "beat": 1}}],
            "as": name,
        }
    }


def later(seconds: float) -> dict[str, Any]:
    """Return the expression for "the server's time, this much later", exact to a millisecond."""
    return {
        "$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": round(seconds * 1000)}
    }


def lease_times(seconds: float) -> dict[str, Any]:
    """Return the expressions for the times of a lease that is given or prolonged now."""
    return {"expires": later(seconds), "suspect": later(seconds * (1 - OBSERVED_SHARE))}


def logged(event: dict[str, Any]) -> dict[str, Any]:
    """Return the expression for the history of a task with one more event at its end."""
    stamped = {"$mergeObjects": [{"$literal": event}, {"attempt": "$attempt", "at": "$$NOW"}]}
    return {"$slice": [{"$concatArrays": [listed("$history"), [stamped]]}, -HISTORY_LENGTH]}


def listed(field: str) -> dict[str, Any]:
    """Return the expression for a field that ought to be a list; anything else is an empty one."""
    return {"$cond": [{"$isArray": field}, field, []]}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Notification:
    """One end of one task."""

    #: ``task:attempt:state``
    id: str
    #: id of the task
    task: str
    #: the attempt that ended
    attempt: int
    #: a final state
    state: Status
    #: ``module:name``
    function: str
    #: key of the dataset that was written
    output: str | None
    #: the server's time
    created: datetime.datetime

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Notification:
        """Decode a document of the collection ``notifications``.

        Raises
        ------
        Corrupt
            It is no message.
        """
        named = {**document, "id": document.get("_id")}
        values = checked(named, cls, _RULES, f"document {named['id']} of 'notifications'")
        return cls(**{**values, "state": Status(values["state"])})


_RULES = {
    **dict.fromkeys(("id", "task", "function"), TEXT),
    "attempt": WHOLE,
    "state": STATE,
    "output": optional(TEXT),
    "created": TIME,
}


def post(store: Store, session: ClientSession, *ended: tuple[Task, Status]) -> None:
    """Write a message for each task that has ended in a state; a second time is a no-op."""
    if ended:
        messages = [_message(task, state) for task, state in ended]
        notifications(store).bulk_write(messages, ordered=False, session=session)


def _message(task: Task, state: Status) -> UpdateOne:
    about = {
        "schema": SCHEMA,
        "task": task.id,
        "attempt": task.attempt,
        "state": state.value,
        "function": task.function,
        "output": task.output,
    }
    return UpdateOne(
        {"_id": f"{task.id}:{task.attempt}:{state.value}"},
        {"$setOnInsert": about, "$currentDate": {"created": True}},
        upsert=True,
    )


def messages_of(store: Store, task_id: str) -> list[Notification]:
    """Return the messages about one task, oldest first."""
    found = notifications(store)
    documents = store.call(lambda: list(found.find({"task": task_id}).sort("created")))
    return [Notification.from_document(document) for document in documents]


def forget(store: Store, task_id: str, session: ClientSession) -> None:
    """Delete the messages of a task in the transaction that deletes it."""
    store.database["notifications"].delete_many({"task": task_id}, session=session)
