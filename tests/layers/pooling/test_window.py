from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import (
    Input,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    MeanPool1d,
    MeanPool2d,
    MeanPool3d,
    PoolLayer,
)
from tests.operations import operations

RNG = np.random.default_rng(0)
LAYERS = {
    MaxPool1d: np.max,
    MaxPool2d: np.max,
    MaxPool3d: np.max,
    MeanPool1d: np.mean,
    MeanPool2d: np.mean,
    MeanPool3d: np.mean,
}
every_layer = pytest.mark.parametrize("layer", LAYERS)


def along(x, axis, size, step, padding, reduce):
    """Pool one axis by a loop; SAME pads evenly, more at the end, and padding never counts."""
    n = x.shape[axis]
    if padding == "VALID":
        windows = [(i, i + size) for i in range(0, n - size + 1, step)]
    else:
        count = -(-n // step)
        before = max((count - 1) * step + size - n, 0) // 2
        windows = [(max(i * step - before, 0), i * step - before + size) for i in range(count)]
    cells = [reduce(np.take(x, range(a, min(b, n)), axis), axis=axis) for a, b in windows]
    return np.stack(cells, axis)


def pooled(x, sizes, steps, padding, reduce):
    """Pool one axis after the other, channels last: maxima and means of boxes are separable."""
    along_axes = zip(range(1, x.ndim - 1), sizes, steps, strict=True)
    return functools.reduce(lambda x, s: along(x, *s, padding, reduce), along_axes, x)


def values(layer, dtype="float32"):
    return RNG.normal(size=(2, *(7, 8, 6)[: layer.rank], 3)).astype(dtype)


@every_layer
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("size", "step"), [(2, 2), (3, 2), (3, 1)])
def test_pooling_is_a_reduction_of_windows(layer, padding, size, step):
    x = values(layer)

    net = layer(Input([None, *x.shape[1:]]), size, step, padding)

    expected = pooled(x, [size] * layer.rank, [step] * layer.rank, padding, LAYERS[layer])
    np.testing.assert_allclose(net(x), expected, rtol=1e-5, atol=1e-6)


