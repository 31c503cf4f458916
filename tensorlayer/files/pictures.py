"""Pictures of saved weights."""

from __future__ import annotations

import logging
import math
import os
from pathlib import Path

from tensorlayer.files.folders import load_file_list
from tensorlayer.files.weights import load_npz

__all__ = ["npz_to_W_pdf"]

_log = logging.getLogger(__name__)


def npz_to_W_pdf(  # noqa: N802 - the name that scripts call
    path: str | os.PathLike[str] | None = None, regx: str = r"w1pre_[0-9]+\.(npz)"
) -> list[str]:
    """Draw the first array of each archive in a folder, as ``<name>.pdf`` in the current one.

    Each column of it is a picture: a square where its length is a square number.

    Parameters
    ----------
    path
        The folder; None for the current one.
    regx
        Which archives; the default is what the pre-training of an autoencoder wrote.

    Returns
    -------
    list of str
        The names of the pictures, without the ending.
    """
    from tensorlayer import visualize

    folder = Path(os.curdir if path is None else path)
    names = []
    for file in load_file_list(folder, regx, printable=False):
        names.append(file.removesuffix(".npz"))
        W = load_npz(folder, file)[0]
        side = math.isqrt(len(W))
        shape = (side, side) if side**2 == len(W) else (len(W), 1)
        visualize.draw_weights(W, saveable=True, shape=shape, name=names[-1])
        _log.info("drew %s.pdf", names[-1])
    return names
