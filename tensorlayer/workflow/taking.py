"""The atomic update that takes one document from the queue, whatever that document holds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import OperationFailure

from tensorlayer.workflow import schema
from tensorlayer.workflow.tasks import Status

if TYPE_CHECKING:
    from tensorlayer.storage.connection import Store

__all__ = ["Taking"]

# The server's ways to say that a document has no room left for a lease and an event.
_TOO_LARGE = frozenset({10334, 17419, 17420})

_OLDEST = [("not_before", ASCENDING)]


class Taking:
    """How one owner takes documents. Thread safe, as the store is.

    Parameters
    ----------
    store : Store
        Where the tasks are.
    event : mapping
        What the history says of it: the event, by whom, and on which host.
    """

    def __init__(self, store: Store, event: Mapping[str, Any]) -> None:
        self._store = store
        self._tasks = schema.tasks(store)
        self._event = dict(event)

    def take(
        self, wanted: Mapping[str, Any], lease_seconds: float, session: str | None
    ) -> dict[str, Any] | None:
        """Return the document that has waited longest among those that match, now leased."""
        token = uuid.uuid4().hex
        is_retry = False
        mine = {"state": Status.RUNNING.value, "lease.token": token}

        def operation() -> dict[str, Any] | None:
            nonlocal is_retry
            if is_retry and (held := self._tasks.find_one(mine)):
                return held
            is_retry = True
            return self._tasks.find_one_and_update(
                wanted,
                self._changes(token, lease_seconds, session),
                sort=_OLDEST,
                hint=schema.WAITING,
                return_document=ReturnDocument.AFTER,
            )

        while True:
            try:
                return self._store.call(operation)
            except OperationFailure as error:
                if error.code not in _TOO_LARGE:
                    raise
                self._set_aside(wanted)

    def _changes(
        self, token: str, lease_seconds: float, session: str | None
    ) -> list[dict[str, Any]]:
        lease = {
            "owner": self._event["by"],
            "host": self._event["host"],
            "token": token,
            "seconds": lease_seconds,
            "session": session,
            **schema.lease_times(lease_seconds),
        }
        taken = {
            "state": Status.RUNNING.value,
            "attempt": {"$add": [{"$cond": [{"$isNumber": "$attempt"}, "$attempt", 0]}, 1]},
            "lease": {"$mergeObjects": [lease]},  # which replaces whatever was there
            "progress": None,
        }
        return [{"$set": taken}, {"$set": {"history": schema.logged(self._event)}}]

    def _set_aside(self, wanted: Mapping[str, Any]) -> None:
        """Make a dead letter of the head of the queue, without what makes it so large."""
        reason = "the document is not a task: it has no room left for a lease"
        event = {**self._event, "event": "refused", "reason": reason}
        dead = {"state": Status.DEAD.value, "lease": None, "history": [event]}
        change = {"$set": dead, "$unset": {"arguments": ""}}
        self._store.call(
            lambda: self._tasks.find_one_and_update(
                wanted, change, sort=_OLDEST, hint=schema.WAITING, projection={"_id": 1}
            )
        )
