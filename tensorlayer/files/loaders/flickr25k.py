"""MIRFLICKR-25k: 25,000 pictures with the tags of their owners."""

from __future__ import annotations

import os

import numpy as np

from tensorlayer.files.folders import load_file_list
from tensorlayer.files.loaders.place import read_whole, unpack

__all__ = ["load_flickr25k_dataset"]

URL = "http://press.liacs.nl/mirflickr/mirflickr25k/"
ARCHIVE = "mirflickr25k.zip"


def load_flickr25k_dataset(
    tag: str | None = "sky",
    path: str | os.PathLike[str] = "data",
    n_threads: int = 50,
    printable: bool = False,
) -> list[np.ndarray]:
    """Load the pictures with a tag.

    Parameters
    ----------
    tag
        A tag such as ``"dog"``; None for all pictures, which need 9 GB.
    path
        Where the folder ``mirflickr`` or the archive ``mirflickr25k.zip`` is, or is to be
        downloaded to (``path/flickr25k``).
    n_threads
        How many pictures are read at a time; reading waits for the disk most of the time.
    printable
        Whether to log the progress.

    Returns
    -------
    list of ndarray
        The pictures, of different sizes, in the order of their numbers.

    Raises
    ------
    DownloadFailed
        It is not there and cannot be downloaded.
    Corrupt
        The archive or a picture is damaged.

    References
    ----------
    M. Huiskes, M. Lew: The MIR Flickr retrieval evaluation. 2008.
    """
    from tensorlayer import visualize

    folder = unpack(path, "flickr25k", "mirflickr", ARCHIVE, URL)
    images = load_file_list(folder, r"\.jpg$", printable)
    if tag is not None:
        tags = load_file_list(folder / "meta" / "tags", r"\.txt$", printable)
        numbers = {
            name.removesuffix(".txt").removeprefix("tags")
            for name in tags
            if tag in (folder / "meta" / "tags" / name).read_text("utf-8", errors="replace").split()
        }
        images = [each for each in images if _number(each) in numbers]
    with read_whole(folder, "a folder of pictures"):
        return list(visualize.read_images(images, str(folder), n_threads, printable))


def _number(image: str) -> str:
    return image.removesuffix(".jpg").removeprefix("im")
