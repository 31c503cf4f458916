from __future__ import annotations

import contextvars
import copy
import gc
import threading
import weakref

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidName, NameMismatch, NameMissing
from tensorlayer.layers import (
    AUTO_REUSE,
    BatchNorm,
    Concat,
    Dense,
    Flatten,
    Input,
    InputLayer,
    Lambda,
    Layer,
    variable_scope,
)
from tensorlayer.layers.sharing import Registry


@pytest.fixture(autouse=True)
def _isolated():
    """Keep the names of one test from the next."""
    with tl.layers.isolated():
        yield


def discriminator(net, reuse=None, n_units=3):
    with variable_scope("discriminator", reuse=reuse):
        net = Dense(net, n_units, act=lambda x: tl.activation.lrelu(x, 0.2), name="h0")
        return Dense(net, 1, name="logits")


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


@pytest.mark.parametrize("reuse", [AUTO_REUSE, tf.compat.v1.AUTO_REUSE])
def test_auto_reuse_of_either_library_makes_what_nobody_made(reuse):
    with tl.layers.isolated():
        assert discriminator(Input([None, 8]), reuse=reuse).parameters


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


def test_unnamed_layers_with_parameters_are_refused_where_names_are_shared():
    for reuse in (True, AUTO_REUSE):
        with (
            pytest.raises(InvalidName, match=r"Dense: where layers are found again.*needs a name"),
            variable_scope("s", reuse=reuse),
        ):
            Dense(Input([None, 4]), 3)


def test_unnamed_layers_without_parameters_are_free():
    def head(reuse):
        with variable_scope("s", reuse=reuse):
            return Dense(Flatten(Input([None, 2, 2])), 3, name="d")

    assert head(AUTO_REUSE).layer is head(True).layer


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


# -- what lives how long


def build(name="d", **options):
    return Dense(Input([None, 4]), 3, name=name, **options)


def test_parameters_that_nobody_uses_are_gone():
    net = discriminator(Input([None, 8]))
    del net
    gc.collect()

    with pytest.raises(NameMissing, match="There are"):
        discriminator(Input([None, 8]), reuse=True)


def test_a_layer_comes_back_as_long_as_one_of_its_variables_is_in_use():
    biases = discriminator(Input([None, 8])).all_params[1::2]
    gc.collect()

    again = discriminator(Input([None, 8]), reuse=True)

    assert again.all_params[1] is biases[0]
    assert again.all_params[3] is biases[1]


def test_a_layer_comes_back_as_long_as_its_scope_object_is_held():
    with variable_scope("s") as scope:
        expected = build().all_params[0].numpy()
    gc.collect()

    with variable_scope(scope, reuse=True):
        again = build()

    np.testing.assert_array_equal(again.all_params[0], expected)


def test_what_auto_reuse_made_stays_for_a_loop_that_keeps_nothing():
    outputs = []
    for _ in range(3):
        outputs.append(discriminator(InputLayer(tf.ones([1, 8])), AUTO_REUSE).outputs.numpy())
        gc.collect()

    assert all(np.array_equal(output, outputs[0]) for output in outputs)


def test_layers_are_found_from_other_threads_and_contexts():
    kept = discriminator(Input([None, 8]))
    found = []

    def again():
        with tl.layers.isolated():
            pass
        found.append(contextvars.copy_context().run(discriminator, Input([None, 8]), True))

    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: context.run(again))
    thread.start()
    thread.join()

    assert found[0].layer is kept.layer


def test_what_is_made_outside_of_isolated_is_found_by_any_thread():
    name = f"shared_by_threads_{id(object())}"
    layers = []

    def both(reuse):
        with variable_scope(name, reuse=reuse):
            layers.append(build().layer)

    for reuse in (None, True):
        thread = threading.Thread(target=both, args=(reuse,))  # in a context of its own
        thread.start()
        thread.join()

    assert layers[0] is layers[1]


@pytest.mark.parametrize("reuse", [True, AUTO_REUSE])
def test_what_is_made_outside_of_isolated_is_found_in_a_context_that_knows_nothing(reuse):
    def both(reuse):
        with variable_scope("shared_by_contexts", reuse=reuse):
            return build()

    kept = contextvars.Context().run(both, None)

    assert contextvars.Context().run(both, reuse).layer is kept.layer


