"""Completion messages: one for each end of a task, written in the transaction that ends it.

Whoever decides what comes next (a plan, a user's script) reads these instead of searching all
tasks. The id of a message follows from the task, its attempt and its end, so it exists once however
often its transaction had to be repeated.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pymongo import UpdateOne

from tensorlayer.workflow import schema
from tensorlayer.workflow.documents import SCHEMA, TEXT, TIME, WHOLE, checked, optional
from tensorlayer.workflow.tasks import STATE, Status, Task

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from tensorlayer.storage.connection import Store

__all__ = ["Notification", "post", "of_task", "delete"]


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
        schema.notifications(store).bulk_write(messages, ordered=False, session=session)


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


def of_task(store: Store, task_id: str) -> list[Notification]:
    """Return the messages about one task, oldest first."""
    found = schema.notifications(store)
    documents = store.call(lambda: list(found.find({"task": task_id}).sort("created")))
    return [Notification.from_document(document) for document in documents]


def delete(store: Store, task_id: str, session: ClientSession) -> None:
    """Delete the messages of a task in the transaction that deletes it."""
    store.database["notifications"].delete_many({"task": task_id}, session=session)
