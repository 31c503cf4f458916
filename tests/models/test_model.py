from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import (
    InvalidArgument,
    NameTaken,
    NotSerializable,
    StructureMismatch,
)
from tensorlayer.layers import BatchNorm, Concat, Conv2d, Dense, Dropout, Flatten, Input
from tensorlayer.models import Model

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def static():
    x = Input([None, 4], name="x")
    net = Dense(x, 6, act=tf.nn.relu, name="hidden")
    net = Dropout(BatchNorm(net, name="bn"), keep=0.5, name="drop")
    return Model(x, Dense(net, 2, name="logits"), name="static")


class Own(Model):
    def __init__(self, n_units=3, name=None):
        super().__init__(name=name)
        self.second = Dense(n_units=2, in_channels=n_units)
        self.first = Dense(n_units=n_units, act="relu", in_channels=4)
        self.blocks = [Dense(n_units=2, in_channels=2, name="named")]

    def forward(self, x, scale=1.0):
        return scale * self.blocks[0](self.second(self.first(x)))


class Lazy(Model):
    def __init__(self):
        super().__init__()
        self.dense = Dense(n_units=2)

    def forward(self, x):
        return self.dense(x)


# -- parts


def test_the_layers_of_a_model_of_ones_own_are_found_by_their_attributes():
    model = Own()

    assert model.get_layer("first") is model.first
    assert model.get_layer("blocks/0") is model.blocks[0]
    with pytest.raises(InvalidArgument, match=r"has no layer 'firts'\. Did you mean 'first'"):
        model.get_layer("firts")


def test_layers_of_layers_are_found_by_the_path_in_the_names_of_their_parameters():
    inside = tl.layers.LayerList([Conv2d(4, name="conv"), BatchNorm(), Flatten()], name="list")
    x = Input([None, 8, 8, 3], name="x")
    small = Model(x, Dense(inside(x), 2, name="logits"), name="small")
    large = Model(y := Input([None, 8, 8, 3]), small.as_layer()(y))

    assert small.get_layer("list/conv") is inside[0]
    assert small.get_layer("list/batch_norm_1") is inside[1]
    assert large.get_layer("small/list/conv") is inside[0]
    assert large.get_layer("small") is small.as_layer()
    for name, variable in large.parameters.items():
        found = large.get_layer(name.rpartition("/")[0])
        assert id(variable) in map(id, found.all_weights)
    with pytest.raises(InvalidArgument, match=r"no layer 'list/conf'\. Did you mean 'list/conv'"):
        small.get_layer("list/conf")


def test_layers_of_layers_are_found_below_attributes():
    class Nested(Model):
        def __init__(self):
            super().__init__()
            self.blocks = [tl.layers.LayerList([Dense(3, in_channels=4, name="d"), Dropout(0.5)])]

        def forward(self, x):
            return self.blocks[0](x)

    model = Nested()

    assert model.get_layer("blocks/0/d") is model.blocks[0][0]
    assert model.get_layer("blocks/0/dropout_1") is model.blocks[0][1]
    assert model.all_layers == model.blocks  # as before: what a list holds is the list's


# -- inputs


def test_inputs_by_name_keep_their_order_and_keys():
    z, a = Input([None, 2], name="first"), Input([None, 3], name="second")
    model = Model({"z": z, "a": a}, {"z": Dense(z, 2, name="d"), "a": a})
    values = {"a": np.zeros([1, 3]), "z": np.ones([1, 2])}

    for each in (model, Model.from_config(model.config)):
        assert [node.name for node in each.inputs] == ["first", "second"]
        out = each(values, is_train=False)
        assert list(out) == ["z", "a"]
        np.testing.assert_array_equal(out["a"], [[0, 0, 0]])
    with pytest.raises(InvalidArgument, match=r"no input is named 'b'. There are: 'a', 'z'"):
        model({"z": values["z"], "b": values["a"]}, is_train=False)


