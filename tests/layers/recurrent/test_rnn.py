"""Cells over sequences, against a loop in NumPy and against Keras."""

from __future__ import annotations

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, UnknownArgument, WrongShape
from tests.layers.recurrent import oracle

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6, 3)).astype("float32")
LENGTHS = np.array([6, 1, 0, 4])
LAYERS = {"SimpleRNN": tl.layers.SimpleRNN, "LSTM": tl.layers.LSTMRNN, "GRU": tl.layers.GRURNN}
every_kind = pytest.mark.parametrize("kind", LAYERS)
every_mode = pytest.mark.parametrize("is_train", [True, False])


def randomized(layer):
    for weight in layer.all_weights:
        weight.assign(RNG.normal(size=weight.shape, scale=0.5))
    return layer


def weights_of(layer):
    names = [weight.name.partition(":")[0].rpartition("/")[2] for weight in layer.all_weights]
    return dict(zip(names, (w.numpy() for w in layer.all_weights), strict=True))


def close(ours, theirs, tolerance=1e-5):
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@every_mode
@every_kind
def test_it_computes_the_loop(kind, is_train):
    layer = randomized(LAYERS[kind](5, in_channels=3))
    state = [RNG.normal(size=(4, 5)).astype("float32") for _ in range(oracle.STEPS[kind][1])]

    outputs, last = layer(X, initial_state=state, sequence_length=LENGTHS, is_train=is_train)

    expected, expected_last = oracle.sequence(kind, weights_of(layer), X, LENGTHS, state)
    close(outputs, expected)
    for ours, theirs in zip(last, expected_last, strict=True):
        close(ours, theirs)


@every_mode
@every_kind
@pytest.mark.parametrize("is_masked", [True, False])
def test_values_and_gradients_are_those_of_keras(kind, is_masked, is_train):
    options = {"zero_output_for_mask": True} if is_masked else {}
    twin = getattr(keras.layers, kind)(5, return_sequences=True, return_state=True, **options)
    twin.build(X.shape)
    layer = randomized(LAYERS[kind](5, in_channels=3))
    twin.set_weights([w.numpy() for w in layer.all_weights])
    lengths = LENGTHS if is_masked else None
    mask = np.arange(6) < LENGTHS[:, None] if is_masked else None
    x = tf.constant(X)

    def differentiated(variables, evaluate):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = tf.nest.flatten(evaluate())
            loss = sum(tf.reduce_sum(tf.sin(each) * (i + 1)) for i, each in enumerate(outputs))
        return outputs, tape.gradient(loss, [x, *variables])

    ours, our_gradients = tf.function(differentiated)(
        layer.all_weights, lambda: layer(x, sequence_length=lengths, is_train=is_train)
    )
    theirs, their_gradients = differentiated(
        [w.value for w in twin.weights], lambda: twin(x, mask=mask)
    )

    for a, b in zip([*ours, *our_gradients], [*theirs, *their_gradients], strict=True):
        close(a, b)


@every_kind
def test_a_cell_of_keras_is_computed_as_our_own(kind):
    cell = getattr(keras.layers, f"{kind}Cell")(5)
    layer = tl.layers.RNN(cell, in_channels=3)
    randomized(layer)
    twin = keras.layers.RNN(cell, return_sequences=True, return_state=True)

    outputs, last = layer(X, is_train=True)

    for ours, theirs in zip([outputs, *last], twin(X), strict=True):
        close(ours, theirs)


@pytest.mark.parametrize(
    "cell",
    [
        keras.layers.GRUCell(5, reset_after=False),
        keras.layers.LSTMCell(5, activation="relu"),
        keras.layers.StackedRNNCells([keras.layers.GRUCell(4), keras.layers.LSTMCell(5)]),
    ],
)
def test_other_cells_of_keras_are_computed_step_by_step(cell):
    layer = tl.layers.RNN(cell, in_channels=3)

    outputs, _ = layer(X, is_train=True)

    close(outputs, keras.layers.RNN(cell, return_sequences=True)(X))
    assert len(layer.trainable_weights) == len(cell.trainable_weights)


