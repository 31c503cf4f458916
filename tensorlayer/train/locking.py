"""A folder for one run at a time."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator

from tensorlayer.errors import InvalidArgument
from tensorlayer.locks import held

__all__ = ["locked"]

_logger = logging.getLogger(__name__)


@contextlib.contextmanager
def locked(folder: str | os.PathLike[str], who: str) -> Iterator[None]:
    """Have a folder for oneself: a second run would remove what the first has saved.

    The lock, a file of that name in the folder, ends with the process, however that ends. Where the
    file system has no locks, a warning says so.

    Parameters
    ----------
    folder
        Made if it is not there.
    who
        What an error begins with.

    Raises
    ------
    InvalidArgument
        Somebody else has it.

    Examples
    --------
    >>> with locked("run", who="training"):
    ...     with locked("run", who="training"):
    ...         pass
    Traceback (most recent call last):
    ...
    tensorlayer.errors.InvalidArgument: training: another run is using the folder 'run', and ...
    """
    os.makedirs(folder, exist_ok=True)
    with held(os.path.join(folder, "lock")) as is_held:
        if is_held is False:
            raise InvalidArgument(
                f"{who}: another run is using the folder {os.fspath(folder)!r}, and a folder is "
                "for one run. Wait for it to end, or take another folder."
            )
        if is_held is None:
            said = "%s: %r cannot be locked, its file system has no locks: let one run use it."
            _logger.warning(said, who, os.fspath(folder))
        yield
