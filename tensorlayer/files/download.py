"""Downloads: whole or not at all, checked, and resumed where they broke off."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from tensorlayer.errors import Corrupt, DownloadFailed, InvalidArgument
from tensorlayer.files.archives import extract as extract_archive

__all__ = ["download", "download_file_from_google_drive", "maybe_download_and_extract"]

_log = logging.getLogger(__name__)

#: Seconds to wait for a connection and, while connected, for the next bytes.
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
#: How often a broken connection is taken up again before giving up, and the seconds before the
#: first time; each pause is twice as long as the one before.
ATTEMPTS = 4
PAUSE_SECONDS = 0.5
#: Bytes read at a time, and the most that a broken connection loses: large enough that Python's
#: share is small.
CHUNK_BYTES = 16 * 1024

_ALGORITHMS = ("md5", "sha1", "sha256", "sha512")

GOOGLE_DRIVE = "https://drive.usercontent.google.com/download"


def download(
    url: str,
    path: str | os.PathLike[str],
    checksum: str | None = None,
    *,
    expected_bytes: int | None = None,
    attempts: int = ATTEMPTS,
) -> Path:
    """Download a file unless it is there.

    The file appears at ``path`` only when it is complete and its checksum agrees. What had arrived
    when a connection broke stays beside it as ``<name>.part``; this call, or the next one in
    another process, goes on from there if the server's file is still the same. Threads and
    processes that want the same file wait for the one that fetches it.

    Parameters
    ----------
    url
        ``http://`` or ``https://``.
    path
        Where the file is to be. A file that is there is taken as it is: it may be your own.
    checksum
        ``"md5:..."`` or ``"sha256:..."``; None where none is known. Digits alone are SHA-256.
    expected_bytes
        The size, for files whose size is all that is known.
    attempts
        How often to try before giving up.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    InvalidArgument
        It is another kind of address, or ``checksum`` is none.
    DownloadFailed
        The server cannot be reached, does not have the file, or the connection breaks every time.
    Corrupt
        What arrived is not the file: size or checksum differ. It was deleted.
    """
    path = Path(path)
    if not url.startswith(("http://", "https://")):
        raise InvalidArgument(
            f"download: an address starts with http:// or https://, got {url!r}. "
            f"Put the file at {str(path)!r} yourself if it is elsewhere."
        )
    digest = _parsed(checksum)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.with_name(path.name + ".part")):
        if not path.is_file():
            _Fetch(url, path, expected_bytes, attempts).run(digest)
    return path


def _parsed(checksum: str | None) -> tuple[str, str] | None:
    """Return algorithm and digest."""
    if checksum is None:
        return None
    algorithm, _, digest = str(checksum).rpartition(":")
    algorithm = algorithm.lower() or "sha256"
    length = {name: 2 * hashlib.new(name).digest_size for name in _ALGORITHMS}.get(algorithm)
    if length is None or not re.fullmatch(rf"[0-9a-fA-F]{{{length}}}", digest):
        raise InvalidArgument(
            f'download: checksum is "md5:" and 32 hexadecimal digits, or "sha256:" and 64, got '
            f"{checksum!r}. Nothing was downloaded."
        )
    return algorithm, digest.lower()


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Wait until no other thread or process downloads the file of this part."""
    try:
        import fcntl
    except ImportError:  # Windows: two processes may fetch a file twice, and one of them wins
        yield
        return
    while True:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_at(part, descriptor):
            break
        os.close(descriptor)  # who had it has moved it to its place, or thrown it away
    try:
        yield
    finally:
        if _is_at(part, descriptor) and not os.fstat(descriptor).st_size:
            part.unlink()
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


class _BrokenOff(Exception):
    """The connection broke; trying again may help."""


