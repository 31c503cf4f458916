"""What every layer promises in other worlds: owned by a block, compiled, in other types, elsewhere.

The list of layers is in ``specs.py``.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import NameMissing
from tensorlayer.layers import AUTO_REUSE, InputLayer, Layer, isolated, variable_scope
from tests.layers.specs import SPECS
from tests.layers.without_v2 import write

every_layer = pytest.mark.parametrize("spec", SPECS, ids=str)
v1 = tf.compat.v1


# -- owned by a block


class Block(Layer):
    """A block of one's own, whose constructor makes one layer."""

    def __init__(self, make, arguments, name=None):
        super().__init__(name=name)
        self.inner = make(**arguments, name="inner")

    def forward(self, inputs):
        return self.inner(inputs)


class AsItIs(Block):
    """The same for AutoGraph to leave alone, which takes most of the time of a test otherwise."""

    @tf.autograph.experimental.do_not_convert
    def forward(self, inputs):
        return super().forward(inputs)


def block(spec, prefix="x", name="block", scope="scope", reuse=None, kind=AsItIs):
    with variable_scope(scope, reuse=reuse):
        return kind(spec.inputs(prefix), spec.make, spec.arguments, name=name)


def ids(variables):
    return {id(variable) for variable in variables}


@every_layer
def test_a_layer_of_a_block_computes_as_it_does_alone(spec):
    net, alone, values = block(spec, kind=Block), spec.untouched, spec.values(3)
    for mine, other in zip(net.all_params, alone.all_params, strict=True):
        mine.assign(other)

    np.testing.assert_array_equal(net(values, is_train=False), alone(values, is_train=False))


@every_layer
def test_a_layer_of_a_block_is_called_after_scope_and_block_and_does_not_enter_the_scope(spec):
    with isolated():
        net = block(spec)
        missing = r"'scope/block/inner': reuse=True needs a layer of this name"
        with (
            # Without parameters there is nothing that could be shared.
            pytest.raises(NameMissing, match=missing) if spec.parameters else nullcontext(),
            variable_scope("scope/block", reuse=True),
        ):
            spec.network("inner", prefix="y")

    assert net.name == "scope/block"
    assert tuple(net.parameters) == tuple(f"scope/block/inner/{name}" for name in spec.parameters)
    if spec.makes_its_parameters:
        assert [v.name for v in net.all_params] == [f"{name}:0" for name in net.parameters]


@every_layer
def test_two_blocks_share_nothing_unless_one_comes_back(spec):
    with isolated():
        first = block(spec, "x")
        other = block(spec.fresh(), "y", name="other")
        renewed = spec.fresh()
        again = block(renewed, "z")
        back = block(renewed, "w", reuse=AUTO_REUSE)  # of several the newest one

    assert not ids(first.all_params) & ids(other.all_params)
    assert not ids(first.all_params) & ids(again.all_params)
    assert back.layer is again.layer
    assert back.layer.inner is again.layer.inner
    assert ids(back.all_params) == ids(again.all_params)


# -- compiled

every_compiled_layer = pytest.mark.parametrize(
    "spec", [spec for spec in SPECS if spec.compiles], ids=str
)


@every_compiled_layer
def test_compiled_by_xla_it_equals_eager_and_trains(spec):
    net, values = spec.network(), spec.values(3)
    expected = net(values, is_train=False)

    @tf.function(autograph=False, jit_compile=True)
    def compiled(x):
        outputs = net(x, is_train=False)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(net(x, is_train=True) ** 2)
        found = tape.gradient(loss, net.trainable_weights)
        return outputs, loss, [tf.convert_to_tensor(gradient) for gradient in found]

    outputs, *trained = compiled(values)

    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
    for each in tf.nest.flatten(trained):
        assert np.all(np.isfinite(each))


# -- types


