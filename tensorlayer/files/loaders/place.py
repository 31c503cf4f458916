"""Where the files of a dataset lie: found under ``path``, else downloaded to it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tensorlayer.damage import damage_as_corrupt
from tensorlayer.errors import Corrupt
from tensorlayer.files.archives import extract
from tensorlayer.files.download import download

__all__ = ["fetch", "find", "read_whole", "unpack", "unpack_as"]

Place = str | os.PathLike[str]


def find(path: Place, folder: str, name: str) -> Path | None:
    """Return where ``name`` is, in ``path/folder`` or in ``path``, or None."""
    for place in (Path(path) / folder / name, Path(path) / name):
        if place.exists():
            return place
    return None


def fetch(path: Place, folder: str, name: str, url: str, checksum: str | None = None) -> Path:
    """Return where the file is; one that is not there is downloaded to ``path/folder``.

    Raises
    ------
    DownloadFailed, Corrupt
        See [`tensorlayer.files.download`][].
    """
    return find(path, folder, name) or download(url + name, Path(path) / folder / name, checksum)


def unpack(
    path: Place, folder: str, name: str, archive: str, url: str = "", checksum: str | None = None
) -> Path:
    """Return where the file or folder is; else unpack the archive, downloaded if need be.

    Raises
    ------
    DownloadFailed
        See [`tensorlayer.files.download`][].
    Corrupt
        The archive is damaged, or is another one.
    """
    found = find(path, folder, name)
    if found is None:
        packed = fetch(path, folder, archive, url, checksum)
        extract(packed, Path(path) / folder)
        found = find(path, folder, name)
        if found is None:
            raise Corrupt(_another(packed, name))
    return found


def unpack_as(target: Path, packed: Path, inner: str) -> Path:
    """Unpack an archive of which only the folder ``inner`` is wanted, under another name.

    Raises
    ------
    Corrupt
        The archive is damaged, or there is no such folder in it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as temporary:
        extract(packed, temporary)
        if not (Path(temporary) / inner).is_dir():
            raise Corrupt(_another(packed, inner))
        return (Path(temporary) / inner).replace(target)


def _another(packed: Path, inner: str) -> str:
    return (
        f"{str(packed)!r} was unpacked, but there is no {inner!r} in it. Delete it and get the "
        "right one."
    )


@contextmanager
def read_whole(path: Place, what: str) -> Iterator[None]:
    """Turn what a parser raises about a file into one error that names the file.

    Raises
    ------
    Corrupt
        Something in the block raised.
    """
    with damage_as_corrupt(path, f"is not {what}, or it is damaged", "Delete it and get it again."):
        yield
