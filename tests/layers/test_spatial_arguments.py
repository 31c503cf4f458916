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


@pytest.mark.parametrize(("format_", "inner"), [("NCW", "NWC"), ("NCDHW", "NDHWC")])
def test_channels_first_is_computed_with_channels_last(format_, inner):
    x = tf.random.normal([2, 3, *range(4, 2 + len(format_))])
    seen = []

    def compute(x, data_format):
        seen.append((data_format, x.shape[-1]))
        return x[:, ::2]

    out = spatial.as_channels_last(compute, x, format_)

    assert seen == [(inner, 3)]
    np.testing.assert_array_equal(out, x[:, :, ::2])


def test_where_there_is_a_gpu_channels_first_is_computed_as_it_is(monkeypatch):
    def compute(x, data_format):
        return data_format

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert spatial.with_kernel(compute, tf.zeros([1, 1, 1]), "NCW") == "NCW"
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert spatial.with_kernel(compute, tf.zeros([1, 1, 1]), "NWC") == "NWC"
