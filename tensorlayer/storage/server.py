"""The private server: one MongoDB per home, started by whoever needs it first.

`PrivateServer.acquire` joins the server of a home in milliseconds, or starts it, or starts it again
after it was killed. Any number of processes may do so at once: one of them starts it. It ends two
seconds after its last client, however that ended; see `tensorlayer.storage.supervisor`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import platformdirs
import pymongo
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from tensorlayer.errors import ServerFailed
from tensorlayer.storage import limits, mongod, supervisor
from tensorlayer.storage.home import Home, ServerRecord

_log = logging.getLogger(__name__)

#: A start takes 2 s, and recovering much takes minutes: it is given up only when the server has
#: shown no progress for this long.
START_SECONDS = 30.0
#: A server that neither ends nor answers nor shows progress for this long is frozen, and is killed;
#: its journal is safe.
_LEAVE_SECONDS = 15.0
#: A living server answers on the loopback interface within a millisecond.
_ANSWER_SECONDS = 2.0
_POLL_SECONDS = 0.02
#: Clients whose server died all at once do not ask more often than this.
_ENSURE_SECONDS = 0.5
#: The only member elects itself: there is nobody to wait for.
_ELECTION_MILLISECONDS = 500
#: With less than that a server does not start.
_FULL_BYTES = 16 * limits.MEGABYTE

_UNAUTHORIZED = 13
_ALREADY_INITIALIZED = 23
_NOT_YET_INITIALIZED = 94
_USER_EXISTS = 51003


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerStatus:
    """What `PrivateServer.status` found."""

    #: The folder of the server.
    home: str
    #: Whether it answers.
    running: bool
    #: "running"; "silent" if it takes connections and does not answer, as a frozen one does;
    #: "starting" if somebody is starting or stopping it; else "stopped".
    state: Literal["running", "silent", "starting", "stopped"]
    #: Host and port, None before the first start.
    address: str | None = None
    #: The process that serves.
    pid: int | None = None
    #: Whether it stays without clients.
    kept: bool = False
    #: Whether anybody is connected.
    has_clients: bool = False


def default_home() -> Path:
    """Return ``$TENSORLAYER_HOME``, else the platform's folder for a user's data."""
    named = os.environ.get("TENSORLAYER_HOME")
    return Path(named) if named else Path(platformdirs.user_data_dir("tensorlayer"))


class PrivateServer:
    """The MongoDB server of one home, and this process as its client.

    Objects of this class may be shared by threads. Two objects for one home are two clients.

    Parameters
    ----------
    home
        The folder with the data; default `default_home`.
    """

    def __init__(self, home: str | os.PathLike | None = None) -> None:
        self.home = Home(home if home is not None else default_home())
        self._client: int | None = None
        self._lock = threading.Lock()
        self._ensured = 0.0
        self._failure: str | None = None

    def acquire(self) -> str:
        """Become a client of the server, starting it if need be, and return its URI.

        Raises
        ------
        ServerNotFound
            When there is no mongod on this machine.
        ServerFailed
            When it does not start, or the home cannot be written; the message holds the last lines
            of its log.
        """
        self.home.make()
        if self._client is None:
            self._client = self.home.share(time.monotonic() + START_SECONDS)
        try:
            return self._running().uri
        except BaseException:
            self.release()
            raise

    def ensure(self) -> None:
        """Start the server again if it does not answer; its port stays the same.

        Raises
        ------
        ServerFailed
            When it did not start; those who ask at the same time are told the same.
        """
        with self._lock:
            if time.monotonic() - self._ensured >= _ENSURE_SECONDS:
                self._failure = None
                try:
                    self._running()
                except ServerFailed as error:
                    self._failure = str(error)
                self._ensured = time.monotonic()
            if self._failure is not None:
                raise ServerFailed(self._failure)

    def release(self) -> None:
        """Be no client any more; after the last one the server stops."""
        if self._client is not None:
            os.close(self._client)
            self._client = None

    def keep(self) -> None:
        """Let the server run on without clients, until `stop`."""
        with self.home.written():
            self.home.keep.touch(mode=0o600)

    def stop(self) -> bool:
        """Stop the server and wait until it has ended; False when there was none to stop.

        Whoever is connected still, starts it again with the next call.
        """
        if not self.home.path.is_dir():
            return False
        with self.home.written():
            self.home.keep.unlink(missing_ok=True)
        with self.home.starting(time.monotonic() + START_SECONDS):
            pid = self.home.supervisor_pid()
            if pid is not None:
                os.kill(pid, signal.SIGTERM)
            served = self.home.is_served()
            self._is_gone(None)
        return pid is not None or served

    def status(self) -> ServerStatus:
        """Tell whether the server runs, without starting it and without becoming a client."""
        record = self.home.read()
        state = self._state(record)
        if record is None:
            return ServerStatus(home=str(self.home.path), running=False, state=state)
        return ServerStatus(
            home=str(self.home.path),
            running=state == "running",
            state=state,
            address=record.address,
            pid=self.home.last_pid() if state in ("running", "silent") else None,
            kept=self.home.keep.exists(),
            has_clients=self.home.has_clients(),
        )

    def _state(
        self, record: ServerRecord | None
    ) -> Literal["running", "silent", "starting", "stopped"]:
        if record is not None and _answers(record):
            return "running"
        if self.home.is_starting():
            return "starting"
        if record is not None and _listens(record.port) and self.home.has_clients():
            return "silent"
        return "stopped"

    def __repr__(self) -> str:
        return f"<PrivateServer of {str(self.home.path)!r}>"

    def _running(self) -> ServerRecord:
        """Return the record of a server that answers and was prepared."""
        record = self.home.read()
        if record is not None and record.pid and _answers(record):
            return record
        others = self._progress()
        with self.home.starting(
            time.monotonic() + START_SECONDS,
            gets_on=lambda: others.still_seconds() < START_SECONDS,
        ):
            record = self.home.read()
            if self._is_gone(record):
                record = self._start(record)
            elif record.pid:
                return record
            # Else somebody was killed while starting it.
            return self._prepare(record)

    def _progress(self) -> mongod.Progress:
        return mongod.Progress(self.home.log, self.home.last_pid)

    def _is_gone(self, record: ServerRecord | None) -> bool:
        """Wait until nothing of the server is left, or until that of the record is back: False.

        It may be starting or shutting down: as long as it gets on, it is waited for. One that
        listens and does not answer is frozen, however much it computes.
        """
        progress = self._progress()
        still = 0.0
        begun = time.monotonic()
        while record is None or not _answers(record):
            # The supervisor first: it would start the server again.
            pids = self.home.supervisor_pid(), self.home.server_pid()
            if not (self.home.is_served() or self.home.is_supervised()):
                return True
            if record is not None and _listens(record.port):
                still = time.monotonic() - begun
            else:
                still, begun = progress.still_seconds(), time.monotonic()
            if still >= _LEAVE_SECONDS:
                _kill(pids)
            time.sleep(_POLL_SECONDS)
        return False

    def _start(self, record: ServerRecord | None) -> ServerRecord:
        """Start the server, and return its record, which holds no process yet."""
        if record is None and (self.home.data / "WiredTiger").exists():
            raise ServerFailed(
                f"home {str(self.home.path)!r}: there is a database, but server.json with its "
                "password is gone. Restore that file, or move the folder away."
            )
        program = mongod.find_mongod()
        port = mongod.free_port(record.port if record else None)
        old = record or ServerRecord(port=port)
        record = dataclasses.replace(old, port=port, pid=0)
        self.home.write(record)
        self._launch(program, record)
        return record

    def _prepare(self, record: ServerRecord) -> ServerRecord:
        """Make replica set and user, as far as they are not there, and complete the record."""
        # A client of the driver that is made before looks twice a second only.
        self._wait_for(lambda: _listens(record.port))
        try:
            with _direct(record) as client:
                self._wait_for(lambda: _hello(client) is not None)
                self._wait_for(lambda: _is_initiated(client, record))
                self._wait_for(lambda: _is_primary(client))
                _make_user(client, record)
        except PyMongoError as error:
            raise self._failed(f"was lost while it was prepared ({type(error).__name__})") from None
        record = dataclasses.replace(record, pid=self.home.server_pid() or 0)
        self.home.write(record)
        _log.info("started mongod %s for home %s", record.address, self.home.path)
        return record

    def _launch(self, program: Path, record: ServerRecord) -> None:
        if self.home.log.exists():
            self.home.log.replace(self.home.path / f"{supervisor.LOG}.1")
        command = mongod.command(
            program,
            data=self.home.data,
            keyfile=self.home.keyfile,
            log=self.home.log,
            port=record.port,
            name=record.name,
        )
        watcher = [sys.executable, "-I", "-S", supervisor.__file__, str(self.home.path)]
        subprocess.run(
            [*watcher, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        """Poll until the server is as it should be, as long as it gets on."""
        progress = self._progress()
        while not condition():
            if not self.home.is_supervised():
                raise self._failed("ended at once")
            if progress.still_seconds() >= START_SECONDS:
                raise self._failed(f"is not ready, and got no further for {START_SECONDS:g} s")
            time.sleep(_POLL_SECONDS)

    def _failed(self, how: str) -> ServerFailed:
        """Return the error with the server's own words, and what is known beside them."""
        full = shutil.disk_usage(self.home.path).free < _FULL_BYTES
        return ServerFailed(
            f"mongod for home {str(self.home.path)!r} {how}. It says: "
            f"{mongod.complaint(self.home.log)}. {'The disk is full: free some space. ' * full}"
            f"All it says is in {str(self.home.log)!r}."
        )


