"""Weights as safetensors bytes."""

import json

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load

from tensorlayer.errors import Corrupt, NotSerializable
from tensorlayer.models.tensors import from_bytes, to_bytes

NARROW = [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2]
DTYPES = [*"bBhHiIlLqQefdF?", *NARROW]


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
def test_every_type_comes_back(dtype):
    array = np.array([[0, 1, 2], [1, 0, 1]]).astype(dtype)
    back = from_bytes(to_bytes({"w": array}))["w"]
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@given(
    hnp.arrays(st.sampled_from([">f4", "<f8", "i2", "?"]), hnp.array_shapes(min_dims=0, min_side=0))
)
def test_values_come_back_also_nan_zero_dimensions_and_big_endian(array):
    back = from_bytes(to_bytes({"w": array}))["w"]
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


def test_order_is_kept_and_memory_layout_does_not_matter():
    matrix = np.arange(6.0).reshape(2, 3)
    arrays = {"z/w": matrix.T, "a/w": np.asfortranarray(matrix), "m": matrix[:, ::2]}
    back = from_bytes(to_bytes(arrays))
    assert list(back) == ["z/w", "a/w", "m"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


def test_no_arrays():
    assert from_bytes(to_bytes({})) == {}


def test_stock_safetensors_reads_it():
    np.testing.assert_array_equal(load(to_bytes({"w": np.eye(3)}))["w"], np.eye(3))


@pytest.mark.parametrize("array", [np.zeros(2, complex), np.array(["a"]), np.array([None])])
def test_other_types_are_refused(array):
    with pytest.raises(NotSerializable, match=r"Array 'w' has dtype .* Cast it"):
        to_bytes({"w": array})


def _file(header):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(8)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04.",
        b"\xff" * 64,
        to_bytes({"w": np.eye(3)})[:-1],
        _file([]),
        _file({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}),
        _file({"w": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}),
        _file({"w": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}),
        _file({"w": {"dtype": "O", "shape": [1], "data_offsets": [0, 8]}}),
        _file({"w": {"dtype": "F32"}}),
        _file({"w": {"dtype": "F32", "shape": [-2, -1], "data_offsets": [0, 8]}}),
    ],
)
def test_nonsense_is_corrupt(data):
    with pytest.raises(Corrupt, match="not a safetensors file"):
        from_bytes(data)
