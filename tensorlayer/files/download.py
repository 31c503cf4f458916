"""Downloads: whole or not at all, checked, and resumed where they broke off."""

from __future__ import annotations

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
        ``"md5:..."`` or ``"sha256:..."``; None where none is known.
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
        It is another kind of address.
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
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.parent):
        if not path.is_file():
            _fetch(url, path, checksum, _Resuming(path, expected_bytes, attempts))
    return path


def _fetch(url: str, path: Path, checksum: str | None, downloader: _Resuming) -> None:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)  # it reports to standard error otherwise
    try:
        pooch.retrieve(url, checksum, path.name, path.parent, downloader=downloader)
    except ValueError as error:  # the checksum; what pooch had fetched is deleted
        raise Corrupt(
            f"{url} sent a file whose checksum is not {checksum}; it was deleted. Try again "
            f"later, or put the right file at {str(path)!r} yourself."
        ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other thread or process downloads into ``folder``."""
    try:
        import fcntl
    except ImportError:  # Windows: two processes may fetch a file twice, and one of them wins
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class _BrokenOff(Exception):
    """The connection broke; trying again may help."""


class _Resuming:
    """A downloader for pooch that keeps what has arrived and goes on from there.

    Beside ``<name>.part`` lies ``<name>.part.tag``, by which the server tells whether its file is
    still the same one (RFC 9110, If-Range).
    """

    def __init__(self, path: Path, expected_bytes: int | None, attempts: int) -> None:
        self.path = path
        self.part = path.with_name(path.name + ".part")
        self.tag = path.with_name(path.name + ".part.tag")
        self.expected_bytes = expected_bytes
        self.attempts = attempts

    def __call__(self, url: str, output_file: str, _: Any) -> None:
        """Fetch ``url`` and move it to ``output_file``."""
        for attempt in range(1, self.attempts + 1):
            try:
                self._attempt(url)
                break
            except _BrokenOff as error:
                if attempt == self.attempts:
                    raise DownloadFailed(self._message(url, error)) from error
                _log.warning("download of %s broke off (%s); trying again", url, error)
                time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
        self.tag.unlink(missing_ok=True)
        self._check_size(url)
        self.part.replace(output_file)

    def _message(self, url: str, error: BaseException) -> str:
        kept = ""
        if self.part.is_file() and self.part.stat().st_size:
            size = self.part.stat().st_size
            kept = f" {size} bytes are kept in {str(self.part)!r} for the next call."
        return (
            f"{url} could not be downloaded: {error}.{kept} You may also put the file at "
            f"{str(self.path)!r} yourself."
        )

    def _check_size(self, url: str) -> None:
        size = self.part.stat().st_size
        if self.expected_bytes is not None and size != self.expected_bytes:
            self.part.unlink()
            raise Corrupt(
                f"{url} sent {size} bytes instead of {self.expected_bytes}; they were deleted. "
                f"Try again later, or put the right file at {str(self.path)!r} yourself."
            )

    def _attempt(self, url: str) -> None:
        import requests

        start, tag = self._progress()
        # Identity: the length of a compressed answer would not be the length of the file.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": tag}
        timeout = (CONNECT_SECONDS, READ_SECONDS)
        try:
            with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
                self._receive(url, response, start)
        except requests.RequestException as error:
            raise _BrokenOff(str(error)) from error

    def _progress(self) -> tuple[int, str]:
        """Return how many bytes have arrived before, and the server's tag for that file."""
        if self.part.is_file() and self.tag.is_file():
            return self.part.stat().st_size, self.tag.read_text(encoding="latin-1")
        return 0, ""

    def _receive(self, url: str, response: Any, start: int) -> None:
        if response.status_code == 416:  # the file is no longer that long: from the start
            self.part.unlink(missing_ok=True)
            raise _BrokenOff("the file on the server has changed")
        if response.status_code >= 500:
            raise _BrokenOff(f"the server answered {response.status_code} {response.reason}")
        if response.status_code not in (200, 206):
            reason = f"the server answered {response.status_code} {response.reason}"
            raise DownloadFailed(self._message(url, OSError(reason)))
        self._refuse_page(url, response)
        resumed = response.status_code == 206
        start = start if resumed else 0
        length = response.headers.get("Content-Length")
        total = start + int(length) if length is not None else None
        self._keep_tag(response)
        # Without a buffer, which would be lost with the process.
        with self.part.open("ab" if resumed else "wb", buffering=0) as file:
            self._copy(response, file, start, total)
        if total is not None and self.part.stat().st_size != total:
            raise _BrokenOff(f"{self.part.stat().st_size} of {total} bytes arrived")

    def _refuse_page(self, url: str, response: Any) -> None:
        """Log-in pages, of hotels and of Google Drive, are sent as if all were well."""
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page and self.path.suffix not in {".html", ".htm"}:
            reason = f"the server sent a page instead of {self.path.name}"
            raise DownloadFailed(self._message(url, OSError(reason)))

    def _keep_tag(self, response: Any) -> None:
        etag = response.headers.get("ETag", "")
        tag = response.headers.get("Last-Modified", "") if etag.startswith("W/") else etag
        tag = tag or response.headers.get("Last-Modified", "")
        if tag:
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
        See :func:`download`. A file that was there and has another size than ``expected_bytes`` is
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
        See :func:`download`; also if Google sends a page, which it does when a file is not shared
        or was asked for too often.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", ID):
        raise InvalidArgument(
            f"download_file_from_google_drive: an ID has letters, digits, - and _, got {ID!r}. "
            "It is the part of the shared address after /d/ or id=."
        )
    download(f"{GOOGLE_DRIVE}?id={ID}&export=download&confirm=t", destination)
