"""What layers refuse, and in which words: arguments, modes, types and initializers."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Dense, Input


@pytest.fixture(autouse=True)
def _isolated():
    """Keep the names of one test from the next."""
    with tl.layers.isolated():
        yield


@pytest.mark.parametrize("given", ["False", "no", 2, None])
def test_a_text_is_no_mode_and_freezes_nothing(given):
    layer = tl.layers.Dropout(keep=0.5, name="drop")
    message = r"is True or False, got .*text == 'True'"

    if given is not None:  # which says nothing
        with pytest.raises(InvalidArgument, match=f"is_train {message}"):
            layer(np.ones([2, 3], "float32"), is_train=given)
    with pytest.raises(InvalidArgument, match=f"trainable {message}"):
        layer.trainable = given
    with pytest.raises(InvalidArgument, match=f"trainable {message}"):
        Dense(n_units=2, trainable=given)


def test_a_symbolic_mode_is_refused_in_our_words():
    step = tf.function(lambda x, is_train: tl.layers.Dropout(keep=0.5)(x, is_train=is_train))

    with pytest.raises(InvalidArgument, match="got a tensor of a trace"):
        step(tf.ones([2, 3]), tf.constant(True))


def test_true_and_false_of_numpy_and_tensorflow_are_modes():
    layer, ones = tl.layers.Dropout(keep=0.5, name="drop"), np.ones([1, 200], "float32")

    for train, infer in ((np.True_, np.False_), (1, 0), (tf.constant(True), tf.constant(False))):
        assert 0 in layer(ones, is_train=train).numpy()
        assert 0 not in layer(ones, is_train=infer).numpy()


@pytest.mark.parametrize("make", [tl.layers.Dense, tl.layers.Conv1d, tl.layers.MultiheadAttention])
def test_the_arguments_of_a_class_are_shown(make):
    shown = inspect.signature(make).parameters

    assert list(shown) == list(inspect.signature(make.__init__).parameters)[1:]
    assert "name" in shown


def test_an_initializer_that_does_not_fit_is_named_with_its_parameter():
    x = Input([None, 4], name="x")

    with pytest.raises(InvalidArgument, match=r"name='d'\): the initializer of 'weights' fails"):
        Dense(x, n_units=3, W_init=np.ones([2, 2]), name="d")
    with pytest.raises(InvalidArgument, match=r"init\(\[4, 3\], dtype=float32\): .*'dtype'"):
        Dense(x, n_units=3, W_init=lambda shape: tf.ones(shape), name="d")
    with pytest.raises(tl.errors.WrongShape, match=r"'biases' is of shape \(3,\), .*gives \(2,\)"):
        Dense(x, n_units=3, b_init=lambda shape, dtype: tf.ones([2], dtype), name="d")


@pytest.mark.parametrize("kind", ["Dense", "LayerList", "MultiheadAttention"])
def test_an_unknown_argument_of_a_call_is_named(kind):
    layer, shape = {
        "Dense": (Dense(n_units=4), [4]),
        "LayerList": (tl.layers.LayerList([Dense(n_units=4)]), [4]),
        "MultiheadAttention": (tl.layers.MultiheadAttention(2, 4), [3, 4]),
    }[kind]
    message = r"a call of it takes no argument 'is_causal'\. What configures a layer is given to"

    for inputs in (tf.ones([1, *shape]), Input([None, *shape])):
        with pytest.raises(tl.errors.UnknownArgument, match=f"{kind}.*{message}"):
            layer(inputs, is_causal=True)


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
@pytest.mark.parametrize("name", ["Conv2d", "PRelu", "Scale", "DorefaConv2d", "SqueezeExcitation"])
def test_integers_where_floats_are_computed_with_name_layer_and_remedy(name, dtype):
    message = rf"name='l'\): it computes with floating-point numbers, got {dtype}\. Cast the input"

    with pytest.raises(InvalidArgument, match=message):
        getattr(tl.layers, name)(name="l")(tf.ones([1, 8, 8, 3], dtype))
    with pytest.raises(InvalidArgument, match=message):
        getattr(tl.layers, name)(name="l")(Input([None, 8, 8, 3], dtype))


def test_integers_for_attention_do_not_hide_behind_what_is_not_built():
    with pytest.raises(InvalidArgument, match="computes with floating-point numbers, got int32"):
        tl.layers.MultiheadAttention(2, 4)(tf.ones([1, 3, 4], "int32"))


def test_networks_of_several_shapes_are_not_chosen_between():
    nets = [Input([None, 2], name="a"), Input([None, 3], name="b")]

    with pytest.raises(tl.errors.WrongShape, match=r"of one shape, got \(None, 2\), \(None, 3\)"):
        tl.layers.MultiplexerLayer(nets, name="mux")


def test_what_is_no_part_no_model_and_no_shape_is_refused():
    x = Input([None, 4], name="x")
    pair = tl.layers.Lambda(lambda t: (t, t), name="pair")

    with pytest.raises(InvalidArgument, match="index is the place of one of 2 tensors"):
        tl.layers.Part(index=2)(pair(np.ones([1, 4], "float32")))
    with pytest.raises(InvalidArgument, match="it goes around a model, got 3"):
        tl.layers.ModelLayer(model=3)
    with pytest.raises(InvalidArgument, match=r"the batch first, like .* got shape=4"):
        Input(4)
    for key in (1.5, ["x"]):
        with pytest.raises(InvalidArgument, match="get_layer takes a name or an index, got"):
            tl.models.Model(x, Dense(x, 2, name="d")).get_layer(key)
