from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Input, ROIPoolingLayer

RNG = np.random.default_rng(0)


def bilinear(image, y, x):
    top, left = int(np.floor(y)), int(np.floor(x))
    bottom, right = min(top + 1, image.shape[0] - 1), min(left + 1, image.shape[1] - 1)
    down, along = y - top, x - left
    upper = (1 - along) * image[top, left] + along * image[top, right]
    lower = (1 - along) * image[bottom, left] + along * image[bottom, right]
    return (1 - down) * upper + down * lower


def pooled(maps, roi, height, width):
    """Sample twice as many points as wanted along each axis; keep the largest of four."""
    number, x0, y0, x1, y1 = roi
    ys, xs = np.linspace(y0, y1, 2 * height), np.linspace(x0, x1, 2 * width)
    points = np.array([[bilinear(maps[number], y, x) for x in xs] for y in ys])
    return points.reshape(height, 2, width, 2, -1).max((1, 3))


ROIS = [[0, 0, 0, 7, 5], [1, 2, 1, 6, 4], [0, 3, 3, 3, 3]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_boxes_are_sampled_and_pooled(dtype):
    x = RNG.normal(size=(2, 6, 8, 3)).astype(dtype)

    out = ROIPoolingLayer(ROIS, pool_height=3, pool_width=2)(tf.constant(x))

    assert out.dtype == dtype
    np.testing.assert_allclose(out, [pooled(x, roi, 3, 2) for roi in ROIS], rtol=1e-4, atol=1e-5)


def test_boxes_may_be_another_network():
    x = RNG.normal(size=(2, 6, 8, 3)).astype("float32")
    rois = Input([None, 5], "int32", name="rois")
    net = ROIPoolingLayer(Input([None, 6, 8, 3], name="x"), rois)

    out = net({"x": x, "rois": np.array(ROIS, "int32")})

    assert tuple(net.shape) == (None, 2, 2, 3)
    np.testing.assert_allclose(out, [pooled(x, roi, 2, 2) for roi in ROIS], rtol=1e-4, atol=1e-5)


def test_a_map_of_one_cell_fills_every_bin():
    out = ROIPoolingLayer([[0, 0, 0, 0, 0]])(tf.fill([1, 1, 1, 1], 5.0))

    np.testing.assert_array_equal(out, tf.fill([1, 2, 2, 1], 5.0))


def test_coordinates_keep_their_precision_in_16_bits():
    x = np.zeros([1, 1, 301, 1], "float32")
    x[0, 0, 257] = 1.0

    out = ROIPoolingLayer([[0, 257, 0, 257, 0]], dtype="mixed_bfloat16")(x)

    assert out.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(out, tf.float32), tf.ones([1, 2, 2, 1]), atol=0.01)


def test_the_input_learns():
    x = tf.Variable(RNG.normal(size=(1, 4, 4, 1)).astype("float32"))
    with tf.GradientTape() as tape:
        cost = tf.reduce_sum(ROIPoolingLayer([[0, 0, 0, 3, 3]])(x + 0.0))

    np.testing.assert_allclose(tf.reduce_sum(tape.gradient(cost, x)), 4, rtol=1e-5)


def test_errors():
    with pytest.raises(WrongShape, match=r"rois are rows \(image, x_min, .*shape \(1, 4\)"):
        ROIPoolingLayer([[0, 0, 1, 1]])
    with pytest.raises(WrongShape, match=r"rois are rows .*shape \(5,\)"):
        ROIPoolingLayer([0, 0, 0, 1, 1])
    with pytest.raises(WrongShape, match=r"ROIPoolingLayer.*rank 4"):
        ROIPoolingLayer(Input([None, 9]), ROIS)
    with pytest.raises(InvalidArgument, match=r"ROIPoolingLayer: pool_height must be .* got 0"):
        ROIPoolingLayer(ROIS, 0)
    with pytest.raises(InvalidArgument, match=r"ROIPoolingLayer: pool_width must be .* got 0"):
        ROIPoolingLayer(ROIS, 2, 0)
    with pytest.raises(InvalidArgument, match="it needs rois"):
        ROIPoolingLayer(None)(tf.zeros([1, 4, 4, 1]))
