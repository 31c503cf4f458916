"""Locks of files, which end with the process that holds them."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Iterator
from typing import IO

__all__ = ["held", "one_at_a_time"]

# A process that is forked shares the locks of the one that forked it, and would hold them on when
# that one is killed.
_HELD: weakref.WeakSet[IO[bytes]] = weakref.WeakSet()


@contextlib.contextmanager
def held(path: str | os.PathLike[str], *, is_made: bool = True) -> Iterator[bool | None]:
    """Lock a file, and give whether it is this one's; None where there are no locks.

    There are none on Windows and on some file systems of clusters. Nobody waits: somebody else who
    has the lock, also in this process, is False at once. It is let go when the block ends, or the
    process, however that ends.

    Parameters
    ----------
    path
        The file. Who removes it takes the lock from its name, and is to hold it.
    is_made
        Make it if it is not there; else FileNotFoundError.

    Examples
    --------
    >>> with held("lock") as ours, held("lock") as theirs:
    ...     ours, theirs
    (True, False)
    """
    with open(path, "ab" if is_made else "r+b") as file:
        is_held = _lock(file, path)
        if is_held:
            _HELD.add(file)
        try:
            yield is_held
        finally:
            if is_held and not file.closed:  # as it is in a process that was forked
                _unlock(file)


@contextlib.contextmanager
def one_at_a_time(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Wait until nobody else is in such a block for a folder; not where there are no locks.

    Examples
    --------
    >>> with one_at_a_time("."):
    ...     os.path.exists("lock")
    False
    """
    descriptor = os.open(folder, os.O_RDONLY) if hasattr(os, "O_DIRECTORY") else None
    try:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(file: IO[bytes], path: str | os.PathLike[str]) -> bool | None:
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))  # else it was removed
    except (BlockingIOError, FileNotFoundError):
        return False
    except (ImportError, OSError):
        return None


def _unlock(file: IO[bytes]) -> None:
    import fcntl

    fcntl.flock(file, fcntl.LOCK_UN)  # also for those that were forked


def _let_go() -> None:
    for file in list(_HELD):
        file.close()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_let_go)
