from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import (
    Dense,
    Flatten,
    Input,
    SpatialTransformer2dAffine,
    SpatialTransformer2dAffineLayer,
    batch_transformer,
    transformer,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(3, 6, 7, 2))
THETA = RNG.normal(np.array([0.5, 0, 0, 0, 0.5, 0]), 0.6, size=(3, 6))
FEATURES = RNG.normal(size=(3, 5)).astype("float32")


def seen(images, theta, out_size):
    """The same with SciPy: between pixels linear, elsewhere 0."""
    height, width = images.shape[1:3]
    grid_y, grid_x = np.meshgrid(*(np.linspace(-1, 1, size) for size in out_size), indexing="ij")
    out = np.zeros([len(images), *out_size, images.shape[3]])
    for n, image in enumerate(images):
        a = np.asarray(theta[n]).reshape(2, 3)
        x, y = (a[i, 0] * grid_x + a[i, 1] * grid_y + a[i, 2] for i in (0, 1))
        places = [(y + 1) * height / 2, (x + 1) * width / 2]
        for c in range(images.shape[3]):
            out[n, ..., c] = ndimage.map_coordinates(
                image[..., c], places, order=1, mode="constant"
            )
    return out


@pytest.mark.parametrize("out_size", [(4, 5), (9, 2), (1, 1)])
def test_images_are_seen_as_by_scipy(out_size):
    expected = seen(IMAGES, THETA, out_size)

    np.testing.assert_allclose(transformer(IMAGES, THETA, out_size), expected, atol=1e-9)
    matrices = transformer(IMAGES, THETA.reshape(3, 2, 3), out_size)
    np.testing.assert_allclose(matrices, expected, atol=1e-9)
    of_32_bits = transformer(IMAGES.astype("float32"), THETA.astype("float32"), out_size)
    np.testing.assert_allclose(of_32_bits, expected, atol=1e-5)


def test_the_image_itself_and_what_is_beside_it():
    whole = np.array([[6 / 7, 0, -1 / 7, 0, 5 / 6, -1 / 6]] * 3)
    beside = np.array([[1, 0, 5, 0, 1, 0], [0, 0, -1.01, 0, 0, 0], [1, 0, 0, 0, 1, 1e30]])

    np.testing.assert_allclose(transformer(IMAGES, whole, (6, 7)), IMAGES, atol=1e-9)
    np.testing.assert_array_equal(transformer(IMAGES, beside, (6, 7)), np.zeros([3, 6, 7, 2]))


def test_sizes_that_are_not_known():
    traced = tf.function(
        lambda images, theta: transformer(images, theta, (4, 5)),
        input_signature=[
            tf.TensorSpec([None] * 4, tf.float64),
            tf.TensorSpec([None, 6], tf.float64),
        ],
    )

    np.testing.assert_allclose(traced(IMAGES, THETA), seen(IMAGES, THETA, (4, 5)), atol=1e-9)


def test_gradients_are_those_of_finite_differences():
    theta = [0.4, 0.1, -0.23, -0.07, 0.37, -0.11]
    images, maps = tf.constant(IMAGES[:1]), tf.constant([theta], tf.float64)
    computed, numeric = tf.test.compute_gradient(
        lambda u, t: transformer(u, t, (3, 4)), [images, maps], delta=1e-6
    )

    for ours, expected in zip(computed, numeric, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)
    assert np.any(computed[1])


def test_several_maps_for_each_image():
    thetas = np.stack([THETA, THETA[::-1]], 1)

    out = batch_transformer(IMAGES, thetas, (4, 5))

    expected = seen(IMAGES.repeat(2, 0), thetas.reshape(6, 6), (4, 5))
    np.testing.assert_allclose(out, expected, atol=1e-9)
    matrices = batch_transformer(IMAGES, thetas.reshape(3, 2, 2, 3), (4, 5))
    np.testing.assert_array_equal(matrices, out)
    free = tf.function(
        lambda maps: batch_transformer(IMAGES, maps, (4, 5)),
        [tf.TensorSpec([None, None, 6], tf.as_dtype(thetas.dtype))],
    )
    np.testing.assert_allclose(free(thetas), out, atol=1e-9)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(WrongShape, match=r"images are of shape \(batch, height.*got \(3, 6, 7\)"):
        transformer(IMAGES[..., 0], THETA, (4, 5))
    with pytest.raises(WrongShape, match=r"theta is of shape \(batch, 6\) or .*got \(3, 5\)"):
        transformer(IMAGES, THETA[:, :5], (4, 5))
    with pytest.raises(WrongShape, match=r"thetas is of shape \(batch, maps, 6\).*got \(3, 6\)"):
        batch_transformer(IMAGES, THETA, (4, 5))
    with pytest.raises(InvalidArgument, match="out_size is a positive integer or 2 of them"):
        transformer(IMAGES, THETA, (4, 0))


# -- the layer


