"""What every layer promises, checked for each one in ``specs.py``."""

from __future__ import annotations

import copy
import json
import threading
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers.mode import mode
from tests.layers.specs import SPECS
from tests.models.hostile import structure

every_layer = pytest.mark.parametrize("spec", SPECS, ids=str)


def ids(variables):
    return {id(variable) for variable in variables}


def disturb(owner):
    """Move every variable to another value that it may well have."""
    for variable in owner.all_params:
        variable.assign(1.5 * variable + 0.25)


def test_the_list_names_every_exported_layer():
    exported = {name: getattr(tl.layers, name) for name in tl.layers.__all__}
    classes = {
        name
        for name, thing in exported.items()
        if isinstance(thing, type) and issubclass(thing, tl.layers.Layer) and name == thing.__name__
    }

    bases = {"Layer", "ConvRNNCell"}  # for layers and cells of one's own
    assert {spec.name for spec in SPECS} == classes - bases


@every_layer
def test_traced_equals_eager(spec):
    net, values = spec.untouched, spec.values(4)

    # AutoGraph converts every layer in a block, see test_conformance_worlds.py.
    traced = tf.function(lambda x: net(x, is_train=False), autograph=False)(values)

    np.testing.assert_allclose(traced, net(values, is_train=False), rtol=1e-5, atol=1e-6)


@every_layer
def test_declared_shape_is_the_computed_one_for_any_batch_size(spec):
    net = spec.untouched

    for batch in (1, 6):
        out = net(spec.values(batch), is_train=False)

        assert net.outputs.shape.is_compatible_with(out.shape)
        assert net.outputs.dtype == out.dtype


@every_layer
def test_both_spellings_are_the_same_network(spec):
    stacked = spec.untouched
    called = spec.make(**spec.arguments, name="layer")(spec.inputs())

    assert list(called.parameters) == list(stacked.parameters)
    assert called.outputs == stacked.outputs


@every_layer
def test_tensors_in_tensor_out(spec):
    net, values = spec.untouched, spec.values(3)

    np.testing.assert_array_equal(spec.layer_of(net)(values), net(values, is_train=False))


@every_layer
def test_parameters_are_named_after_the_layer(spec):
    with tl.layers.variable_scope("scope"):
        net = spec.network("layer")

    assert tuple(net.parameters) == tuple(f"scope/layer/{name}" for name in spec.parameters)
    assert len({id(v) for v in net.all_params}) == len(spec.parameters)


@every_layer
def test_parameters_are_shared_by_name(spec):
    with tl.layers.variable_scope("scope"):
        first = spec.network()
    with tl.layers.variable_scope("scope", reuse=True):
        second = spec.network(prefix="y")

    assert spec.layer_of(second) is spec.layer_of(first)
    assert all(a is b for a, b in zip(first.all_params, second.all_params, strict=True))


@every_layer
def test_weights_round_trip_through_every_format(spec, tmp_path):
    model = spec.model()
    before = model.to_arrays()
    for name, format_ in [
        ("w.safetensors", None),
        ("w.npz", "npz"),
        ("w.npz", "npz_dict"),
        ("w.h5", None),
    ]:
        model.save_weights(tmp_path / name, format_)
        model.assign_arrays({key: np.zeros_like(value) for key, value in before.items()})

        model.load_weights(tmp_path / name, format_)

        after = model.to_arrays()
        assert list(after) == list(before)
        assert all(np.array_equal(after[key], before[key]) for key in before)


@every_layer
def test_config_round_trip(spec):
    model = spec.model()
    text = json.dumps(structure(model.config))

    again = tl.models.Model.from_config(json.loads(text))
    again.assign_arrays(model.to_arrays())

    assert again.structure_digest == model.structure_digest
    assert json.dumps(structure(again.config)) == text
    values = spec.values(3)
    np.testing.assert_array_equal(again(values, is_train=False), model(values, is_train=False))


@every_layer
def test_gradients_are_finite_and_reach_every_trainable_parameter(spec):
    net, values = spec.network(), spec.values(4)

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(values, is_train=True) ** 2)
    gradients = tape.gradient(loss, net.trainable_weights)

    for name, gradient in zip(net.parameters, gradients, strict=False):
        assert gradient is not None, f"no gradient reaches {name}"
        assert np.all(np.isfinite(tf.convert_to_tensor(gradient)))  # it may be of some rows only


@every_layer
def test_biases_start_at_zero(spec):
    if "b_init" in spec.arguments:
        pytest.skip("it was told where they start")
    net = spec.untouched

    for name, variable in net.parameters.items():
        if name.endswith("biases") and spec.name != "SpatialTransformer2dAffine":  # a map
            np.testing.assert_array_equal(variable, np.zeros(variable.shape), name)


