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
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import platformdirs
import pymongo
from pymongo.errors import ConnectionFailure, OperationFailure

from tensorlayer.errors import ServerFailed
from tensorlayer.storage import mongod, supervisor
from tensorlayer.storage.home import Home, ServerRecord

_log = logging.getLogger(__name__)

#: A first start takes 2 s; a machine that is busy or recovers a large journal takes longer.
START_SECONDS = 60.0
#: How long a server that is shutting down may take before it is killed; its journal is safe.
_LEAVE_SECONDS = 15.0
#: A living server answers on the loopback interface within a millisecond.
_ANSWER_SECONDS = 2.0
_POLL_SECONDS = 0.02
#: Clients whose server died all at once do not ask more often than this.
_ENSURE_SECONDS = 0.5
#: The only member elects itself: there is nobody to wait for.
_ELECTION_MILLISECONDS = 500
#: The server's own words for what went wrong: the first ones are the reason.
_LOG_LINES_SHOWN = 2

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
        """Start the server again if it does not answer; its port stays the same."""
        with self._lock:
            if time.monotonic() - self._ensured >= _ENSURE_SECONDS:
                self._running()
                self._ensured = time.monotonic()

    def release(self) -> None:
        """Be no client any more; after the last one the server stops."""
        if self._client is not None:
            os.close(self._client)
            self._client = None

    def keep(self) -> None:
        """Let the server run on without clients, until `stop`."""
        self.home.keep.touch(mode=0o600)

    def stop(self) -> bool:
        """Stop the server and wait until it has ended; False when there was none to stop.

        Whoever is connected still, starts it again with the next call.
        """
        if not self.home.path.is_dir():
            return False
        self.home.keep.unlink(missing_ok=True)
        with self.home.starting(time.monotonic() + START_SECONDS):
            pid = self.home.supervisor_pid()
            if pid is not None:
                os.kill(pid, signal.SIGTERM)
            served = self.home.is_served()
            self._is_gone(lambda: False)
        return pid is not None or served

    def status(self) -> ServerStatus:
        """Tell whether the server runs, without starting it and without becoming a client."""
        record = self.home.read()
        if record is None:
            return ServerStatus(home=str(self.home.path), running=False)
        running = _answers(record)
        return ServerStatus(
            home=str(self.home.path),
            running=running,
            address=record.address,
            pid=record.pid if running else None,
            kept=self.home.keep.exists(),
            has_clients=self.home.has_clients(),
        )

    def __repr__(self) -> str:
        return f"<PrivateServer of {str(self.home.path)!r}>"

    def _running(self) -> ServerRecord:
        """Return the record of a server that answers."""
        record = self.home.read()
        if record is not None and _answers(record):
            return record
        deadline = time.monotonic() + START_SECONDS
        with self.home.starting(deadline):
            record = self.home.read()
            if self._is_gone(lambda: record is not None and _answers(record)):
                record = self._start(record, deadline)
        return record

    def _is_gone(self, is_back: Callable[[], bool]) -> bool:
        """Wait until nothing of the server is left, or until it is back: False.

        It may be shutting down. One that neither ends nor answers is frozen, and is killed.
        """
        deadline = time.monotonic() + _LEAVE_SECONDS
        while not is_back():
            pids = self.home.server_pid(), self.home.supervisor_pid()
            if not (self.home.is_served() or self.home.is_supervised()):
                return True
            if time.monotonic() >= deadline:
                _kill(pids)
            time.sleep(_POLL_SECONDS)
        return False

    def _start(self, record: ServerRecord | None, deadline: float) -> ServerRecord:
        """Start the server and prepare it: replica set, user, record."""
        if record is None and (self.home.data / "WiredTiger").exists():
            raise ServerFailed(
                f"home {str(self.home.path)!r}: there is a database, but server.json with its "
                "password is gone. Restore that file, or move the folder away."
            )
        program = mongod.find_mongod()
        port = mongod.free_port(record.port if record else None)
        record = dataclasses.replace(record, port=port) if record else ServerRecord(port=port)
        self.home.write(record)
        self._launch(program, record)
        with _direct(record) as client:
            self._wait_for(lambda: _hello(client) is not None, deadline)
            self._wait_for(lambda: _is_initiated(client, record), deadline)
            self._wait_for(lambda: _is_primary(client), deadline)
            _make_user(client, record)
        record = dataclasses.replace(record, pid=self.home.server_pid() or 0)
        self.home.write(record)
        _log.info("started mongod %s for home %s", record.address, self.home.path)
        return record

    def _launch(self, program: Path, record: ServerRecord) -> None:
        if self.home.log.exists():
            self.home.log.replace(self.home.log.with_suffix(".log.1"))
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

    def _wait_for(self, condition: Callable[[], bool], deadline: float) -> None:
        """Poll until the server is as it should be, and say what it says when it is not."""
        while not condition():
            ended = not self.home.is_supervised()
            if ended or time.monotonic() >= deadline:
                why = "ended at once" if ended else f"was not ready after {START_SECONDS:g} s"
                raise ServerFailed(
                    f"mongod for home {str(self.home.path)!r} {why}. It says: {self._complaint()}. "
                    "Is the disk full, or was the data written by a newer MongoDB?"
                )
            time.sleep(_POLL_SECONDS)

    def _complaint(self) -> str:
        """Return the first errors in the server's log, each of which is one line of JSON."""
        try:
            lines = self.home.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "nothing"
        errors = [line for line in lines if '"s":"F"' in line or '"s":"E"' in line] or lines
        said = [line.partition('"msg":')[2] or line for line in errors[:_LOG_LINES_SHOWN]]
        return " | ".join(said)


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
