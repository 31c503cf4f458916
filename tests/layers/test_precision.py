from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import BatchNorm, Dense, Input, Layer
from tensorlayer.layers.precision import (
    OF_THE_INPUT,
    Precision,
    cast,
    first_float,
    precision,
    stand_in,
)

X = np.random.default_rng(0).normal(1.0, 2.0, size=(16, 4)).astype("float32")
MIXED = Precision(tf.float32, tf.bfloat16)


@pytest.fixture
def global_policy():
    """Set the policy of Keras for a test."""
    before = tf.keras.mixed_precision.global_policy()
    yield tf.keras.mixed_precision.set_global_policy
    tf.keras.mixed_precision.set_global_policy(before)


# -- what a dtype says


@pytest.mark.parametrize("dtype", ["float64", tf.float64, np.float64, np.dtype("float64")])
def test_a_type_holds_for_parameters_and_computing(dtype):
    assert precision(dtype) == Precision(tf.float64, tf.float64)


@pytest.mark.parametrize(
    "policy", ["mixed_bfloat16", tf.keras.mixed_precision.Policy("mixed_bfloat16")]
)
def test_a_mixed_policy_keeps_in_32_bits_and_computes_in_16(policy):
    assert precision(policy) == MIXED


def test_a_policy_of_one_type_is_not_mixed():
    policy = precision(tf.keras.mixed_precision.Policy("float64"))

    assert policy == Precision(tf.float64, tf.float64)
    assert not policy.is_mixed
    assert not OF_THE_INPUT.is_mixed
    assert MIXED.is_mixed


def test_without_a_dtype_it_is_that_of_the_input():
    assert precision() == precision(None) == OF_THE_INPUT == Precision(None, None)


