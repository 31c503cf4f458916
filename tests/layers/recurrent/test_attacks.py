"""What recurrent layers meet in the hands of users: modes, states, lengths, saving."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape

X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")


def dropping_cells():
    return [
        keras.layers.LSTMCell(6, dropout=0.5, recurrent_dropout=0.3),
        keras.layers.GRUCell(6, dropout=0.5),
        keras.layers.StackedRNNCells(
            [keras.layers.SimpleRNNCell(5, dropout=0.5), keras.layers.LSTMCell(6, dropout=0.5)]
        ),
    ]


@pytest.mark.parametrize("cell", dropping_cells(), ids=lambda cell: type(cell).__name__)
def test_a_cell_of_keras_drops_something_else_each_time(cell):
    rnn = tl.layers.RNN(cell, return_last_state=False, in_channels=3)
    traced = tf.function(lambda x: rnn(x, is_train=True))

    eager = [rnn(X, is_train=True).numpy() for _ in range(3)]
    graph = [traced(X).numpy() for _ in range(3)]

    for a, b, _ in (eager, graph):
        assert not np.allclose(a, b)
    assert rnn(X[:2], is_train=True).shape == (2, 5, 6)  # nothing is left of the other batch
    np.testing.assert_array_equal(rnn(X, is_train=False), rnn(X, is_train=False))


@pytest.mark.parametrize("is_traced", [False, True])
def test_a_cell_of_keras_drops_the_same_at_all_steps(is_traced):
    cell = keras.layers.SimpleRNNCell(
        8, activation=None, dropout=0.5, kernel_initializer="identity", bias_initializer="zeros",
        recurrent_initializer="zeros",
    )  # fmt: skip
    rnn = tl.layers.RNN(cell, return_last_state=False, in_channels=8)

    def train(x):
        return rnn(x, is_train=True)

    outputs = (tf.function(train) if is_traced else train)(tf.ones([2, 6, 8])).numpy()

    assert set(np.unique(outputs)) == {0, 2}
    np.testing.assert_array_equal(outputs, np.broadcast_to(outputs[:, :1], outputs.shape))


def test_a_model_with_a_cell_of_keras_that_drops_is_fitted():
    inputs = tl.layers.Input([None, 5, 3])
    cell = keras.layers.GRUCell(6, dropout=0.2)
    net = tl.layers.RNN(cell=cell, return_last_output=True, return_last_state=False)(inputs)
    model = tl.models.Model(inputs, tl.layers.Dense(2)(net))
    data = np.random.default_rng(1).normal(size=(40, 5, 3)).astype("float32")

    tl.utils.fit(
        model, tf.optimizers.Adam(0.01), tl.cost.cross_entropy, data, (data[:, 0, 0] > 0) * 1,
        batch_size=16, n_epoch=2,
    )  # fmt: skip

    model.eval()
    assert model(data[:3]).shape == (3, 2)


LAYERS_OF_1_X = {
    "RNNLayer": {"n_steps": 5},
    "DynamicRNNLayer": {"n_layer": 2, "return_last": False},
    "BiRNNLayer": {"n_steps": 5, "n_layer": 2},
    "BiDynamicRNNLayer": {"n_layer": 2},
}


@pytest.mark.parametrize("kind", LAYERS_OF_1_X)
@pytest.mark.parametrize("name", [None, "mine"])
def test_a_saved_model_of_a_layer_with_states_beside_its_output_is_loaded(kind, name, tmp_path):
    layer = getattr(tl.layers, kind)(
        cell_fn=tl.layers.BasicLSTMCell, n_hidden=4, name=name, **LAYERS_OF_1_X[kind]
    )
    inputs = tl.layers.Input([None, 5, 3])
    model = tl.models.Model(inputs, tl.layers.Dense(2)(tl.layers.Flatten()(layer(inputs))))
    model.save(str(tmp_path / "model.h5"))

    loaded = tl.models.Model.load(str(tmp_path / "model.h5"))

    assert list(loaded.parameters) == list(model.parameters)
    np.testing.assert_array_equal(loaded(X, is_train=False), model(X, is_train=False))


def test_a_saved_encoder_and_decoder_is_loaded(tmp_path):
    inputs = tl.layers.Input([None, 5, 3])
    layer = tl.layers.Seq2Seq(cell_fn=tl.layers.BasicLSTMCell, n_hidden=4)
    model = tl.models.Model(inputs, layer(inputs, net_decode_in=inputs))
    model.save(str(tmp_path / "model.h5"))

    loaded = tl.models.Model.load(str(tmp_path / "model.h5"))

    np.testing.assert_array_equal(loaded(X, is_train=False), model(X, is_train=False))


@pytest.mark.parametrize("cell", [tl.layers.LSTMCell, keras.layers.LSTMCell])
def test_a_module_of_tensorflow_finds_the_variables(cell):
    module = tf.Module()
    module.rnn = tl.layers.RNN(cell(6), in_channels=3)

    assert len(module.trainable_variables) == 3


STATES_THAT_DO_NOT_FIT = [
    [np.ones([1, 6])] * 2,
    [np.ones([4, 6]), np.ones([4, 1])],
    [np.ones([4, 6]), np.ones([1, 6])],
    [np.ones([4, 7])] * 2,
    [np.ones(6)] * 2,
    [np.ones([1, 4, 6])] * 2,
]
CELLS = {
    "ours": lambda: tl.layers.LSTMCell(6),
    "ours, step by step": lambda: tl.layers.LSTMCell(6, activation="relu"),
    "of 1.x": lambda: tl.layers.BasicLSTMCell(6),
    "of Keras": lambda: keras.layers.LSTMCell(6),
    "of Keras, step by step": lambda: keras.layers.LSTMCell(6, activation="relu"),
}


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("state", STATES_THAT_DO_NOT_FIT, ids=str)
@pytest.mark.parametrize("is_train", [False, True])
def test_a_state_of_another_shape_is_not_repeated(kind, state, is_train):
    rnn = tl.layers.RNN(CELLS[kind](), in_channels=3)

    with pytest.raises(WrongShape, match=r"a state of it is 2 tensors, here of shape \(4, 6\)"):
        rnn(X, initial_state=state, is_train=is_train)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("n", [1, 3])
def test_a_state_has_as_many_tensors_as_those_of_the_cell(kind, n):
    rnn = tl.layers.RNN(CELLS[kind](), in_channels=3)

    with pytest.raises(InvalidArgument, match=rf"is 2 tensors \(batch, 6\), got {n}\."):
        rnn(X, initial_state=[np.ones([4, 6])] * n)


@pytest.mark.parametrize("kind", CELLS)
def test_a_state_may_be_of_numbers_of_any_type(kind):
    rnn = tl.layers.RNN(CELLS[kind](), in_channels=3, return_last_state=False)
    expected = rnn(X, initial_state=[tf.ones([4, 6])] * 2)

    for state in (np.ones([4, 6], int), np.ones([4, 6]), np.ones([4, 6]).tolist()):
        np.testing.assert_array_equal(rnn(X, initial_state=(state, state)), expected)


def test_states_of_one_step_and_of_images_fit_too():
    cell, images = tl.layers.GRUCell(6), np.ones([2, 3, 4, 4, 1], "float32")
    layer = tl.layers.ConvLSTMLayer(cell_shape=(4, 4), feature_map=2, n_steps=3)

    with pytest.raises(WrongShape, match=r"here of shape \(4, 6\); got shape \(1, 6\)"):
        cell(X[:, 0], tf.ones([1, 6]))
    with pytest.raises(WrongShape, match=r"here of shape \(2, 4, 4, 2\); got shape \(1, 4, 4, 2\)"):
        layer(images, initial_state=[tf.ones([2, 4, 4, 2]), tf.ones([1, 4, 4, 2])])


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([1.7, 2.0, 3.0, 4.0], r"whole numbers, got float32\. Give tf.cast"),
        ([True, True, False, True], "whole numbers, got bool"),
        (np.array([2**32 + 2, 1, 1, 1]), "between 0 and the number of steps, 5; got 1 to 42949672"),
    ],
)
def test_lengths_are_whole_numbers_and_none_is_wrapped_round(lengths, message):
    with pytest.raises(InvalidArgument, match=message):
        tl.layers.LSTMRNN(6)(X, sequence_length=lengths)


@pytest.mark.parametrize("kind", LAYERS_OF_1_X)
def test_no_steps_at_all_are_an_error(kind):
    options = {**LAYERS_OF_1_X[kind], **({} if "Dynamic" in kind else {"n_steps": None})}
    layer = getattr(tl.layers, kind)(cell_fn=tl.layers.BasicLSTMCell, n_hidden=4, **options)

    for each in (layer, tl.layers.GRURNN(4), tl.layers.GRURNN(4, return_last_output=True)):
        with pytest.raises(WrongShape, match=r"the input has no steps, shape \(4, 0, 3\)"):
            each(X[:, :0])


@pytest.mark.parametrize("kind", CELLS)
def test_a_state_of_another_batch_is_not_repeated_where_the_graph_knows_no_batch(kind):
    rnn = tl.layers.RNN(CELLS[kind](), in_channels=3, return_last_state=False)
    run = tf.function(
        lambda x, h: rnn(x, initial_state=[h, h]),
        input_signature=[tf.TensorSpec([None, None, 3]), tf.TensorSpec([None, 6])],
    )

    assert run(X, tf.ones([4, 6])).shape == (4, 5, 6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="one row for every sequence"):
        run(X, tf.ones([1, 6]))


@pytest.mark.parametrize("kind", CELLS)
def test_a_state_with_names_goes_by_them(kind):
    h, c = tf.ones([4, 6]), tf.zeros([4, 6])
    rnn = tl.layers.RNN(CELLS[kind](), in_channels=3, return_last_state=False)
    by_places = [c, h] if kind == "of 1.x" else [h, c]

    outputs = rnn(X, initial_state=tl.layers.LSTMState(c=c, h=h))

    np.testing.assert_array_equal(outputs, rnn(X, initial_state=by_places))


BEGUN = {
    "RNN": (lambda h: tl.layers.RNN(tl.layers.GRUCell(4), initial_state=h), "initial_state"),
    "GRURNN": (lambda h: tl.layers.GRURNN(4, initial_state=[h]), "initial_state/0"),
    "of Keras": (
        lambda h: tl.layers.RNN(keras.layers.LSTMCell(4), initial_state=[h, h]),
        "initial_state/0",
    ),
    "a stack": (
        lambda h: tl.layers.RNN([tl.layers.GRUCell(4) for _ in "12"], initial_state=[[h], [h]]),
        "initial_state/0/0",
    ),
    "BiRNN": (
        lambda h: tl.layers.BiRNN(*[tl.layers.GRUCell(4) for _ in "12"], bw_initial_state=h),
        "bw_initial_state",
    ),
    "RNNLayer": (
        lambda h: tl.layers.RNNLayer(
            cell_fn=tl.layers.GRUCell, n_hidden=4, n_steps=5, initial_state=h
        ),
        "initial_state",
    ),
    "DynamicRNNLayer": (
        lambda h: tl.layers.DynamicRNNLayer(
            cell_fn=tl.layers.GRUCell, n_hidden=4, n_layer=2, initial_state=[h, h]
        ),
        "initial_state/0",
    ),
    "BiRNNLayer": (
        lambda h: tl.layers.BiRNNLayer(
            cell_fn=tl.layers.GRUCell, n_hidden=4, fw_initial_state=h, n_steps=5
        ),
        "fw_initial_state",
    ),
    "BiDynamicRNNLayer": (
        lambda h: tl.layers.BiDynamicRNNLayer(
            cell_fn=tl.layers.GRUCell, n_hidden=4, bw_initial_state=h
        ),
        "bw_initial_state",
    ),
}


@pytest.mark.parametrize("kind", BEGUN)
def test_a_variable_to_begin_with_is_learned(kind):
    """Its gradient is that of the same state given to the call, with a row for each sequence."""
    h = tf.Variable(np.random.default_rng(1).normal(size=[1, 4]).astype("float32"), name="h")
    make, name = BEGUN[kind]
    layer = make(h)
    layer(X)
    frozen = tf.constant(np.repeat(h.numpy(), len(X), axis=0))
    (key,) = {n.rsplit("initial_state")[0] + "initial_state" for n in layer.parameters if n == name}
    state = tf.nest.map_structure(lambda _: frozen, getattr(layer, key))

    with tf.GradientTape() as tape, tf.GradientTape() as other:
        other.watch(frozen)
        ours = tf.nest.flatten(layer(X, is_train=True))[0]
        theirs = tf.nest.flatten(layer(X, **{key: state}, is_train=True))[0]
        losses = [tf.reduce_sum(ours**2), tf.reduce_sum(theirs**2)]

    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert layer.parameters[name] is h
    assert any(h is weight for weight in layer.trainable_weights)
    gradient = other.gradient(losses[1], frozen).numpy().sum(0, keepdims=True)
    assert np.abs(gradient).max() > 0
    np.testing.assert_allclose(tape.gradient(losses[0], h), gradient, rtol=1e-4, atol=1e-6)


def test_an_encoder_and_a_decoder_begin_with_variables():
    first, second = (tf.Variable(tf.ones([1, 4])) for _ in range(2))
    layer = tl.layers.Seq2Seq(
        cell_fn=tl.layers.GRUCell, n_hidden=4, initial_state_encode=first,
        initial_state_decode=second,
    )  # fmt: skip
    layer(X, net_decode_in=X)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(X, net_decode_in=X, is_train=True) ** 2)

    names = ["initial_state_decode", "initial_state_encode"]
    assert sorted(name for name in layer.parameters if "state" in name) == names
    unused, used = tape.gradient(loss, [first, second])
    assert unused is None  # the decoder does not begin with what the encoder found
    assert np.abs(used).max() > 0


def test_a_model_with_a_learned_state_is_trained_and_its_weights_saved(tmp_path):
    def made():
        inputs = tl.layers.Input([None, 5, 3])
        state = tf.Variable(tf.zeros([1, 6]))
        net, _ = tl.layers.RNN(inputs, cell=tl.layers.GRUCell(6), initial_state=state, name="rnn")
        return tl.models.Model(inputs, net)

    model, other = made(), made()
    optimizer = tf.optimizers.SGD(0.1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((model(X, is_train=True) - 0.5) ** 2)
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
    model.save_weights(str(tmp_path / "w.npz"))
    other.load_weights(str(tmp_path / "w.npz"))

    assert np.abs(other.parameters["rnn/initial_state"]).max() > 0
    for n in (1, 4):
        expected = model(X[:n], is_train=False)
        np.testing.assert_array_equal(other(X[:n], is_train=False), expected)


def test_a_row_that_a_layer_was_made_with_is_for_all_and_of_a_call_is_not():
    h = np.ones([1, 6], "float32")
    rnn = tl.layers.GRURNN(6, in_channels=3, initial_state=h, return_last_state=False)

    expected = rnn(X, initial_state=np.repeat(h, 4, 0))
    np.testing.assert_allclose(rnn(X), expected, rtol=1e-6)
    numbers = tl.layers.GRURNN(6, in_channels=3, initial_state=[[[0.0] * 6] * 4])
    assert numbers(X)[0].shape == (4, 5, 6)
    with pytest.raises(WrongShape, match="got shape"):
        rnn(X, initial_state=h)


@pytest.mark.parametrize("kind", [*LAYERS_OF_1_X, *CELLS, "BiRNN", "last"])
@pytest.mark.parametrize("is_train", [False, True])
def test_no_steps_are_an_error_where_the_graph_knows_no_number_of_steps(kind, is_train):
    options = {**LAYERS_OF_1_X.get(kind, {})}
    options |= {} if "Dynamic" in kind else {"n_steps": None}
    layer = (
        getattr(tl.layers, kind)(cell_fn=tl.layers.BasicLSTMCell, n_hidden=4, **options)
        if kind in LAYERS_OF_1_X
        else tl.layers.BiRNN(tl.layers.GRUCell(4), tl.layers.GRUCell(4))
        if kind == "BiRNN"
        else tl.layers.GRURNN(4, return_last_output=True)
        if kind == "last"
        else tl.layers.RNN(CELLS[kind]())
    )
    layer(X)
    run = tf.function(
        lambda x: tf.nest.flatten(layer(x, is_train=is_train))[0],
        input_signature=[tf.TensorSpec([None, None, 3])],
    )

    assert run(X).shape[0] == 4
    with pytest.raises(tf.errors.InvalidArgumentError, match="the input has no steps"):
        run(X[:, :0])


def test_random_numbers_of_keras_are_no_weights_but_saved_with_training(tmp_path):
    def made():
        inputs = tl.layers.Input([None, 5, 3])
        cell = keras.layers.GRUCell(4, dropout=0.5, seed=3)
        return tl.models.Model(inputs, tl.layers.RNN(inputs, cell=cell, name="rnn")[0])

    model, other = made(), made()
    model(X, is_train=True)
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "training"))
    expected = model(X, is_train=True)
    tf.train.Checkpoint(model=other).read(path).assert_consumed()

    np.testing.assert_allclose(other(X, is_train=True), expected, rtol=1e-6)
    for each in (model, model.get_layer("rnn")):
        assert len(each.all_weights) == len(each.trainable_weights) == 3
        assert each.nontrainable_weights == []
        assert not [name for name in each.parameters if "seed" in name]


def test_training_with_a_cell_of_keras_that_drops_is_saved(tmp_path):
    inputs = tl.layers.Input([None, 5, 3])
    cell = keras.layers.GRUCell(4, dropout=0.5)
    model = tl.models.Model(inputs, tl.layers.RNN(inputs, cell=cell, name="rnn")[0])
    optimizer = tl.optimizers.SGD(0.1)
    optimizer.build(model.trainable_weights)

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, is_train=True))
        gradients = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        return loss

    checkpoint = tl.train.Checkpoint(tmp_path / "run", {"model": model, "optimizer": optimizer})
    epochs = tl.train.run(step, tf.data.Dataset.from_tensors(X), n_epoch=2, checkpoint=checkpoint)

    assert len(list(epochs)) == 2
