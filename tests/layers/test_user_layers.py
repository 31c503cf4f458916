"""Layers of a user's own in every place where the library's own layers work.

The layers are in ``user_layers.py``, and what they are to compute in ``user_cases.py``.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import Concat, InputLayer, isolated, variable_scope
from tests.layers.user_cases import close, every_case, randomized


@pytest.fixture
def mixed_policy():
    """Set a global policy, and the one that was there again."""
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    yield tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(before)


# -- alone


@every_case
def test_it_computes_the_numbers(case):
    net, values = case.network(), case.values()

    close(net(values, is_train=False), case.expected(net, values))


@every_case
def test_it_is_declared_with_the_shape_it_computes(case):
    net = case.network()

    for batch in (1, 4):
        out = net(case.values(batch=batch))
        assert net.outputs.shape.is_compatible_with(out.shape)
        assert net.outputs.shape[1:].is_compatible_with(out.shape[1:])


@every_case
def test_it_lists_its_parameters(case):
    net = case.network()

    assert tuple(net.parameters) == tuple(f"user/{name}" for name in case.parameters)
    assert net.trainable_weights == net.all_params


@every_case
def test_both_spellings_are_the_same_network(case):
    if len(case.shapes) > 1 and not case.is_list:
        pytest.skip("several networks by position are what a layer is called with")
    nets = case.inputs()
    stacked = case.make(nets if case.is_list else nets[0])
    called = case.apply(case.make(), case.inputs())

    assert stacked.outputs == called.outputs
    assert list(stacked.parameters) == list(called.parameters)


@every_case
def test_it_computes_at_once_on_tensors_that_are_there(case):
    values = case.values()
    layer = case.make()
    net = randomized(
        case.apply(layer, [InputLayer(x, name=f"x{i}") for i, x in enumerate(values)]), ""
    )

    again = case.apply(layer, [tf.constant(x) for x in values])

    close(again, case.expected(net, values))
    close(net(values), again)


@every_case
def test_it_is_traced_for_any_batch(case):
    net = case.network()
    specs = [tf.TensorSpec([None, *shape], case.dtype) for shape in case.shapes]
    traced = tf.function(lambda *x: net(list(x), is_train=True), input_signature=specs)

    for batch in (2, 5):
        values = case.values(batch=batch)
        close(traced(*values), case.expected(net, values))


@every_case
def test_gradients_reach_every_parameter_and_training_uses_no_other(case):
    net = case.network()

    @tf.function
    def gradients(values):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(net(values, is_train=True) ** 2)
        assert {id(v) for v in tape.watched_variables()} == {id(v) for v in net.all_params}
        return tape.gradient(loss, net.all_params)

    for name, gradient in zip(net.parameters, gradients(case.values()), strict=True):
        assert gradient is not None, name
        dense = tf.convert_to_tensor(gradient).numpy()
        assert np.all(np.isfinite(dense)), name
        assert np.any(dense != 0), name


@every_case
def test_under_a_mixed_policy_it_computes_with_16_bits(case, mixed_policy):
    net = case.network()

    with tf.GradientTape() as tape:
        outputs = net(case.values(), is_train=True)
        loss = tf.reduce_sum(tf.cast(outputs, tf.float32) ** 2)
    gradients = tape.gradient(loss, net.all_params)

    assert outputs.dtype == net.outputs.dtype == mixed_policy.compute_dtype
    assert {variable.dtype for variable in net.all_params} == {tf.float32}
    for name, gradient in zip(net.parameters, gradients, strict=True):
        assert gradient is not None, name
        assert np.all(np.isfinite(tf.convert_to_tensor(gradient))), name


# -- in a static model


@every_case
def test_in_a_model_it_computes_the_numbers(case):
    model, values = randomized(case.model(), "m"), case.values()

    assert tuple(model.parameters) == tuple(f"user/{name}" for name in case.parameters)
    close(model(values, is_train=False), case.expected(model, values))


@every_case
def test_a_model_of_it_is_described_by_its_config(case):
    model, values = randomized(case.model(), "m"), case.values()

    again = tl.models.Model.from_config(json.loads(json.dumps(model.config)))
    again.assign_arrays(model.to_arrays())

    assert again.structure_digest == model.structure_digest
    np.testing.assert_array_equal(again(values, is_train=False), model(values, is_train=False))


@every_case
@pytest.mark.parametrize("name", ["w.safetensors", "w.npz", "w.h5"])
@pytest.mark.parametrize("kind", ["model", "own"])
def test_its_weights_are_saved_and_loaded(case, kind, name, tmp_path):
    model, other = (randomized(getattr(case, kind)(), text) for text in ("m", "other"))
    model.save_weights(tmp_path / name)

    other.load_weights(tmp_path / name)

    np.testing.assert_equal(other.to_arrays(), model.to_arrays())


@every_case
def test_a_model_of_it_is_saved_as_a_whole(case, tmp_path):
    model, values = randomized(case.model(), "m"), case.values()
    model.save(tmp_path / "m.safetensors")

    again = tl.models.Model.load(tmp_path / "m.safetensors")

    np.testing.assert_array_equal(again(values, is_train=False), model(values, is_train=False))


@every_case
def test_a_model_of_it_is_exported(case, tmp_path):
    model, values = randomized(case.model(), "m"), case.values()
    model.export(tmp_path / "m")

    serve = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    (out,) = serve(**{f"x{i}": tf.constant(x) for i, x in enumerate(values)}).values()

    close(out, case.expected(model, values))


# -- in a model of one's own


@every_case
def test_in_a_model_of_ones_own_it_computes_the_numbers(case):
    model, values = randomized(case.own(), "own"), case.values()

    assert tuple(model.parameters) == tuple(f"user/{name}" for name in case.parameters)
    close(case.apply_own(model, values), case.expected(model, values))


@every_case
def test_an_unnamed_one_goes_by_the_attribute_of_the_model(case):
    model = case.own(name=None)

    assert tuple(model.parameters) == tuple(f"layer/{name}" for name in case.parameters)


@every_case
def test_in_a_model_of_ones_own_it_trains_in_a_trace(case):
    model, values = randomized(case.own(), "own"), case.values()
    before = model.to_arrays()

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(case.apply_own(model, values, is_train=True) ** 2)
        gradients = tape.gradient(loss, model.trainable_weights)
        for variable, gradient in zip(model.trainable_weights, gradients, strict=True):
            variable.assign_sub(0.01 * tf.convert_to_tensor(gradient))
        return loss

    losses = [float(step()) for _ in range(3)]

    assert losses[2] < losses[1] < losses[0]
    for name, value in model.to_arrays().items():
        assert not np.array_equal(value, before[name]), f"{name} did not change"


@every_case
def test_a_model_of_ones_own_is_part_of_a_network(case):
    model, values = randomized(case.own(), "own"), case.values()
    net = case.apply(model.as_layer(name="part"), case.inputs())

    close(net(values, is_train=False), case.apply_own(model, values))
    assert tuple(net.parameters) == tuple(f"part/user/{name}" for name in case.parameters)


# -- shared


@every_case
def test_it_is_shared_by_name(case):
    def tower(prefix, reuse):
        with variable_scope("tower", reuse=reuse):
            return case.apply(case.make(), case.inputs(prefix))

    with isolated():
        first = randomized(tower("x", None), "first")
        second = tower("y", True)

    assert [v.ref() for v in second.all_params] == [v.ref() for v in first.all_params]
    assert list(second.parameters) == [f"tower/user/{name}" for name in case.parameters]
    values = case.values()
    close(second(values), case.expected(first, values, "tower/user/"))


@every_case
def test_siamese_networks_use_it_twice(case):
    layer = case.make()
    one, other = (case.apply(layer, case.inputs(prefix)) for prefix in "xy")
    net = randomized(Concat([one, other], name="both"), "siamese")
    left, right = case.values(1), case.values(2)

    out = net(left + right, is_train=True)

    assert tuple(net.parameters) == tuple(f"user/{name}" for name in case.parameters)
    both = [case.expected(net, values) for values in (left, right)]
    close(out, np.concatenate(both, -1))


@every_case
def test_a_siamese_model_is_described_by_its_config(case):
    layer = case.make()
    inputs = [case.inputs(prefix) for prefix in "xy"]
    outputs = Concat([case.apply(layer, each) for each in inputs], name="both")
    model = tl.models.Model(inputs[0] + inputs[1], outputs)
    values = case.values(1) + case.values(2)

    again = tl.models.Model.from_config(json.loads(json.dumps(model.config)))
    again.assign_arrays(model.to_arrays())

    assert len(again.parameters) == len(case.parameters)
    np.testing.assert_array_equal(again(values, is_train=False), model(values, is_train=False))
