"""Street View House Numbers, cropped to single digits of 32 x 32."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tensorlayer.files.loaders.matlab import read_mat
from tensorlayer.files.loaders.place import fetch, read_whole

__all__ = ["load_cropped_svhn"]

URL = "http://ufldl.stanford.edu/housenumbers/"
CHECKSUMS = {
    "train": "md5:e26dedcc434d2e4c54c9b2d4a06d8373",
    "test": "md5:eb5a983be6a315427106f1b164d9cef3",
    "extra": "md5:a93ce644f1a588dc4d68dda5feec44a7",
}

#: The files call the digit 0 by this number.
ZERO = 10


def load_cropped_svhn(
    path: str | os.PathLike[str] = "data", include_extra: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Load the cropped SVHN dataset.

    Parameters
    ----------
    path
        Where the files ``train_32x32.mat``, ``test_32x32.mat`` and ``extra_32x32.mat`` are, or are
        to be downloaded to (``path/cropped_svhn``).
    include_extra
        Append the 531,131 easier pictures to the 73,257 for training. They need 6.5 GB as float32.

    Returns
    -------
    tuple
        X_train, y_train, X_test, y_test: (n, 32, 32, 3) float32 in [0, 1] and digits as int32.

    Raises
    ------
    DownloadFailed
        A file is not there and cannot be downloaded.
    Corrupt
        A file is damaged, or holds something else.

    References
    ----------
    Y. Netzer and others: Reading digits in natural images with unsupervised feature learning. 2011.
    """
    names = ["train", "test", *(["extra"] if include_extra else [])]
    parts = {}
    for name in names:
        parts[name] = _read(fetch(path, "cropped_svhn", f"{name}_32x32.mat", URL, CHECKSUMS[name]))
    X_train, y_train = parts["train"]
    if include_extra:
        X_train = np.concatenate([X_train, parts["extra"][0]])
        y_train = np.concatenate([y_train, parts["extra"][1]])
    return X_train, y_train, *parts["test"]


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with read_whole(path, "a MATLAB file of SVHN"):
        content = read_mat(path, variable_names=["X", "y"])
        X, y = content["X"], content["y"].ravel().astype(np.int32)
        if X.shape != (32, 32, 3, len(y)):
            raise ValueError(f"pictures of shape {X.shape} for {len(y)} labels")
        y[y == ZERO] = 0
        return X.transpose(3, 0, 1, 2) / np.float32(255), y