def assert_trains(net, values):
    """One step of training: gradients exist, are finite and of the parameters' types."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.cast(net(values, is_train=True), tf.float32) ** 2)
    variables = net.trainable_weights
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        gradient = tf.convert_to_tensor(gradient)  # it may be of some rows only
        assert gradient.dtype == variable.dtype, variable.name
        assert np.all(np.isfinite(tf.cast(gradient, tf.float32))), variable.name
        variable.assign_sub(0.01 * gradient)
    for variable in net.all_params:
        assert np.all(np.isfinite(tf.cast(variable, tf.float32))), variable.name


def types_of(net):
    """Return the types of the parameters but moving averages, which have 32 bits at least."""
    averages = ("moving_mean", "moving_var")
    return {v.dtype.name for name, v in net.parameters.items() if not name.endswith(averages)}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.follows_its_input], ids=str)
def test_parameters_and_outputs_have_the_type_of_the_inputs(spec, dtype):
    net = spec.make(spec.inputs(dtype=dtype), **spec.arguments, name="layer")
    values = spec.values(4, dtype=dtype)

    assert net.outputs.dtype == net(values, is_train=False).dtype == dtype
    assert types_of(net) <= {dtype}
    assert_trains(net, values)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.makes_its_parameters], ids=str)
def test_a_layer_is_told_its_type(spec, dtype):
    net, values = spec.network(dtype=dtype), spec.values(4)

    assert net.outputs.dtype == net(values, is_train=False).dtype == dtype
    assert types_of(net) <= {dtype}
    assert_trains(net, values)


@pytest.fixture(params=["mixed_float16", "mixed_bfloat16"])
def policy(request):
    """Set a global policy, and the one that was there again."""
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(request.param)
    yield tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(before)


@every_layer
def test_a_mixed_policy_keeps_32_bits_and_computes_with_16(spec, policy):
    net, values = spec.fresh().network(), spec.values(4)

    assert net.outputs.dtype == net(values, is_train=False).dtype == policy.compute_dtype
    assert types_of(net) <= {"float32"}
    assert_trains(net, values)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.makes_its_parameters], ids=str)
def test_one_layer_is_told_a_mixed_policy(spec):
    net, values = spec.network(dtype="mixed_bfloat16"), spec.values(4)

    assert net.outputs.dtype == net(values, is_train=False).dtype == "bfloat16"
    assert types_of(net) <= {"float32"}
    assert_trains(net, values)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float64"])
@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.makes_its_parameters], ids=str)
def test_a_layer_of_a_block_has_the_types_that_the_block_is_told(spec, dtype):
    policy = tf.keras.mixed_precision.Policy(dtype)
    net = AsItIs(spec.inputs(), spec.make, spec.arguments, name="block", dtype=dtype)
    values = spec.values(4)

    assert net.outputs.dtype == net(values, is_train=False).dtype == policy.compute_dtype
    assert types_of(net) <= {policy.variable_dtype}
    assert_trains(net, values)


@every_layer
def test_16_bits_compute_nearly_the_same(spec, policy):
    exact, values = spec.fresh().network(dtype="float32"), spec.values(4)
    mixed = spec.fresh().network()
    for mine, other in zip(mixed.all_params, exact.all_params, strict=True):
        mine.assign(other)

    outputs = tf.cast(mixed(values, is_train=False), tf.float32)

    np.testing.assert_allclose(outputs, exact(values, is_train=False), rtol=0.05, atol=0.05)


# -- Keras


@every_layer
def test_keras_trains_the_parameters_themselves(spec):
    model = spec.fresh().model()
    inner, before = model.as_keras(), [v.numpy() for v in model.all_weights]
    given = spec.for_each_input(lambda _, shape: tf.keras.Input(shape, dtype=spec.dtype))
    head = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(1)])
    outer = tf.keras.Model(given, head(inner(given)))
    outer.compile(tf.keras.optimizers.SGD(0.5), "mse", run_eagerly=True)
    values = spec.arrays(6)
    rows = len(model(values, is_train=False))

    np.testing.assert_allclose(inner(values), model(values, is_train=False), rtol=1e-5, atol=1e-6)
    outer.train_on_batch(values, np.ones([rows, 1], "float32"))

    assert ids(weight.value for weight in inner.weights) == ids(model.all_weights)
    assert ids(w.value for w in inner.trainable_weights) == ids(model.trainable_weights)
    for variable, old in zip(model.all_weights, before, strict=True):
        assert not np.array_equal(variable, old), f"{variable.name} did not change"


# -- a session of TensorFlow 1


@every_layer
def test_a_session_computes_what_the_eager_layer_computes(spec):
    eager, values = spec.untouched, spec.arrays(3)
    weights = [variable.numpy() for variable in eager.all_params]
    with tf.Graph().as_default(), v1.Session() as session:
        feeds = spec.for_each_input(lambda _, shape: v1.placeholder(spec.dtype, [None, *shape]))
        many, data = (feeds, values) if isinstance(feeds, list) else ([feeds], [values])
        nets = [InputLayer(feed, name=f"x{i}") for i, feed in enumerate(many)]
        stacked_on = nets if isinstance(feeds, list) else nets[0]
        net = spec.make(stacked_on, **spec.fresh().arguments, name="layer", is_train=False)
        session.run(v1.global_variables_initializer())
        session.run([v.assign(w) for v, w in zip(net.all_params, weights, strict=True)])
        result = session.run(net.outputs, dict(zip(many, data, strict=True)))

    np.testing.assert_allclose(result, eager(values, is_train=False), rtol=1e-5, atol=1e-6)


# -- in a process of their own: one test each, so that no worker waits for what another one runs

#: For all layers together; the process ends by itself if one of them takes long.
PATIENCE_SECONDS = 20 + 10 * len(SPECS)
LAYERS = [str(spec) for spec in SPECS]


def assert_well(layers, module, *arguments):
    """Require of a process that prints ``[layer, problem]`` for each layer that none has any."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.layers.{module}", *arguments],
        cwd=pathlib.Path(__file__).parents[2],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    problems = [f"{layer}: {problem}" for layer, problem in lines if problem]

    assert not problems, f"{len(problems)} of {len(lines)} layers:\n" + "\n".join(problems)
    ended_before = next(iter(layers[len(lines) :]), None)
    assert [layer for layer, _ in lines] == layers, f"before {ended_before}: {done.stderr[-3000:]}"


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_two_replicas_evaluate_and_train_alike():
    """Logical devices have to be declared before TensorFlow starts."""
    assert_well([*LAYERS, "Talking"], "replicas")


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_a_session_needs_no_behaviour_of_tensorflow_2(tmp_path):
    write(tmp_path)

    assert_well(LAYERS, "without_v2", str(tmp_path))
