"""The writings of Friedrich Nietzsche, for models of letters."""

from __future__ import annotations

import os

from tensorlayer.files.loaders.place import fetch, read_whole

__all__ = ["load_nietzsche_dataset"]

URL = "https://s3.amazonaws.com/text-datasets/"


def load_nietzsche_dataset(path: str | os.PathLike[str] = "data") -> str:
    """Load Nietzsche's writings as one text of 600,000 letters.

    Parameters
    ----------
    path
        Where ``nietzsche.txt`` is, or is to be downloaded to (``path/nietzsche``).

    Raises
    ------
    DownloadFailed
        It is not there and cannot be downloaded.
    Corrupt
        It is no text.
    """
    file = fetch(path, "nietzsche", "nietzsche.txt", URL)
    with read_whole(file, "a text in UTF-8"):
        return file.read_text(encoding="utf-8")
