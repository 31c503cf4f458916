from __future__ import annotations

import sys
import types

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, NameTaken
from tensorlayer.layers import Dense, Input, Lambda, Layer, LayerList, variable_scope
from tensorlayer.layers.tree import Owner, Parameter, children, is_keras, join, listing, owners
from tensorlayer.models import Model


def names(owner, **options):
    return [parameter.name for parameter in listing(owner, **options)]


def holding(**attributes):
    """Return a module with these attributes."""
    module = tf.Module()
    for name, value in attributes.items():
        setattr(module, name, value)
    return module


# -- what is listed


def test_containers_and_modules_are_walked_in_order_of_definition():
    module = holding(
        b=tf.Variable(1.0),
        parts={"x": [tf.Variable(2.0)], "y": Dense(2, in_channels=3), "t": (tf.Variable(3.0),)},
        a=tf.Variable(3.0),
    )

    assert names(module) == [
        "b", "parts/x/0", "parts/y/weights", "parts/y/biases", "parts/t/0", "a",
    ]  # fmt: skip


def test_private_attributes_are_listed():
    module = holding(_private=tf.Variable(1.0), __hidden=[tf.Variable(2.0)])

    assert names(module) == ["_private", "__hidden/0"]


def test_a_listing_tells_name_variable_and_freezing():
    variable = tf.Variable(1.0)
    module = holding(w=variable)

    assert listing(module) == [Parameter("w", variable, False)]
    assert listing(module)[0].variable is variable


def test_owners_come_once_by_the_path_before_the_names_of_their_parameters():
    inner = Dense(2, in_channels=3, name="d")
    inner.trainable = False
    outer = holding(first=LayerList([inner]), second=[inner], third=holding(twin=inner))

    assert list(owners(outer)) == [("first", outer.first), ("first/d", inner)]


def test_a_variable_is_listed_once_under_the_name_that_came_first():
    variable = tf.Variable(1.0)

    assert names(holding(first=variable, second=[variable])) == ["first"]


def test_what_holds_no_variables_is_passed_over():
    module = holding(number=3, text="w", array=tf.ones([1]), function=len, nothing=None)

    assert names(module) == []
    assert listing(3) == []
    assert listing(None) == []


def test_a_variable_alone_has_no_name():
    assert names(tf.Variable(1.0)) == [""]


def test_attributes_that_are_no_parts_are_left_out():
    class Odd(tf.Module):
        def __init__(self):
            super().__init__()
            self.arguments = [tf.Variable(1.0)]
            self.facts = [tf.Variable(1.0)]
            self._selfish = [tf.Variable(1.0)]

    module, plain = Odd(), [n for n, _ in children(tf.Module())]
    vars(module)["_self_kept"] = tf.Variable(1.0)

    # What layers keep under these names is no part of them; those of somebody's module are his.
    assert [n for n, _ in children(module)] == [*plain, "arguments", "facts", "_selfish"]
    assert names(module) == ["arguments/0", "facts/0", "_selfish/0"]
    assert {"arguments", "facts"}.isdisjoint(n for n, _ in children(Dense(2, name="d")))


def test_children_of_lists_and_dictionaries_are_named_by_place_and_key():
    assert list(children(["a", "b"])) == [("0", "a"), ("1", "b")]
    assert list(children(("a",))) == [("0", "a")]
    assert list(children({1: "a", "k": "b"})) == [("1", "a"), ("k", "b")]
    assert list(children(types.MappingProxyType({"k": "b"}))) == [("k", "b")]


def test_the_object_of_a_method_is_listed_in_its_place():
    held = holding(w=tf.Variable(1.0))
    method = types.MethodType(lambda self: self.w, held)

    assert names(holding(fn=method)) == ["fn/w"]
    assert names(method) == ["w"]


