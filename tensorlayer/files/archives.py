"""Unpacking zip and tar archives."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import struct
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

from tensorlayer.errors import Corrupt
from tensorlayer.whole import whole_file

__all__ = ["DAMAGE", "extract", "gunzip", "reason"]

CHUNK_BYTES = 1024 * 1024

#: What reading a damaged archive raises.
DAMAGE = (
    EOFError,
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def reason(error: BaseException) -> str:
    """Return what an error says, in words also where it says next to nothing.

    Examples
    --------
    >>> reason(ValueError("bad header")), reason(EOFError()), reason(KeyError("X"))
    ('bad header', 'EOFError', "there is no 'X' in it")
    """
    if isinstance(error, KeyError):
        return f"there is no {error} in it"
    return str(error) or type(error).__name__


def extract(archive: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
    """Unpack a zip or tar archive, compressed or not, into a folder.

    It is unpacked beside its place first and moved when it is complete, so a damaged archive, a
    full disk or a killed process leaves no part of it. Members that would land outside the folder
    are never written.

    Parameters
    ----------
    archive
        The file; its content decides the format.
    folder
        Made if it is not there; files of the same name are replaced.

    Raises
    ------
    Corrupt
        It is not an archive, or a damaged one.

    Examples
    --------
    >>> with zipfile.ZipFile("two.zip", "w") as file:
    ...     file.writestr("images/a.txt", "A")
    >>> extract("two.zip", "data")
    >>> Path("data/images/a.txt").read_text()
    'A'
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as temporary:
        try:
            _unpack(Path(archive), temporary)
        except DAMAGE as error:
            raise Corrupt(
                f"{os.fspath(archive)!r} cannot be unpacked: {reason(error)}. "
                "Nothing of it was kept; delete the archive and get it again."
            ) from error
        _move(Path(temporary), Path(folder))


def _unpack(archive: Path, folder: str) -> None:
    with archive.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if is_zip:
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
    else:
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
            while file.fileobj.read(CHUNK_BYTES):  # to the end, where the checksum is
                pass


def _move(source: Path, target: Path) -> None:
    """Move what is in ``source`` into ``target``; folders that are there already are merged."""
    for entry in list(source.iterdir()):
        place = target / entry.name
        if entry.is_dir() and not entry.is_symlink() and place.is_dir():
            _move(entry, place)
        else:
            entry.replace(place)


def gunzip(archive: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Write what a gz file holds to ``path``, which appears whole or not at all.

    Raises
    ------
    Corrupt
        The file is no gz file, or a damaged one.
    """
    try:
        with (
            whole_file(path) as temporary,
            gzip.open(archive) as packed,
            temporary.open("wb") as file,
        ):
            shutil.copyfileobj(packed, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Corrupt(
            f"{os.fspath(archive)!r} cannot be unpacked: {reason(error)}. Delete it and "
            "get it again."
        ) from error