@pytest.mark.parametrize("data_format", ["channels_last", "channel_last", "channels_first"])
def test_a_trained_layer_in_both_formats(data_format):
    is_first = data_format == "channels_first"
    images = np.moveaxis(IMAGES, 3, 1) if is_first else IMAGES
    layer = SpatialTransformer2dAffine((4, 5), data_format=data_format)
    layer([FEATURES, images])
    weights = RNG.normal(size=[5, 6]).astype("float32")
    layer.W.assign(weights)

    out = layer([FEATURES, images])

    theta = np.tanh(FEATURES @ weights + [1, 0, 0, 0, 1, 0])
    expected = seen(IMAGES, theta, (4, 5))
    np.testing.assert_allclose(np.moveaxis(out, 1, 3) if is_first else out, expected, atol=1e-5)


def test_an_untrained_layer_enlarges():
    net = SpatialTransformer2dAffine([Input([None, 5]), Input([None, 6, 7, 2])], None, name="s")

    out = net([FEATURES, IMAGES.astype("float32")])

    zoom = np.tanh([1, 0, 0, 0, 1, 0])
    np.testing.assert_allclose(out, seen(IMAGES, [zoom] * 3, (40, 40)), atol=1e-5)
    assert {name: tuple(v.shape) for name, v in net.parameters.items()} == {
        "s/weights": (5, 6), "s/biases": (6,),
    }  # fmt: skip


def test_as_in_1x_with_a_theta_layer_of_any_rank():
    images = Input([None, 6, 7, 2], name="images")
    theta = Input([None, 5, 1], name="theta")
    net = SpatialTransformer2dAffineLayer(images, theta_layer=theta, out_size=(4, 5), name="s")
    values = {"images": IMAGES.astype("float32"), "theta": FEATURES[..., None]}

    zoom = np.tanh([1, 0, 0, 0, 1, 0])
    np.testing.assert_allclose(net(values), seen(IMAGES, [zoom] * 3, (4, 5)), atol=1e-5)


def test_it_learns_where_to_look():
    shifted = np.roll(IMAGES, 1, axis=2).astype("float32")
    layer, optimizer = SpatialTransformer2dAffine((6, 7), in_channels=5), tf.optimizers.Adam(0.05)
    losses = []
    for _ in range(60):
        with tf.GradientTape() as tape:
            out = layer([FEATURES, shifted])
            loss = tf.reduce_mean((out - IMAGES.astype("float32")) ** 2)
        gradients = tape.gradient(loss, layer.trainable_weights)
        optimizer.apply_gradients(zip(gradients, layer.trainable_weights, strict=True))
        losses.append(loss.numpy())

    assert losses[-1] < 0.8 * losses[0]


def test_inputs_that_are_missing_or_of_another_rank():
    with pytest.raises(InvalidArgument, match=r"takes a list of two networks, \[theta_input, im"):
        SpatialTransformer2dAffine(Input([None, 6, 7, 2]))
    with pytest.raises(WrongShape, match=r"rank 4, got shape .*Images are in NHWC"):
        SpatialTransformer2dAffine([Input([None, 5]), Input([None, 6, 7])])
    with pytest.raises(InvalidArgument, match="every size of theta's input must be known"):
        SpatialTransformer2dAffine([Input([None, None]), Input([None, 6, 7, 1])])
    with pytest.raises(InvalidArgument, match="theta_layer is a network, got 3"):
        SpatialTransformer2dAffine(theta_layer=3)
    with pytest.raises(InvalidArgument, match="SpatialTransformer2dAffine: out_size is a positive"):
        SpatialTransformer2dAffine(out_size=0)
    with pytest.raises(InvalidArgument, match="data_format is 'channels_last' or"):
        SpatialTransformer2dAffine(data_format="NHC")


def test_in_a_network():
    images = Input([None, 6, 7, 2])
    theta = Dense(Flatten(images), n_units=5, act="tanh")
    net = Dense(Flatten(SpatialTransformer2dAffine([theta, images], (3, 3))), n_units=2)

    assert net(IMAGES.astype("float32")).shape == (3, 2)


def test_places_in_wide_images_are_exact_under_a_mixed_policy():
    width = 2001
    stripes = np.tile((np.arange(width) % 2.0)[:, None], [1, 2, 1, 1]).astype("float32")
    exact, mixed = (
        SpatialTransformer2dAffine((2, width), in_channels=1, dtype=dtype)
        for dtype in ("float32", "mixed_float16")
    )
    for layer in (exact, mixed):  # a hundred times larger, about a place that 16 bits do not have
        layer.b.assign(np.arctanh([0.01, 0, 0.1234567, 0, 0.5, 0]).astype("float32"))

    seen = mixed([np.ones([1, 1], "float32"), stripes])

    expected = exact([np.ones([1, 1], "float32"), stripes])
    np.testing.assert_allclose(tf.cast(seen, tf.float32), expected, atol=2e-3)
