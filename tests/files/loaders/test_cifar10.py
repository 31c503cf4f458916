"""CIFAR-10 from batches of three pictures."""

import os
import pickle  # noqa: TID251 - to make what is to be refused

import numpy as np
import pytest

from tensorlayer import files
from tensorlayer.errors import Corrupt
from tests.files.loaders import samples


@pytest.fixture(params=["python", "binary"])
def folder(request, tmp_path):
    members = samples.CIFAR_PYTHON if request.param == "python" else samples.CIFAR_BINARY
    for name, content in members.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_rows_columns_channels(folder):
    X_train, y_train, X_test, y_test = files.load_cifar10_dataset(path=folder)
    assert X_train.shape == (15, 32, 32, 3)
    assert X_test.shape == (3, 32, 32, 3)
    planes = samples.CIFAR_X.reshape(6, 3, 3, 32, 32)
    for i in range(15):
        for channel in range(3):
            np.testing.assert_array_equal(X_train[i, ..., channel], planes[i // 3, i % 3, channel])
    np.testing.assert_array_equal(X_test, planes[5].transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(y_train, samples.CIFAR_Y[:5].ravel())
    np.testing.assert_array_equal(y_test, samples.CIFAR_Y[5])
    assert [a.dtype.name for a in (X_train, y_train, X_test)] == ["float32", "int32", "float32"]


@pytest.mark.parametrize("shape", [(-1, 3, 32, 32), (-1, 3072)])
def test_the_order_of_the_files(shape, folder):
    X_train = files.load_cifar10_dataset(shape, path=folder)[0]
    np.testing.assert_array_equal(X_train.reshape(15, 3072), samples.CIFAR_X[:5].reshape(15, 3072))


def test_pictures_are_shown_if_asked(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert len(files.load_cifar10_dataset(path=folder, plotable=True)) == 4


BATCH = {"data": samples.CIFAR_X[0], "labels": samples.CIFAR_Y[0].tolist()}


class Hostile:
    def __reduce__(self):
        return os.system, ("touch hostile",)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({**BATCH, "labels": [1, 2]}, r"of shape \(3, 3072\) for 2 labels"),
        ({**BATCH, "data": samples.CIFAR_X[0].astype(int)}, r"int64 of shape"),
        ({**BATCH, "labels": [0, 1, 10]}, r"class numbers from 0 to 10"),
        ({"labels": [1]}, r"data"),
        ([1], r"Python version"),
        ({**BATCH, "filenames": Hostile()}, r"'posix.system'.*nothing was executed"),
    ],
)
def test_other_pickles_are_refused(batch, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(pickle.dumps(batch, 2))
    with pytest.raises(Corrupt, match=message):
        files.load_cifar10_dataset(path=tmp_path)
    assert os.listdir(tmp_path) == ["cifar-10-batches-py"]


@pytest.mark.parametrize("content", [b"", bytes(3073 * 2 - 1), b"\x0a" + bytes(3072)])
def test_other_binary_files_are_refused(content, tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    (folder / "data_batch_1.bin").write_bytes(content)
    with pytest.raises(Corrupt, match=r"data_batch_1\.bin' is not a batch of CIFAR-10's binary"):
        files.load_cifar10_dataset(path=tmp_path)


def test_a_missing_batch_is_named(folder):
    next(folder.rglob("data_batch_3*")).unlink()
    with pytest.raises(FileNotFoundError, match="data_batch_3"):
        files.load_cifar10_dataset(path=folder)
