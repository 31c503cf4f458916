"""SVHN from MATLAB files of a few pictures."""

import io

import numpy as np
import pytest
from scipy.io import savemat

from tensorlayer import files
from tensorlayer.errors import Corrupt
from tests.files.loaders import samples


@pytest.fixture
def folder(tmp_path):
    for name, content in samples.SVHN.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_pictures_are_scaled_and_ten_is_zero(folder):
    X_train, y_train, X_test, y_test = files.load_cropped_svhn(folder, include_extra=False)
    pixels, _ = samples.SVHN_PARTS["train"]
    assert X_train.shape == (3, 32, 32, 3)
    assert X_train.dtype == np.float32
    np.testing.assert_allclose(X_train[1], pixels[..., 1] / 255, rtol=1e-6)
    assert y_train.tolist() == [0, 1, 9]
    assert y_train.dtype == np.int32
    assert X_test.shape == (2, 32, 32, 3)
    assert y_test.tolist() == [2, 0]


def test_extra_pictures_follow_and_are_read_only_if_asked(folder):
    X_train, y_train, _, _ = files.load_cropped_svhn(folder)
    assert y_train.tolist() == [0, 1, 9, 3]
    np.testing.assert_allclose(X_train[3], samples.SVHN_PARTS["extra"][0][..., 0] / 255, rtol=1e-6)
    (folder / "extra_32x32.mat").unlink()
    assert len(files.load_cropped_svhn(folder, include_extra=False)[0]) == 3


@pytest.mark.parametrize(
    "content", [{"a": 1}, {"X": np.zeros((32, 32, 3, 2)), "y": np.zeros((3, 1))}]
)
def test_other_content_is_refused(content, folder):
    buffer = io.BytesIO()
    savemat(buffer, content)
    (folder / "train_32x32.mat").write_bytes(buffer.getvalue())
    with pytest.raises(Corrupt, match=r"train_32x32\.mat' is not a MATLAB file of SVHN"):
        files.load_cropped_svhn(folder)
