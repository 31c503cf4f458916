"""A recurrent layer of a user's own: its initial state is a network, its final state is one too."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import Concat, Dense, Input, InputLayer, isolated, variable_scope
from tests.layers.user_cases import close, gru_states, randomized
from tests.layers.user_layers import GRU

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 5, 3)).astype("float32")
Y = RNG.normal(size=(3, 2)).astype("float32")

SPELLINGS = {
    "stacked, in the constructor": lambda net, state: GRU(net, 4, initial_state=state, name="g"),
    "called, in the constructor": lambda net, state: GRU(4, initial_state=state, name="g")(net),
    "called, in the call": lambda net, state: GRU(4, name="g")(net, initial_state=state),
}
every_spelling = pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)


def declared():
    return Input([None, None, 3], name="x"), Input([None, 2], name="y")


def there():
    return InputLayer(X, name="x"), InputLayer(Y, name="y")


every_world = pytest.mark.parametrize("world", [declared, there])


def conditioned(spelling, world):
    """A recurrent network whose initial state is computed from a second input."""
    net, other = world()
    return randomized(spelling(net, Dense(other, 4, name="state")), "conditioned")


def expected(net, x=X, y=Y, prefix=""):
    p = {name.removeprefix(prefix): v.numpy().astype(float) for name, v in net.parameters.items()}
    gru = {name.removeprefix("g/"): value for name, value in p.items()}
    return gru_states(gru, x, y @ p["state/weights"] + p["state/biases"])


@every_world
@every_spelling
def test_a_network_is_the_initial_state(spelling, world):
    net = conditioned(spelling, world)

    assert set(net.parameters) == {
        "g/kernel", "g/recurrent", "g/biases", "state/weights", "state/biases",
    }  # fmt: skip
    close(net({"x": X, "y": Y}), expected(net))


@every_world
@every_spelling
def test_the_final_state_is_a_network(spelling, world):
    net = conditioned(spelling, world)

    final = net.final_state

    assert isinstance(final, tl.layers.Network)
    assert final.outputs.shape[1:] == [4]
    assert set(final.parameters) == set(net.parameters)
    close(final({"x": X, "y": Y}), expected(net)[:, -1])


@every_spelling
def test_over_tensors_outputs_and_state_are_there(spelling):
    layer_x, layer_y = there()
    state = Dense(layer_y, 4, name="state")
    net = spelling(layer_x, state)

    close(net.outputs, expected(net))
    close(net.final_state.outputs, expected(net)[:, -1])


@every_spelling
def test_gradients_reach_what_the_initial_state_is_computed_from(spelling):
    net = conditioned(spelling, declared)

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net.final_state({"x": X, "y": Y}, is_train=True) ** 2)

    for gradient in tape.gradient(loss, net.all_params):
        assert np.any(gradient != 0)


def test_both_are_traced_for_any_number_of_steps():
    net = conditioned(SPELLINGS["called, in the call"], declared)
    specs = [tf.TensorSpec([None, None, 3]), tf.TensorSpec([None, 2])]
    traced = tf.function(lambda x, y: net.final_state({"x": x, "y": y}), input_signature=specs)

    for n_steps in (1, 4):
        close(traced(X[:, :n_steps], Y), expected(net, X[:, :n_steps])[:, -1])


def test_it_computes_what_keras_computes():
    net = randomized(GRU(Input([None, 5, 3], name="x"), 4, name="g"), "keras")
    keras = tf.keras.layers.GRU(4, reset_after=False, return_sequences=True, return_state=True)
    keras.build([None, 5, 3])
    keras.set_weights([variable.numpy() for variable in net.all_params])

    outputs, state = keras(X)

    close(net(X), outputs)
    close(net.final_state(X), state)


def test_what_a_layer_does_not_give_is_no_attribute():
    net = GRU(Input([None, 5, 3]), 4)

    with pytest.raises(AttributeError, match="'Network' object has no attribute 'first_state'"):
        net.first_state  # noqa: B018


def test_a_state_of_another_size_is_refused_by_name():
    net, other = declared()

    with pytest.raises(tl.errors.WrongShape, match=r"GRU\(n_units=4, name='g'\) cannot be applied"):
        GRU(net, 4, initial_state=other, name="g")


# -- from one to the next


def translator():
    """An encoder whose final state a decoder begins with."""
    source, target = Input([None, 5, 3], name="source"), Input([None, 4, 2], name="target")
    encoder = GRU(source, 4, name="encoder")
    decoder = GRU(target, 4, initial_state=encoder.final_state, name="decoder")
    model = tl.models.Model([source, target], [decoder, decoder.final_state], name="translator")
    return randomized(model, "translator")


TARGET = RNG.normal(size=(3, 4, 2)).astype("float32")


def translated(model):
    p = {name: v.numpy().astype(float) for name, v in model.parameters.items()}
    encoder, decoder = (
        {k.removeprefix(f"{name}/"): v for k, v in p.items() if k.startswith(name)}
        for name in ("encoder", "decoder")
    )
    return gru_states(decoder, TARGET, gru_states(encoder, X)[:, -1])


def test_a_final_state_is_the_next_initial_state():
    model = translator()

    outputs, state = model([X, TARGET], is_train=False)

    close(outputs, translated(model))
    close(state, translated(model)[:, -1])


def test_networks_of_states_are_described_by_their_config():
    model = translator()

    again = tl.models.Model.from_config(json.loads(json.dumps(model.config)))
    again.assign_arrays(model.to_arrays())

    assert again.structure_digest == model.structure_digest
    for one, other in zip(
        again([X, TARGET], is_train=False), model([X, TARGET], is_train=False), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_networks_of_states_are_exported(tmp_path):
    model = translator()
    model.export(tmp_path / "m")

    serve = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    out = serve(source=tf.constant(X), target=tf.constant(TARGET))

    shapes = {value.shape.rank: value for value in out.values()}
    close(shapes[3], translated(model))
    close(shapes[2], translated(model)[:, -1])


def test_networks_of_states_train_in_a_trace():
    model = translator()

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            outputs, state = model([X, TARGET], is_train=True)
            loss = tf.reduce_mean(outputs**2) + tf.reduce_mean(state**2)
        gradients = tape.gradient(loss, model.trainable_weights)
        for variable, gradient in zip(model.trainable_weights, gradients, strict=True):
            variable.assign_sub(0.05 * gradient)
        return loss

    losses = [float(step()) for _ in range(3)]

    assert losses[2] < losses[1] < losses[0]


# -- shared


@every_spelling
def test_it_is_shared_by_name_whatever_its_initial_state(spelling):
    def tower(name, reuse):
        with variable_scope("tower", reuse=reuse):
            other = Input([None, 4], name=f"{name}_state")
            return spelling(Input([None, 5, 3], name=name), other)

    with isolated():
        first, second = tower("x", None), tower("y", True)

    assert [v.ref() for v in second.all_params] == [v.ref() for v in first.all_params]


def test_siamese_networks_have_a_state_each():
    layer = GRU(4, name="g")
    a, b = layer(Input([None, 5, 3], name="a")), layer(Input([None, 5, 3], name="b"))
    net = randomized(Concat([a.final_state, b.final_state], name="both"), "siamese")
    p = {name.removeprefix("g/"): v.numpy() for name, v in net.parameters.items()}

    out = net({"a": X, "b": -X})

    assert len(net.parameters) == 3
    close(out, np.concatenate([gru_states(p, x)[:, -1] for x in (X, -X)], -1))


def test_a_layer_with_an_initial_state_is_used_twice_with_it():
    state = Input([None, 4], name="s")
    layer = GRU(4, initial_state=state, name="g")
    a, b = layer(Input([None, 5, 3], name="a")), layer(Input([None, 5, 3], name="b"))
    net = randomized(Concat([a.final_state, b.final_state], name="both"), "siamese")
    p = {name.removeprefix("g/"): v.numpy() for name, v in net.parameters.items()}
    begin = RNG.normal(size=(3, 4)).astype("float32")

    out = net({"a": X, "b": -X, "s": begin})

    close(out, np.concatenate([gru_states(p, x, begin)[:, -1] for x in (X, -X)], -1))


# -- in a model of one's own


class Seq2Seq(tl.models.Model):
    """The states are in attributes of nobody: they go from call to call."""

    def __init__(self):
        super().__init__()
        self.begin = Dense(4, in_channels=2)
        self.gru = GRU(4, name="g")

    def forward(self, x, y):
        return self.gru(x, initial_state=self.begin(y))


def test_in_a_model_of_ones_own_the_state_is_a_tensor():
    model = Seq2Seq()
    model(X, Y, is_train=False)
    randomized(model, "own")
    p = {name: v.numpy().astype(float) for name, v in model.parameters.items()}
    gru = {name.removeprefix("g/"): value for name, value in p.items()}

    out = tf.function(lambda x, y: model(x, y, is_train=True))(X, Y)

    assert set(p) == {"begin/weights", "begin/biases", "g/kernel", "g/recurrent", "g/biases"}
    close(out, gru_states(gru, X, Y @ p["begin/weights"] + p["begin/biases"]))