def test_a_lambda_lists_the_object_of_its_method():
    class Scale(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(2.0)

        def apply(self, x):
            return self.w * x

    net = Lambda(Input([None, 1]), Scale().apply, name="scale")

    assert names(net) == ["scale/fn/w"]


def test_cycles_end():
    module = holding(other=holding(w=tf.Variable(1.0)))
    module.itself = module
    module.other.back = [module]

    assert names(module) == ["other/w"]


def test_two_variables_of_one_name_are_refused_and_nothing_is_lost():
    layers = [Dense(2, in_channels=3, name="same"), Dense(2, in_channels=3, name="same")]

    with pytest.raises(
        NameTaken,
        match=r"two different variables in it are called 'same/weights', so one of them would be "
        "lost when they are saved. Give the layers or parameters",
    ):
        listing(holding(layers=layers))
    with pytest.raises(NameTaken, match="called '1'"):
        listing({1: tf.Variable(1.0), "1": tf.Variable(1.0)})


def test_the_same_layer_twice_is_listed_once():
    layer = Dense(2, in_channels=3, name="same")

    assert names(holding(layers=[layer, layer])) == ["same/weights", "same/biases"]


# -- names of layers


def test_layers_that_were_named_go_by_their_name():
    module = holding(attribute=Dense(2, in_channels=3, name="given"), deep=[[]])
    module.deep[0].append(Dense(2, in_channels=3, name="below"))

    assert names(module) == ["given/weights", "given/biases", "below/weights", "below/biases"]


def test_layers_without_a_name_go_by_what_holds_them():
    assert names(holding(first=Dense(2, in_channels=3))) == ["first/weights", "first/biases"]


def test_layers_of_a_scope_have_its_name_in_theirs():
    with variable_scope("s"):
        layer = Dense(2, in_channels=3, name="d")

    assert names(layer) == ["s/d/weights", "s/d/biases"]
    assert names(holding(held=layer)) == ["s/d/weights", "s/d/biases"]


class Block(Layer):
    """A layer that owns layers, and has an attribute called as a method of its base."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.named = Dense(2, in_channels=2, name="inner")
        self.parts = [Dense(2, in_channels=2)]

    def forward(self, x):
        return self.parts[0](self.named(x))


def test_what_a_layer_owns_goes_by_its_name_within_the_owner():
    with variable_scope("s"):
        block = Block(name="block")

    below = ["inner/weights", "inner/biases", "parts/0/weights", "parts/0/biases"]
    assert names(block) == [f"s/block/{name}" for name in below]
    assert names(holding(held=[Block()])) == [
        "held/0/inner/weights", "held/0/inner/biases",
        "held/0/parts/0/weights", "held/0/parts/0/biases",
    ]  # fmt: skip


def test_a_named_layer_in_a_container_of_an_owner_goes_by_its_name_below_the_owner():
    class Deep(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.blocks = {"k": [Block(name="b")]}

        def forward(self, x):
            return self.blocks["k"][0](x)

    found = names(Deep(Input([None, 2]), name="deep"))

    assert found[0] == "deep/b/inner/weights"
    assert found[2] == "deep/b/parts/0/weights"


# -- what has no variables yet


def test_variables_that_do_not_exist_yet_are_demanded_or_passed_over():
    module = holding(ready=Dense(2, in_channels=3, name="ready"), later=Dense(2, name="later"))

    with pytest.raises(
        InvalidArgument,
        match=r"^Dense\(n_units=2, name='later'\) has no weights yet. Give it in_channels, or call",
    ):
        listing(module)
    assert names(module, require_all=False) == ["ready/weights", "ready/biases"]


def test_what_is_built_is_found_at_any_depth():
    module = holding(outer=[{"inner": holding(later=Dense(2, name="later"))}])

    with pytest.raises(InvalidArgument, match="has no weights yet"):
        listing(module)
    assert names(module, require_all=False) == []


# -- freezing


def test_what_is_below_something_frozen_is_frozen():
    block = Block(name="block")
    block.named.trainable = False
    assert [p.is_frozen for p in listing(block)] == [True, True, False, False]

    block.trainable = False
    assert [p.is_frozen for p in listing(holding(block=block))] == [True] * 4


def test_freezing_ends_with_what_is_frozen():
    frozen = Dense(2, in_channels=3, trainable=False, name="frozen")
    free = Dense(2, in_channels=3, name="free")

    assert [p.is_frozen for p in listing([frozen, free])] == [True, True, False, False]


# -- owners of other kinds


def test_an_owner_says_itself_what_it_consists_of_and_where():
    class Both(Owner):
        trainable = True

        def __init__(self):
            self.shown, self.hidden = tf.Variable(1.0), tf.Variable(2.0)

        def parts(self):
            yield "only", self.shown

        def place(self, base, path):
            return f"{base}/x", f"{path}/here"

    assert names(holding(held=Both())) == []  # of no kind that may hold variables

    class Module(Both, tf.Module):
        pass

    assert names(holding(held=Module())) == ["held/here/only"]


def test_by_default_an_owner_consists_of_its_attributes():
    class Plain(Owner, tf.Module):
        trainable = True

        def __init__(self):
            super().__init__()
            self.w = tf.Variable(1.0)

    assert names(holding(held=Plain())) == ["held/w"]
    assert Plain.is_built


def test_a_model_and_its_network_list_the_same():
    x = Input([None, 3], name="x")
    net = Dense(Dense(x, 2, name="named"), 2)

    assert names(net) == names(Model(x, net)) == [
        "named/weights", "named/biases", "dense_1/weights", "dense_1/biases",
    ]  # fmt: skip


# -- Keras


@pytest.fixture
def keras_dense():
    layer = tf.keras.layers.Dense(2)
    layer.build([None, 3])
    return layer


def test_layers_and_variables_of_keras_are_told_from_others(keras_dense, monkeypatch):
    assert is_keras(keras_dense)
    assert is_keras(tf.keras.Variable(1.0))
    assert not is_keras(tf.Variable(1.0))
    assert not is_keras(Dense(2))
    monkeypatch.delitem(sys.modules, "keras")
    assert not is_keras(keras_dense)


def test_names_of_keras_do_not_depend_on_how_much_was_made_before(keras_dense):
    first = names(holding(held=keras_dense))
    again = tf.keras.layers.Dense(2)
    again.build([None, 3])

    assert keras_dense.name != again.name
    assert first == names(holding(held=again)) == ["held/kernel", "held/bias"]


def test_variables_of_keras_are_those_of_tensorflow(keras_dense):
    kernel = listing(keras_dense)[0]

    assert isinstance(kernel.variable, tf.Variable)
    assert kernel.variable is keras_dense.kernel.value


def test_equal_names_in_a_model_of_keras_are_numbered():
    model = tf.keras.Sequential([tf.keras.layers.Dense(2) for _ in range(3)])
    model.build([None, 2])

    assert names(holding(held=model)) == [
        "held/kernel", "held/bias", "held/kernel_1", "held/bias_1", "held/kernel_2", "held/bias_2",
    ]  # fmt: skip


def test_a_variable_of_keras_goes_by_its_own_name():
    variable = tf.keras.Variable(1.0, name="v")

    assert names(holding(held=variable)) == ["held/v"]
    assert names(holding(held=variable, again=variable)) == ["held/v"]


def test_shared_variables_of_keras_are_listed_once(keras_dense):
    model = tf.keras.Sequential([keras_dense])
    model.build([None, 3])

    assert names(holding(layer=keras_dense, model=model)) == ["layer/kernel", "layer/bias"]


def test_keras_says_itself_what_it_trains(keras_dense):
    assert [p.is_frozen for p in listing(keras_dense)] == [False, False]

    keras_dense.trainable = False

    assert [p.is_frozen for p in listing(keras_dense)] == [True, True]


def test_a_frozen_layer_freezes_the_keras_layer_in_it(keras_dense):
    net = Lambda(Input([None, 3]), keras_dense, name="k", trainable=False)

    assert [(p.name, p.is_frozen) for p in listing(net.layer)] == [
        ("k/kernel", True), ("k/bias", True),
    ]  # fmt: skip


def test_statistics_of_keras_are_no_weights_that_are_trained():
    layer = tf.keras.layers.BatchNormalization()
    layer.build([None, 3])
    net = Lambda(Input([None, 3]), layer, name="bn")

    assert names(net) == ["bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"]
    assert len(net.trainable_weights) == 2


@pytest.mark.parametrize(
    ("path", "name", "joined"),
    [("", "", ""), ("a", "", "a"), ("", "b", "b"), ("a/b", "c", "a/b/c")],
)
def test_a_path_has_no_empty_parts(path, name, joined):
    assert join(path, name) == joined
