"""WMT English and French: sentences for translation."""

from __future__ import annotations

import os
from pathlib import Path

from tensorlayer.files.archives import gunzip
from tensorlayer.files.loaders.place import find, unpack

__all__ = ["load_wmt_en_fr_dataset"]

TRAIN_URL = "http://www.statmt.org/wmt10/"
DEV_URL = "http://www.statmt.org/wmt15/"
TRAIN_ARCHIVE, TRAIN = "training-giga-fren.tar", "giga-fren.release2.fixed"
DEV_ARCHIVE, DEV = "dev-v2.tgz", "newstest2013"
FOLDER = "wmt_en_fr"
LANGUAGES = ("en", "fr")

Place = str | os.PathLike[str]


def load_wmt_en_fr_dataset(path: Place = "data") -> tuple[str, str]:
    """Get the 22 million pairs of sentences of the 10^9 corpus, and newstest2013.

    Parameters
    ----------
    path
        Where the texts or the archives ``training-giga-fren.tar`` and ``dev-v2.tgz`` are, or are to
        be downloaded to (``path/wmt_en_fr``). The first has 2.5 GB; its texts have 8 GB.

    Returns
    -------
    tuple of str
        The paths of the training and the development texts without their endings: append ``.en``
        or ``.fr``. One sentence a line, in the same order.

    Raises
    ------
    DownloadFailed
        An archive is not there and cannot be downloaded.
    Corrupt
        An archive is damaged.
    """
    return _train(path), _dev(path)


def _train(path: Place) -> str:
    for language in LANGUAGES:
        text = f"{TRAIN}.{language}"
        if find(path, FOLDER, text) is None:
            packed = unpack(path, FOLDER, f"{text}.gz", TRAIN_ARCHIVE, TRAIN_URL)
            gunzip(packed, Path(path) / FOLDER / text)
    return _without_ending(path, TRAIN)


def _dev(path: Place) -> str:
    if all(find(path, FOLDER, f"{DEV}.{language}") for language in LANGUAGES):
        return _without_ending(path, DEV)  # beside the others, as earlier releases put it
    for language in LANGUAGES:
        unpack(path, FOLDER, f"dev/{DEV}.{language}", DEV_ARCHIVE, DEV_URL)
    return _without_ending(path, f"dev/{DEV}")


def _without_ending(path: Place, name: str) -> str:
    return str(find(path, FOLDER, f"{name}.{LANGUAGES[0]}")).removesuffix(f".{LANGUAGES[0]}")