def test_inputs_may_be_nested():
    x, y, z = (Input([None, n], name=name) for n, name in ((1, "x"), (2, "y"), (3, "z")))
    model = Model([x, (y, {"k": z})], Concat([x, y, z]))
    values = [np.ones([1, 1]), (np.zeros([1, 2]), {"k": np.ones([1, 3])})]

    for each in (model, Model.from_config(model.config)):
        np.testing.assert_array_equal(each(values, is_train=False), [[1, 0, 0, 1, 1, 1]])


def test_arrays_and_lists_are_values_everywhere():
    class Flat(Model):
        def __init__(self):
            super().__init__()
            self.flat = tl.layers.Flatten()
            self.dense = Dense(2, in_channels=4)

        def forward(self, x, y=None):
            return self.dense(self.flat(x))

    model = Flat()

    assert model(np.ones([3, 2, 2]), is_train=False).shape == (3, 2)
    assert model([[[1.0, 2.0], [3.0, 4.0]]], y=np.ones(1), is_train=False).shape == (1, 2)
    assert static()([[1.0, 2.0, 3.0, 4.0]], is_train=False).shape == (1, 2)


def test_two_models_joined_may_not_have_two_layers_of_one_name():
    x = Input([None, 4])
    one, other = Model(x, Dense(x, 3)), Model(y := Input([None, 4]), Dense(y, 3))

    with pytest.raises(NameTaken, match=r"'(input|dense)_1' is taken"):
        Model([*one.inputs, *other.inputs], Concat([one.outputs, other.outputs]))


# -- access


def test_layers_and_weights_of_a_static_model():
    model = static()

    assert [layer.name for layer in model.all_layers] == ["x", "hidden", "bn", "drop", "logits"]
    assert model.get_layer("bn") is model.get_layer(2)
    assert list(model.parameters)[:3] == ["hidden/weights", "hidden/biases", "bn/beta"]
    assert model.n_weights == 8
    assert model.count_params() == 4 * 6 + 6 + 4 * 6 + 6 * 2 + 2
    assert [v.name for v in model.all_weights[-2:]] == ["bn/moving_mean:0", "bn/moving_var:0"]


def test_layers_of_a_model_of_ones_own_are_alphabetical_and_named_by_attribute():
    model = Own()

    assert list(model.parameters) == [
        "named/weights", "named/biases",
        "first/weights", "first/biases", "second/weights", "second/biases",
    ]  # fmt: skip
    assert model(X, is_train=False).shape == (5, 2)
    np.testing.assert_allclose(
        model(X, scale=2.0, is_train=False), 2 * model(X, is_train=False), rtol=1e-6
    )


def test_weights_that_do_not_exist_yet_are_not_passed_over():
    model = Lazy()
    with pytest.raises(InvalidArgument, match=r"has no weights yet. Give it in_channels, or call"):
        model.trainable_weights  # noqa: B018
    model(X, is_train=True)

    assert list(model.parameters) == ["dense/weights", "dense/biases"]


def test_two_layers_of_one_name_in_a_model_of_ones_own_are_refused():
    class Twins(Model):
        def __init__(self):
            super().__init__()
            self.a = Dense(n_units=2, in_channels=2, name="same")
            self.b = Dense(n_units=2, in_channels=2, name="same")

        def forward(self, x):
            return self.b(self.a(x))

    with pytest.raises(NameTaken, match=r"two different variables in it are called 'same/weights'"):
        Twins().to_arrays()


def test_an_unknown_layer_names_the_closest():
    with pytest.raises(InvalidArgument, match=r"has no layer 'logit'. Did you mean 'logits'"):
        static().get_layer("logit")
    with pytest.raises(InvalidArgument, match=r"has 5 layers, got index 5"):
        static().get_layer(5)


