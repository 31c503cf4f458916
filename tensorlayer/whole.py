"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from tensorlayer.errors import InvalidArgument
from tensorlayer.locks import held

__all__ = ["local_path", "whole_file", "whole_folder", "work_folder"]

#: In a folder of work: who holds the lock lives; where there are no locks nobody can tell.
_LOCK, _NO_LOCK = "lock", "no_lock"

_AT_FDCWD, _EXCHANGE = -100, 2  # of Linux: paths from the working folder, RENAME_EXCHANGE


def local_path(path: str | os.PathLike[str]) -> Path:
    """Return a path, which is one of this machine.

    Raises
    ------
    InvalidArgument
        It is an address, of which a folder ``gs:`` would be made here.

    Examples
    --------
    >>> local_path("runs/1").name
    '1'
    """
    if re.match("[A-Za-z][A-Za-z0-9+.-]+://", os.fspath(path)):
        raise InvalidArgument(
            f"{os.fspath(path)!r} is an address, and files are written to this machine. Write to a "
            "path of it, and copy what is there, as with tf.io.gfile.copy."
        )
    return Path(path)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary file beside ``path`` that takes its place when the block ends well.

    A reader sees the old file or the new one, never a part, also when the process is killed. If the
    block raises, the temporary file is removed and ``path`` stays as it was.

    Parameters
    ----------
    path
        Where the file is to appear. Its folder is made if it is not there.

    Examples
    --------
    >>> with whole_file("numbers.txt") as temporary:
    ...     _ = temporary.write_text("1 2 3")
    >>> Path("numbers.txt").read_text()
    '1 2 3'
    """
    suffix = local_path(path).suffix
    path = Path(os.path.realpath(path))  # behind a link, which stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{suffix}")
    # Of the rights that the umask says; mkstemp makes files private, and a data file is not.
    os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder beside ``path`` that takes its place when the block ends well.

    The two change places in one operation of the system, so whoever opens ``path`` finds the old
    folder or the new one, also when the process is killed. If the block raises, ``path`` stays as
    it was. A process that is killed leaves a hidden folder beside it, ``.name.*``, which the next
    one removes, unless its file system has no locks: then nobody knows who was killed. Some file
    systems, as NFS, cannot exchange two folders: there is none for a moment, and after a kill in
    that moment the next one begins with putting the old one back.

    Parameters
    ----------
    path
        Where the folder is to appear. What is there goes, with all that is in it: look first
        whether it may.

    Examples
    --------
    >>> with whole_folder("numbers") as temporary:
    ...     _ = (temporary / "one.txt").write_text("1")
    >>> [each.name for each in Path("numbers").iterdir()]
    ['one.txt']
    """
    path = Path(os.path.realpath(local_path(path)))  # behind a link, which stays one
    with work_folder(path) as work:
        new = work / "new"
        new.mkdir()  # of the rights that the umask says, which mkdtemp does not ask
        yield new
        _take_place(new, path, work / "old")


# -- how a folder takes the place of another


def _take_place(new: Path, path: Path, old: Path) -> None:
    """Move a folder to a place, perhaps of another one, which is in ``new`` or ``old`` then."""
    while True:
        if path.exists():
            if _exchange(new, path):
                return
            shutil.rmtree(old, ignore_errors=True)
            with suppress(FileNotFoundError):  # somebody else has moved it
                path.rename(old)
        try:
            new.rename(path)
            return
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            # Somebody else took the place in between.


def _exchange(one: Path, other: Path) -> bool:
    """Have two paths change places in one operation; return False where that cannot be."""
    import ctypes

    try:
        system = ctypes.CDLL(None, use_errno=True)
    except (OSError, TypeError):  # Windows
        return False
    ends = os.fsencode(one), os.fsencode(other)
    if hasattr(system, "renameat2"):  # Linux
        return bool(system.renameat2(_AT_FDCWD, ends[0], _AT_FDCWD, ends[1], _EXCHANGE) == 0)
    if hasattr(system, "renamex_np"):  # macOS, whose flag has the same value
        return bool(system.renamex_np(*ends, _EXCHANGE) == 0)
    return False


# -- what is beside it meanwhile, and after a kill


@contextmanager
def work_folder(path: Path) -> Iterator[Path]:
    """Give a hidden folder beside ``path``, locked for as long as this process needs it.

    What is to take a place is made in a folder ``new`` in it, and what was there goes to ``old``.
    What processes that were killed have left beside ``path`` is removed first.

    Examples
    --------
    >>> with work_folder(Path("numbers.txt")) as work:
    ...     os.path.dirname(work), os.listdir(work)
    ('', ['lock'])
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _put_right(path)
    owner = os.getpid()
    while True:
        work = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            with held(work / _LOCK) as is_held:
                if is_held is False:
                    continue  # another process took it for that of a killed one, and removes it
                if is_held is None:
                    (work / _NO_LOCK).touch()
                yield work
                return
        finally:
            if os.getpid() == owner:  # a process that was forked meanwhile leaves it alone
                _put_back(work, path)
                _remove(work, path)


def _put_right(path: Path) -> None:
    """Put back a folder that a killed process had moved away, and remove what else it left."""
    for work in sorted(path.parent.glob(f".{glob.escape(path.name)}.????????")):
        with suppress(OSError):  # that of another user: he will do it
            names = set(os.listdir(work))
            if _LOCK not in names or names - {_LOCK, _NO_LOCK, "new", "old"}:
                continue
            unknown = nullcontext()  # one that lives, in between, moves it away once more
            held_now = held(work / _LOCK, is_made=False)
            with unknown if _NO_LOCK in names else held_now as is_held:
                if is_held is not False:
                    _put_back(work, path)
                if is_held:
                    _remove(work, path)


def _put_back(work: Path, path: Path) -> None:
    """Put back the folder that was moved away, if there is none now."""
    if (work / "old").exists() and not path.exists():
        with suppress(OSError):  # somebody else took the place in between
            (work / "old").rename(path)


def _remove(work: Path, path: Path) -> None:
    """Remove a folder of work, its lock at the end: a kill leaves what can be removed later on."""
    if path.exists() or not (work / "old").exists():  # else it has the only one there is
        for each in (work / "new", work / "old", work):
            shutil.rmtree(each, ignore_errors=True)