def test_the_newest_living_layer_of_a_name_comes_back():
    old = discriminator(Input([None, 8]))
    new = discriminator(Input([None, 8]))
    assert discriminator(Input([None, 8]), reuse=True).layer is new.layer

    del new
    gc.collect()

    assert discriminator(Input([None, 8]), reuse=True).layer is old.layer


def test_a_scope_object_gives_back_exactly_its_own_layers():
    with variable_scope("s") as first:
        mine = build()
    with variable_scope("s") as second:
        others = build()

    for scope, expected in ((first, mine), (second, others)):
        with variable_scope(scope, reuse=True):
            assert build().layer is expected.layer


def test_a_scope_below_a_scope_object_is_exact_too():
    def inner(reuse=None):
        with variable_scope("inner", reuse=reuse):
            return build()

    with variable_scope("s") as scope:
        mine = inner()
    with variable_scope("s"):
        others = inner()

    with variable_scope(scope, reuse=True):
        assert inner().layer is mine.layer
    assert others.layer is not mine.layer


def test_dropped_layers_leave_no_trace():
    layer = weakref.ref(build("dropped").layer)
    gc.collect()

    assert layer() is None


# -- everything that may have parameters is shared or refused


class Block(Layer):
    """Parts, and no ``build``."""

    def __init__(self, n_units=3, name=None):
        super().__init__(name=name)
        self.d = Dense(n_units=n_units)

    def forward(self, inputs):
        return self.d(inputs)


class Old(Layer):
    """A layer in the style of 1.x."""

    def __init__(self, prev_layer, n_units=3, name="old"):
        super().__init__(prev_layer=prev_layer, name=name)
        W = tf.Variable(tf.ones([self.inputs.shape[-1], n_units]), name="W")
        self.outputs = tf.matmul(self.inputs, W)


def small_model(n_units):
    x = Input([None, 4], name="x")
    return tl.models.Model(x, Dense(x, n_units, name="d"), name="inner")


MODELS = {n: small_model(n) for n in (3, 5)}
MAKERS = {
    "block": lambda net, n: Block(net, n_units=n, name="part"),
    "1.x": lambda net, n: Old(net, n_units=n, name="part"),
    "model": lambda net, n: tl.layers.ModelLayer(net, model=MODELS[n], name="part"),
    "keras": lambda net, n: Lambda(net, tf.keras.layers.Dense(n), name="part"),
    "keras model": lambda net, n: Lambda(
        net, tf.keras.Sequential([tf.keras.layers.Dense(n), tf.keras.layers.Dense(2)]), name="part"
    ),
    "function": lambda net, n: Lambda(net, _scaled, fn_args={"n": float(n)}, name="part"),
}


def _scaled(x, n):
    return x * tf.Variable(n, name="scale")


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_all_kinds_of_layers_are_shared_or_refused_by_the_same_errors(make):
    def part(n=3, reuse=None, scope="s"):
        with variable_scope(scope, reuse=reuse):
            return make(Input([None, 4]), n)

    with pytest.raises(NameMissing, match=r"'s/part': reuse=True needs a layer of this name"):
        part(reuse=True)
    first = part()
    for reuse in (True, AUTO_REUSE):
        again = part(reuse=reuse)
        assert again.layer is first.layer
        assert again.all_params == first.all_params
        assert len(first.all_params) > 0
        with pytest.raises(NameMismatch, match=r"'s/part': reuse needs the same class and arg"):
            part(n=5, reuse=reuse)
    assert part(reuse=AUTO_REUSE, scope="other").layer is not first.layer


def test_a_function_without_variables_need_not_exist():
    with variable_scope("s", reuse=True):
        net = Lambda(Input([None, 4]), lambda x: 2 * x, name="double")

    assert net.parameters == {}