class _Fetch:
    """One download that keeps what has arrived and goes on from there.

    Beside ``<name>.part`` lies ``<name>.part.tag``, by which one tells whether the server's file is
    still the same one (RFC 9110, If-Range).
    """

    def __init__(self, url: str, path: Path, expected_bytes: int | None, attempts: int) -> None:
        self.url, self.path = url, path
        self.part = path.with_name(path.name + ".part")
        self.tag = path.with_name(path.name + ".part.tag")
        self.expected_bytes = expected_bytes
        self.attempts = attempts

    def run(self, digest: tuple[str, str] | None) -> None:
        """Fetch the file and move it to its place."""
        for attempt in range(1, self.attempts + 1):
            try:
                self._attempt()
                break
            except _BrokenOff as error:
                if attempt == self.attempts:
                    raise DownloadFailed(self._message(error)) from error
                _log.warning("download of %s broke off (%s); trying again", self.url, error)
                time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
        self.tag.unlink(missing_ok=True)
        self._check(digest)
        self.part.replace(self.path)

    def _message(self, error: BaseException) -> str:
        kept = ""
        if self.part.is_file() and self.part.stat().st_size:
            size = self.part.stat().st_size
            kept = f" {size} bytes are kept in {str(self.part)!r} for the next call."
        return (
            f"{self.url} could not be downloaded: {error}.{kept} You may also put the file at "
            f"{str(self.path)!r} yourself."
        )

    def _check(self, digest: tuple[str, str] | None) -> None:
        size = self.part.stat().st_size
        wrong = ""
        if self.expected_bytes is not None and size != self.expected_bytes:
            wrong = f"{size} bytes instead of {self.expected_bytes}; they were deleted"
        elif digest is not None:
            with self.part.open("rb") as file:
                found = hashlib.file_digest(file, digest[0]).hexdigest()
            if found != digest[1]:
                wrong = f"a file whose checksum is not {':'.join(digest)}; it was deleted"
        if wrong:
            self.part.unlink()
            raise Corrupt(
                f"{self.url} sent {wrong}. Try again later, or put the right file at "
                f"{str(self.path)!r} yourself."
            )

    def _attempt(self) -> None:
        import requests

        start, tag = self._progress()
        # Identity: the length of a compressed answer would not be the length of the file.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": tag}
        timeout = (CONNECT_SECONDS, READ_SECONDS)
        try:
            with requests.get(self.url, headers=headers, stream=True, timeout=timeout) as response:
                self._receive(response, start, tag)
        except requests.RequestException as error:
            raise _BrokenOff(str(error)) from error

    def _progress(self) -> tuple[int, str]:
        """Return how many bytes have arrived before, and the server's tag for that file."""
        if self.part.is_file() and self.tag.is_file():
            return self.part.stat().st_size, self.tag.read_text(encoding="latin-1")
        return 0, ""

    def _receive(self, response: Any, start: int, tag: str) -> None:
        self._refuse(response)
        begin = _first_byte(response)
        if response.status_code == 416 or (begin and (begin != start or _tag_of(response) != tag)):
            # The file is not that long any more, or not the same one, or it is another part of it.
            self.part.write_bytes(b"")
            raise _BrokenOff("the file on the server has changed")
        length = response.headers.get("Content-Length")
        total = begin + int(length) if length is not None else None
        self._keep_tag(response)
        # Without a buffer, which would be lost with the process.
        with self.part.open("ab" if begin else "wb", buffering=0) as file:
            self._copy(response, file, begin, total)
        if total is not None and self.part.stat().st_size != total:
            raise _BrokenOff(f"{self.part.stat().st_size} of {total} bytes arrived")

    def _refuse(self, response: Any) -> None:
        """Raise for answers that bring nothing of the file."""
        code, reason = response.status_code, f"{response.status_code} {response.reason}"
        if code >= 500:
            raise _BrokenOff(f"the server answered {reason}")
        if code not in (200, 206, 416):
            raise DownloadFailed(self._message(OSError(f"the server answered {reason}")))
        # Log-in pages, of hotels and of Google Drive, are sent as if all were well.
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if code == 200 and is_page and self.path.suffix not in {".html", ".htm"}:
            reason = f"the server sent a page instead of {self.path.name}"
            raise DownloadFailed(self._message(OSError(reason)))

    def _keep_tag(self, response: Any) -> None:
        if tag := _tag_of(response):
            self.tag.write_text(tag, encoding="latin-1")
        else:
            self.tag.unlink(missing_ok=True)

    def _copy(self, response: Any, file: Any, start: int, total: int | None) -> None:
        """Write what arrives, with a progress bar where standard error is a terminal."""
        options = {"unit": "B", "unit_scale": True, "desc": self.path.name, "disable": None}
        with tqdm(total=total, initial=start, **options) as bar:
            for chunk in response.iter_content(CHUNK_BYTES):
                file.write(chunk)
                bar.update(len(chunk))


def _first_byte(response: Any) -> int:
    """Return where in the file an answer begins."""
    if response.status_code != 206:
        return 0
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if found is None:
        raise _BrokenOff("the server sent a part of the file and does not say which")
    return int(found[1])


def _tag_of(response: Any) -> str:
    """Return by what the server tells one state of its file from another."""
    etag = response.headers.get("ETag", "")
    # A weak tag may be the same for files that differ.
    return ("" if etag.startswith("W/") else etag) or response.headers.get("Last-Modified", "")


def maybe_download_and_extract(
    filename: str,
    working_directory: str | os.PathLike[str],
    url_source: str,
    extract: bool = False,
    expected_bytes: int | None = None,
    *,
    checksum: str | None = None,
) -> str:
    """Download a file into a folder unless it is there, and perhaps unpack it there.

    Parameters
    ----------
    filename
        The file; ``url_source`` followed by it is the address.
    working_directory
        The folder, made if it is not there.
    url_source
        The address without the name of the file, with its last slash.
    extract
        Unpack it (zip or tar) into the folder.
    expected_bytes
        The size of the file.
    checksum
        ``"md5:..."`` or ``"sha256:..."``.

    Returns
    -------
    str
        The path of the file.

    Raises
    ------
    DownloadFailed, Corrupt
        See [`download`][]. A file that was there and has another size than ``expected_bytes`` is
        ``Corrupt`` as well, and stays as it is.
    """
    path = download(
        url_source + filename,
        Path(working_directory) / filename,
        checksum,
        expected_bytes=expected_bytes,
    )
    if expected_bytes is not None and path.stat().st_size != expected_bytes:
        raise Corrupt(
            f"{str(path)!r} has {path.stat().st_size} bytes instead of {expected_bytes}. "
            "Delete it and call again to download it."
        )
    if extract:
        extract_archive(path, working_directory)
    return str(path)


def download_file_from_google_drive(ID: str, destination: str | os.PathLike[str]) -> None:
    """Download a shared file of Google Drive unless it is there.

    Parameters
    ----------
    ID
        The letters and digits in the address of the shared file.
    destination
        Where the file is to be.

    Raises
    ------
    InvalidArgument
        ``ID`` is not one.
    DownloadFailed
        See [`download`][]; also if Google sends a page, which it does when a file is not shared
        or was asked for too often.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", ID):
        raise InvalidArgument(
            f"download_file_from_google_drive: an ID has letters, digits, - and _, got {ID!r}. "
            "It is the part of the shared address after /d/ or id=."
        )
    download(f"{GOOGLE_DRIVE}?id={ID}&export=download&confirm=t", destination)