@pytest.mark.parametrize("cell", ["LSTMCell", "GRUCell", "SimpleRNNCell"])
def test_other_activations_are_differentiated_by_tensorflow(cell):
    ours = tl.layers.RNN(getattr(tl.layers, cell)(5, activation="relu"), in_channels=3)
    theirs = keras.layers.RNN(
        getattr(keras.layers, cell)(5, activation="relu"), return_sequences=True
    )
    theirs.build(X.shape)
    theirs.set_weights([w.numpy() for w in ours.all_weights])

    with tf.GradientTape(persistent=True) as tape:
        a, b = ours(X, is_train=True)[0], theirs(X)

    close(a, b)
    gradients = tape.gradient(b, [w.value for w in theirs.weights])
    for mine, other in zip(tape.gradient(a, ours.all_weights), gradients, strict=True):
        close(mine, other)


class Counter:
    """A cell of two methods: it counts, and multiplies what comes in."""

    def initial_state(self, batch_size):
        return {"n": tf.zeros([batch_size, 1])}

    def __call__(self, inputs, state):
        n = state["n"] + 1
        return n * inputs, {"n": n}


@every_mode
def test_any_object_of_two_methods_is_a_cell(is_train):
    outputs, state = tl.layers.RNN(Counter())(X, sequence_length=LENGTHS, is_train=is_train)

    counts = np.arange(1, 7)[:, None] * (np.arange(6) < LENGTHS[:, None])[..., None]
    close(outputs, X * counts)
    close(state["n"], LENGTHS[:, None])


class Scaled(tf.Module):
    """A core in the style of Sonnet, which makes its variables when it is called first."""

    @tf.Module.with_name_scope
    def __call__(self, inputs, state):
        if not hasattr(self, "w"):
            self.w = tf.Variable(tf.fill([inputs.shape[-1]], 2.0), name="w")
        state = state + self.w * inputs
        return state, state

    def initial_state(self, batch_size):
        return tf.zeros([batch_size, 3])


def test_a_module_with_two_methods_is_a_cell_and_its_variables_are_found():
    model = tl.models.Model(
        net := tl.layers.Input([None, None, 3]), tl.layers.RNN(net, cell=Scaled(), name="core")[0]
    )

    close(model(X, is_train=True), np.cumsum(2 * X, axis=1))
    assert list(model.parameters) == ["core/w"]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(X, is_train=True))
    close(tape.gradient(loss, model.trainable_weights)[0], np.cumsum(X, 1).sum((0, 1)), 1e-4)


def test_cells_one_upon_the_other_are_layers_one_after_the_other():
    cells = [tl.layers.LSTMCell(5), tl.layers.GRUCell(4)]
    net = tl.layers.Input([None, None, 3])
    both, state = tl.layers.RNN(net, cell=cells, name="both")
    first, _ = tl.layers.RNN(net, cell=cells[0])
    second, last = tl.layers.RNN(first, cell=cells[1])

    close(both(X, is_train=True), second(X, is_train=True))
    close(state[1][0](X, is_train=False), last[0](X, is_train=False))
    assert [len(each) for each in state] == [2, 1]


def test_a_sequence_with_zeros_inside_is_not_shortened():
    x = X.copy()
    x[:, 2:4] = 0
    layer = tl.layers.GRURNN(5, return_last_output=True, return_last_state=False, in_channels=3)

    given = layer(x, sequence_length=[6, 6, 6, 6])

    close(given, layer(x))
    assert not np.allclose(given, layer(x, sequence_length=[4, 4, 4, 4]))


def test_what_is_behind_the_end_does_not_matter_even_if_it_is_no_number():
    layer, x = tl.layers.LSTMRNN(5, in_channels=3), X.copy()
    x[1, 1:] = np.nan

    def gradients(values):
        with tf.GradientTape() as tape:
            outputs, state = layer(values, sequence_length=LENGTHS, is_train=True)
            loss = tf.reduce_sum(outputs**2) + tf.reduce_sum(state[1])
        return tape.gradient(loss, layer.all_weights)

    for ours, theirs in zip(gradients(x), gradients(X), strict=True):
        close(ours, theirs)


