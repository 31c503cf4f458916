"""Unpacking zip and tar archives."""

from __future__ import annotations

import gzip
import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tensorlayer.damage import check_unpacked_size, damage_as_corrupt
from tensorlayer.errors import Conflict
from tensorlayer.whole import whole_file

__all__ = ["extract", "gunzip"]

CHUNK_BYTES = 1024 * 1024

_REMEDY = "Nothing of it was kept; delete the archive and get it again."


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
    FileNotFoundError
        There is no such archive.
    Corrupt
        It is not an archive, or a damaged one, or would unpack to more than 1 GiB and 100 times its
        own length.
    Conflict
        A folder is where the archive has a file, or a file where it has a folder. Nothing was
        unpacked.

    Examples
    --------
    >>> with zipfile.ZipFile("two.zip", "w") as file:
    ...     file.writestr("images/a.txt", "A")
    >>> extract("two.zip", "data")
    >>> Path("data/images/a.txt").read_text()
    'A'
    """
    if not Path(archive).is_file():
        raise FileNotFoundError(f"there is no archive {os.fspath(archive)!r}.")
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as temporary:
        with damage_as_corrupt(archive, "cannot be unpacked", _REMEDY):
            _unpack(Path(archive), temporary)
        _check_places(Path(archive), Path(temporary), Path(folder))
        _move(Path(temporary), Path(folder))


def _unpack(archive: Path, folder: str) -> None:
    n_packed = archive.stat().st_size
    with archive.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if is_zip:
        with zipfile.ZipFile(archive) as file:
            check_unpacked_size(archive, n_packed, sum(each.file_size for each in file.filelist))
            file.extractall(folder)
        return
    n_unpacked = 0

    def counted(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo:
        nonlocal n_unpacked
        n_unpacked += member.size
        check_unpacked_size(archive, n_packed, n_unpacked)
        return tarfile.data_filter(member, path)

    with tarfile.open(archive) as file:
        file.extractall(folder, filter=counted)
        while file.fileobj.read(CHUNK_BYTES):  # to the end, where the checksum is
            pass


def _check_places(archive: Path, source: Path, target: Path) -> None:
    """Refuse what cannot be moved, before anything is."""
    for entry in source.rglob("*"):
        place = target / entry.relative_to(source)
        is_folder = entry.is_dir() and not entry.is_symlink()
        if place.exists() and is_folder != place.is_dir():
            there, wanted = ("file", "folder") if is_folder else ("folder", "file")
            raise Conflict(
                f"{str(archive)!r} has a {wanted} where there is the {there} {str(place)!r}. "
                "Nothing was unpacked; move it away, or unpack into another folder."
            )


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
    n_packed, n_unpacked = Path(archive).stat().st_size, 0
    with (
        damage_as_corrupt(archive, "cannot be unpacked", "Delete it and get it again."),
        whole_file(path) as temporary,
        gzip.open(archive) as packed,
        temporary.open("wb") as file,
    ):
        while chunk := packed.read(CHUNK_BYTES):
            n_unpacked += len(chunk)
            check_unpacked_size(archive, n_packed, n_unpacked)
            file.write(chunk)
