from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import Corrupt, InvalidArgument, StructureMismatch
from tensorlayer.models import weights

ARRAYS = {
    "b/weights": np.arange(6, dtype="float32").reshape(2, 3),
    "a/biases": np.array([np.nan, np.inf, -0.0], "float32"),
    "scalar": np.array(3, "int64"),
}


@pytest.mark.parametrize("format_", ["safetensors", "npz_dict", "hdf5"])
def test_arrays_by_name_come_back_in_any_format(tmp_path, format_):
    weights.save(tmp_path / "w", ARRAYS, format_)

    found = weights.load(tmp_path / "w", format_)

    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_arrays_by_position_keep_their_order_and_different_shapes(tmp_path):
    weights.save(tmp_path / "w.npz", ARRAYS, "npz")

    found = weights.load(tmp_path / "w.npz", "npz")

    for one, other in zip(found.values(), ARRAYS.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    weights.save(tmp_path / "w.npz", ARRAYS, "npz_dict")
    before = (tmp_path / "w.npz").read_bytes()

    with pytest.raises(TypeError):
        weights.save(tmp_path / "w.npz", {3: np.ones(2)}, "npz_dict")

    assert (tmp_path / "w.npz").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["w.npz"]


@pytest.mark.parametrize("format_", ["safetensors", "npz", "hdf5"])
def test_a_file_of_something_else_is_corrupt(tmp_path, format_):
    (tmp_path / "w").write_bytes(b"not what it says")

    with pytest.raises(Corrupt, match=f"cannot be read as {format_}"):
        weights.load(tmp_path / "w", format_)


def test_a_truncated_file_is_corrupt(tmp_path):
    weights.save(tmp_path / "w.safetensors", ARRAYS, "safetensors")
    whole = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "w.safetensors").write_bytes(whole[:-4])

    with pytest.raises(Corrupt, match=r"cannot be read as safetensors"):
        weights.load(tmp_path / "w.safetensors", "safetensors")


def test_pickled_arrays_are_not_read(tmp_path):
    np.savez(tmp_path / "w.npz", params=np.array([np.ones(2), np.ones(3)], dtype=object))

    with pytest.raises(Corrupt, match=r"is read by tl.files.load_and_assign_npz"):
        weights.load(tmp_path / "w.npz", "npz")


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no weights file"):
        weights.load(tmp_path / "none.npz", "npz")


def test_a_file_without_a_structure_says_what_to_do(tmp_path):
    weights.save(tmp_path / "w.safetensors", ARRAYS, "safetensors")

    with pytest.raises(Corrupt, match=r"holds weights but no structure. Use load_weights"):
        weights.load_with_text(tmp_path / "w.safetensors")


def test_an_unknown_format_names_those_there_are():
    with pytest.raises(
        InvalidArgument, match=r"format 'pkl' of 'model.pkl' is unknown. There are: "
    ):
        weights.format_of("model.pkl")


def test_other_shapes_are_listed_even_when_names_may_be_skipped():
    variable = tf.Variable(tf.zeros([2, 2]))

    with pytest.raises(StructureMismatch, match=r"w is \(2, 2\) in the model, \(2,\) in the file"):
        weights.assign({"w": variable}, {"w": np.zeros(2)}, skip=True)


def test_another_number_of_arrays_is_refused_by_position():
    with pytest.raises(StructureMismatch, match=r"holds 3 arrays and the model 1 parameters: w"):
        weights.by_position({"w": tf.Variable(1.0)}, ARRAYS)


def test_names_of_older_releases_end_in_an_output_number(tmp_path):
    np.savez(tmp_path / "w.npz", **{"dense/W:0": np.ones(2), "dense/b:0": np.ones(1)})

    assert list(weights.load(tmp_path / "w.npz", "npz_dict")) == ["dense/W", "dense/b"]


def test_thousands_of_names_fit_into_an_hdf5_file(tmp_path):
    many = {f"a/rather/long/name/of/a/parameter/{i}": np.array(i) for i in range(5000)}

    weights.save(tmp_path / "w.h5", many, "hdf5")

    assert list(weights.load(tmp_path / "w.h5", "hdf5")) == list(many)
