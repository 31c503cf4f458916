"""Nested values in one file."""

import os
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer.errors import Corrupt, NotSerializable
from tensorlayer.files import load_npy_to_any, save_any_to_npy
from tests.files.places import tmp_path  # noqa: F401 - a fixture

plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary()
)
keys = st.one_of(st.text(), st.integers(), st.tuples(st.integers(), st.text()))
values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(values)
def test_every_plain_value_comes_back(value):
    name = "value.npy"
    save_any_to_npy(value, name)
    assert load_npy_to_any(name=name) == value
    os.remove(name)


@pytest.fixture(autouse=True, scope="module")
def _in_a_folder_of_its_own(tmp_path_factory):
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("anything"))
    yield
    os.chdir(before)


def test_arrays_and_scalars_keep_their_type(tmp_path):
    value = {"w": [np.eye(2, dtype="f2"), np.array("é")], "s": (np.float32(1.5), np.int8(3), 2j)}
    save_any_to_npy(value, tmp_path / "v.npy")
    back = load_npy_to_any(tmp_path, "v.npy")
    np.testing.assert_array_equal(back["w"][0], np.eye(2))
    assert back["w"][0].dtype == np.float16
    assert str(back["w"][1]) == "é"
    assert back["s"] == (1.5, 3, 2j)
    assert isinstance(back["s"][0], np.float32)


def test_a_single_array_is_a_plain_npy_file(tmp_path):
    save_any_to_npy(np.arange(3), tmp_path / "a.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", allow_pickle=False), np.arange(3))
    np.testing.assert_array_equal(load_npy_to_any(tmp_path, "a.npy"), np.arange(3))


def test_nothing_is_pickled(tmp_path):
    save_any_to_npy({"a": np.eye(2), "b": ["c", 1]}, tmp_path / "v.npy")
    with np.load(tmp_path / "v.npy", allow_pickle=False) as arrays:
        assert [arrays[name].dtype.kind for name in arrays] == ["u", "f"]


def test_files_of_earlier_releases_are_read(tmp_path):
    np.save(tmp_path / "old.npy", {"data": [np.eye(2), "b"], "n": 3})  # pickled in a 0-d array
    back = load_npy_to_any(str(tmp_path), "old.npy")
    np.testing.assert_array_equal(back["data"][0], np.eye(2))
    assert back["n"] == 3


def test_hostile_files_of_earlier_releases_are_refused(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "hostile"),)

    np.save(tmp_path / "old.npy", {"data": Hostile()})
    with pytest.raises(Corrupt, match=r"names 'posix\.mkdir'"):
        load_npy_to_any(tmp_path, "old.npy")
    assert os.listdir(tmp_path) == ["old.npy"]


@pytest.mark.parametrize("value", [object(), {1}, np.array([None]), lambda: 0])
def test_what_cannot_be_saved_is_named_with_its_place(value, tmp_path):
    with pytest.raises(NotSerializable, match=r"the value\['a'\]\[1\] is an? .*convert it first"):
        save_any_to_npy({"a": [0, value]}, tmp_path / "v.npy")
    assert os.listdir(tmp_path) == []


def test_an_archive_without_a_structure_is_corrupt(tmp_path):
    np.savez(tmp_path / "v.npz", a=np.eye(2))
    with pytest.raises(Corrupt, match="no valid structure"):
        load_npy_to_any(tmp_path, "v.npz")
    np.savez(tmp_path / "w.npz", tree=np.frombuffer(b'{"exec": 1}', np.uint8))
    with pytest.raises(Corrupt, match="unknown kind of value 'exec'"):
        load_npy_to_any(tmp_path, "w.npz")
    assert zipfile.is_zipfile(tmp_path / "w.npz")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.npy"):
        load_npy_to_any(tmp_path, "missing.npy")
