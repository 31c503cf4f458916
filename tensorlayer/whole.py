"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tensorlayer.errors import InvalidArgument

__all__ = ["local_path", "whole_file", "whole_folder"]

_LOCK = "lock"  #: in a folder of work; who holds it lives

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
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes files private; a data file is not
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder beside ``path`` that takes its place when the block ends well.

    The two change places in one operation of the system, so whoever opens ``path`` finds the old
    folder or the new one, also when the process is killed. If the block raises, ``path`` stays as
    it was. A process that is killed leaves a hidden folder beside it, ``.name.*``, which the next
    one removes. Some file systems, as NFS, cannot exchange two folders: there is none for a moment,
    and after a kill in that moment the next one begins with putting the old one back.

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
    path.parent.mkdir(parents=True, exist_ok=True)
    _put_right(path)
    with _work_folder(path) as work:
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
        except BaseException as error:
            if isinstance(error, OSError) and error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                continue  # somebody else took the place in between
            if old.exists() and not path.exists():
                old.rename(path)
            raise


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
def _work_folder(path: Path) -> Iterator[Path]:
    """Give a hidden folder beside ``path``, locked for as long as this process needs it."""
    while True:
        work = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            with _held(work / _LOCK, os.O_CREAT) as is_held:
                if is_held is False:
                    continue  # another process took it for that of a killed one, and removes it
                if is_held is None:
                    (work / _LOCK).unlink()  # nobody can see who lives: it is not to be removed
                yield work
                return
        finally:
            if path.exists() or not (work / "old").exists():  # else it is the only one there is
                shutil.rmtree(work, ignore_errors=True)


def _put_right(path: Path) -> None:
    """Put back a folder that a killed process had moved away, and remove what else it left."""
    for work in sorted(path.parent.glob(f".{glob.escape(path.name)}.????????")):
        with suppress(OSError):  # that of another user: he will do it
            names = set(os.listdir(work))
            if _LOCK not in names or names - {_LOCK, "new", "old"}:
                continue
            with _held(work / _LOCK) as is_held:
                if not is_held:
                    continue
                if "old" in names and not path.exists():
                    (work / "old").rename(path)
                shutil.rmtree(work)


@contextmanager
def _held(lock: Path, flags: int = 0) -> Iterator[bool | None]:
    """Give whether this process holds the lock, which ends with it; None where there are none."""
    descriptor = os.open(lock, os.O_RDWR | flags, 0o666)
    try:
        yield _is_locked(descriptor, lock)
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int, lock: Path) -> bool | None:
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), os.stat(lock))
    except (BlockingIOError, FileNotFoundError):
        return False
    except (ImportError, OSError):  # Windows, and some file systems of clusters
        return None


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
