from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, InvalidName
from tensorlayer.layers import Dense, Input, Layer, variable_scope
from tensorlayer.models import Model

X = np.ones([2, 3], "float32")


class Block(Layer):
    """Makes one layer in its constructor and one in each run of ``forward``."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.first = Dense(n_units=4, in_channels=3, name="first")

    def forward(self, inputs):
        return Dense(n_units=2, name="second")(self.first(inputs))


class Whole(Model):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.block = Block(name="inner")
        self.more = Block()

    def forward(self, x):
        return Dense(n_units=2, name="last")(self.block(x) + self.more(x))


def test_what_forward_makes_is_made_once_and_listed():
    block = Block(name="b")
    once = block(X)
    made = block.all_weights

    np.testing.assert_array_equal(block(X), once)
    np.testing.assert_allclose(tf.function(block)(X), once, rtol=1e-6)
    assert [id(v) for v in block.all_weights] == [id(v) for v in made]
    assert list(block.parameters) == [
        "b/first/weights",
        "b/first/biases",
        "b/second/weights",
        "b/second/biases",
    ]


def test_what_forward_makes_trains():
    block = Block(name="b")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(block(X, is_train=True))

    gradients = tape.gradient(loss, block.trainable_weights)

    assert len(gradients) == 4
    assert all(gradient is not None for gradient in gradients)


def test_two_owners_of_one_class_have_layers_of_their_own():
    one, other = Block(name="one"), Block(name="other")
    one(X), other(X)

    assert not {id(v) for v in one.all_weights} & {id(v) for v in other.all_weights}


def test_variables_are_named_after_scope_owner_and_layer():
    with variable_scope("scope"):
        block = Block(name="b")
    with variable_scope("elsewhere"):  # where it runs does not matter
        block(X)

    assert block.first.name == "scope/b/first"
    assert [v.name for v in block.all_weights][::2] == [
        "scope/b/first/weights:0",
        "scope/b/second/weights:0",
    ]


def test_what_an_owner_makes_does_not_enter_the_scope_around():
    with variable_scope("scope") as scope:
        Block(name="b")(X)

    assert scope.made.names() == ["scope/b"]


def test_reuse_around_an_owner_does_not_reach_into_it():
    with variable_scope("scope", reuse=True):
        block = Whole(name="new")

    assert block(X, is_train=False).shape == (2, 2)


def test_an_owner_without_a_name_is_called_after_its_class():
    assert Block().first.name == "block/first"


def test_paths_leave_out_what_owns():
    whole = Whole(name="whole")
    whole(X, is_train=False)

    assert list(whole.parameters)[::2] == [
        "inner/first/weights",
        "inner/second/weights",
        "last/weights",
        "more/first/weights",
        "more/second/weights",
    ]
    assert whole.block.first.name == "whole/inner/first"


def test_the_scope_around_comes_back_after_a_constructor_that_fails():
    class Failing(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Failing(name="f")

    assert Dense(n_units=2, name="d").name == "d"


def test_a_layer_with_parameters_that_forward_makes_needs_a_name():
    class Nameless(Layer):
        def forward(self, inputs):
            return Dense(n_units=2)(inputs)

    with pytest.raises(InvalidName, match=r"in forward\(\), one that has parameters needs a name"):
        Nameless()(X)


@pytest.mark.parametrize("base", [Layer, Model])
def test_a_constructor_that_does_not_call_that_of_its_base_is_told(base):
    class Careless(base):
        def __init__(self, size):
            self.size = size

    with pytest.raises(InvalidArgument, match=r"Careless: its constructor has to begin with super"):
        Careless(3)


def test_arguments_are_remembered_by_name_with_their_defaults():
    layer = Dense(Input([None, 3]), 4, name="d").layer

    assert {key: layer.arguments[key] for key in ("n_units", "in_channels", "name")} == {
        "n_units": 4,
        "in_channels": None,
        "name": "d",
    }


def test_variables_of_unnamed_parts_have_names_of_their_own(tmp_path):
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.hidden = Dense(n_units=3)
            self.logits = Dense(n_units=3)

        def forward(self, x):
            return self.logits(self.hidden(x))

    model, other, x = Own(), Own(), np.ones([1, 3], "float32")
    expected = model(x, is_train=False)
    other(x, is_train=False)

    assert [v.name for v in model.all_weights[::2]] == [
        "own/dense_1/weights:0",
        "own/dense_2/weights:0",
    ]
    assert [v.name for v in other.all_weights] == [v.name for v in model.all_weights]
    tl.files.save_npz_dict(model.all_weights, str(tmp_path / "w.npz"))
    tl.files.load_and_assign_npz_dict(str(tmp_path / "w.npz"), other)
    np.testing.assert_array_equal(other(x, is_train=False), expected)


# -- names of what an owner makes


class Part(Layer):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.inner = Dense(n_units=3, name="d")

    def forward(self, inputs):
        return self.inner(inputs)


def generator(reuse=None):
    with variable_scope("generator", reuse=reuse):
        net = Part(Input([None, 3], name="z"), name="r1")
        net = Part(net, name="r2")
        return Dense(net, 3, name="d")


def test_what_a_constructor_makes_is_called_after_scope_and_owner():
    net = generator()

    assert [v.name for v in net.all_params] == [
        "generator/r1/d/weights:0", "generator/r1/d/biases:0",
        "generator/r2/d/weights:0", "generator/r2/d/biases:0",
        "generator/d/weights:0", "generator/d/biases:0",
    ]  # fmt: skip
    assert [f"{name}:0" for name in net.parameters] == [v.name for v in net.all_params]


def test_parts_of_two_blocks_are_never_shared_and_never_hide_a_layer_around():
    with tl.layers.isolated():
        first, second = generator(tl.layers.AUTO_REUSE), generator(tl.layers.AUTO_REUSE)

    assert len({id(v) for v in first.all_params}) == 6
    assert first.all_params == second.all_params
    assert [n.layer for n in first.all_layers] == [n.layer for n in second.all_layers]


class Residual(Layer):
    """Makes a named and an unnamed layer in its constructor, and one when it is built."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.first = Dense(n_units=4, name="first")
        self.second = Dense(n_units=4)

    def build(self, inputs_shape):
        self.third = Dense(n_units=4, in_channels=inputs_shape[-1])

    def forward(self, inputs):
        return inputs + self.third(self.second(self.first(inputs)))


