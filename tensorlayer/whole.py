"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["whole_file", "whole_folder"]


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
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
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

    A reader sees the old folder, the new one or, for a moment, none, but never a part. If the block
    raises, ``path`` stays as it was. A process that is killed leaves a hidden folder beside it,
    ``.name.*``; in that moment the old one and the new one are both in there.

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
    path = Path(os.path.realpath(path))  # behind a link, which stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    new, old = work / "new", work / "old"
    try:
        new.mkdir()  # of the rights that the umask says, which mkdtemp does not ask
        yield new
        if path.exists():
            path.rename(old)
        try:
            new.rename(path)
        except BaseException:
            if old.exists():
                old.rename(path)
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
