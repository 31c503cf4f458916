from __future__ import annotations

import gc

import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidName, NameTaken
from tensorlayer.layers import Concat, Dense, Input, variable_scope
from tensorlayer.layers.naming import as_path, current_graph, current_scope, may_be_taken
from tensorlayer.layers.sharing import Reuse

# -- unique names


def test_two_layers_with_one_name_are_refused_and_both_are_named():
    net = Dense(Input([None, 4]), n_units=3, name="same")

    with pytest.raises(
        NameTaken, match=r"Dense\(n_units=5, name='same'\).*'same' is taken.*n_unit"
    ):
        Dense(net, n_units=5, name="same")


def test_separate_branches_may_use_one_name_until_they_are_joined():
    x = Input([None, 4])
    one, other = Dense(x, 3, name="head"), Dense(x, 3, name="head")

    with pytest.raises(NameTaken, match="choose another one, or share parameters"):
        Concat([one, other])


def test_a_name_may_be_taken_only_while_another_layer_of_it_lives():
    lonely, one, other = Dense(name="lonely"), Dense(name="twin"), Dense(name="twin")

    assert [may_be_taken(layer, 1) for layer in (lonely, one, other)] == [False, True, True]
    assert may_be_taken(lonely, 2)  # it may join the twins
    del other
    gc.collect()
    assert not may_be_taken(one, 1)


def test_a_layer_applied_twice_is_two_events_and_one_set_of_variables():
    layer = Dense(n_units=4, name="twice")
    net = layer(layer(Input([None, 4])))

    assert len(net.all_layers) == 2
    assert len(net.all_params) == 2


@pytest.mark.parametrize("name", ["", " ", "a b", "$where", "_x", "ümlaut", 3])
def test_names_that_tensorflow_would_refuse_are_refused(name):
    with pytest.raises(InvalidName, match="a name consists of letters"):
        Dense(Input([None, 4]), n_units=3, name=name)


# -- numbers of unnamed layers


def test_numbers_depend_on_the_network_only():
    def build():
        return Dense(Dense(Input([None, 4]), 3), 2)

    names = [[node.name for node in build().all_layers] for _ in range(3)]

    assert names == [["dense_1", "dense_2"]] * 3


def test_branches_of_one_input_are_numbered_in_order_of_computation():
    x = Input([None, 4])
    net = Concat([Dense(x, 3), Dense(x, 3)])

    assert list(net.parameters) == [
        "dense_1/weights", "dense_1/biases", "dense_2/weights", "dense_2/biases",
    ]  # fmt: skip


def test_variables_of_stacked_unnamed_layers_have_the_names_of_their_keys():
    net = Dense(Dense(Dense(Input([None, 4]), 3), 2, name="named"), 1)

    assert [v.name for v in net.all_params] == [f"{name}:0" for name in net.parameters]
    assert list(net.parameters)[::2] == ["dense_1/weights", "named/weights", "dense_2/weights"]


def test_a_name_is_a_function_of_the_network_that_is_asked():
    one, other = Dense(Input([None, 4]), 3), Dense(Input([None, 4]), 3)
    net = Concat([one, other])

    assert (one.name, other.name) == ("dense_1", "dense_1")
    assert list(net.layer_names.values()) == [
        "input_1", "dense_1", "input_2", "dense_2", "concat_1",
    ]  # fmt: skip
    assert [node.layer for node in net.all_layers] == [one.layer, other.layer, net.layer]
    assert other.name == "dense_1", "what was shown stays"


def test_joining_that_fails_renames_nothing():
    one, other = Dense(Input([None, 4]), 3), Dense(Input([None, 5]), 4)
    before = list(one.parameters), list(other.parameters)

    with pytest.raises(tl.errors.WrongShape):
        Concat([one, other], concat_dim=0)

    assert (list(one.parameters), list(other.parameters)) == before


def test_a_model_over_unnamed_inputs_fixes_their_names():
    a, b = Input([None, 4]), Input([None, 5])
    model = tl.models.Model([a, b], [Dense(a, 3), Dense(b, 3)])

    assert [node.name for node in model.inputs] == ["input_1", "input_2"]
    assert list(model.parameters)[::2] == ["dense_1/weights", "dense_2/weights"]
    assert model.get_layer("dense_2").name == "dense_2"