def _kill(pids: Iterable[int | None]) -> None:
    for pid in filter(None, pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _direct(
    record: ServerRecord, timeout_seconds: float = START_SECONDS, **credentials: str
) -> pymongo.MongoClient:
    """Return a client of this one process, whatever the state of its replica set."""
    return pymongo.MongoClient(
        mongod.LOOPBACK,
        record.port,
        directConnection=True,
        serverSelectionTimeoutMS=int(1000 * _ANSWER_SECONDS),
        connectTimeoutMS=int(1000 * _ANSWER_SECONDS),
        socketTimeoutMS=int(1000 * timeout_seconds),
        **credentials,
    )


def _hello(client: pymongo.MongoClient) -> dict | None:
    try:
        return client.admin.command("hello")
    except ConnectionFailure:
        return None


def _answers(record: ServerRecord) -> bool:
    """Tell whether our server listens there: not another one that got the port meanwhile."""
    if not _listens(record.port):
        return False
    with _direct(record, _ANSWER_SECONDS) as client:
        hello = _hello(client)
    return hello is not None and hello.get("setName") == record.name


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((mongod.LOOPBACK, port), timeout=_ANSWER_SECONDS):
            return True
    except OSError:
        return False


def _is_primary(client: pymongo.MongoClient) -> bool:
    hello = _hello(client)
    return hello is not None and hello["isWritablePrimary"]


def _config(record: ServerRecord) -> dict:
    return {
        "_id": record.name,
        "members": [{"_id": 0, "host": record.address}],
        "settings": {"electionTimeoutMillis": _ELECTION_MILLISECONDS},
    }


def _is_initiated(client: pymongo.MongoClient, record: ServerRecord) -> bool:
    """Make the replica set of one; until there is a user, a local client may do so."""
    try:
        client.admin.command("replSetInitiate", _config(record))
    except OperationFailure as error:
        if error.code == _UNAUTHORIZED:
            return _is_addressed(record)
        if error.code != _ALREADY_INITIALIZED:
            raise ServerFailed(f"mongod: cannot make the replica set: {error.details}.") from error
    return True


def _is_addressed(record: ServerRecord) -> bool:
    """Tell the replica set its address, if another process took the port it had."""
    with _direct(record, username=record.user, password=record.password) as client:
        config = client["local"]["system.replset"].find_one()
        if config["members"][0]["host"] == record.address:
            return True
        new = _config(record) | {"version": config["version"] + 1}
        try:
            client.admin.command("replSetReconfig", new, force=True)
        except OperationFailure as error:
            if error.code != _NOT_YET_INITIALIZED:
                raise
            return False  # it still looks for itself at the old address
    return True


def _make_user(client: pymongo.MongoClient, record: ServerRecord) -> None:
    """Make the only user; the server allows that to a local client as long as there is none."""
    try:
        client.admin.command("createUser", record.user, pwd=record.password, roles=["root"])
    except OperationFailure as error:
        if error.code not in (_UNAUTHORIZED, _USER_EXISTS):
            raise ServerFailed(f"mongod: cannot make its user (code {error.code}).") from None


__all__ = ["PrivateServer", "ServerStatus", "default_home", "START_SECONDS"]
