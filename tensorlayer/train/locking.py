"""A folder for one run at a time."""

from __future__ import annotations

import contextlib
import logging
import os
import weakref
from collections.abc import Iterator
from typing import IO

from tensorlayer.errors import InvalidArgument

__all__ = ["locked"]

# A process that is forked shares the locks of the one that forked it, and would hold them on when
# that one is killed.
_HELD: weakref.WeakSet[IO[bytes]] = weakref.WeakSet()

_logger = logging.getLogger(__name__)


@contextlib.contextmanager
def locked(folder: str | os.PathLike[str], who: str) -> Iterator[None]:
    """Have a folder for oneself: a second run would remove what the first has saved.

    The lock, a file of that name in the folder, ends with the process, however that ends. Where the
    file system has no locks, a warning says so.

    Parameters
    ----------
    folder
        Made if it is not there.
    who
        What an error begins with.

    Raises
    ------
    InvalidArgument
        Somebody else has it.

    Examples
    --------
    >>> with locked("run", who="training"):
    ...     with locked("run", who="training"):
    ...         pass
    Traceback (most recent call last):
    ...
    tensorlayer.errors.InvalidArgument: training: another run is using the folder 'run', and ...
    """
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "lock")
    with open(path, "ab") as file, _flock(file, os.fspath(folder), who):
        yield


@contextlib.contextmanager
def _flock(file: IO[bytes], folder: str, who: str) -> Iterator[None]:
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InvalidArgument(
            f"{who}: another run is using the folder {folder!r}, and a folder is for one run. Wait "
            "for it to end, or take another folder."
        ) from error
    except (ImportError, OSError) as error:  # Windows, and some file systems of clusters
        _logger.warning("%s: %r cannot be locked (%s): let one run use it.", who, folder, error)
        yield
        return
    _HELD.add(file)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)  # also for those that were forked


def _let_go() -> None:
    for file in list(_HELD):
        file.close()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_let_go)
