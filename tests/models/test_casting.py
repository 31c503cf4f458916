from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, NotSerializable, StructureMismatch
from tensorlayer.models import Model
from tensorlayer.models.casting import in_type_of, require_kinds


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (np.array([1 / 3]), tf.float32),
        (np.array([np.inf, -np.inf, np.nan]), tf.float16),
        (np.array([2.0, -3.0]), tf.int32),
        (np.array([0.0, 1.0]), tf.bool),
        (np.array([1.5], np.float32), tf.complex64),
        (np.array([3], np.int64), tf.bfloat16),
        (np.array(1e300), tf.float64),
    ],
)
def test_fewer_digits_are_no_loss(array, dtype):
    fitted = in_type_of("w", array, dtype)

    assert tf.as_dtype(fitted.dtype) == dtype
    np.testing.assert_allclose(fitted.astype("complex128"), array.astype("complex128"), rtol=0.01)


@pytest.mark.parametrize(
    ("array", "dtype", "message"),
    [
        (np.array([0.5]), tf.int64, "'w' is float64 in the file and int64 in the model.*fractions"),
        (np.array([np.nan]), tf.int32, "fractions or numbers beyond"),
        (np.array([300]), tf.int8, "is int64 in the file and int8"),
        (np.array([-1]), tf.uint64, "beyond its range"),
        (np.array([2]), tf.bool, "beyond its range"),
        (np.array([1.0, 1e300]), tf.float32, "float64 .* and float32 .* beyond its range"),
        (np.array([70000.0], np.float32), tf.float16, "beyond its range"),
        (np.array([1e300 + 0j]), tf.complex64, "beyond its range"),
    ],
)  # fmt: skip
def test_what_would_be_cut_is_refused(array, dtype, message):
    with pytest.raises(StructureMismatch, match=message):
        in_type_of("w", array, dtype)


def test_complex_numbers_are_refused_by_their_type():
    with pytest.raises(StructureMismatch, match=r"complex128 .* and float32 .*imaginary"):
        require_kinds({"w": (np.dtype("complex128"), tf.float32)})
    require_kinds({"w": (np.dtype("complex128"), tf.complex64)})


def small():
    x = tl.layers.Input([None, 3], name="x")
    return Model(x, tl.layers.Dense(x, 3, name="d"), name="small")


@pytest.mark.parametrize("value", [1j, 1e300])
def test_the_files_of_1_refuse_it_as_well(tmp_path, value):
    with tl.layers.isolated():
        model = small()
    before = model.to_arrays()
    arrays = [np.full([3, 3], value), np.zeros([3])]
    np.savez(tmp_path / "w.npz", *arrays)

    for load in (
        lambda: tl.files.load_and_assign_npz(tmp_path / "w.npz", model),
        lambda: tl.files.assign_weights(arrays, model),
        lambda: tl.files.assign_tf_variable(model.all_weights[0], arrays[0]),
    ):
        with pytest.raises(StructureMismatch, match="cut off"):
            load()
    for name, array in model.to_arrays().items():
        np.testing.assert_array_equal(array, before[name])


def test_hdf5_refuses_an_array_below_another_before_it_writes(tmp_path):
    with tl.layers.isolated():
        x = tl.layers.Input([None, 3], name="x")
        inner = tl.layers.Dense(x, 3, name="d")
        model = Model(x, tl.layers.Dense(inner, 3, name="d/weights"))

    for write in (
        lambda: model.save_weights(tmp_path / "w.h5"),
        lambda: tl.files.save_hdf5_graph(model, tmp_path / "w.h5", save_weights=True),
    ):
        with pytest.raises(NotSerializable, match="HDF5 cannot hold 'd/weights'"):
            write()
    assert not list(tmp_path.iterdir())


def test_in_a_graph_a_session_is_asked_for(tmp_path):
    with tf.Graph().as_default(), tl.layers.isolated():
        model = small()
        arrays = {name: np.ones(v.shape, np.float32) for name, v in model.parameters.items()}
        with pytest.raises(InvalidArgument, match=r"tl.files.save_npz_dict\(.*sess=session\)"):
            model.save_weights(tmp_path / "w.npz")
        with pytest.raises(InvalidArgument, match=r"tl.files.load_and_assign_npz\(.*sess=session"):
            model.assign_arrays(arrays)
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            tl.files.assign_weights(list(arrays.values()), model, sess=session)
            values = model.to_arrays()

    assert all((value == 1).all() for value in values.values())
    assert not list(tmp_path.iterdir())
