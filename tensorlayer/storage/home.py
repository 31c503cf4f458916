"""The folder of a private server: its files, its secrets and its locks."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tensorlayer.errors import ServerFailed
from tensorlayer.storage.supervisor import (
    CLIENTS_LOCK,
    KEEP,
    LOG,
    SUPERVISOR_LOCK,
    open_lock,
    try_lock,
)

#: How often a lock that somebody else holds is tried again.
_LOCK_POLL_SECONDS = 0.01

_START_LOCK = "start.lock"
#: The errors of a disk that is full, of a quota and of a limit for files.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerRecord:
    """What ``server.json`` says: how to reach the server of a home, and as whom."""

    #: The port on the loopback interface.
    port: int
    #: The process that served when everything was prepared for clients, 0 before.
    pid: int = 0
    #: Random name of this home's server; another server on the same port has another one.
    nonce: str = dataclasses.field(default_factory=lambda: secrets.token_hex(8))
    user: str = "tensorlayer"
    password: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def name(self) -> str:
        """The name of the replica set, which tells this server from every other."""
        return f"tensorlayer-{self.nonce}"

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def uri(self) -> str:
        """The connection string, with the credentials."""
        options = f"replicaSet={self.name}&authSource=admin"
        return _Secret(f"mongodb://{self.user}:{self.password}@{self.address}/?{options}")

    def __reduce__(self) -> tuple:
        raise TypeError(
            "ServerRecord: it holds a password and is not pickled. Pass the home on, and read it "
            "there."
        )


class _Secret(str):
    """A string that is not shown where values are shown: a traceback with locals, a debugger."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'"


class Home:
    """The files of one private server, all of them readable by their owner only.

    Parameters
    ----------
    path
        The folder; it is made when it is first used.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path).expanduser().absolute()
        self.data = self.path / "data"
        self.log = self.path / LOG
        self.keyfile = self.path / "keyfile"
        self.keep = self.path / KEEP
        #: Holds the numbers of the supervisor and of its server.
        self.pids = self.path / SUPERVISOR_LOCK
        self._record = self.path / "server.json"

    def make(self) -> None:
        """Make the folder and the shared secret of the server.

        Raises
        ------
        ServerFailed
            When the folder cannot be written.
        """
        with self.written():
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            if not self.keyfile.exists():
                _write_secret(self.keyfile, secrets.token_hex(128))

    @contextlib.contextmanager
    def written(self) -> Iterator[None]:
        """Say what to do when the folder cannot be written, as `ServerFailed`."""
        try:
            yield
        except OSError as error:
            first = "Free some space, or choose" if error.errno in _FULL else "Choose"
            raise ServerFailed(
                f"home {str(self.path)!r} cannot be written: {error.strerror}. {first} another "
                "folder with TENSORLAYER_HOME or tl.connect(home=...), or connect to a server of "
                "yours by its URI."
            ) from error

    def read(self) -> ServerRecord | None:
        """Return the record of the server, None before the first start.

        Raises
        ------
        ServerFailed
            When the record cannot be read.
        """
        try:
            return ServerRecord(**json.loads(self._record.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ServerFailed(
                f"home {str(self.path)!r}: server.json cannot be read: {error.strerror}. Use the "
                "account that owns the folder, or choose another one with TENSORLAYER_HOME or "
                "tl.connect(home=...)."
            ) from None
        except (ValueError, TypeError) as error:
            raise ServerFailed(
                f"home {str(self.path)!r}: server.json cannot be read ({type(error).__name__}). It "
                "holds the password of this database: restore it, or move the folder away."
            ) from None

    def write(self, record: ServerRecord) -> None:
        """Replace the record in one step; a reader sees the old one or the new one.

        Only whoever is about to start the server may write it.
        """
        with self.written():
            for left in self.path.glob(f"{self._record.name}.*"):
                left.unlink(missing_ok=True)  # of a process that was killed while it wrote
            _write_secret(self._record, json.dumps(dataclasses.asdict(record)))

    def is_supervised(self) -> bool:
        """Tell whether a supervisor is running; only whoever is about to start one may ask."""
        return self._is_locked(self.pids)

    def is_served(self) -> bool:
        """Tell whether a mongod holds the data; only whoever is about to start one may ask."""
        return self._is_locked(self.data / "mongod.lock")

    def supervisor_pid(self) -> int | None:
        """Return the process that watches the server, None when there is none."""
        return _pids(self.pids)[0] if self.is_supervised() else None

    def server_pid(self) -> int | None:
        """Return the process that holds the data, None when there is none.

        The lock is the proof that the number is that of the server, not of a later process.
        """
        if not self.is_served():
            return None
        if self.is_supervised():
            return self.last_pid()
        return _pids(self.data / "mongod.lock")[0]

    def last_pid(self) -> int | None:
        """Return the server that was started last, whether or not it still runs."""
        return _pids(self.pids)[1]

    def is_starting(self) -> bool:
        """Tell whether somebody is starting or stopping the server."""
        return self._is_locked(self.path / _START_LOCK)

    def has_clients(self) -> bool:
        """Tell whether anybody is connected."""
        return self._is_locked(self.path / CLIENTS_LOCK)

    def share(self, deadline: float) -> int:
        """Return a descriptor that makes this process a client until it is closed."""
        return self._lock(CLIENTS_LOCK, fcntl.LOCK_SH, deadline)

    @contextlib.contextmanager
    def starting(
        self, deadline: float, *, gets_on: Callable[[], bool] = lambda: False
    ) -> Iterator[None]:
        """Be the only process that starts or stops the server of this home.

        Parameters
        ----------
        deadline
            When to give up, by `time.monotonic`.
        gets_on
            Asked after the deadline: whether to wait on for whoever is starting it.
        """
        descriptor = self._lock(_START_LOCK, fcntl.LOCK_EX, deadline, gets_on)
        try:
            yield
        finally:
            os.close(descriptor)

    def _lock(
        self,
        name: str,
        operation: int,
        deadline: float,
        gets_on: Callable[[], bool] = lambda: False,
    ) -> int:
        with self.written():
            descriptor = open_lock(self.path / name)
        while not try_lock(descriptor, operation):
            if time.monotonic() >= deadline and not gets_on():
                os.close(descriptor)
                raise ServerFailed(
                    f"home {str(self.path)!r}: another process holds {name} for too long. Wait for "
                    "it, or end it and try again."
                )
            time.sleep(_LOCK_POLL_SECONDS)
        return descriptor

    def _is_locked(self, path: Path) -> bool:
        try:
            # Neither made nor written: the home may be read-only.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not try_lock(descriptor, fcntl.LOCK_EX)
        finally:
            os.close(descriptor)


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, and make it appear whole."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _pids(path: Path) -> tuple[int | None, int | None]:
    """Return the first two numbers in a file, as far as they are there."""
    try:
        words = path.read_text(encoding="utf-8").split()
    except FileNotFoundError:
        words = []
    first, second = [int(word) if word.isdigit() else None for word in (words + [""] * 2)[:2]]
    return first, second


__all__ = ["Home", "ServerRecord"]