@every_layer
def test_mode_is_respected(spec):
    net, values = spec.network(), spec.values(4)
    inference = net(values, is_train=False)

    training = net(values, is_train=True)

    assert np.array_equal(training, inference) != spec.depends_on_mode
    with mode(True):  # the mode around an evaluation counts as well
        assert np.array_equal(net(values), inference) != spec.depends_on_mode


@every_layer
def test_is_random_only_where_it_says_so(spec):
    net, values = spec.network(), spec.values(24)  # no two draws for so many are the same

    once, again = net(values, is_train=True), net(values, is_train=True)

    assert np.array_equal(once, again) != spec.is_random


@every_layer
def test_checkpoint_round_trip(spec, tmp_path):
    model = spec.model()
    before = model.to_arrays()
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "ckpt"))
    model.assign_arrays({key: value + 1 for key, value in before.items()})

    tf.train.Checkpoint(model=model).read(path).assert_consumed()

    assert all(np.array_equal(value, before[key]) for key, value in model.to_arrays().items())


@every_layer
def test_checkpoint_of_a_network_round_trip(spec, tmp_path):
    net = spec.network()
    before = [variable.numpy() for variable in net.all_params]
    path = tf.train.Checkpoint(net=net).write(str(tmp_path / "ckpt"))
    disturb(net)

    tf.train.Checkpoint(net=net).read(path).assert_consumed()

    np.testing.assert_equal([variable.numpy() for variable in net.all_params], before)


@every_layer
def test_parameters_are_the_variables_that_training_uses(spec):
    net, values = spec.network(), spec.values(4)
    train = tf.function(lambda x: net(x, is_train=True), autograph=False)
    with tf.GradientTape() as tape:
        net(values, is_train=True)

    used = train.get_concrete_function(values).variables, tape.watched_variables()
    traced, watched, listed = map(ids, (*used, net.all_params))

    assert traced <= listed
    assert watched <= listed
    assert watched == traced & ids(net.trainable_weights) == ids(net.trainable_weights)


@every_layer
def test_arrays_in_tensor_out(spec):
    net = spec.untouched

    np.testing.assert_array_equal(net.layer(spec.arrays(3)), net.layer(spec.values(3)))


@every_layer
@pytest.mark.parametrize("kind", ["network", "model"])
def test_a_deep_copy_is_the_same_with_variables_of_its_own(spec, kind):
    original, values = spec.network() if kind == "network" else spec.model(), spec.values(3)
    disturb(original)
    expected = original(values, is_train=False)

    copied = copy.deepcopy(original)
    np.testing.assert_array_equal(copied(values, is_train=False), expected)
    disturb(copied)

    assert list(copied.parameters) == list(original.parameters)
    assert [v.name for v in copied.all_params] == [v.name for v in original.all_params]
    assert [v.trainable for v in copied.all_params] == [v.trainable for v in original.all_params]
    assert not ids(copied.all_params) & ids(original.all_params)
    np.testing.assert_array_equal(original(values, is_train=False), expected)


@every_layer
def test_pickling_is_refused(spec):
    for thing in (spec.untouched.layer, spec.untouched, spec.model()):
        with pytest.raises(tl.errors.NotSerializable, match=r"be pickled\. Write a model with"):
            ForkingPickler.dumps(thing)


@every_layer
def test_threads_that_call_a_lazy_layer_first_make_one_set_of_parameters(spec):
    layer, values = spec.make(**spec.arguments, name="lazy"), spec.values(3)
    start, used, outputs = threading.Barrier(4, timeout=30), [], []

    def call():
        start.wait()
        with tf.GradientTape() as tape:
            outputs.append(layer(values).numpy())
        used.extend(tape.watched_variables())

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outputs) == 4
    assert all(np.array_equal(each, outputs[0]) for each in outputs)
    assert len(ids(layer.parameters.values())) == len(spec.parameters)
    assert ids(used) <= ids(layer.parameters.values())


@every_layer
def test_a_frozen_layer_infers_in_training_and_stays_as_it_is(spec):
    net, values = spec.network(trainable=False), spec.values(4)
    before = [variable.numpy() for variable in net.all_params]
    inference = net(values, is_train=False)

    training = net(values, is_train=True)

    assert net.trainable_weights == []
    np.testing.assert_array_equal(training, inference)
    np.testing.assert_equal([variable.numpy() for variable in net.all_params], before)


@every_layer
def test_unknown_argument_is_named(spec):
    with pytest.raises(tl.errors.UnknownArgument, match=rf"{spec.name}: unknown argument 'nam'"):
        spec.make(spec.inputs(), **spec.arguments, nam="layer")


@every_layer
def test_repr_shows_class_and_name(spec):
    text = repr(spec.layer_of(spec.network("shown")))

    assert text.startswith(f"{spec.name}(")
    assert "name='shown'" in text
