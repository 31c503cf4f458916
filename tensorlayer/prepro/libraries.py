"""The optional libraries that pictures need, loaded when they are used."""

from __future__ import annotations

import importlib
from types import ModuleType

from tensorlayer.errors import LibraryMissing

__all__ = ["library"]


def library(name: str, install: str = "tensorlayer[vision]") -> ModuleType:
    """Return an optional module, imported on first use.

    Parameters
    ----------
    name
        The module, such as ``"cv2"`` or ``"skimage.measure"``.
    install
        What pip installs it with.

    Raises
    ------
    LibraryMissing
        It is not installed; the message has the command that installs it.

    Examples
    --------
    >>> library("cv2").INTER_LINEAR
    1
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise LibraryMissing(
            f"this function needs the module {name!r}, which is not installed. "
            f"Run: pip install '{install}'."
        ) from error