def test_the_last_output_is_that_of_the_last_step_that_counts():
    layer = tl.layers.GRURNN(5, return_last_output=True, in_channels=3)

    last, state = layer(X, sequence_length=LENGTHS)

    close(last, state[0])
    close(last[2], np.zeros(5))
    assert tl.layers.GRURNN(5, return_seq_2d=True)(X)[0].shape == (24, 5)


def test_a_state_that_is_carried_on_continues_the_sequence():
    layer = tl.layers.LSTMRNN(5, in_channels=3)

    whole, _ = layer(X)
    first, state = layer(X[:, :2])
    second, _ = layer(X[:, 2:], initial_state=state)

    close(tf.concat([first, second], 1), whole)


def test_states_and_lengths_may_be_networks_in_either_spelling():
    steps = tl.layers.Input([None, None, 3], name="steps")
    h, n = tl.layers.Input([None, 5], name="h"), tl.layers.Input([None], tf.int32, name="n")
    stacked, _ = tl.layers.GRURNN(steps, 5, initial_state=[h], sequence_length=n, name="g")
    layer = tl.layers.GRURNN(5, name="g")
    called, _ = layer(steps, initial_state=[h], sequence_length=n)
    values = {"steps": X, "h": np.ones((4, 5), "float32"), "n": LENGTHS.astype("int32")}
    for ours, theirs in zip(called.all_params, stacked.all_params, strict=True):
        ours.assign(theirs)

    expected = layer(X, initial_state=[np.ones((4, 5), "float32")], sequence_length=LENGTHS)[0]

    close(stacked(values), expected)
    close(called(values), expected)


def test_dropped_inputs_and_outputs_are_the_same_at_all_steps():
    ones = np.ones((2, 5, 400), "float32")
    layer = tl.layers.SimpleRNN(
        400, dropout=0.25, activation=None, use_bias=False, recurrent_initializer="zeros",
        kernel_initializer=tf.eye(400).numpy(), return_last_state=False, in_channels=400,
    )  # fmt: skip

    y = layer(ones, is_train=True).numpy()

    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.75)}
    assert 0.15 < np.mean(y == 0) < 0.35
    np.testing.assert_array_equal(y, np.repeat(y[:, :1], 5, axis=1))
    np.testing.assert_array_equal(layer(ones, is_train=False), ones)


def test_recurrent_dropout_has_the_gradient_of_what_it_computes():
    tf.keras.utils.set_random_seed(0)
    layer = tl.layers.LSTMRNN(5, recurrent_dropout=0.5, in_channels=3, return_last_state=False)
    mask = tf.nn.dropout(tf.ones([4, 5]), 0.5)
    layer.cell.recurrent_mask = lambda *_: mask  # the same one for all evaluations
    kernel = layer.cell.recurrent_kernel

    def loss():
        return tf.reduce_sum(layer(X, is_train=True) ** 2)

    with tf.GradientTape() as tape:
        value = loss()
    gradient = tape.gradient(value, kernel).numpy()
    direction = RNG.normal(size=kernel.shape).astype("float32")
    before = kernel.numpy()
    kernel.assign(before + 1e-2 * direction)
    above = loss()
    kernel.assign(before - 1e-2 * direction)
    below = loss()

    np.testing.assert_allclose((above - below) / 2e-2, np.sum(gradient * direction), rtol=1e-2)


def test_second_derivatives_are_an_error_in_training_and_there_in_inference():
    layer, x = tl.layers.GRURNN(5, in_channels=3, return_last_state=False), tf.constant(X)

    def second(is_train):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(layer(x, is_train=is_train) ** 2)
            norm = tf.reduce_sum(inner.gradient(y, x) ** 2)
        return outer.gradient(norm, x)

    assert np.all(np.isfinite(second(False)))
    with pytest.raises(LookupError, match="first derivatives only"):
        second(True)


