"""``RNNLayer`` and ``DynamicRNNLayer``, as programs of TensorLayer 1.x use them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import BasicLSTMCell, DynamicRNNLayer, Input, RNNLayer
from tests.layers.recurrent import oracle
from tests.layers.recurrent.test_rnn import LENGTHS, RNG, X, close, weights_of


def test_a_language_model_of_1_x():
    """The network of the PTB tutorial: two layers, dropout between them, rows at the end."""
    init = tf.random_uniform_initializer(-0.1, 0.1)
    net = tl.layers.EmbeddingInputlayer(
        Input([20, 5], tf.int32), vocabulary_size=50, embedding_size=8, E_init=init,
        name="embedding",
    )  # fmt: skip
    net = tl.layers.DropoutLayer(net, keep=0.8, name="drop1")
    net = lstm1 = RNNLayer(
        net, cell_fn=BasicLSTMCell, cell_init_args={"forget_bias": 0.0, "state_is_tuple": True},
        n_hidden=6, initializer=init, n_steps=5, return_last=False, name="basic_lstm_layer1",
    )  # fmt: skip
    net = RNNLayer(
        net, cell_fn=BasicLSTMCell, cell_init_args={"forget_bias": 0.0}, n_hidden=6,
        initializer=init, n_steps=5, return_last=False, return_seq_2d=True, name="lstm2",
    )  # fmt: skip
    net = tl.layers.DenseLayer(net, n_units=50, W_init=init, name="output_layer")

    assert net.outputs.shape == (100, 50)
    assert lstm1.final_state.c.outputs.shape == (20, 6)
    kernel = net.parameters["basic_lstm_layer1/kernel"]
    assert kernel.shape == (14, 24)
    assert 0.09 < np.abs(kernel).max() <= 0.1


@pytest.mark.parametrize("is_train", [True, False])
def test_it_computes_the_loop_from_its_initial_state(is_train):
    net, h = Input([None, 6, 3], name="x"), Input([None, 5], name="h")
    c = Input([None, 5], name="c")
    state = tl.layers.LSTMState(c, h)
    net = RNNLayer(net, BasicLSTMCell, n_hidden=5, n_steps=6, initial_state=state, name="r")
    values = {"x": X, **{k: RNG.normal(size=(4, 5)).astype("float32") for k in ("h", "c")}}

    outputs, last = net(values, is_train=is_train), net.final_state.c(values, is_train=is_train)

    weights = {k.rpartition("/")[2]: v.numpy() for k, v in net.parameters.items()}
    begin = [values["h"], values["c"]]
    expected, (_, memory) = oracle.sequence("BasicLSTM", weights, X, state=begin)
    close(outputs, expected)
    close(last, memory)
    close(net.initial_state.h(values), values["h"])


def test_lengths_are_counted_up_to_the_last_step_that_is_not_zero():
    x = X.copy()
    x[0, 4:], x[1, 1:3], x[2] = 0, 0, 0
    net = DynamicRNNLayer(Input([None, None, 3]), BasicLSTMCell, n_hidden=5, return_last=False)

    outputs = net(x)

    weights = {k.rpartition("/")[2]: v.numpy() for k, v in net.parameters.items()}
    assert net.sequence_length(x).numpy().tolist() == [4, 6, 0, 6]
    close(outputs, oracle.sequence("BasicLSTM", weights, x, [4, 6, 0, 6])[0])


@pytest.mark.parametrize("lengths", ["network", "value"])
def test_lengths_that_are_given_count_and_zeros_within_do_too(lengths):
    x = X.copy()
    x[:, 0] = 0
    n = Input([None], tf.int32, name="n") if lengths == "network" else LENGTHS
    net = DynamicRNNLayer(
        Input([None, None, 3], name="x"), BasicLSTMCell, n_hidden=5, sequence_length=n, name="d"
    )

    y = net({"x": x, "n": LENGTHS.astype("int32")} if lengths == "network" else x)

    weights = {k.rpartition("/")[2]: v.numpy() for k, v in net.parameters.items()}
    _, (h, _) = oracle.sequence("BasicLSTM", weights, x, LENGTHS)
    close(y, h * (LENGTHS > 0)[:, None])


def test_the_last_output_is_the_default_but_for_rows():
    shapes = {
        options: DynamicRNNLayer(
            Input([None, 6, 3]), BasicLSTMCell, n_hidden=5, **dict(options)
        ).outputs.shape.as_list()
        for options in (
            (), (("return_seq_2d", True),), (("return_last", False),),
            (("return_last", True), ("return_seq_2d", True)),
        )
    }  # fmt: skip

    assert list(shapes.values()) == [[None, 5], [None, 5], [None, 6, 5], [None, 5]]
    rows = DynamicRNNLayer(Input([None, 6, 3]), BasicLSTMCell, n_hidden=5, return_seq_2d=True)
    assert rows(X).shape == (24, 5)


def test_layers_one_upon_the_other_have_a_state_each():
    net = DynamicRNNLayer(
        Input([None, None, 3]), keras.layers.GRUCell, n_hidden=5, n_layer=3, return_last=False,
        name="d",
    )  # fmt: skip
    whole = net(X)

    outputs = X
    for i in range(3):
        names = ("kernel", "recurrent_kernel", "bias")
        own = {name: net.parameters[f"d/cell_{i}/{name}"].numpy() for name in names}
        outputs, (last,) = oracle.sequence("GRU", own, outputs)
        close(net.final_state[i][0](X), last)
    close(whole, outputs)


def test_dropout_is_the_probability_of_keeping():
    tf.keras.utils.set_random_seed(0)

    class Passing:
        def __init__(self, units):
            pass

        def initial_state(self, batch_size):
            return tf.zeros([batch_size, 1])

        def __call__(self, inputs, state):
            return inputs, state

    ones = np.ones((1, 4, 1000), "float32")
    layer = DynamicRNNLayer(Passing, n_layer=2, dropout=(0.5, 0.8), return_last=False)

    y = layer(ones, is_train=True).numpy()

    np.testing.assert_allclose(y[y != 0], 1 / (0.5 * 0.5 * 0.8))
    np.testing.assert_array_equal(layer(ones, is_train=False), ones)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: RNNLayer(None), InvalidArgument, "RNNLayer: cell_fn makes cells"),
        (lambda: RNNLayer(BasicLSTMCell, n_hidden=0), InvalidArgument, "n_hidden must be a pos"),
        (lambda: RNNLayer(BasicLSTMCell, n_steps=4)(X), WrongShape, "6 steps, n_steps says 4"),
        (lambda: RNNLayer(BasicLSTMCell)(X[0]), WrongShape, r"\(batch, steps, channels\)"),
        (lambda: DynamicRNNLayer(BasicLSTMCell, dropout=0.0), InvalidArgument, "in .0, 1., or a"),
        (lambda: DynamicRNNLayer(BasicLSTMCell, dropout=(1, 1, 1)), InvalidArgument, "or a pair"),
        (lambda: DynamicRNNLayer(BasicLSTMCell, n_layer=0), InvalidArgument, "n_layer must be"),
        (lambda: DynamicRNNLayer(BasicLSTMCell, sequence_length=[9] * 4)(X), InvalidArgument,
         "number of steps, 6; got 9 to 9"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_the_number_of_steps_may_be_any():
    layer = RNNLayer(BasicLSTMCell, n_hidden=2, n_steps=None)

    assert layer(X).shape == (4, 6, 2)
    assert layer(X[:, :2]).shape == (4, 2, 2)
    assert set(weights_of(layer)) == {"kernel", "bias"}


@pytest.mark.parametrize("n_layer", [1, 2])
def test_a_state_is_by_itself_for_one_layer_and_a_list_for_more(n_layer):
    layer = DynamicRNNLayer(cell_fn=BasicLSTMCell, n_hidden=6, n_layer=n_layer, return_last=False)
    state = BasicLSTMCell(6).initial_state(len(X))
    state = state if n_layer == 1 else [state] * 2

    close(layer(X, initial_state=state), layer(X))


@pytest.mark.parametrize("make", [RNNLayer, DynamicRNNLayer])
def test_kernels_begin_between_a_tenth_below_and_above_zero(make):
    layer = make(cell_fn=BasicLSTMCell, n_hidden=40)
    layer(X[:, :5])
    kernel = layer.parameters["kernel"].numpy()

    assert -0.1 <= kernel.min() < -0.095
    assert 0.095 < kernel.max() <= 0.1


@pytest.mark.parametrize("dropout", [0.0, 1.5, -0.5, (0.5,), (0.5, 1.2), (0.5, 0.5, 0.5), "a"])
def test_dropout_is_a_probability_or_two(dropout):
    with pytest.raises(InvalidArgument, match=r"probability of keeping, in \(0, 1\], or a pair"):
        DynamicRNNLayer(cell_fn=BasicLSTMCell, n_hidden=6, dropout=dropout)
