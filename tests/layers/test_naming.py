from __future__ import annotations

import gc
import threading

import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidName, NameMismatch, NameMissing, NameTaken
from tensorlayer.layers import AUTO_REUSE, Concat, Dense, Flatten, Input, variable_scope


def discriminator(net, reuse=None, n_units=3):
    with variable_scope("discriminator", reuse=reuse):
        net = Dense(net, n_units, act=lambda x: tl.activation.lrelu(x, 0.2), name="h0")
        return Dense(net, 1, name="logits")


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


def test_branches_of_one_input_are_numbered_together():
    x = Input([None, 4])
    net = Concat([Dense(x, 3), Dense(x, 3)])

    assert list(net.parameters) == [
        "dense_1/weights", "dense_1/biases", "dense_2/weights", "dense_2/biases",
    ]  # fmt: skip
    assert [v.name for v in net.all_params] == [f"{name}:0" for name in net.parameters]


def test_networks_over_different_inputs_are_numbered_again_when_joined():
    one, other = Dense(Input([None, 4]), 3), Dense(Input([None, 4]), 3)
    assert (one.name, other.name) == ("dense_1", "dense_1")

    net = Concat([one, other])

    assert [node.name for node in net.all_layers] == ["dense_1", "dense_2", "concat_1"]
    assert [node.name for node in net.input_nodes] == ["input_1", "input_2"]


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


# -- scopes and sharing


def test_scopes_prefix_names_of_layers_and_variables():
    with variable_scope("a"), variable_scope("b"):
        net = Dense(Dense(Input([None, 4]), 3, name="c"), 2)

    assert [node.name for node in net.all_layers] == ["a/b/c", "a/b/dense_1"]
    assert net.all_params[0].name == "a/b/c/weights:0"


def test_reuse_gives_the_same_layers_over_real_and_generated_input():
    with variable_scope("generator"):
        fake = Dense(Input([None, 2], name="z"), 8, name="out")
    real = discriminator(Input([None, 8], name="real"), reuse=False)

    judged = discriminator(fake, reuse=True)

    assert [n.layer for n in judged.all_layers[1:]] == [n.layer for n in real.all_layers]
    assert {id(v) for v in real.all_params} < {id(v) for v in judged.all_params}
    assert list(judged.parameters)[:2] == ["generator/out/weights", "generator/out/biases"]
    real.all_params[0].assign_add(tf.ones_like(real.all_params[0]))
    value = real({"real": tf.ones([1, 8])})
    generated = fake(tf.zeros([1, 2]))  # the biases: zeros
    assert value.shape == judged(tf.zeros([1, 2])).shape
    assert generated.shape == (1, 8)


def test_auto_reuse_makes_what_is_missing_and_gives_back_what_is_there():
    first = discriminator(Input([None, 8]), reuse=AUTO_REUSE)
    second = discriminator(Input([None, 8]), reuse=AUTO_REUSE)
    third = discriminator(Input([None, 8]), reuse=tf.compat.v1.AUTO_REUSE)

    assert first.layer is second.layer is third.layer


def test_building_again_without_reuse_makes_new_parameters():
    first, second = discriminator(Input([None, 8])), discriminator(Input([None, 8]))

    assert first.layer is not second.layer


def test_reuse_is_inherited_and_never_switched_off_below():
    with variable_scope("outer"):
        first = discriminator(Input([None, 8]))
    with variable_scope("outer", reuse=True):
        second = discriminator(Input([None, 8]), reuse=False)

    assert second.layer is first.layer


def test_a_scope_can_be_entered_again_by_its_object():
    with variable_scope("v") as scope:
        first = Dense(Input([None, 4]), 3, name="d")
    with variable_scope("elsewhere"), variable_scope(scope, reuse=True):
        second = Dense(Input([None, 4]), 3, name="d")

    assert scope.name == "v"
    assert second.layer is first.layer


def test_unnamed_layers_are_shared_by_their_numbers():
    def build(reuse):
        with variable_scope("s", reuse=reuse):
            return Dense(n_units=2)(Dense(Input([None, 4]), 3))

    first, second = build(None), build(True)

    assert [n.layer for n in first.all_layers] == [n.layer for n in second.all_layers]


def test_reuse_of_a_missing_layer_names_the_closest():
    kept = discriminator(Input([None, 8]))

    with (
        pytest.raises(
            NameMissing, match=r"'discriminator/h00': reuse=True needs.*'discriminator/h0'"
        ),
        variable_scope("discriminator", reuse=True),
    ):
        Dense(Input([None, 8]), 3, name="h00")
    assert kept.name == "discriminator/logits"


def test_reuse_with_other_arguments_names_the_difference():
    kept = discriminator(Input([None, 8]))

    with pytest.raises(NameMismatch, match=r"'discriminator/h0'.*has n_units=3, not 4"):
        discriminator(Input([None, 8]), reuse=True, n_units=4)
    assert kept.name == "discriminator/logits"


def test_reuse_with_another_class_says_so():
    with variable_scope("s"):
        kept = Dense(Input([None, 4]), 3, name="a")

    with (
        pytest.raises(NameMismatch, match="the layer that exists is a Dense"),
        variable_scope("s", reuse=True),
    ):
        tl.layers.Conv2d(Input([None, 4, 4, 1]), name="a")
    assert kept.name == "s/a"


def test_layers_without_parameters_need_not_exist_to_be_reused():
    kept = discriminator(Input([None, 8]))
    with variable_scope("discriminator", reuse=True):
        net = Flatten(Input([None, 2, 4]), name="flat")

    assert net.name == "discriminator/flat"
    assert kept.name == "discriminator/logits"


def test_shared_parameters_live_as_long_as_a_network_uses_them():
    net = discriminator(Input([None, 8]))
    del net
    gc.collect()

    with pytest.raises(NameMissing, match="There are"):
        discriminator(Input([None, 8]), reuse=True)


def test_threads_do_not_see_each_others_scopes():
    kept = discriminator(Input([None, 8]))
    errors = []

    def build():
        try:
            discriminator(Input([None, 8]), reuse=True)
        except NameMissing as error:
            errors.append(error)

    thread = threading.Thread(target=build)
    thread.start()
    thread.join()

    assert len(errors) == 1
    assert kept.name == "discriminator/logits"
