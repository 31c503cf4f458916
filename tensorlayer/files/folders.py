"""Folders and file lists."""

from __future__ import annotations

import logging
import os
import re
import shutil
from pathlib import Path

from tensorlayer.errors import InvalidArgument
from tensorlayer.logging import printed

__all__ = [
    "del_file",
    "del_folder",
    "exists_or_mkdir",
    "file_exists",
    "folder_exists",
    "load_file_list",
    "load_folder_list",
    "natural_keys",
    "read_file",
]

_log = logging.getLogger(__name__)

Place = str | os.PathLike[str]


def exists_or_mkdir(path: Place, verbose: bool = True) -> bool:
    """Make a folder, with those above it, unless it is there.

    Several processes may do so at once.

    Parameters
    ----------
    path
        The folder.
    verbose
        Whether to log what was done.

    Returns
    -------
    bool
        True if it was there already.

    Examples
    --------
    >>> exists_or_mkdir("checkpoints/run1"), exists_or_mkdir("checkpoints/run1")
    (False, True)
    """
    try:
        Path(path).mkdir(parents=True)
    except FileExistsError:
        if not Path(path).is_dir():
            raise
        if verbose:
            _log.info("folder %s exists", path)
        return True
    if verbose:
        _log.info("folder %s was made", path)
    return False


def file_exists(filepath: Place) -> bool:
    """Tell whether there is a file at this path."""
    return Path(filepath).is_file()


def folder_exists(folderpath: Place) -> bool:
    """Tell whether there is a folder at this path."""
    return Path(folderpath).is_dir()


def del_file(filepath: Place) -> None:
    """Delete a file; one that is not there is an error."""
    Path(filepath).unlink()


def del_folder(folderpath: Place) -> None:
    """Delete a folder with everything in it; one that is not there is an error.

    A symbolic link is not followed.
    """
    shutil.rmtree(folderpath)


def read_file(filepath: Place) -> str:
    """Return the text of a file, read as UTF-8."""
    return Path(filepath).read_text(encoding="utf-8")


def natural_keys(text: str) -> list[int | str]:
    """Return a sort key with which numbers inside a text count as numbers.

    Examples
    --------
    >>> sorted(["im10.jpg", "im2.jpg", "im1.jpg"], key=natural_keys)
    ['im1.jpg', 'im2.jpg', 'im10.jpg']
    """
    # What is split begins with a text, perhaps an empty one: each second part is a number, and any
    # two keys can be compared.
    parts: list[int | str] = list(re.split(r"([0-9]+)", text))
    parts[1::2] = map(int, parts[1::2])
    return parts


def load_file_list(
    path: Place | None = None,
    regx: str = r"\.jpg",
    printable: bool = True,
    keep_prefix: bool = False,
) -> list[str]:
    r"""Return the names of the files in a folder that match a regular expression.

    Parameters
    ----------
    path
        The folder; None for the current one.
    regx
        Found anywhere in the name (``re.search``), so ``r"\.jpg$"`` for an ending.
    printable
        Whether to log how many there are.
    keep_prefix
        Return ``path/name`` instead of ``name``.

    Returns
    -------
    list of str
        In natural order ([`natural_keys`][]); TensorLayer 1.x and 2.x gave no order.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    InvalidArgument
        ``regx`` is not a regular expression.

    Examples
    --------
    >>> for name in ["b.npz", "a10.npz", "a9.npz", "a.txt"]:
    ...     Path(name).touch()
    >>> load_file_list(regx=r"\.npz")
    ['a9.npz', 'a10.npz', 'b.npz']
    """
    folder = Path(os.curdir if path is None else path)
    try:
        pattern = re.compile(regx)
    except re.error as error:
        raise InvalidArgument(
            f"load_file_list: regx {regx!r} is not a regular expression: {error}. "
            f"Write \\. for a dot, .* for anything."
        ) from error
    names = [entry.name for entry in folder.iterdir() if entry.is_file()]
    found = sorted(filter(pattern.search, names), key=natural_keys)
    if printable:
        printed.info("%d files of %s match %r", len(found), folder, regx)
    return [os.path.join(folder, name) for name in found] if keep_prefix else found


def load_folder_list(path: Place = "") -> list[str]:
    """Return the paths of the folders in a folder, in natural order.

    Examples
    --------
    >>> _ = exists_or_mkdir("data/run10"), exists_or_mkdir("data/run9")
    >>> load_folder_list("data")
    ['data/run9', 'data/run10']
    """
    folder = Path(path)
    names = [entry.name for entry in folder.iterdir() if entry.is_dir()]
    return [os.path.join(path, name) for name in sorted(names, key=natural_keys)]
