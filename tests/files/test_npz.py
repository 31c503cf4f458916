"""NumPy's files, with object arrays read by the decoder."""

import io
import os
import zipfile

import numpy as np
import pytest

from tensorlayer.errors import Corrupt
from tensorlayer.files import read_npy, read_npz
from tensorlayer.files.npz import opened_in_order
from tests.files.places import tmp_path  # noqa: F401 - a fixture


class Hostile:
    def __reduce__(self):
        return os.system, ("touch hostile",)


def test_archives_of_numpy_come_back_in_order(tmp_path):
    path = tmp_path / "a.npz"
    arrays = {"z": np.eye(3, dtype=">f4"), "a": np.array(["é", "ab"]), "e": np.zeros((0, 2))}
    for save in (np.savez, np.savez_compressed):
        save(path, **arrays)
        back = read_npz(path)
        assert list(back) == list(arrays)
        for name, array in arrays.items():
            assert back[name].dtype == array.dtype
            np.testing.assert_array_equal(back[name], array)


def test_object_arrays_come_back(tmp_path):
    ragged = np.empty(2, object)
    ragged[:] = [np.ones((2, 3)), np.zeros(3)]
    np.savez(tmp_path / "a.npz", params=ragged, n=np.arange(2))
    np.save(tmp_path / "a.npy", ragged)
    for back in (read_npz(tmp_path / "a.npz")["params"], read_npy(tmp_path / "a.npy")):
        assert back.dtype == object
        np.testing.assert_array_equal(back[0], np.ones((2, 3)))
        np.testing.assert_array_equal(back[1], np.zeros(3))


def test_hostile_object_arrays_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = np.array([Hostile()], object)
    np.savez("a.npz", params=hostile)
    np.save("a.npy", hostile)
    with pytest.raises(Corrupt, match=r"posix.system.*nothing was executed"):
        read_npz("a.npz")
    with pytest.raises(Corrupt, match=r"posix.system.*nothing was executed"):
        read_npy("a.npy")
    assert sorted(os.listdir()) == ["a.npy", "a.npz"]


def test_a_record_with_objects_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([(1, None)], [("a", "i4"), ("b", "O")]))
    with pytest.raises(Corrupt, match="cannot be read as an npy file"):
        read_npy(tmp_path / "a.npy")


def test_a_header_that_says_another_shape_is_refused(tmp_path):
    file = io.BytesIO()
    np.save(file, np.array([None, None], object))
    (tmp_path / "a.npy").write_bytes(file.getvalue().replace(b"(2,)", b"(3,)"))
    with pytest.raises(Corrupt, match="the header says an array of"):
        read_npy(tmp_path / "a.npy")


def _zip(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


HUGE = _npy(np.zeros((4, 4))).replace(b"(4, 4)", b"(4,10**9)").replace(b"10**9", b"99999")


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", _zip(a=b"x"), _zip(a=HUGE), _zip(a=_npy(np.eye(9))[:-1])]
)
def test_damaged_archives_are_named(data, tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(data)
    with pytest.raises(Corrupt, match=r"model.npz' cannot be read as an npz archive.*get it again"):
        read_npz(path)


@pytest.mark.parametrize("data", [b"", b"nonsense", HUGE, _npy(np.eye(9))[:-1]])
def test_damaged_arrays_are_named(data, tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(data)
    with pytest.raises(Corrupt, match=r"a.npy' cannot be read as an npy file"):
        read_npy(path)


def test_a_missing_file_is_named(tmp_path):
    for read in (read_npz, read_npy):
        with pytest.raises(FileNotFoundError, match=r"there is no file .*missing"):
            read(tmp_path / "missing")


def test_a_flipped_bit_is_corrupt_or_harmless(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.arange(99), b=np.eye(3))
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            arrays = list(read_npz(path).values())
        except Corrupt:
            continue
        assert [array.shape for array in arrays] in ([(99,), (3, 3)], [(99,)], [(3, 3)], [])


def test_plain_arrays_are_opened_and_pickled_ones_read(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, np.eye(2), np.zeros(3))
    with opened_in_order(path) as arrays:
        assert [type(each).__name__ for each in arrays] == ["Stored", "Stored"]
        assert [each.shape for each in arrays] == [(2, 2), (3,)]
    pickled = np.empty(2, object)
    pickled[:] = [np.eye(2), np.zeros(3)]
    np.savez(path, params=pickled)
    with opened_in_order(path) as arrays:
        assert [type(each).__name__ for each in arrays] == ["ndarray", "ndarray"]
        assert [each.shape for each in arrays] == [(2, 2), (3,)]
    alike = [np.eye(2), np.zeros((2, 2))]  # of which NumPy makes one array, pickled or not
    np.savez(path, params=alike)
    with opened_in_order(path) as arrays:
        np.testing.assert_array_equal(arrays, alike)
        assert len(arrays) == 2
    np.savez(path, params=pickled)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(Corrupt, match=r"cannot be read as an npz archive"), opened_in_order(path):
        pass
