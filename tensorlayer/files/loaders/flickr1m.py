"""MIRFLICKR-1M: a million pictures with the tags of their owners."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.files.folders import natural_keys
from tensorlayer.files.loaders.place import fetch, find, read_whole, unpack, unpack_as

__all__ = ["load_flickr1M_dataset"]

URL = "http://press.liacs.nl/mirflickr/mirflickr1m/"
TAG_ARCHIVE = "tags.zip"
#: Archives of 100,000 pictures each.
N_PARTS = 10

Place = str | os.PathLike[str]


def load_flickr1M_dataset(  # noqa: N802 - the name that scripts call
    tag: str | None = "sky",
    size: int = 10,
    path: Place = "data",
    n_threads: int = 50,
    printable: bool = False,
) -> list[np.ndarray]:
    """Load the pictures with a tag.

    Parameters
    ----------
    tag
        A tag such as ``"dog"``; None for all pictures.
    size
        How many of the ten archives, of 100,000 pictures or 12 GB each, to use.
    path
        Where ``images0`` to ``images9`` and ``tags`` or their zip archives are, or are to be
        downloaded to (``path/flickr1M``).
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
    InvalidArgument
        ``size`` is not from 1 to 10.
    DownloadFailed
        An archive is not there and cannot be downloaded.
    Corrupt
        An archive or a picture is damaged.

    References
    ----------
    M. Huiskes, B. Thomee, M. Lew: New trends and ideas in visual concept detection. 2010.
    """
    from tensorlayer import visualize

    if not 1 <= size <= N_PARTS:
        raise InvalidArgument(f"load_flickr1M_dataset: size is from 1 to {N_PARTS}, got {size!r}.")
    images = [image for part in range(size) for image in _pictures(path, part)]
    if tag is not None:
        folder = unpack(path, "flickr1M", "tags", TAG_ARCHIVE, URL)
        images = [image for image in images if tag in _tags(folder, image)]
    with read_whole(Path(path), "a folder of pictures"):
        return list(visualize.read_images(images, "", n_threads, printable))


def _pictures(path: Place, part: int) -> list[str]:
    folder = find(path, "flickr1M", f"images{part}")
    if folder is None:
        archive = fetch(path, "flickr1M", f"images{part}.zip", URL)
        # Each archive holds a folder "images", so they need names of their own.
        folder = unpack_as(Path(path) / "flickr1M" / f"images{part}", archive, "images")
    return sorted(map(str, folder.rglob("*.jpg")), key=natural_keys)


def _tags(folder: Path, image: str) -> list[str]:
    """Return the tags of ``.../12/123456.jpg``, which are in ``tags/12/123456.txt``."""
    file = folder / Path(image).parent.name / f"{Path(image).stem}.txt"
    return file.read_text("utf-8", errors="replace").split() if file.is_file() else []