def test_the_number_of_steps_is_free_in_one_trace():
    net = tl.layers.Input([None, None, 3])
    net = tl.layers.LSTMRNN(net, 5, return_last_state=False)
    traced = tf.function(lambda x: net(x, is_train=True))

    spec = tf.TensorSpec([None, None, 3])
    concrete = traced.get_concrete_function(spec)

    for steps in (1, 6):
        close(concrete(tf.constant(X[:, :steps])), net(X[:, :steps], is_train=False))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: tl.layers.RNN(lambda x, s: (x, s)), InvalidArgument, "has initial_state"),
        (lambda: tl.layers.RNN(keras.layers.LSTMCell), InvalidArgument, "a cell is called as"),
        (lambda: tl.layers.RNN([]), InvalidArgument, "at least one, got an empty one"),
        (lambda: tl.layers.LSTMRNN(0), InvalidArgument, "units must be a positive integer, got 0"),
        (lambda: tl.layers.GRURNN(2, drop=1), UnknownArgument, "GRURNN: unknown argument 'drop'"),
        (lambda: tl.layers.GRURNN(2, dropout=1.0), InvalidArgument, "in .0, 1.; got 1.0"),
        (lambda: tl.layers.LSTMRNN(2)(X[0]), WrongShape, r"batch, steps, channels"),
        (lambda: tl.layers.LSTMRNN(2)(X, sequence_length=[1, 2]), WrongShape, "4 sequences"),
        (lambda: tl.layers.LSTMRNN(2)(X, sequence_length=[7, 1, 1, 1]), InvalidArgument,
         "between 0 and the number of steps, 6; got 1 to 7"),
        (lambda: tl.layers.LSTMRNN(2)(X, sequence_length=[-1, 1, 1, 1]), InvalidArgument, "-1"),
        (lambda: tl.layers.LSTMRNN(2)(X, initial_state=[X[:, 0]]), InvalidArgument, "2 tensors"),
        (lambda: tl.layers.LSTMRNN(2)(tf.RaggedTensor.from_tensor(X, LENGTHS)), WrongShape,
         "sequence_length=x.row_lengths"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_lengths_beyond_the_steps_are_an_error_in_a_graph():
    layer = tl.layers.LSTMRNN(2, in_channels=3, return_last_state=False)
    traced = tf.function(
        lambda x, n: layer(x, sequence_length=n),
        input_signature=[tf.TensorSpec([None, None, 3]), tf.TensorSpec([None], tf.int32)],
    )

    with pytest.raises(tf.errors.InvalidArgumentError, match="between 0 and the number of steps"):
        traced(X, [1, 2, 3, 7])


def test_a_function_of_the_user_is_traced_without_a_word():
    code = """
import tensorflow as tf
import tensorlayer as tl

for kind in (tl.layers.SimpleRNN, tl.layers.LSTMRNN, tl.layers.GRURNN):
    layer = kind(5, in_channels=3, dropout=0.5, recurrent_dropout=0.5)

    @tf.function  # with AutoGraph, which warns of code of the library that it cannot convert
    def both(x, state):
        outputs, state = layer(x, initial_state=state, is_train=True)
        return outputs, layer.cell(x[:, 0], state, is_train=True)

    both(tf.ones([2, 6, 3]), layer.cell.initial_state(2))
print("traced")
"""
    # In a process of its own: AutoGraph warns of a function once.
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert "traced" in finished.stdout, finished.stderr
    assert "AutoGraph" not in finished.stderr


def test_a_first_state_that_is_learned_is_saved_and_shared_again(tmp_path):
    first = tf.Variable(tf.ones([1, 4]), name="first")
    x = tl.layers.Input([None, 5, 3])
    outputs = [
        tl.layers.GRURNN(x, units=4, return_last_state=False, initial_state=[first], name=name)
        for name in ("one", "other")
    ]
    model = tl.models.Model(x, outputs)
    digest = model.structure_digest
    first.assign([[1.0, 2.0, 3.0, 4.0]])
    assert model.structure_digest == digest
    values = np.ones([2, 5, 3], "float32")

    model.save(tmp_path / "model.h5")
    loaded = tl.models.Model.load(tmp_path / "model.h5")

    loaded.eval(), model.eval()
    for ours, theirs in zip(loaded(values), model(values), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    (found,) = [each for each in loaded.all_weights if each.name == "first:0"]
    np.testing.assert_array_equal(found, first)
    assert len(loaded.all_weights) == len(model.all_weights) == 7