def test_where_keras_was_never_imported_nobody_can_have_set_a_policy(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras")

    assert precision() is OF_THE_INPUT
    assert precision("float64").compute is tf.float64


def test_the_global_policy_holds_for_what_has_no_dtype(global_policy):
    global_policy("mixed_bfloat16")

    assert precision() == MIXED
    assert precision("float64") == Precision(tf.float64, tf.float64)


@pytest.mark.parametrize("dtype", ["float33", object(), "bfloat"])
def test_what_is_neither_type_nor_policy_is_refused(dtype):
    with pytest.raises(
        InvalidArgument,
        match=r"dtype is a floating-point type of TensorFlow or a policy such as 'mixed_bf.*got ",
    ):
        precision(dtype)


# -- types of values


def test_the_first_floating_point_type_counts():
    ids, x = tf.constant([1]), tf.TensorSpec([1], tf.float64)

    assert first_float([ids, {"x": x}, tf.ones([1])]) == tf.float64
    assert first_float([np.ones([1]), None, 3]) == tf.float32
    assert first_float([ids]) == tf.float32


def test_only_floating_point_tensors_are_cast():
    ids, x, half = tf.constant([1]), tf.ones([2]), tf.ones([2], tf.bfloat16)
    array = np.ones([2], "float32")

    values = cast({"x": [x, half], "ids": ids, "array": array, "n": 3}, tf.bfloat16)

    assert values["x"][0].dtype == tf.bfloat16
    assert values["x"][1] is half
    assert values["ids"] is ids
    assert values["array"] is array
    assert values["n"] == 3


def test_without_a_type_nothing_is_cast():
    values = [tf.ones([1], tf.float64)]

    assert cast(values, None) is values


# -- a double that computes in another type


class Thing(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable([1.0, 2.0])
        self.mean = tf.Variable([0.5], trainable=False)
        self.ids = tf.Variable([3])
        self.many = [tf.Variable(1.0), {"deep": tf.Variable(2.0)}]
        self.note = "note"
        self.state = None


def test_trainable_variables_of_floating_point_are_cast_and_no_others():
    thing = Thing()

    with stand_in(thing, tf.bfloat16) as standing:
        assert type(standing) is Thing
        assert (standing.w.dtype, thing.w.dtype) == (tf.bfloat16, tf.float32)
        assert standing.many[0].dtype == standing.many[1]["deep"].dtype == tf.bfloat16
        assert standing.mean is thing.mean
        assert standing.ids is thing.ids
        assert standing.note == "note"
    assert isinstance(thing.w, tf.Variable)
    assert isinstance(thing.many[1]["deep"], tf.Variable)


def test_what_forward_stores_is_stored_in_the_layer():
    thing = Thing()
    many, w = thing.many, thing.w

    with stand_in(thing, tf.bfloat16) as standing:
        standing.state, standing.new, standing.note = "state", "new", None

    assert (thing.state, thing.new, thing.note) == ("state", "new", None)
    assert thing.many is many
    assert thing.w is w


def test_gradients_reach_the_variables():
    thing = Thing()

    with tf.GradientTape() as tape, stand_in(thing, tf.bfloat16) as standing:
        y = tf.reduce_sum(standing.w * 3)

    np.testing.assert_array_equal(tape.gradient(y, thing.w), [3, 3])


# -- layers


class Seen(Layer):
    """Remembers in which types it computed."""

    def build(self, inputs_shape):
        self.w = self._get_weights("w", [inputs_shape[-1]], init=1.0)

    def forward(self, x):
        self.seen = (x.dtype.name, self.w.dtype.name)
        return x * self.w


@pytest.mark.parametrize(
    ("dtype", "kept", "seen"),
    [
        (None, "float32", ("float32", "float32")),
        ("float64", "float64", ("float64", "float64")),
        ("mixed_bfloat16", "float32", ("bfloat16", "bfloat16")),
        ("bfloat16", "bfloat16", ("bfloat16", "bfloat16")),
    ],
)
def test_forward_sees_inputs_and_parameters_in_the_type_of_the_layer(dtype, kept, seen):
    layer = Seen(name="s", dtype=dtype)

    result = layer(tf.ones([1, 3]))

    assert (layer.w.dtype.name, layer.seen, result.dtype.name) == (kept, seen, seen[0])


def test_without_a_dtype_parameters_have_the_type_of_the_input():
    net = Dense(Input([None, 3], dtype="float64"), 2, name="d")

    assert {v.dtype for v in net.all_params} == {tf.float64}
    assert net.outputs.dtype == tf.float64


def test_statistics_are_computed_in_the_type_in_which_they_are_kept():
    net = BatchNorm(Input([None, 3]), name="bn", dtype="mixed_bfloat16")

    assert net.outputs.dtype == tf.bfloat16
    assert {v.dtype for v in net.all_params} == {tf.float32}
    net(tf.ones([2, 3]), is_train=True)


def test_the_global_policy_holds_from_the_making_of_a_layer_on(global_policy):
    before = Dense(n_units=2, name="before")
    global_policy("mixed_bfloat16")
    after = Dense(n_units=2, name="after")
    x = tf.ones([1, 3])

    assert (before(x).dtype, after(x).dtype) == (tf.float32, tf.bfloat16)
    assert after.W.dtype == tf.float32


# -- networks of a type


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_parameters_and_outputs_have_the_type_of_the_input(dtype):
    x = Input([None, 4], dtype=dtype, name="x")
    net = Dense(BatchNorm(Dense(x, 8, act="relu"), name="bn"), 1, name="d")
    values = tf.cast(X, dtype)
    optimizer = tf.optimizers.SGD(0.01)
    losses = []
    for _ in range(30):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((net(values, is_train=True) - values[:, :1]) ** 2)
        gradients = tape.gradient(loss, net.trainable_weights)
        optimizer.apply_gradients(zip(gradients, net.trainable_weights, strict=True))
        losses.append(float(loss))

    kept = {v.dtype for v in net.nontrainable_weights}
    assert {v.dtype for v in net.trainable_weights} == {tf.as_dtype(dtype)}
    assert kept == {tf.float64 if dtype == "float64" else tf.float32}
    assert net.outputs.dtype == dtype
    assert losses[-1] < losses[0]


@pytest.fixture
def _policy():
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    yield
    tf.keras.mixed_precision.set_global_policy("float32")


class OwnProduct(Layer):
    """A layer that knows nothing of precision."""

    def build(self, inputs_shape):
        self.W = self._get_weights("W", [inputs_shape[-1], 2], init="ones")
        self.b = tf.Variable(tf.ones([2]))
        self.calls = 0

    def forward(self, inputs):
        self.calls += 1
        return tf.matmul(inputs, self.W) + self.b


@pytest.mark.usefixtures("_policy")
def test_under_a_mixed_policy_parameters_are_kept_and_computed_with_in_two_types():
    net = OwnProduct(BatchNorm(Dense(Input([None, 4]), 8), name="bn"), name="own")
    with tf.GradientTape() as tape:
        out = net(X, is_train=True)
        loss = tf.reduce_sum(tf.cast(out, tf.float32))
    gradients = tape.gradient(loss, net.trainable_weights)

    assert out.dtype == net.outputs.dtype == tf.bfloat16
    assert {v.dtype for v in net.all_weights} == {tf.float32}
    assert all(g.dtype == tf.float32 and np.all(np.isfinite(g)) for g in gradients)
    assert net.layer.calls >= 2, "what forward stores is stored in the layer"
    assert isinstance(net.layer.W, tf.Variable)


def test_a_layer_may_have_a_type_or_a_policy_of_its_own():
    x = Input([None, 4])

    mixed = Dense(x, 2, dtype="mixed_float16", name="m")
    double = Dense(mixed, 2, dtype=tf.float64, name="d")

    assert (mixed.outputs.dtype, mixed.all_params[0].dtype) == (tf.float16, tf.float32)
    assert (double.outputs.dtype, double.all_params[-1].dtype) == (tf.float64, tf.float64)


def test_a_type_that_is_none_is_refused():
    with pytest.raises(InvalidArgument, match=r"dtype is a floating-point type .*got 'flat32'"):
        Dense(Input([None, 4]), 2, dtype="flat32")


def test_integers_are_not_cast():
    class Lookup(Layer):
        def build(self, inputs_shape):
            self.E = self._get_weights("E", [5, 3])

        def forward(self, ids):
            assert ids.dtype == tf.int64
            return tf.gather(self.E, ids)

    net = Lookup(Input([None], dtype="int64"), dtype="mixed_bfloat16")

    assert net.outputs.dtype == tf.bfloat16
    assert net.all_params[0].dtype == tf.float32


def test_an_attribute_that_comes_while_a_double_is_made_does_no_harm():
    layer = Dense(n_units=2, in_channels=3)

    class Noting(dict):
        def items(self):  # as another thread that runs the layer for the first time
            vars(layer)["noted"] = True
            return super().items()

    vars(layer)["held"] = Noting()
    with stand_in(layer, tf.bfloat16) as standing:
        assert standing.W.dtype == tf.bfloat16


#: layers that sum, with what they are without a sum of 16 bits
SUMMING = {
    "GlobalMeanPool1d": ([12544, 2], {}),
    "GlobalMeanPool2d": ([112, 112, 2], {}),
    "GlobalMeanPool3d": ([32, 32, 32, 2], {}),
    "MeanPool1d": ([200, 2], {"filter_size": 100, "strides": 100}),
    "MeanPool2d": ([16, 16, 2], {"filter_size": 16, "strides": 16}),
    "MeanPool3d": ([8, 8, 8, 2], {"filter_size": 8, "strides": 8}),
}
NORMS = {
    "BatchNorm": {"gamma_init": 1.0},
    "LayerNorm": {},
    "GroupNorm": {"groups": 1},
    "InstanceNorm": {"gamma_init": 1.0},
    "SwitchNorm": {},
    "RMSNorm": {},
    "LocalResponseNorm": {},
}


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", SUMMING)
def test_a_mean_of_many_numbers_does_not_overflow(name, dtype):
    shape, arguments = SUMMING[name]
    values = np.full([2, *shape], 1000, "float16")  # the sum of a window is above 65504

    mean = getattr(tl.layers, name)(**arguments, dtype=dtype)(tf.constant(values))

    np.testing.assert_allclose(tf.cast(mean, tf.float32), np.full(mean.shape, 1000.0), rtol=1e-3)


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16"])
def test_a_squeeze_of_a_large_image_does_not_overflow(dtype):
    values = np.full([1, 112, 112, 4], 8, "float32")
    layer, exact = tl.layers.SqueezeExcitation(dtype=dtype), tl.layers.SqueezeExcitation()
    got = layer(tf.constant(values))
    exact(tf.constant(values))
    for variable, value in zip(exact.all_weights, layer.all_weights, strict=True):
        variable.assign(tf.cast(value, tf.float32))

    np.testing.assert_allclose(tf.cast(got, tf.float32), exact(tf.constant(values)), rtol=1e-2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", NORMS)
def test_a_normalisation_in_16_bits_is_that_of_32_rounded(name, dtype):
    values = np.random.default_rng(0).normal(1000, 300, [4, 5, 5, 8])  # squares are above 65504
    values = tf.cast(values, dtype)
    exact = getattr(tl.layers, name)(**NORMS[name])(tf.cast(values, tf.float32), is_train=True)

    got = getattr(tl.layers, name)(**NORMS[name], dtype=dtype)(values, is_train=True)

    assert got.dtype == dtype
    np.testing.assert_allclose(tf.cast(got, tf.float32), exact, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_places_in_an_image_are_found_in_32_bits(dtype):
    images = np.random.default_rng(0).normal(size=[1, 300, 300, 1])
    values = [tf.cast(np.ones([1, 4]), dtype), tf.cast(images, dtype)]
    exact = tl.layers.SpatialTransformer2dAffine((60, 60))
    wanted = exact([tf.cast(value, tf.float32) for value in values])

    got = tl.layers.SpatialTransformer2dAffine((60, 60), dtype=dtype)(values)

    # The identity that theta starts with is exact in 16 bits.
    np.testing.assert_allclose(tf.cast(got, tf.float32), wanted, rtol=2e-2, atol=5e-2)


def test_words_are_summed_in_32_bits():
    ids = np.ones([1, 5000], "int64")
    layer = tl.layers.AverageEmbedding(2, 1, E_init=16.0, dtype="float16")

    assert layer(ids).numpy().item() == 16.0


@pytest.mark.parametrize("act", ["sigmoid", "softplus"])
def test_a_reconstruction_in_16_bits_has_a_finite_cost(act):
    x = tl.layers.Input([None, 784], "float16", name="x")
    net = tl.layers.Dense(x, n_units=8, act=act, b_init=-30.0, name="hidden")  # all are off
    recon = tl.layers.ReconLayer(net, x_recon=x, n_units=784, act=act, name="recon")

    assert np.isfinite(recon.cost(np.full([4, 784], 20, "float16")).numpy())


@pytest.mark.parametrize("name", ["BatchNorm", "RMSNorm", "GlobalMeanPool2d", "MeanPool2d"])
@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_integers_are_refused_where_the_result_would_be_cut(name, dtype):
    layer = getattr(tl.layers, name)(name="layer")

    with pytest.raises(tl.errors.InvalidArgument, match=rf"got {dtype}\. Cast the input with tf"):
        layer(tf.ones([1, 4, 4, 2], dtype))
    with pytest.raises(tl.errors.InvalidArgument, match=rf"got {dtype}\. Cast the input with tf"):
        layer(tl.layers.Input([None, 4, 4, 2], dtype))