def test_inputs_must_be_inputs_and_all_of_them():
    x, y = Input([None, 4], name="x"), Input([None, 4], name="y")
    hidden = Dense(x, 3, name="hidden")

    with pytest.raises(
        InvalidArgument, match=r"inputs are made by tl.layers.Input, got <Network 'h"
    ):
        Model(hidden, Dense(hidden, 2))
    with pytest.raises(InvalidArgument, match=r"the outputs also need the inputs 'y'"):
        Model(x, Concat([hidden, y]))
    with pytest.raises(InvalidArgument, match=r"give inputs and outputs, or make a subclass"):
        Model()


def test_print_shows_names_without_any_set_up(capsys):
    static().print_params()
    static().print_all_layers()

    shown = capsys.readouterr().out
    assert "bn/moving_var" in shown
    assert "Dense(n_units=2, name='logits')" in shown


# -- a model in a model


def test_a_model_is_a_layer_and_shared_by_using_it_twice():
    inner = static()
    layer = inner.as_layer()
    a, b = Input([None, 4], name="a"), Input([None, 4], name="b")
    model = Model([a, b], Concat([layer(a), layer(b)]), name="outer")

    out = model([X, X], is_train=False).numpy()

    np.testing.assert_array_equal(out[:, :2], inner(X, is_train=False))
    np.testing.assert_array_equal(out[:, :2], out[:, 2:])
    assert next(iter(model.parameters)) == "static/hidden/weights"
    assert model.n_weights == inner.n_weights


def test_a_model_applied_to_a_network_is_a_network():
    net = static()(Input([None, 4]))

    assert net.name == "static"
    assert net(X, is_train=False).shape == (5, 2)


def test_several_outputs_keep_their_structure():
    x = Input([None, 4], name="x")
    model = Model(x, {"a": Dense(x, 2, name="a"), "b": [Dense(x, 3, name="b")]})

    out = model(X, is_train=False)

    assert out["a"].shape == (5, 2)
    assert out["b"][0].shape == (5, 3)
    again = Model.from_config(model.config)
    assert again(X, is_train=False)["b"][0].shape == (5, 3)


# -- structure


def test_the_digest_is_that_of_structure_and_shapes():
    assert static().structure_digest == static().structure_digest
    x = Input([None, 4], name="x")

    digests = {
        Model(x, Dense(x, units, act=act, name=name)).structure_digest
        for units, act, name in [
            (2, None, "a"),
            (3, None, "a"),
            (2, tf.nn.relu, "a"),
            (2, None, "b"),
        ]
    }

    assert len(digests) == 4
    assert Own(3).structure_digest != Own(4).structure_digest
    assert Own(3, name="a").structure_digest == Own(3, name="b").structure_digest


def test_a_model_of_ones_own_is_rebuilt_from_its_arguments():
    model = Own(7)
    again = Model.from_config(model.config)
    again.assign_arrays(model.to_arrays())

    assert isinstance(again, Own)
    np.testing.assert_array_equal(again(X, is_train=False), model(X, is_train=False))


def test_sharing_survives_the_config():
    x = Input([None, 4], name="x")
    layer = Dense(n_units=4, name="twice")
    model = Model(x, layer(layer(x)))

    again = Model.from_config(model.config)

    assert again.n_weights == 2
    assert len(again.config["model_architecture"]) == 3


def test_an_unknown_format_is_refused():
    with pytest.raises(NotSerializable, match=r"format 99 .* reads format 2"):
        Model.from_config({**static().config, "format": 99})


# -- files


def test_a_saved_model_is_loaded_in_a_fresh_process(tmp_path):
    model = static()
    model.save(tmp_path / "model.safetensors")
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", model(X, is_train=False))
    program = """
import numpy as np, sys, tensorlayer as tl
model = tl.models.Model.load(sys.argv[1] + "/model.safetensors")
y = model(np.load(sys.argv[1] + "/x.npy"), is_train=False)
assert np.array_equal(y, np.load(sys.argv[1] + "/y.npy"))
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True)


def test_saved_model_serves_without_the_library(tmp_path):
    model = static()
    model.export(tmp_path / "export")
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", model(X, is_train=False))
    program = """