def doubled(x):
    return x * tf.Variable(2.0, name="scale")


def test_variables_of_blocks_and_functions_are_found_by_the_name_of_their_scope():
    def stack(net):
        net = Residual(Residual(net, name="r1"))
        net = tl.layers.Lambda(net, doubled, name="scaled")
        return Dense(net, 4, act=tf.keras.layers.PReLU(), name="out")

    with variable_scope("generator"):
        made = stack(Input([None, 4], name="z"))
    with variable_scope("discriminator"):
        judged = stack(made)

    weights = judged.trainable_weights
    ours = [v for v in weights if v.name.startswith("generator")]
    theirs = [v for v in weights if v.name.startswith("discriminator")]
    assert {id(v) for v in ours} == {id(v) for v in made.trainable_weights}
    assert len(ours) == len(theirs) == 16


class Head(Layer):
    """Its part is called as a layer around it."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.logits = Dense(n_units=3, name="logits")

    def forward(self, inputs):
        return self.logits(inputs)


def test_a_part_does_not_take_the_place_of_the_layer_of_its_name_around():
    with variable_scope("classifier"):
        logits = Dense(Input([None, 4]), 3, name="logits")
        head = Head(Input([None, 4]), name="head")

    with variable_scope("classifier", reuse=True):
        again = Dense(Input([None, 4]), 3, name="logits")

    assert again.layer is logits.layer
    assert again.layer is not head.layer.logits


def test_what_build_makes_belongs_to_the_layer():
    class Late(Layer):
        def build(self, inputs_shape):
            self.d = Dense(n_units=2, in_channels=inputs_shape[-1], name="d")

        def forward(self, inputs):
            return self.d(inputs)

    with tl.layers.isolated():
        with variable_scope("s"):
            net = Late(Input([None, 4]), name="late")
        assert [v.name for v in net.all_params] == ["s/late/d/weights:0", "s/late/d/biases:0"]
        with pytest.raises(tl.errors.NameMissing), variable_scope("s", reuse=True):
            Dense(Input([None, 4]), 2, name="d")


class OldStyle(Model):
    """A 1.x program as the forward of a model."""

    def forward(self, x):
        net = tl.layers.InputLayer(x, name="input")
        with variable_scope("features"):
            net = Dense(net, n_units=3, act="relu", name="h")
        net = tl.layers.Flatten(net)
        return Dense(net, n_units=2, name="out").outputs


def test_what_forward_makes_is_found_again_in_every_run_and_saved(tmp_path):
    model, x = OldStyle(name="old"), np.ones([2, 4], "float32")
    first = model(x, is_train=False)
    traced = tf.function(lambda x: model(x, is_train=True))

    np.testing.assert_allclose(traced(x), first, rtol=1e-6)
    np.testing.assert_allclose(traced(np.ones([3, 4], "float32"))[:2], first, rtol=1e-6)
    assert list(model.parameters) == [
        "features/h/weights", "features/h/biases", "out/weights", "out/biases",
    ]  # fmt: skip
    assert model.all_weights[0].name == "old/features/h/weights:0"
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "c"))
    assert len(tf.train.list_variables(path)) == 5


def test_two_models_of_a_class_share_nothing_that_forward_made():
    one, other = OldStyle(), OldStyle()
    x = np.ones([2, 4], "float32")
    one(x, is_train=True)
    other(x, is_train=True)

    assert not {id(v) for v in one.all_weights} & {id(v) for v in other.all_weights}


def test_two_parts_of_one_name_are_refused():
    class Twins(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.a = Dense(n_units=2, in_channels=2, name="same")
            self.b = Dense(n_units=2, in_channels=2, name="same")

        def forward(self, inputs):
            return self.b(self.a(inputs))

    with pytest.raises(tl.errors.NameTaken, match=r"two different variables in it are called 't/s"):
        Twins(Input([None, 2]), name="t")


def test_an_owner_in_an_owner_has_the_longer_path():
    class Outer(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.block = Part(name="inner")
            with variable_scope("part"):
                self.head = Dense(n_units=1, name="head")

        def forward(self, inputs):
            return self.head(self.block(inputs))

    with variable_scope("s"):
        net = Outer(Input([None, 3]), name="o")

    names = ["s/o/inner/d/weights", "s/o/part/head/weights"]
    assert list(net.parameters)[::2] == names
    assert [v.name for v in net.all_params[::2]] == [f"{name}:0" for name in names]


def test_models_own_the_networks_that_their_constructors_declare():
    class Kept(Model):
        def __init__(self):
            super().__init__()
            self.net = Dense(Dense(Input([None, 4]), 3, name="h"), 2)

        def forward(self, x):
            return self.net(x)

    model = Kept()

    assert list(model.parameters) == [
        "h/weights", "h/biases", "net/dense_1/weights", "net/dense_1/biases",
    ]  # fmt: skip
    assert model.all_weights[0].name == "kept/h/weights:0"
    assert model(np.ones([1, 4]), is_train=False).shape == (1, 2)


def test_layers_own_the_networks_that_their_constructors_declare():
    class Kept(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.net = Dense(Input([None, 4]), 3, name="h")

        def forward(self, inputs):
            return self.net(inputs)

    net = Kept(Input([None, 4]), name="kept")

    assert list(net.parameters) == ["kept/h/weights", "kept/h/biases"]
    assert len(net.trainable_weights) == 2


def test_a_constructor_that_fails_leaves_no_scope():
    class Failing(Layer):
        def __init__(self):
            super().__init__(name="failing")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Failing()

    assert Dense(name="after").name == "after"


def test_layers_given_to_an_owner_keep_their_names():
    class Sequence(Layer):
        def __init__(self, layers, name=None):
            super().__init__(name=name)
            self.layers = layers

        def forward(self, inputs):
            for layer in self.layers:
                inputs = layer(inputs)
            return inputs

    layers = [Dense(n_units=3, name="l1"), Dense(n_units=2)]
    net = Sequence(Input([None, 4]), layers=layers, name="list")

    assert list(net.parameters)[::2] == ["list/l1/weights", "list/layers/1/weights"]


def test_a_function_may_make_layers():
    def two_layers(x):
        x = Dense(n_units=3, name="a")(x)
        return Dense(n_units=1, name="b")(x)

    net = tl.layers.Lambda(Input([None, 4]), two_layers, name="f")
    before = net(np.ones([1, 4]))

    assert list(net.parameters)[::2] == ["f/a/weights", "f/b/weights"]
    np.testing.assert_array_equal(net(np.ones([1, 4])), before)


def test_lists_of_arguments_are_kept_as_they_were_given():
    class Sizes(list):
        """A list of somebody's own, which nobody can copy by its class."""

    class Kept(Layer):
        def __init__(self, plain, own, name=None):
            super().__init__(name=name)

    plain, own = [1, {"a": [2]}], Sizes([1])
    layer = Kept(plain, own, name="kept")
    plain[1]["a"].append(3)

    assert layer.arguments["plain"] == [1, {"a": [2]}]
    assert layer.arguments["own"] is own