def test_every_layer_of_a_joined_network_is_listed_once():
    x = Input([None, 4])
    left, right = Dense(x, 3), Dense(x, 3)
    both = Concat([Concat([left, right]), Concat([right, Dense(left, 3)])])

    assert len(both.parameters) == 6
    assert len({id(v) for v in both.all_params}) == 6


def test_a_layer_of_two_networks_keeps_its_name_in_each_when_one_is_joined():
    shared = Dense(n_units=4)
    tower = Dense(Dense(shared(Input([None, 4])), 4), 4)
    before = list(tower.parameters)

    joined = Concat([Dense(Input([None, 4]), 4), shared(Input([None, 4]))])

    assert list(tower.parameters) == before
    assert len(tower.all_params) == 6
    assert len(joined.all_params) == 4


def test_a_model_relies_on_the_names_it_was_made_with():
    x = Input([None, 4])
    tl.models.Model(x, one := Dense(x, 3))
    y = Input([None, 4])
    tl.models.Model(y, other := Dense(y, 3))

    with pytest.raises(NameTaken, match=r"'(input|dense)_1' is taken"):
        Concat([one, other])


def test_numbers_pass_over_names_that_were_given():
    net = Dense(Dense(Input([None, 4]), 3, name="dense_1"), 2)

    assert net.name == "dense_2"


# -- scopes


def test_scopes_prefix_names_of_layers_and_variables():
    with variable_scope("a"), variable_scope("b"):
        net = Dense(Dense(Input([None, 4]), 3, name="c"), 2)

    assert list(net.layer_names.values()) == ["a/b/input_1", "a/b/c", "a/b/dense_1"]
    assert net.all_params[0].name == "a/b/c/weights:0"


def test_isolated_names_are_nobodys_outside():
    with tl.layers.isolated(), variable_scope("only_here") as scope:
        kept = Dense(Input([None, 4]), 3, name="d")

    assert scope.name == "only_here"
    with pytest.raises(tl.errors.NameMissing), variable_scope("only_here", reuse=True):
        Dense(Input([None, 4]), 3, name="d")
    assert kept.name == "only_here/d"


def test_isolated_is_left_with_an_error():
    with pytest.raises(ZeroDivisionError), tl.layers.isolated(), variable_scope("s"):
        1 / 0  # noqa: B018

    assert Dense(name="d").name == "d"


def test_a_scope_of_tensorflow_1_shares_within_a_scope_that_reuses():
    def build():
        with (
            variable_scope("outer", reuse=tl.layers.AUTO_REUSE),
            tf.compat.v1.variable_scope("inner"),
        ):
            return Dense(Input([None, 4]), 4, name="d")

    with tl.layers.isolated():
        first = build()
        assert build().layer is first.layer
    assert first.name == "outer/inner/d"


def test_a_backslash_is_refused_since_no_graph_takes_it():
    with pytest.raises(InvalidName, match="a name consists of letters"):
        Dense(n_units=3, name="a\\b")
    assert as_path("a\\b") == "a_b"


def test_automatic_reuse_makes_what_is_not_there():
    with tl.layers.isolated(), variable_scope("s", reuse=tl.layers.AUTO_REUSE):
        one, other = (Dense(Input([None, 4]), 3, name="d") for _ in range(2))
    assert one.layer is other.layer


def test_layers_know_the_graph_of_tensorflow_1_that_they_were_made_in():
    assert current_graph() is None
    with tf.Graph().as_default() as graph:
        assert current_graph()() is graph
    seen = []
    tf.function(lambda: seen.append(current_graph()))()
    assert seen == [None]


def test_a_scope_of_tensorflow_1_within_ours_keeps_the_reuse_of_ours():
    with tf.Graph().as_default(), variable_scope("ours", reuse=tl.layers.AUTO_REUSE) as ours:
        v1 = tf.compat.v1
        assert current_scope() is ours
        with v1.variable_scope("inner"):
            assert (current_scope().name, current_scope().reuse) == ("ours/inner", ours.reuse)
        with v1.variable_scope(v1.get_variable_scope(), reuse=True):
            assert current_scope().name == "ours"
            assert current_scope().reuse is Reuse.ALWAYS


def test_the_root_scope_of_tensorflow_1_says_whether_it_reuses():
    v1 = tf.compat.v1
    with tf.Graph().as_default():
        assert current_scope().reuse is Reuse.NEVER
        with v1.variable_scope(v1.get_variable_scope(), reuse=True):
            assert current_scope().reuse is Reuse.ALWAYS