def test_a_layer_whose_class_gives_the_name_is_not_silently_new():
    class Fixed(Layer):
        def __init__(self):
            super().__init__(name="fixed")
            self.d = Dense(n_units=2)

        def forward(self, inputs):
            return self.d(inputs)

    def build(reuse):
        with variable_scope("s", reuse=reuse):
            return Fixed(Input([None, 4]))

    kept = build(None)

    with pytest.raises(InvalidName, match="Fixed: where layers are found again"):
        build(True)
    assert kept.name == "s/fixed"


def test_the_mode_of_a_declaration_does_not_matter_for_sharing():
    def norm(is_train, reuse):
        with variable_scope("s", reuse=reuse):
            return BatchNorm(Input([None, 4]), is_train=is_train, name="bn")

    assert norm(True, None).layer is norm(False, True).layer


def test_threads_that_come_together_make_one_layer():
    barrier, layers = threading.Barrier(4), []

    def work(context):
        barrier.wait()
        net = context.run(discriminator, Input([None, 8]), AUTO_REUSE)
        layers.append(net.layer)

    threads = [threading.Thread(target=work, args=(contextvars.copy_context(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(layers)) == 1


def test_a_copy_is_not_found_by_name():
    net = discriminator(Input([None, 8]))
    copied = copy.deepcopy(net)

    assert discriminator(Input([None, 8]), reuse=True).layer is net.layer
    assert copied.layer is not net.layer


# -- siamese networks


def test_a_model_applied_twice_is_one_layer():
    inner = small_model(3)
    a, b = Input([None, 4], name="a"), Input([None, 4], name="b")

    net = Concat([inner(a), inner(b)])
    x = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")

    assert list(net.parameters) == ["inner/d/weights", "inner/d/biases"]
    both = net([x, x], is_train=False).numpy()
    np.testing.assert_array_equal(both[:, :3], both[:, 3:])
    np.testing.assert_array_equal(both[:, :3], inner(x, is_train=False))


def test_a_layer_that_was_refused_is_not_found_afterwards():
    kept = []
    for _ in range(2):
        with variable_scope("s", reuse=True):
            layer = Dense(n_units=3, name="d")
        kept.append(layer)
        with pytest.raises(NameMissing, match="'s/d'"):
            layer(Input([None, 4]))


def test_a_layer_without_parameters_that_was_first_made_in_reuse_is_one_layer():
    def head(net):
        with variable_scope("s", reuse=True):
            return Flatten(net, name="flat")

    net = head(head(Input([None, 2, 2])))

    assert net.layer is net.parents[0].layer


def test_a_shared_layer_keeps_the_mode_it_was_made_with():
    with variable_scope("s"):
        first = BatchNorm(name="b")
    with variable_scope("s", reuse=True):
        with pytest.raises(NameMismatch, match="was made with its mode"):
            BatchNorm(name="b", is_train=False)
        again = BatchNorm(name="b")

    assert again is first
    assert first.facts.is_train is None


def test_a_layer_that_is_built_at_once_is_refused_at_once():
    with (
        pytest.raises(NameMissing, match="'s/typo': reuse=True needs"),
        variable_scope("s", reuse=True),
    ):
        Dense(n_units=2, in_channels=3, name="typo")


def test_a_scope_of_tensorflow_1_that_does_not_tell_whether_it_reuses_shares_nothing():
    with tf.compat.v1.variable_scope("m"):
        net = Dense(Input([None, 4]), 4, name="d")
        other = Dense(net, 4)
        with pytest.raises(tl.errors.NameTaken, match=r"Dense 'm/d': there is one.*tl.layers.vari"):
            Dense(other, 4, name="d")

    assert list(other.parameters)[::2] == ["m/d/weights", "m/dense_1/weights"]


def test_a_layer_that_is_noted_again_is_not_another_one_and_one_that_is_gone_is_none():
    registry, one, other = Registry(is_weak=True), Dense(3), Dense(3)
    for layer in (one, other, one):
        registry.add("d", layer)

    assert registry.named("d") == [other, one]
    assert registry.repeated == {"d"}
    del other, layer
    gc.collect()
    assert registry.named("d") == [one]
    assert registry.repeated == set()
    del one
    gc.collect()
    assert registry.names() == []