@pytest.mark.parametrize("name", [None, ""])
def test_a_model_whose_name_is_empty_is_called_after_its_class(name):
    model = Whole(name=name)
    model(np.ones([2, 3]), is_train=True)

    assert all(variable.name.startswith("whole/") for variable in model.all_weights)


# -- a model that is frozen from the beginning


def test_a_model_takes_trainable_as_layers_do():
    x = Input([None, 3], name="x")
    static = Model(x, Dense(x, 2, name="d"), trainable=False)
    own = Whole(trainable=False)

    for model in (static, own):
        assert not model.trainable
        model(X, is_train=True)
        assert model.all_weights
        assert model.trainable_weights == []
        model.trainable = True
        assert model.trainable_weights == model.all_weights
    assert Whole(trainable=True).trainable


def test_a_frozen_model_comes_back_from_its_config():
    x = Input([None, 3], name="x")
    model = Model(x, Dense(x, 2, name="d"), trainable=False)

    assert Model.from_config(model.config).trainable_weights == []


def test_a_model_whose_constructor_takes_trainable_decides_what_it_means():
    class Deciding(Model):
        def __init__(self, trainable="body"):
            super().__init__()
            self.said = trainable

        def forward(self, x):
            return x

    assert Deciding(trainable=False).said is False
    assert Deciding(trainable=False).trainable
