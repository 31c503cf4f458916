"""The store: one MongoDB database, with patience for outages and transactions."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol, TypeVar

import pymongo
from pymongo import ReadPreference
from pymongo.client_session import ClientSession, TransactionOptions
from pymongo.collection import Collection
from pymongo.errors import ConfigurationError, InvalidOperation, InvalidURI, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from tensorlayer.errors import (
    AccessDenied,
    InvalidArgument,
    InvalidName,
    ServerFailed,
    StandaloneServer,
    StoreError,
    StoreUnavailable,
)
from tensorlayer.storage import retry, transaction, uris
from tensorlayer.storage.blobs import Blobs
from tensorlayer.storage.names import check_project
from tensorlayer.storage.presence import Presence
from tensorlayer.storage.transaction import Change, Fence, Operation, Outdated, Stage

T = TypeVar("T")

_log = logging.getLogger(__name__)

#: How long one attempt looks for a server; the outage budget holds many of those.
_SELECTION_SECONDS = 2.0
#: A private server is there at once, or has to be started; the driver looks twice a second.
_PRIVATE_SELECTION_SECONDS = 0.5
#: A server that is silent for this long plus one heartbeat counts as gone (it may be frozen).
_CONNECT_SECONDS = 5.0
_HEARTBEAT_SECONDS = 5.0

#: MongoDB 6.0 in the numbers of the wire protocol.
_OLDEST_WIRE_VERSION = 17

_STANDALONE = (
    "{place}: the server is not a replica set, so it has no transactions and no change streams. "
    "Convert it: restart it with `mongod --replSet rs0 ...`, then run once "
    "`mongosh --eval 'rs.initiate()'`."
)

#: DatabaseDifferCase, when the first collection is to be made.
_DIFFERS_IN_CASE = 13297

#: What was acknowledged is on the disk of a majority and is never rolled back.
_WRITES = WriteConcern(w="majority", j=True)
_READS = ReadConcern("majority")
_TRANSACTION = TransactionOptions(
    read_concern=ReadConcern("snapshot"),
    write_concern=_WRITES,
    read_preference=ReadPreference.PRIMARY,
)


class Server(Protocol):
    """A server of ours that can be brought back, see `tensorlayer.storage.server`."""

    def ensure(self) -> object:
        """Start the server again if it is gone."""

    def release(self) -> None:
        """Say that it is no longer needed."""


class Store:
    """One project's database in a replica set of MongoDB.

    Writes are acknowledged by a majority with their journal on disk, reads see what a majority has,
    so nothing that was acknowledged or read is ever rolled back. A Store may be used by any number
    of threads, but not across a fork: each process connects on its own.

    Parameters
    ----------
    uri
        A MongoDB connection string; it is not kept, credentials never reach a message or a repr.
    project
        The name of the project, which is the name of its database.
    outage_budget_seconds
        How long a call waits for a server that is away before it raises `StoreUnavailable`; one
        minute covers a restart of the server and an election.
    server
        The private server behind ``uri``, which is then started again when it died.

    Raises
    ------
    InvalidArgument
        When ``uri`` is no connection string, or the budget is not positive.
    InvalidName
        When ``project`` cannot be the name of a database.
    AccessDenied
        When the server does not accept the credentials.
    StandaloneServer
        When the server is not a replica set.
    StoreUnavailable
        When no server was reached within the budget.
    StoreError
        When the server is older than MongoDB 6.0.
    """

    def __init__(
        self,
        uri: str,
        *,
        project: str = "tensorlayer",
        outage_budget_seconds: float = 60.0,
        server: Server | None = None,
    ) -> None:
        if not outage_budget_seconds > 0:
            raise InvalidArgument(
                f"Store: outage_budget_seconds must be positive, got {outage_budget_seconds!r}."
            )
        self.project = check_project(project)
        self.outage_budget_seconds = outage_budget_seconds
        self._server = server
        self._place = f"Store {uris.hosts_of(uri)}/{project}"
        self._indexed: set[tuple[str, str]] = set()
        self._is_closed = False
        selection = _SELECTION_SECONDS if server is None else _PRIVATE_SELECTION_SECONDS
        self.client = _client(uri, min(selection, outage_budget_seconds))
        self.database = self.client.get_database(
            project,
            read_concern=_READS,
            write_concern=_WRITES,
            read_preference=ReadPreference.PRIMARY,
        )
        #: Who is writing, and this process among them.
        self.presence = Presence(self)
        #: What is too large for a document. Made at once: whoever finds that a writer is gone has
        #: to know how to remove its blobs.
        self.blobs = Blobs(self)
        try:
            self._verify()
        except BaseException:
            self.client.close()
            raise

    def call(self, operation: Callable[[], T]) -> T:
        """Run an operation of the driver, again if the connection or the primary was lost.

        The operation must be idempotent, since an attempt whose outcome is unknown is repeated: a
        deterministic ``_id`` or a compare-and-set makes it so.

        Parameters
        ----------
        operation
            Takes nothing and returns the result.

        Raises
        ------
        StoreUnavailable
            When the server was away for longer than the budget.
        AccessDenied
            When the server refuses the credentials.

        Examples
        --------
        >>> store = hub.store
        >>> store.call(lambda: store.database["notes"].count_documents({}))
        0
        """
        return self._retrying(operation, retry.is_passing)

    def transact(self, operation: Callable[[ClientSession], T]) -> T:
        """Run ``operation`` in one transaction: all of it becomes visible, or nothing.

        The transaction sees one snapshot. When it meets another one, or the connection is lost, it
        is run again as a whole; when only the outcome of the commit is unknown, the commit is asked
        again, which the server answers without committing twice.

        Parameters
        ----------
        operation
            Takes the session, hands it to every call of the driver, and has no effect outside of
            it, since it may run several times.

        Raises
        ------
        StoreUnavailable
            When it did not succeed within the budget.
        """
        patience = self._patience()

        def attempt() -> T:
            with self.client.start_session(default_transaction_options=_TRANSACTION) as session:
                session.start_transaction()
                result = operation(session)
                self._finish(session, patience)
                return result

        return self._retrying(attempt, retry.is_transient, patience)

    def commit(
        self, change: Change | Callable[[ClientSession], T], *, publish: bool = False
    ) -> T | None:
        """Make a change visible in a transaction now, or keep it for the stage that is open.

        Parameters
        ----------
        change
            What to prepare and to apply; a plain function is applied, and has no effect outside of
            the session that it takes.
        publish
            Make it visible now even if a stage is open, if its fence admits that.

        Returns
        -------
        T or None
            What applying it returned; None if it was kept for a stage, since nothing has become
            visible yet.
        """
        if not hasattr(change, "apply"):
            change = Operation(change)
        stage = self.stage
        if stage is not None and not publish:
            stage.add(change)
            return None
        apply = change.apply if stage is None else partial(stage.publish, change)
        return self.conclude(change, apply)

    def conclude(self, change: Change | Stage, operation: Callable[[ClientSession], T]) -> T:
        """Prepare a change, then run the transaction that applies it, in turns until it succeeds.

        Parameters
        ----------
        change
            What is prepared.
        operation
            Applies it, among other things.
        """
        while True:
            change.prepare()
            try:
                return self.transact(operation)
            except Outdated:
                _log.debug("%s: others were faster, preparing again", self._place)

    def staged(
        self, *, run: str | None = None, attempt: int = 0, fence: Fence | None = None
    ) -> AbstractContextManager[Stage]:
        """Open a stage: `commit` keeps changes until somebody calls ``stage.apply``.

        Parameters
        ----------
        run
            Identity of the run whose outputs these are.
        attempt
            Number of its execution.
        fence
            Raises in a transaction that publishes something, if that is not allowed any more. By
            default that of the stage around this one.
        """
        return transaction.opened(self, run=run, attempt=attempt, fence=fence)

    @property
    def stage(self) -> Stage | None:
        """The stage of this store that is open in this context."""
        return transaction.active(self)

    def now(self) -> datetime.datetime:
        """Return the server's clock, in UTC: the only clock that leases are measured by."""
        return self.call(self._hello)["localTime"]

    def indexes(self, collection: str, *models: pymongo.IndexModel) -> Collection:
        """Return a collection, after making sure once that its indexes exist.

        Parameters
        ----------
        collection
            Name of the collection in this project.
        models
            The indexes; the server ignores those that it has.
        """
        found = self.database[collection]
        wanted = [each for each in models if (collection, _name(each)) not in self._indexed]
        if wanted:
            self.call(lambda: found.create_indexes(wanted))
            self._indexed.update((collection, _name(each)) for each in wanted)
        return found

    def close(self) -> None:
        """Close the connections; the private server stops when nobody else needs it."""
        self._is_closed = True
        self.presence.close()
        self.client.close()
        if self._server is not None:
            self._server.release()

    def __repr__(self) -> str:
        return f"<{self._place}>"

    def _patience(self) -> retry.Patience:
        return retry.Patience(self.outage_budget_seconds, self._place)

    def _retrying(
        self,
        attempt: Callable[[], T],
        may_repeat: Callable[[BaseException], bool],
        patience: retry.Patience | None = None,
    ) -> T:
        patience = patience or self._patience()
        while True:
            try:
                return attempt()
            except InvalidOperation as error:
                if not self._is_closed:
                    raise
                raise StoreError(
                    f"{self._place}: the connection was closed while it was in use. Close it when "
                    "all threads have ended."
                ) from error
            except PyMongoError as error:
                if retry.is_denied(error):
                    raise AccessDenied(
                        f"{self._place}: the server refuses these credentials (code "
                        f"{error.code}). Check user, password and authSource in the URI, and that "
                        "the user may read and write this database."
                    ) from error
                if _DIFFERS_IN_CASE in _codes(error):
                    raise InvalidName(
                        f"{self._place}: the server has a project that differs from this one in "
                        "upper and lower case only, which MongoDB does not allow. Write it like "
                        "that one, or choose another name."
                    ) from error
                if not may_repeat(error):
                    raise
                self._recover(error, patience)

    def _recover(self, error: PyMongoError, patience: retry.Patience) -> None:
        """Pause, and bring the private server back if it is the one that is gone."""
        _log.debug("%s: %s, trying again", self._place, type(error).__name__)
        patience.wait(error)
        if self._server is not None and retry.is_passing(error):
            self._revive(self._server, patience)

    def _revive(self, server: Server, patience: retry.Patience) -> None:
        """Start the private server; a start that fails is an outage like any other."""
        while True:
            try:
                server.ensure()
                return
            except ServerFailed as failure:
                try:
                    patience.wait(failure)
                except StoreUnavailable as over:
                    raise StoreUnavailable(f"{over} {failure}") from failure

    def _finish(self, session: ClientSession, patience: retry.Patience) -> None:
        """Commit, asking again while the outcome is unknown."""
        while True:
            try:
                return session.commit_transaction()
            except PyMongoError as error:
                if not error.has_error_label("UnknownTransactionCommitResult"):
                    raise
                self._recover(error, patience)

    def _hello(self) -> dict:
        # A command does not inherit the client's options, which make times aware.
        return self.client.admin.command("hello", codec_options=self.client.codec_options)

    def _verify(self) -> None:
        """Find out at once what would otherwise fail in the middle of the work."""
        hello = self.call(self._hello)
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise StandaloneServer(_STANDALONE.format(place=self._place))
        if hello["maxWireVersion"] < _OLDEST_WIRE_VERSION:
            raise StoreError(
                f"{self._place}: MongoDB 6.0 or newer is needed, the server speaks wire version "
                f"{hello['maxWireVersion']} instead of {_OLDEST_WIRE_VERSION}. Upgrade it."
            )
        self.call(lambda: self.database["models"].find_one({}, {"_id": True}))


def _codes(error: PyMongoError) -> set[int | None]:
    """Return the code of an error and, if many documents were written, those of each."""
    details = getattr(error, "details", None) or {}
    return {getattr(error, "code", None)} | {e["code"] for e in details.get("writeErrors", ())}


def _client(uri: str, selection_seconds: float) -> pymongo.MongoClient:
    try:
        return pymongo.MongoClient(
            uri,
            appname="tensorlayer",
            tz_aware=True,
            serverSelectionTimeoutMS=int(1000 * selection_seconds),
            connectTimeoutMS=int(1000 * _CONNECT_SECONDS),
            heartbeatFrequencyMS=int(1000 * _HEARTBEAT_SECONDS),
            # "stream" takes another connection and thread: 25 idle agents need 4.6 % of a core then
            # and 3.3 % now. A server that dies, or is silent, is noticed just as soon.
            serverMonitoringMode="poll",
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        # The driver's own message may quote a part of the URI, which may be the password.
        raise InvalidArgument(
            f"Store: the URI is not a valid connection string ({type(error).__name__}). "
            "Percent-encode special characters in user and password."
        ) from None


def _name(index: pymongo.IndexModel) -> str:
    return index.document["name"]


__all__ = ["Store", "Server"]
