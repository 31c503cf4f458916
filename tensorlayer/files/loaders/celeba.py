"""CelebA: 202,599 faces of celebrities, aligned and cropped."""

from __future__ import annotations

import os
from pathlib import Path

from tensorlayer.files.download import download_file_from_google_drive
from tensorlayer.files.folders import load_file_list
from tensorlayer.files.loaders.place import find, unpack

__all__ = ["load_celebA_dataset"]

#: The file that the authors share.
DRIVE_ID = "0B7EVK8r0v71pZjFTYXZWM3FlRnM"
ARCHIVE, FOLDER = "img_align_celeba.zip", "img_align_celeba"


def load_celebA_dataset(  # noqa: N802 - the name that scripts call
    path: str | os.PathLike[str] = "data",
) -> list[str]:
    """Get the aligned faces of CelebA.

    Parameters
    ----------
    path
        Where the folder ``img_align_celeba`` or the archive ``img_align_celeba.zip`` is, or is to
        be downloaded to (``path/celebA``, 1.4 GB).

    Returns
    -------
    list of str
        The paths of the pictures, 218 x 178, in the order of their numbers.

    Raises
    ------
    DownloadFailed
        It is not there and cannot be downloaded: Google Drive often refuses files that many want.
    Corrupt
        The archive is damaged.

    References
    ----------
    Z. Liu, P. Luo, X. Wang, X. Tang: Deep learning face attributes in the wild. ICCV 2015.
    """
    if not any(find(path, "celebA", name) for name in (FOLDER, ARCHIVE)):
        download_file_from_google_drive(DRIVE_ID, Path(path) / "celebA" / ARCHIVE)
    folder = unpack(path, "celebA", FOLDER, ARCHIVE)
    return load_file_list(folder, r"\.jpg$", printable=False, keep_prefix=True)
