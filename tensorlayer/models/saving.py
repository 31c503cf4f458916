"""One version on its way: uploaded, and shown by the transaction that counts it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from tensorlayer.errors import Conflict, Corrupt, StoreError, StoreUnavailable
from tensorlayer.models import deleting
from tensorlayer.models.head import MODELS, Head
from tensorlayer.models.version import VERSIONS, Version
from tensorlayer.storage.transaction import give_up

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from tensorlayer.storage.connection import Store

__all__ = ["Saving", "staged"]


class Saving:
    """A version whose weights are uploaded: a change that becomes visible in a transaction.

    Parameters
    ----------
    store
        Where it is saved.
    version
        Everything but its number.
    head
        Document of the model, for the case that this is its first version; else empty.
    is_published
        Whether task, attempt and step are the identity of the version, so that what is sent twice
        is there once.
    """

    def __init__(
        self, store: Store, version: Version, head: dict[str, Any], *, is_published: bool
    ) -> None:
        self._store, self._is_published = store, is_published
        #: What is saved; it has no number before it is visible.
        self.version = version
        #: Document of the model that it starts, if it is the first.
        self.head = head
        has_identity = is_published and version.task is not None and version.step is not None
        identity = f"{version.model}/{version.task}/{version.attempt}/{version.step}"
        self._document = {
            "_id": identity if has_identity else ObjectId(),
            **version.to_document(),
            "blobs": [version.weights.id],
        }

    def commit(self) -> Version:
        """Make it visible, or keep it for the stage that is open; remove it if that fails."""
        try:
            saved = self._store.commit(self, publish=self._is_published) or self.version
        except StoreUnavailable:  # what was uploaded is removed when this process has ended
            raise
        except BaseException:
            give_up(self)
            raise
        if saved.weights.id != self.version.weights.id:  # it was there already
            self.abandon()
        return saved

    def prepare(self) -> None:
        """Do nothing: the weights are uploaded."""

    def apply(self, session: ClientSession) -> Version:
        """Raise the counter and insert the version, in one transaction; return it with its number.

        It may run again after it was committed, when the answer was lost: then the version is
        there.

        Raises
        ------
        StructureMismatch
            The key holds models of another structure.
        Conflict
            The same attempt has published other weights at this step.
        """
        versions, models = self._store.database[VERSIONS], self._store.database[MODELS]
        written = versions.find_one({"_id": self._document["_id"]}, session=session)
        if written is not None:
            return self._same(Version.from_document(written).check())
        stored = models.find_one_and_update(
            {"_id": self.version.model},
            {"$inc": {"n_versions": 1}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if stored is None and not self.head:
            raise StoreError(
                f"Model {self.version.model!r}: its document is gone since this save began. "
                "Nothing was saved. Save again."
            )
        if stored is None:
            self._store.blobs.claim(self.head.get("blobs", ()), session)
            n_before = deleting.n_retired(self._store, self.version.model, session)
            stored = {**self.head, "n_versions": n_before + 1}
            models.insert_one(stored, session=session)
        head = Head.from_document(stored)
        head.check_structure(self.version.digest)
        self._store.blobs.claim(self._document["blobs"], session)
        number = head.need("n_versions")
        try:
            versions.insert_one({**self._document, "number": number}, session=session)
        except DuplicateKeyError as error:
            raise Corrupt(
                f"Model {head.key!r}: its document says {number - 1} versions, and there is a "
                f"version {number}. Set 'n_versions' to the highest number that there is."
            ) from error
        return dataclasses.replace(self.version, number=number)

    def abandon(self) -> None:
        """Delete what was uploaded, unless it is committed."""
        self._store.blobs.discard([*self._document["blobs"], *self.head.get("blobs", ())])

    def _same(self, written: Version) -> Version:
        mine, theirs = self.version, written
        if (mine.weights.sha256, mine.values) != (theirs.weights.sha256, theirs.values):
            raise Conflict(
                f"Model {written.model!r}: attempt {written.attempt} of task {written.task} has "
                f"published other weights or values at step {written.step}, as version "
                f"{written.number}. Count the steps up, or save without publishing."
            )
        return written


def staged(store: Store, key: str | None = None) -> list[Saving]:
    """Return what was saved in the stage that is open here and is not visible to others yet."""
    changes = store.stage.changes if store.stage is not None else ()
    mine = [each for each in changes if isinstance(each, Saving)]
    return [each for each in mine if key in (None, each.version.model)]