import numpy as np, sys, tensorflow as tf
serve = tf.saved_model.load(sys.argv[1] + "/export").signatures["serving_default"]
y = serve(x=tf.constant(np.load(sys.argv[1] + "/x.npy")))["logits"]
np.testing.assert_allclose(y, np.load(sys.argv[1] + "/y.npy"), rtol=1e-6)
assert "tensorlayer" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True)


def test_a_model_of_ones_own_says_how_to_export_it(tmp_path):
    with pytest.raises(NotSerializable, match=r"model.as_layer\(\)\(inputs\)"):
        Own().export(tmp_path)


def test_weights_of_another_model_are_refused_and_nothing_is_assigned(tmp_path):
    model, x = static(), Input([None, 4], name="x")
    other = Model(x, Dense(x, 6, name="hidden"), name="other")
    other.save_weights(tmp_path / "other.safetensors")
    before = model.to_arrays()

    with pytest.raises(StructureMismatch, match=r"missing: bn/beta.*Nothing was assigned"):
        model.load_weights(tmp_path / "other.safetensors")
    assert all(np.array_equal(v, before[k]) for k, v in model.to_arrays().items())

    model.load_weights(tmp_path / "other.safetensors", skip=True)
    np.testing.assert_array_equal(model.all_weights[0], other.all_weights[0])


def test_a_static_and_an_own_model_train_with_keras_optimizers():
    for model in (static(), Own()):
        optimizer = tf.optimizers.Adam(0.01)
        losses = []
        for _ in range(20):
            with tf.GradientTape() as tape:
                loss = tl.cost.mean_squared_error(model(X, is_train=True), X[:, :2])
            gradients = tape.gradient(loss, model.trainable_weights)
            optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
            losses.append(float(loss))
        assert losses[-1] < losses[0]


def test_inputs_and_outputs_are_the_networks_that_were_given():
    x = Input([None, 4], name="x")
    outputs = {"a": Dense(x, 2, name="a"), "b": [Dense(x, 3, name="b")]}
    model = Model(x, outputs)

    assert model.inputs == (x,)
    assert model.outputs is outputs
    assert (Own().inputs, Own().outputs) == (None, None)


def test_a_name_for_people_is_no_name_of_a_scope():
    class Named(Model):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.dense = Dense(2, in_channels=4)

        def forward(self, x):
            return self.dense(x)

    model = Named(name="my model, v2")
    traced = tf.function(lambda x: model(x, is_train=False))

    assert model.name == "my model, v2"
    assert traced(X).shape == (5, 2)
    assert model.all_weights[0].name == "my_model__v2/dense_1/weights:0"


class Declared(Model):
    """A class of one's own whose constructor declares a network."""

    def __init__(self, n_units=3, name=None):
        x = Input([None, 4], name="x")
        super().__init__(x, Dense(x, n_units, name="d"), name=name)


def test_a_class_whose_constructor_declares_a_network_is_saved_by_its_arguments(tmp_path):
    model = Declared(n_units=5)
    model.save(tmp_path / "m.safetensors")

    again = Model.load(tmp_path / "m.safetensors")

    assert isinstance(again, Declared)
    assert again.arguments["n_units"] == 5
    np.testing.assert_array_equal(again(X, is_train=False), model(X, is_train=False))


class Unbuilt(Model):
    def __init__(self):
        super().__init__()
        self.parts_of_it = [Dense(n_units=3)]

    def forward(self, x):
        return self.parts_of_it[0](x)


def test_a_model_that_makes_its_weights_in_the_first_call_says_how_to_load_them(tmp_path):
    path, x = tmp_path / "m.safetensors", np.ones([2, 4], "float32")
    model, other = Unbuilt(), Unbuilt()
    model(x, is_train=True)
    model.save(path)

    with pytest.raises(InvalidArgument, match=r"m.safetensors' .* call it and use its load_weigh"):
        Model.load(path)
    other(x, is_train=True)
    other.load_weights(path)
    np.testing.assert_array_equal(other(x, is_train=False), model(x, is_train=False))
