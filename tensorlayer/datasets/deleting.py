"""Deleting a dataset: it is gone in one small write, then its samples are removed.

The head stays, see `tensorlayer.datasets.ledger`: it says who is removing what, so that the next
process goes on if that one is killed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pymongo import ASCENDING
from tqdm import tqdm

from tensorlayer.datasets.append import delete_samples
from tensorlayer.datasets.ledger import HEADS, Ledger
from tensorlayer.datasets.sample import OWNER
from tensorlayer.storage.names import check_key

if TYPE_CHECKING:
    from tensorlayer.storage.connection import Store

__all__ = ["delete", "finish_of"]

#: Samples that are deleted in one command, which a client waits for.
_AT_ONCE = 5_000


def delete(store: Store, key: str, *, progress: bool = False) -> int | None:
    """Delete a dataset; return how many samples it had, or None if there was none."""
    ledger = Ledger(store, check_key(key, "dataset key"))
    head = ledger.retire(store.presence.register())
    if head is None:
        return None
    n_samples = head["n_samples"] if isinstance(head.get("n_samples"), int) else 0
    disable = None if progress else True
    with tqdm(total=n_samples, unit="sample", desc=key, delay=1, disable=disable) as bar:
        _remove(store, ledger, bar)
    return n_samples


def finish_of(store: Store, writer: str) -> None:
    """Remove what a writer that is gone was removing."""
    query = {"removing": writer}
    find = partial(store.database[HEADS].find, query, {"_id": 1})
    for head in store.call(lambda: list(find())):
        with tqdm(disable=True) as bar:
            _remove(store, Ledger(store, head["_id"]), bar)


def _remove(store: Store, ledger: Ledger, bar: tqdm) -> None:
    """Remove all samples and revisions of the dataset that was deleted; may run again."""
    head = store.call(partial(store.database[HEADS].find_one, {"_id": ledger.key})) or {}
    hidden = {"dataset": ledger.key, "batch": {"$lte": _last_hidden(head)}}
    order = [(name, ASCENDING) for name in ("batch", "ordinal")]
    find = partial(store.database[OWNER].find, hidden, {"_id": 1}, sort=order, limit=_AT_ONCE)
    while ids := store.call(lambda: [each["_id"] for each in find()]):
        delete_samples(store, {"_id": {"$in": ids}})
        bar.update(len(ids))
    ended = {"dataset": ledger.key, "number": {"$lte": head.get("begun", 0)}}
    store.call(partial(store.database["revisions"].delete_many, ended))
    ledger.removed(head)


def _last_hidden(head: dict) -> int:
    """Return the last batch of what was deleted: they are hidden as one."""
    first = next((each for each in head.get("aborted", ()) if isinstance(each, list)), [1, 0])
    return first[1] if first[0] == 1 else 0
