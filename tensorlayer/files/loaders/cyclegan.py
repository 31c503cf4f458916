"""Pairs of domains for CycleGAN: summer and winter, horses and zebras, photos and paintings."""

from __future__ import annotations

import os

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.files.folders import load_file_list
from tensorlayer.files.loaders.place import read_whole, unpack

__all__ = ["load_cyclegan_dataset"]

URL = "http://efrosgans.eecs.berkeley.edu/cyclegan/datasets/"

Images = list[np.ndarray]


def load_cyclegan_dataset(
    filename: str = "summer2winter_yosemite", path: str | os.PathLike[str] = "data"
) -> tuple[Images, Images, Images, Images]:
    """Load one of CycleGAN's datasets.

    Parameters
    ----------
    filename
        Its name, such as ``"horse2zebra"``, ``"monet2photo"`` or ``"maps"``.
    path
        Where the folder of that name or the zip archive is, or is to be downloaded to
        (``path/cyclegan``).

    Returns
    -------
    tuple of lists
        im_train_A, im_train_B, im_test_A, im_test_B: pictures of shape (height, width, 3); grey
        ones are repeated in three channels.

    Raises
    ------
    InvalidArgument
        ``filename`` is no plain name.
    DownloadFailed
        It is not there and cannot be downloaded.
    Corrupt
        The archive or a picture is damaged.

    References
    ----------
    J.-Y. Zhu, T. Park, P. Isola, A. Efros: Unpaired image-to-image translation using
    cycle-consistent adversarial networks. ICCV 2017.
    """
    if not filename.isidentifier():
        raise InvalidArgument(
            "load_cyclegan_dataset: filename is the name of a dataset such as 'horse2zebra', got "
            f"{filename!r}."
        )
    folder = str(unpack(path, "cyclegan", filename, f"{filename}.zip", URL))
    parts = [_read(os.path.join(folder, part)) for part in ("trainA", "trainB", "testA", "testB")]
    return parts[0], parts[1], parts[2], parts[3]


def _read(folder: str) -> Images:
    from tensorlayer import visualize

    names = load_file_list(folder, r"\.(jpg|png)$", printable=False)
    with read_whole(folder, "a folder of pictures"):
        images = visualize.read_images(names, folder, n_threads=10, printable=False)
    return [np.stack([image] * 3, -1) if image.ndim == 2 else image for image in images]
