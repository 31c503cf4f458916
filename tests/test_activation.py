from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, softmax

from tensorlayer import activation
from tensorlayer.errors import InvalidArgument

X = np.concatenate([np.linspace(-9, 9, 37), [-1e4, 1e4]]).astype("float32").reshape(3, 13)


def leaky(x, alpha):
    return np.where(x < 0, alpha * x, x)


def twice_leaky(x, low, high):
    return np.select([x < 0, x <= 6], [low * x, x], 6 + high * (x - 6))


# function -> the same in NumPy
FUNCTIONS = {
    activation.identity: lambda x: x,
    activation.leaky_relu: functools.partial(leaky, alpha=0.2),
    activation.leaky_relu6: lambda x: np.minimum(leaky(x, 0.2), 6),
    activation.leaky_twice_relu6: functools.partial(twice_leaky, low=0.2, high=0.2),
    activation.ramp: lambda x: np.clip(x, 0, 1),
    activation.swish: lambda x: x * expit(x),
    activation.mish: lambda x: x * np.tanh(np.logaddexp(0, x)),
    activation.sign: np.sign,
    activation.hard_tanh: lambda x: np.clip(x, -1, 1),
    activation.pixel_wise_softmax: functools.partial(softmax, axis=-1),
}
ALIASES = {
    "linear": "identity",
    "lrelu": "leaky_relu",
    "lrelu6": "leaky_relu6",
    "ltrelu6": "leaky_twice_relu6",
    "htanh": "hard_tanh",
}
TOLERANCE = {"float16": 2e-3, "bfloat16": 4e-2, "float32": 1e-5, "float64": 1e-6}

every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)


def test_the_list_names_every_exported_function():
    listed = {function.__name__ for function in FUNCTIONS} | set(ALIASES)

    assert listed | {"Activation", "NAMES", "get"} == set(activation.__all__)


@every_function
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_value_and_type(function, dtype):
    x = tf.cast(X, dtype)

    y = function(x)

    assert y.dtype == x.dtype
    expected = FUNCTIONS[function](tf.cast(x, tf.float64).numpy())
    np.testing.assert_allclose(tf.cast(y, tf.float64), expected, rtol=TOLERANCE[dtype], atol=1e-6)


@every_function
@pytest.mark.parametrize("jit_compile", [False, True], ids=["traced", "xla"])
def test_traced_and_compiled_equal_eager(function, jit_compile):
    compiled = tf.function(function, jit_compile=jit_compile)

    np.testing.assert_allclose(compiled(tf.constant(X)), function(X), rtol=1e-5, atol=1e-6)


@every_function
def test_gradients_are_finite(function):
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)

    assert np.all(np.isfinite(tape.gradient(y, x)))


@pytest.mark.parametrize("alias", ALIASES)
def test_alias_is_the_same_function(alias):
    assert getattr(activation, alias) is getattr(activation, ALIASES[alias])
    assert activation.get(alias) is getattr(activation, alias)


def test_activations_of_tensorflow_go_by_their_name():
    names = "elu gelu relu relu6 selu sigmoid softmax softplus swish tanh"
    for name in names.split():
        np.testing.assert_array_equal(activation.get(name)(X), getattr(tf.nn, name)(X))


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("hard_tanh", "htanh"),
        ("leaky_relu", "leaky_relu"),
        ("leaky_relu6", "leaky_relu6"),
        ("leaky_twice_relu6", "leaky_relu6"),
        ("pixel_wise_softmax", "pixel_wise_softmax"),
        ("swish", "swish"),
    ],
)
def test_operations_are_called_as_in_the_graphs_of_tensorlayer_1(name, operation):
    with tf.Graph().as_default():
        y = getattr(activation, name)(tf.constant(X))

    assert y.name.partition(":")[0].split("/")[0] == operation


def test_slopes_are_those_given():
    np.testing.assert_allclose(activation.leaky_relu(X, 0.01), leaky(X, 0.01), rtol=1e-5)
    np.testing.assert_allclose(activation.leaky_relu6(X, 1), np.minimum(X, 6), rtol=1e-5)
    twice = activation.leaky_twice_relu6(X, alpha_low=0.5, alpha_high=0.1)
    np.testing.assert_allclose(twice, twice_leaky(X, 0.5, 0.1), rtol=1e-5)
    far = np.array([-100.0, -7.0, 0.0, 6.0, 7.0, 100.0], np.float32)
    steep_above = activation.leaky_twice_relu6(far, alpha_low=0.1, alpha_high=0.9)
    np.testing.assert_allclose(steep_above, twice_leaky(far, 0.1, 0.9), rtol=1e-5)


@pytest.mark.parametrize("alpha", [0, -0.1, 1.01, float("nan")])
@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (activation.leaky_relu, "alpha"),
        (activation.leaky_relu6, "alpha"),
        (activation.leaky_twice_relu6, "alpha_low"),
        (activation.leaky_twice_relu6, "alpha_high"),
    ],
)
def test_slope_out_of_range_is_named(function, argument, alpha):
    with pytest.raises(InvalidArgument, match=rf"{function.__name__}: {argument} must be in \(0"):
        function(X, **{argument: alpha})


def test_ramp_between_other_values():
    np.testing.assert_array_equal(activation.ramp(X, -2, 3.5), np.clip(X, -2, 3.5))
    assert np.all(activation.ramp(X, 2, 2) == 2)
    with pytest.raises(InvalidArgument, match="v_min must not exceed v_max, got 2 and 1"):
        activation.ramp(X, 2, 1)


@pytest.mark.parametrize("jit_compile", [None, False, True], ids=["eager", "traced", "xla"])
def test_sign_lets_the_clipped_gradient_through(jit_compile):
    def slope(x, upstream):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(activation.sign(x) * upstream)
        return tape.gradient(y, x)

    run = slope if jit_compile is None else tf.function(slope, jit_compile=jit_compile)
    upstream = tf.constant([0.25, -0.5, 3.0, -40.0])

    found = run(tf.constant([-5.0, 0.0, 0.5, 5.0]), upstream)

    np.testing.assert_array_equal(found, [0.25, -0.5, 1.0, -1.0])


@pytest.mark.parametrize("name", activation.NAMES)
def test_every_name_is_an_activation(name):
    y = activation.get(name)(tf.constant(X))

    assert y.shape == X.shape
    assert np.all(np.isfinite(y))


def test_exported_functions_have_their_name():
    for function in FUNCTIONS:
        assert activation.get(function.__name__)(tf.constant(0.25, shape=[1])) == function(
            tf.constant(0.25, shape=[1])
        )


def test_none_and_callables_are_returned_as_they_are():
    double = functools.partial(tf.multiply, 2.0)

    assert activation.get(None) is None
    assert activation.get(double) is double


@pytest.mark.parametrize(("name", "slope"), [("lrelu0.3", 0.3), ("leaky_relu.5", 0.5)])
def test_slope_in_the_name(name, slope):
    np.testing.assert_allclose(activation.get(name)(X), leaky(X, slope), rtol=1e-5)


def test_unknown_names_and_things_are_named():
    with pytest.raises(InvalidArgument, match=r"unknown activation 'rellu'\. Did you mean .*relu"):
        activation.get("rellu")
    with pytest.raises(InvalidArgument, match=r"None, a callable or a name, got 3 of int"):
        activation.get(3)
