from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import spatial_arguments as spatial


def test_sizes():
    assert spatial.sizes(3, 3, "L", "size") == (3, 3, 3)
    assert spatial.sizes([1, 2], 2, "L", "size") == (1, 2)


@pytest.mark.parametrize("value", [0, -1, (1, 2), (1, 2, 0), (1.0, 2, 3), (None, 1, 1)])
def test_bad_sizes(value):
    with pytest.raises(InvalidArgument, match="L: size is a positive integer or 3 of them, got"):
        spatial.sizes(value, 3, "L", "size")


@pytest.mark.parametrize(
    ("value", "rank", "expected"),
    [
        ("channels_last", 1, "NWC"),
        ("channels_first", 3, "NCDHW"),
        ("NHWC", 2, "NHWC"),
        ("NCW", 1, "NCW"),
        (None, 3, "NDHWC"),
    ],
)
def test_data_formats(value, rank, expected):
    assert spatial.data_format(value, rank, "L") == expected


def test_a_layout_of_another_rank_is_refused():
    with pytest.raises(InvalidArgument, match="'channels_last' or 'channels_first', got 'NHWC'"):
        spatial.data_format("NHWC", 1, "L")


def test_padding():
    assert spatial.padding("same", "L") == "SAME"
    with pytest.raises(InvalidArgument, match="padding is 'SAME' or 'VALID', got 3"):
        spatial.padding(3, "L")


def test_spread():
    assert spatial.spread((2, 3), "NCHW") == [1, 1, 2, 3]


def test_inner_is_the_inverse_of_spread():
    for format_ in ("NHWC", "NCHW"):
        assert spatial.inner(spatial.spread((2, 3), format_), format_, "L", "strides") == (2, 3)


@pytest.mark.parametrize("values", [(1, 2, 3), (2, 2, 3, 1), (1, 2, 3, 2), 2, (1, 0, 1, 1)])
def test_batch_and_channels_have_no_steps(values):
    with pytest.raises(
        InvalidArgument, match=r"L: strides has .* each axis of NHWC, 1 for N and C"
    ):
        spatial.inner(values, "NHWC", "L", "strides")


def test_sizes_are_numbers_where_they_are_known():
    @tf.function(input_signature=[tf.TensorSpec([None, 3, None])])
    def sizes(x):
        found = spatial.sizes_of(x)
        assert found[1] == 3
        assert not any(isinstance(found[axis], int) for axis in (0, 2))
        return tf.stack(found)

    assert sizes(tf.zeros([2, 3, 4])).numpy().tolist() == [2, 3, 4]
    assert spatial.sizes_of(tf.zeros([2, 3])) == [2, 3]


def test_a_size_is_a_number_where_it_is_known():
    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def size(x):
        assert spatial.size_of(x, 1) == 3
        return spatial.size_of(x, 0)

    assert size(tf.zeros([2, 3])) == 2


def test_channels_first_is_transposed_where_no_kernel_knows_it(monkeypatch):
    x = tf.random.normal([2, 3, 4, 5])
    seen = []

    def compute(inputs, format_):
        seen.append((tuple(inputs.shape), format_))
        return inputs

    for has_gpu in (False, True):
        monkeypatch.setattr(spatial, "has_gpu", lambda answer=has_gpu: answer)
        tf.debugging.assert_equal(spatial.with_kernel(compute, x, "NCHW"), x)
        tf.debugging.assert_equal(spatial.with_kernel(compute, x, "NHWC"), x)

    last, first = ((2, 4, 5, 3), "NHWC"), ((2, 3, 4, 5), "NCHW")
    as_it_is = ((2, 3, 4, 5), "NHWC")
    assert seen == [last, as_it_is, first, as_it_is]


def test_an_order_is_one_of_two():
    assert spatial.order("channels_first", "PRelu") == "channels_first"
    with pytest.raises(InvalidArgument, match=r"PRelu: data_format is 'channels_last' or .*'NCHW'"):
        spatial.order("NCHW", "PRelu")


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 5), (2, 3, 5, 4)])
def test_values_of_channels_broadcast_to_either_order(shape):
    first, part = np.ones(shape, "float32"), np.arange(3, dtype="float32")
    last = np.moveaxis(first, 1, -1)

    one = first * spatial.along_channels(tf.constant(part), tf.constant(first), "channels_first")
    other = last * spatial.along_channels(tf.constant(part), tf.constant(last), "channels_last")

    np.testing.assert_array_equal(np.moveaxis(one, 1, -1), other)
    np.testing.assert_array_equal(other, last * part)
