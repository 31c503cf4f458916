"""The three collections of the workflow and their indexes, named in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from tensorlayer.workflow.tasks import HISTORY_LENGTH, Status

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from tensorlayer.storage.connection import Store

__all__ = ["tasks", "notifications", "agents", "logged", "later"]

# An agent that has not said a word for this long is no longer listed. An hour: long enough to see
# in a list that it died, short enough that the list stays a list of agents.
_AGENT_SILENCE_SECONDS = 3600


def tasks(store: Store) -> Collection:
    """Return the collection of tasks.

    The two partial indexes hold only what waits and what runs, so the cost of a claim does not
    depend on how many tasks have finished.
    """
    return store.indexes(
        "tasks",
        IndexModel([("identity", ASCENDING), ("created", DESCENDING)]),
        IndexModel(
            [("queue", ASCENDING), ("not_before", ASCENDING)],
            name="waiting",
            partialFilterExpression={"state": Status.WAITING.value},
        ),
        IndexModel(
            [("lease.suspect", ASCENDING)],
            name="running",
            partialFilterExpression={"state": Status.RUNNING.value},
        ),
        IndexModel([("created", DESCENDING)]),
        IndexModel([("blobs", ASCENDING)], sparse=True),
    )


def notifications(store: Store) -> Collection:
    """Return the collection of completion messages."""
    return store.indexes("notifications", IndexModel([("task", ASCENDING), ("created", ASCENDING)]))


def agents(store: Store) -> Collection:
    """Return the collection of agents; the server removes those that fell silent."""
    return store.indexes(
        "agents", IndexModel([("beat", ASCENDING)], expireAfterSeconds=_AGENT_SILENCE_SECONDS)
    )


def later(seconds: float) -> dict[str, Any]:
    """Return the expression for "the server's time, this much later", exact to a millisecond."""
    return {
        "$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": round(seconds * 1000)}
    }


def logged(event: dict[str, Any]) -> dict[str, Any]:
    """Return the expression for the history of a task with one more event at its end."""
    stamped = {"$mergeObjects": [{"$literal": event}, {"attempt": "$attempt", "at": "$$NOW"}]}
    grown = {"$concatArrays": [{"$ifNull": ["$history", []]}, [stamped]]}
    return {"$slice": [grown, -HISTORY_LENGTH]}
