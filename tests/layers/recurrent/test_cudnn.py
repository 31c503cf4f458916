"""What the kernels of cuDNN are given, and what is made of their results, without a GPU.

The kernel itself is computed here, from the formulas in NVIDIA's documentation of
``cudnnRNNMode_t`` and the layout of its parameters. A session of TensorFlow 1 is given the results
in its place.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit as sigmoid

import tensorlayer as tl
from tensorlayer.layers.recurrent import cudnn
from tensorlayer.layers.recurrent.gates import GRUGates, LSTMGates, PeepholeGates
from tensorlayer.layers.recurrent.scan import scan
from tensorlayer.layers.recurrent.ways import Kernels
from tests.layers.recurrent.problems import every_kind

v1 = tf.compat.v1
#: Nothing runs the kernel, so nothing has to be found that could.
PLACED = v1.ConfigProto(graph_options=v1.GraphOptions(place_pruned_graph=True))
BATCH, STEPS, CHANNELS, UNITS = 4, 5, 3, 2


# -- the kernel, by its documentation


def kernel_of_cudnn(mode, inputs, h, c, params, lengths):
    """Return outputs, last h and last c of one layer: inputs `(batch, steps, channels)`."""
    n = {"rnn_tanh": 1, "lstm": 4, "gru": 3}[mode]
    units, rest = h.shape[-1], params

    def taken(count, *shape):
        nonlocal rest
        size = int(np.prod(shape))
        found = [rest[i * size : (i + 1) * size].reshape(shape) for i in range(count)]
        rest = rest[count * size :]
        return found

    W, R = taken(n, units, inputs.shape[-1]), taken(n, units, units)
    b_W, b_R = taken(n, units), taken(n, units)
    assert not len(rest)
    outputs = np.zeros([*inputs.shape[:2], units], inputs.dtype)
    h, c = h[:, 0].copy(), c[:, 0].copy() if mode == "lstm" else c
    for row, length in enumerate(lengths):
        assert length >= 1
        for t in range(length):
            x = [W[i] @ inputs[row, t] + b_W[i] for i in range(n)]
            r = [R[i] @ h[row] + b_R[i] for i in range(n)]
            if mode == "rnn_tanh":
                h[row] = np.tanh(x[0] + r[0])
            elif mode == "lstm":
                i, f, o = (sigmoid(x[k] + r[k]) for k in (0, 1, 3))
                c[row] = f * c[row] + i * np.tanh(x[2] + r[2])
                h[row] = o * np.tanh(c[row])
            else:
                reset, update = (sigmoid(x[k] + r[k]) for k in (0, 1))
                new = np.tanh(x[2] + reset * r[2])
                h[row] = (1 - update) * new + update * h[row]
            outputs[row, t] = h[row]
    return outputs, h[:, None], c[:, None] if mode == "lstm" else c


def kernels_in(graph):
    return [each for each in graph.get_operations() if each.type == "CudnnRNNV3"]


def computed(graph, session, wanted):
    """Return tensors of a graph with the kernel computed by hand."""
    (kernel,) = kernels_in(graph)
    given = session.run(list(kernel.inputs))
    results = kernel_of_cudnn(kernel.get_attr("rnn_mode").decode(), *given)
    return session.run(wanted, dict(zip(kernel.outputs[:3], results, strict=True)))


# -- the same numbers


def problem(gates, has_biases=True):
    rng = np.random.default_rng(0)
    width = gates.n_gates * UNITS
    biases = [2, width] if isinstance(gates, GRUGates) else [width]
    W, U = rng.normal(size=[CHANNELS, width]), rng.normal(size=[UNITS, width])
    kernels = W, U, rng.normal(size=biases) if has_biases else None
    state = [rng.normal(size=[BATCH, UNITS]) for _ in range(gates.n_states)]
    return kernels, rng.normal(size=[BATCH, STEPS, CHANNELS]), state


@every_kind
@pytest.mark.parametrize("has_biases", [True, False], ids=["biases", "no biases"])
@pytest.mark.parametrize("lengths", [None, [5, 0, 3, 1]], ids=["whole", "lengths"])
def test_it_computes_what_the_steps_compute(gates, has_biases, lengths):
    kernels, x, state = problem(gates, has_biases)

    def arguments():
        mask = None if lengths is None else tf.sequence_mask(lengths, STEPS)[..., tf.newaxis]
        tensors = [None if each is None else tf.constant(each) for each in kernels]
        return gates, Kernels(*tensors), tf.constant(x), tuple(map(tf.constant, state)), mask

    with tf.Graph().as_default() as graph, v1.Session(config=PLACED) as session:
        outputs, last = computed(graph, session, cudnn.over_sequence(*arguments()))
    expected, expected_last = scan(*arguments())

    is_live = np.arange(STEPS) < np.reshape(lengths or [STEPS] * BATCH, [-1, 1])
    np.testing.assert_allclose(outputs[is_live], expected.numpy()[is_live], rtol=1e-10)
    for ours, theirs in zip(last, expected_last, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_the_kernel_is_given_what_keras_gives_it(kind):
    rnn = pytest.importorskip("keras.src.backend.tensorflow.rnn")
    gates = {"LSTM": LSTMGates(), "GRU": GRUGates()}[kind]
    keras = {"LSTM": rnn._cudnn_lstm, "GRU": rnn._cudnn_gru}[kind]
    kernels, x, state = problem(gates)

    def inputs(build):
        with tf.Graph().as_default() as graph, v1.Session(config=PLACED) as session:
            build()
            (kernel,) = kernels_in(graph)
            modes = kernel.get_attr("rnn_mode"), kernel.get_attr("time_major")
            return modes, session.run(list(kernel.inputs))

    def ours():
        tensors = Kernels(*map(tf.constant, kernels))
        cudnn.over_sequence(gates, tensors, tf.constant(x), tuple(map(tf.constant, state)))

    def theirs():
        tensors = [tf.constant(each) for each in kernels]
        if kind == "GRU" and not tf.sysconfig.get_build_info()["is_cuda_build"]:
            # Then Keras leaves the gates in its own order.
            z, r, n = np.arange(3 * UNITS).reshape(3, UNITS)
            tensors = [tf.gather(each, [*r, *z, *n], axis=-1) for each in tensors]
        keras(tf.constant(x), *map(tf.constant, state), *tensors, None, False, False, True)

    (modes, expected), (our_modes, found) = inputs(theirs), inputs(ours)

    assert our_modes == modes
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, other)


@every_kind
def test_all_parameters_have_a_gradient(gates):
    kernels, x, state = problem(gates)

    with tf.Graph().as_default() as graph:
        tensors = [tf.constant(each) for each in (*kernels, x, *state)]
        W, U, b, inputs, *before = tensors
        outputs, _ = cudnn.over_sequence(gates, Kernels(W, U, b), inputs, tuple(before))
        gradients = tf.gradients(tf.reduce_sum(outputs**2), tensors)

    assert [each.shape for each in gradients] == [each.shape for each in tensors]
    (back,) = [each for each in graph.get_operations() if each.type == "CudnnRNNBackpropV3"]
    assert back.get_attr("rnn_mode") == kernels_in(graph)[0].get_attr("rnn_mode")


# -- where there is a GPU


@pytest.fixture
def gpu(monkeypatch):
    """Let TensorFlow say that there is one: graphs can be made for it, and not be run."""
    found = {"GPU": [tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")]}
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: found[kind])


def layer(kind=tl.layers.LSTMRNN, **arguments):
    return kind(UNITS, in_channels=CHANNELS, return_last_state=False, **arguments)


def traced(net, is_train=True, dtype=tf.float32, device=None):
    def forward(x):
        with tf.device(device):
            return net(x, is_train=is_train)

    spec = tf.TensorSpec([BATCH, STEPS, CHANNELS], dtype)
    return tf.function(forward, autograph=False).get_concrete_function(spec).graph


@pytest.mark.parametrize(
    ("kind", "mode"),
    [(tl.layers.SimpleRNN, b"rnn_tanh"), (tl.layers.GRURNN, b"gru"), (tl.layers.LSTMRNN, b"lstm")],
    ids=["simple", "gru", "lstm"],
)
def test_layers_use_it(gpu, caplog, kind, mode):
    caplog.set_level(logging.INFO, "tensorlayer")
    net = layer(kind, name="words")

    (kernel,) = kernels_in(traced(net))

    assert kernel.get_attr("rnn_mode") == mode
    assert "kernels of cuDNN: yes" in caplog.text


def test_cells_of_keras_and_both_directions_use_it(gpu):
    keras = tl.layers.RNN(tf.keras.layers.GRUCell(UNITS), in_channels=CHANNELS)
    both = tl.layers.BiRNN(
        tl.layers.LSTMCell(UNITS), tl.layers.LSTMCell(UNITS), in_channels=CHANNELS
    )

    assert len(kernels_in(traced(keras))) == 1
    assert len(kernels_in(traced(both))) == 2


@pytest.mark.parametrize(
    ("why", "arguments", "trace"),
    [
        ("it is placed on the CPU", {}, {"device": "/CPU:0"}),
        ("they drop nothing between steps", {"recurrent_dropout": 0.5}, {}),
        ("they have other activations", {"activation": "relu"}, {}),
    ],
)
def test_the_log_says_why_it_is_not_used(gpu, caplog, why, arguments, trace):
    caplog.set_level(logging.INFO, "tensorlayer")

    graph = traced(layer(**arguments), **trace)

    assert not kernels_in(graph)
    assert f"kernels of cuDNN: no, {why}" in caplog.text


def test_what_is_dropped_in_training_only_is_no_obstacle_without(gpu):
    net = layer(recurrent_dropout=0.5)

    assert not kernels_in(traced(net, is_train=True))
    assert kernels_in(traced(net, is_train=False))


@pytest.mark.parametrize(
    ("gates", "dtype", "is_served"),
    [
        (LSTMGates(), "float16", True),
        (LSTMGates(), "float64", True),
        (LSTMGates(), "bfloat16", False),
        (PeepholeGates(), "float32", False),
    ],
)
def test_other_cells_and_types_are_left_alone(gpu, gates, dtype, is_served):
    found = []
    ask = tf.function(lambda x: found.append(cudnn.serves("a", gates, x, False)))
    ask.get_concrete_function(tf.TensorSpec([BATCH, STEPS, CHANNELS], dtype))

    assert found == [is_served]


def test_without_it_there_is_none(gpu, caplog):
    caplog.set_level(logging.INFO, "tensorlayer")
    net = layer()

    with tl.layers.without_cudnn():
        inside = traced(net)

    assert not kernels_in(inside)
    assert "kernels of cuDNN: no, they are switched off" in caplog.text
    assert kernels_in(traced(net))


def test_exports_are_for_every_machine(gpu, tmp_path):
    x = tl.layers.Input([None, STEPS, CHANNELS])
    model = tl.models.Model(x, tl.layers.GRURNN(x, units=UNITS, return_last_state=False))

    model.export(tmp_path / "served")

    loaded = tf.saved_model.load(tmp_path / "served").signatures["serving_default"]
    values = np.ones([2, STEPS, CHANNELS], "float32")
    (found,) = loaded(tf.constant(values)).values()
    with tl.layers.without_cudnn():
        np.testing.assert_allclose(found, model(values, is_train=False), rtol=1e-5)


def test_keras_which_may_compile_has_none(gpu):
    x = tl.layers.Input([None, STEPS, CHANNELS])
    model = tl.models.Model(x, tl.layers.LSTMRNN(x, units=UNITS, return_last_output=True)[0])
    keras = tf.keras.Sequential([model.as_keras()])
    keras.compile("sgd", "mse")

    history = keras.fit(np.ones([BATCH, STEPS, CHANNELS]), np.ones([BATCH, UNITS]), verbose=0)

    assert np.isfinite(history.history["loss"]).all()


def test_a_step_that_xla_compiles_has_none(gpu):
    net = layer()

    def step(x):
        return tf.reduce_mean(net(x, is_train=True) ** 2)

    data = tf.data.Dataset.from_tensors(np.ones([BATCH, STEPS, CHANNELS], "float32"))
    history = tl.train.run(step, data, n_epoch=1, jit_compile=True, progress=False)

    assert np.isfinite(history[-1].metrics["loss"])


def test_there_is_none_without_a_gpu(caplog):
    caplog.set_level(logging.INFO, "tensorlayer")
    if tf.config.get_visible_devices("GPU"):
        pytest.skip("there is a GPU here")

    assert not kernels_in(traced(layer()))
    assert "cuDNN" not in caplog.text
