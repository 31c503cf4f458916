"""MATLAB files of datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["read_mat"]


def read_mat(path: Path, **options: Any) -> dict[str, Any]:
    """Return the variables of a MATLAB file; the options are those of ``scipy.io.loadmat``.

    Raises
    ------
    ValueError
        It is no MATLAB file; for [`tensorlayer.files.loaders.place.read_whole`][].
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        return loadmat(path, **options)
    except MatReadError as error:  # derived from nothing that is caught elsewhere
        raise ValueError(str(error)) from error