@every_layer
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_every_axis_has_its_size_and_step(layer, padding):
    x, sizes, steps = values(layer), (3, 2, 4)[: layer.rank], (1, 2, 3)[: layer.rank]

    out = layer(sizes, steps, padding)(x)

    expected = pooled(x, sizes, steps, padding, LAYERS[layer])
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_channels_first_pools_and_trains_in_every_type(layer, dtype):
    x = tf.constant(values(layer, dtype))
    last_to_first = [0, x.shape.rank - 1, *range(1, x.shape.rank - 1)]
    last, first = layer(), layer(data_format="channels_first")

    def outputs_and_gradient(net, x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = net(x)
            cost = tf.reduce_sum(y**2)
        return y, tape.gradient(cost, x)

    expected = outputs_and_gradient(last, x)
    for mine, other in zip(
        outputs_and_gradient(first, tf.transpose(x, last_to_first)), expected, strict=True
    ):
        assert mine.dtype == dtype
        np.testing.assert_allclose(mine, tf.transpose(other, last_to_first), rtol=1e-6)


@pytest.mark.parametrize("layer", [MaxPool3d, MeanPool3d])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("sizes", [(None, 7, None, 8, 3), (None, 6, 7, 8, None)])
def test_types_without_kernels_of_rank_3_pool_exactly(layer, padding, sizes):
    x = RNG.normal(size=(2, *(n or 5 for n in sizes[1:])))

    net = layer(Input(list(sizes), "float64"), (2, 3, 3), (2, 1, 2), padding)

    expected = pooled(x, (2, 3, 3), (2, 1, 2), padding, LAYERS[layer])
    np.testing.assert_allclose(net(x), expected, rtol=1e-12)


@pytest.mark.parametrize(("layer", "reduce"), [(MaxPool1d, np.max), (MeanPool1d, np.mean)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_dilated_windows_skip_cells(layer, reduce, data_format):
    x = RNG.normal(size=(2, 9, 3)).astype("float32")
    taps = np.stack([x[:, 2 * tap : 2 * tap + 5] for tap in range(3)])
    given = x if data_format == "channels_last" else x.swapaxes(1, 2)

    out = layer(3, 1, "VALID", data_format, dilation_rate=2)(given).numpy()

    out = out if data_format == "channels_last" else out.swapaxes(1, 2)
    np.testing.assert_allclose(out, reduce(taps, axis=0), rtol=1e-5, atol=1e-6)


def test_strides_none_is_the_size_of_the_window():
    assert tuple(MaxPool2d(Input([None, 9, 9, 1]), 3, None).shape) == (None, 3, 3, 1)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [(MaxPool1d, (5,)), (MeanPool1d, (5,)), (MeanPool2d, (5, 5)), (MaxPool3d, (4, 4, 4))],
)
def test_the_default_overlaps(layer, expected):
    net = layer(Input([None, *[9] * layer.rank, 1]))

    assert tuple(net.shape) == (None, *expected, 1)


def test_any_function_pools():
    x = RNG.normal(size=(2, 6, 7, 3)).astype("float32")

    out = PoolLayer((1, 3, 2, 1), [1, 2, 2, 1], "valid", tf.nn.avg_pool)(x)
    older = PoolLayer(ksize=[1, 3, 2, 1])(x)

    np.testing.assert_allclose(out, pooled(x, (3, 2), (2, 2), "VALID", np.mean), rtol=1e-5)
    np.testing.assert_allclose(older, pooled(x, (3, 2), (2, 2), "SAME", np.max), rtol=1e-6)


TWINS = {
    MaxPool1d(): lambda x: tf.nn.max_pool1d(x, 3, 2, "SAME"),
    MeanPool3d(): lambda x: tf.nn.avg_pool3d(x, 3, 2, "VALID"),
    MaxPool1d(strides=1, padding="VALID", dilation_rate=2): lambda x: tf.nn.pool(
        x, [3], "MAX", padding="VALID", dilations=[2]
    ),
}


@pytest.mark.parametrize("layer", TWINS, ids=repr)
def test_traced_it_is_the_function_of_tensorflow(layer):
    spec = tf.TensorSpec([2, *[7] * layer.rank, 3])

    assert operations(tf.function(lambda x: layer(x)), spec) == operations(
        tf.function(TWINS[layer]), spec
    )


def test_errors():
    with pytest.raises(InvalidArgument, match="MaxPool2d: strides is a positive integer or 2"):
        MaxPool2d(strides=(1, 2, 3))
    with pytest.raises(InvalidArgument, match="MeanPool3d: filter_size is a positive integer or 3"):
        MeanPool3d((1, 2))
    with pytest.raises(InvalidArgument, match="MaxPool1d: dilation_rate is a positive integer"):
        MaxPool1d(dilation_rate=0)
    with pytest.raises(WrongShape, match=r"MeanPool2d.*rank 4"):
        MeanPool2d(Input([None, 9]))
    with pytest.raises(WrongShape, match=r"MeanPool3d.*rank 5"):
        MeanPool3d(Input([None, 9], "float64"))
    needs = r"dilation_rate 2 needs strides=1 and padding='VALID', got {} and '{}'\."
    with pytest.raises(InvalidArgument, match=needs.format(2, "VALID")):
        MaxPool1d(padding="VALID", dilation_rate=2)
    with pytest.raises(InvalidArgument, match=needs.format(1, "SAME")):
        MeanPool1d(strides=1, dilation_rate=2)
    with pytest.raises(InvalidArgument, match=r"one number for every axis.*\(1, 2\) and \(1, 2, 2"):
        PoolLayer((1, 2), (1, 2, 2, 1))
    with pytest.raises(InvalidArgument, match=r"pool is a function such as .*, got 'm'"):
        PoolLayer(pool="m")
    with pytest.raises(InvalidArgument, match="PoolLayer: strides must be a positive integer"):
        PoolLayer(strides=(1, 0, 2, 1))
    with pytest.raises(InvalidArgument, match="PoolLayer: filter_size must be a positive integer"):
        PoolLayer((1, 0, 2, 1))
    with pytest.raises(WrongShape, match=r"PoolLayer.*rank 4,.* an axis for each filter_size\."):
        PoolLayer(Input([None, 9]))
