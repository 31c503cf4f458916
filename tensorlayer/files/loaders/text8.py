"""text8: the first 100 million letters of a cleaned English Wikipedia."""

from __future__ import annotations

import os
import zipfile

from tensorlayer.files.loaders.place import fetch, read_whole

__all__ = ["load_matt_mahoney_text8_dataset"]

URL = "http://mattmahoney.net/dc/"


def load_matt_mahoney_text8_dataset(path: str | os.PathLike[str] = "data") -> list[str]:
    """Load text8 as a list of 17,005,207 words, for word embeddings.

    Parameters
    ----------
    path
        Where ``text8.zip`` is, or is to be downloaded to (``path/mm_test8``).

    Raises
    ------
    DownloadFailed
        It is not there and cannot be downloaded.
    Corrupt
        The archive is damaged.
    """
    archive = fetch(path, "mm_test8", "text8.zip", URL)
    with read_whole(archive, "a zip archive with one text"), zipfile.ZipFile(archive) as file:
        return file.read(file.namelist()[0]).decode("ascii").split()
