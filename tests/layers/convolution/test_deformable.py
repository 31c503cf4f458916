from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Conv2d, DeformableConv2d, Input
from tensorlayer.layers.convolution.deformable import bilinear
from tests.layers.convolution.twins import assert_same, rng

SIZE = (6, 5)


def features(batch=2, channels=3):
    return rng().normal(size=(batch, *SIZE, channels)).astype("float32")


def displacements(taps=9, scale=1.5, batch=2):
    drawn = np.random.default_rng(1).normal(size=(batch, *SIZE, 2 * taps))
    return (scale * drawn).astype("float32")


def oracle(x, offsets, filters, size):
    """Tap by tap and position by position, interpolated by SciPy."""
    out = np.zeros([*x.shape[:3], filters.shape[-1]])
    for n, h, w in np.ndindex(*x.shape[:3]):
        for tap, (i, j) in enumerate(np.ndindex(*size)):
            row = h + i - (size[0] - 1) // 2 + offsets[n, h, w, 2 * tap]
            column = w + j - (size[1] - 1) // 2 + offsets[n, h, w, 2 * tap + 1]
            at = np.clip([[row], [column]], 0, [[x.shape[1] - 1], [x.shape[2] - 1]])
            value = [
                ndimage.map_coordinates(x[n, :, :, c], at, order=1)[0] for c in range(x.shape[3])
            ]
            out[n, h, w] += value @ filters[0, 0, tap]
    return out


def network(size=(3, 3), free=False, **arguments):
    shape = [None, None] if free else SIZE
    x = Input([None, *shape, 3], name="x")
    offsets = Input([None, *shape, 2 * size[0] * size[1]], name="offsets")
    arguments = {"n_filter": 4, "filter_size": size, "name": "d", **arguments}
    net = DeformableConv2d(x, offset_layer=offsets, **arguments)
    for variable in net.all_params:
        variable.assign(rng().normal(size=variable.shape))
    return net


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("size", [(3, 3), (2, 4)])
def test_every_tap_is_displaced(size, free):
    net, x, offsets = network(size, free), features(), displacements(size[0] * size[1])
    filters, biases = (variable.numpy() for variable in net.all_params)

    expected = oracle(x, offsets, filters, size) + biases

    assert_same(net([x, offsets]), expected)
    assert_same(tf.function(net, jit_compile=True)([x, offsets]), expected)


@pytest.mark.parametrize("size", [(3, 3), (2, 4)])
def test_without_displacements_it_is_a_convolution(size):
    net, x = network(size), features()
    filters, biases = net.all_params
    around = [[(n - 1) // 2, n // 2] for n in size]

    padded = np.pad(x, [[0, 0], *around, [0, 0]], "edge")
    expected = tf.nn.conv2d(padded, tf.reshape(filters, [*size, 3, 4]), 1, "VALID") + biases

    assert_same(net([x, displacements(size[0] * size[1], 0.0)]), expected)


def test_both_spellings_make_the_branch_a_part_of_the_network():
    x = Input([None, *SIZE, 3], name="x")
    branch = Conv2d(x, 18, name="branch")

    stacked = DeformableConv2d(x, branch, 4, (3, 3), name="d")
    called = DeformableConv2d(offset_layer=branch, n_filter=4, name="d")(x)

    for net in (stacked, called):
        assert [layer.name for layer in net.all_layers] == ["branch", "d"]
        assert list(net.parameters) == [
            "branch/filters",
            "branch/biases",
            "d/W_deformableconv2d",
            "d/b_deformableconv2d",
        ]
    model = tl.models.Model(x, stacked)
    again = tl.models.Model.from_config(model.config)
    again.assign_arrays(model.to_arrays())
    np.testing.assert_array_equal(
        again(features(), is_train=False), model(features(), is_train=False)
    )


def test_training_changes_the_branch():
    x = Input([None, *SIZE, 3], name="x")
    net = DeformableConv2d(x, offset_layer=Conv2d(x, 18, W_init=0.01, name="branch"), name="d")

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(features()) ** 2)
    found = tape.gradient(loss, net.trainable_weights)

    assert len(found) == 4
    assert all(np.abs(each).max() > 0 for each in found)


def test_gradients_are_the_differences():
    net = DeformableConv2d(n_filter=2, dtype="float64", name="d")
    x = tf.constant(features(1), tf.float64)
    # No position near a pixel, where the slope jumps.
    offsets = tf.constant(np.floor(displacements(batch=1)) + 0.5, tf.float64)
    net([x, offsets])

    theory, numeric = tf.test.compute_gradient(lambda a, b: net(a, offset_layer=b), [x, offsets])

    for one, other in zip(theory, numeric, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_positions_of_large_images_are_exact_in_16_bits():
    x = tf.reshape(tf.range(4096) % 2, [1, 4096, 1, 1])  # float16 has no odd numbers above 2048
    net = DeformableConv2d(n_filter=1, filter_size=1, W_init=1.0, dtype="float16", name="d")

    outputs = net(tf.cast(x, tf.float16), offset_layer=tf.zeros([1, 4096, 1, 2], tf.float16))

    np.testing.assert_array_equal(outputs, x)


def test_what_is_no_number_stays_none():
    net, offsets = network(), displacements()
    offsets[0, 0, 0, 0] = np.nan

    outputs = net([features(), offsets]).numpy()

    assert np.isnan(outputs[0, 0, 0]).all()
    assert np.isfinite(outputs[1]).all()


def test_positions_outside_have_the_value_of_the_border():
    image = tf.reshape(tf.range(6.0), [1, 2, 3, 1])
    rows, columns = tf.constant([[-5.0, 0.5, 9.0]]), tf.constant([[-1.0, 7.0, 1.25]])

    np.testing.assert_allclose(bilinear(image, rows, columns)[0, :, 0], [0.0, 3.5, 4.25])


def test_errors():
    x = Input([None, *SIZE, 3], name="x")
    with pytest.raises(InvalidArgument, match="it needs displacements"):
        DeformableConv2d(x)
    with pytest.raises(InvalidArgument, match="padding is 'SAME', got 'VALID'"):
        DeformableConv2d(padding="VALID")
    with pytest.raises(InvalidArgument, match=r"offset_layer is a network, got .*Tensor"):
        DeformableConv2d(offset_layer=tf.ones([1, *SIZE, 18]))
    with pytest.raises(WrongShape, match=r"must be of shape \(None, 6, 5, 18\).*Make them with"):
        DeformableConv2d(x, offset_layer=Conv2d(x, 16))
    with pytest.raises(WrongShape, match=r"must be of shape \(None, 6, 5, 18\)"):
        DeformableConv2d(x, offset_layer=Conv2d(x, 18, strides=2))
    with pytest.raises(WrongShape, match=r"rank 4, got .* These are the displacements"):
        DeformableConv2d(x, offset_layer=Input([None, 18]))
