"""The small language model of TensorFlow's PTB tutorial (Zaremba et al., 2014).

Two LSTM layers of 200, 20 steps, batch 20, 10,000 words, gradients of a norm of at most 5. States
go on from batch to batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sonnet as snt
import tensorflow as tf

import tensorlayer as tl
from benchmarks.workloads.contestant import (
    Contestant,
    Cost,
    Workload,
    descending,
    mean_cross_entropy,
)

BATCH, STEPS, UNITS, LAYERS, WORDS = 20, 20, 200, 2, 10_000
RATE, CLIP, SCALE = 1.0, 5.0, 0.1
CELLS = "TensorLayer, cells in the native loop"

State = tuple[tf.Tensor, tf.Tensor]
#: From words (batch, steps) and the states of the layers to logits and the states after.
Forward = Callable[[tf.Tensor, list[Any]], tuple[tf.Tensor, list[Any]]]


def text(n_batches: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return batches of words and those that follow, frequent as in a language."""
    drawn = np.random.default_rng(0).random(n_batches * BATCH * STEPS + BATCH)
    ids = ((WORDS + 1.0) ** drawn - 1).astype(np.int32).clip(0, WORDS - 1)
    return list(tl.iterate.ptb_iterator(ids, BATCH, STEPS))


def carried(forward: Forward) -> Cost:
    """Return the cost of a batch, whose states begin where those of the last batch ended."""
    shape = [BATCH, UNITS]
    kept = [[tf.Variable(tf.zeros(shape), trainable=False) for _ in "ch"] for _ in range(LAYERS)]

    def cost(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        logits, states = forward(x, [tuple(tf.identity(v) for v in pair) for pair in kept])
        for pair, state in zip(kept, states, strict=True):
            for variable, value in zip(pair, state, strict=True):
                variable.assign(value)
        return mean_cross_entropy(logits, tf.reshape(y, [-1]))

    return cost


def _native_weights() -> tuple[tf.Variable, list[list[tf.Variable]], list[tf.Variable]]:
    def weight(*shape: int) -> tf.Variable:
        return tf.Variable(tf.random.uniform(shape, -SCALE, SCALE))

    lstms = [
        [weight(UNITS, 4 * UNITS), weight(UNITS, 4 * UNITS), tf.Variable(tf.zeros(4 * UNITS))]
        for _ in range(LAYERS)
    ]
    return weight(WORDS, UNITS), lstms, [weight(UNITS, WORDS), weight(WORDS)]


def _gated(products: tf.Tensor, c: tf.Tensor, b: tf.Variable) -> State:
    i, f, g, o = tf.split(products + b, 4, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def native() -> Contestant:
    """TensorFlow, written by hand: one step after the other."""
    weights = _native_weights()
    vectors, lstms, (kernel, biases) = weights

    def forward(words: tf.Tensor, states: list[State]) -> tuple[tf.Tensor, list[State]]:
        nets = tf.unstack(tf.nn.embedding_lookup(vectors, words), axis=1)
        for layer, (w, u, b) in enumerate(lstms):
            h, c = states[layer]
            for step, x in enumerate(nets):
                nets[step], c = h, c = _gated(tf.matmul(x, w) + tf.matmul(h, u), c, b)
            states[layer] = h, c
        net = tf.reshape(tf.stack(nets, 1), [-1, UNITS])
        return tf.nn.bias_add(tf.matmul(net, kernel), biases), states

    return descending(carried(forward), tf.nest.flatten(weights), RATE, CLIP)


def native_ahead() -> Contestant:
    """TensorFlow, written by hand: first the products of all inputs of a layer, at once."""
    weights = _native_weights()
    vectors, lstms, (kernel, biases) = weights

    def forward(words: tf.Tensor, states: list[State]) -> tuple[tf.Tensor, list[State]]:
        net = tf.nn.embedding_lookup(vectors, tf.transpose(words))
        for layer, (w, u, b) in enumerate(lstms):
            h, c = states[layer]
            products = tf.matmul(tf.reshape(net, [-1, UNITS]), w)
            outputs = []
            for x in tf.split(products, STEPS):
                h, c = _gated(x + tf.matmul(h, u), c, b)
                outputs.append(h)
            net, states[layer] = tf.stack(outputs), (h, c)
        net = tf.reshape(tf.transpose(net, [1, 0, 2]), [-1, UNITS])
        return tf.nn.bias_add(tf.matmul(net, kernel), biases), states

    return descending(carried(forward), tf.nest.flatten(weights), RATE, CLIP)


def _our_layers() -> tuple[tuple[Any, list[Any], Any], list[tf.Variable]]:
    uniform = tl.initializers.RandomUniform(-SCALE, SCALE)
    cell = {
        "kernel_initializer": uniform, "recurrent_initializer": uniform, "unit_forget_bias": False,
    }  # fmt: skip
    vectors = tl.layers.Embedding(WORDS, UNITS, E_init=uniform)
    lstms = [
        tl.layers.RNN(tl.layers.LSTMCell(UNITS, **cell), in_channels=UNITS) for _ in range(LAYERS)
    ]
    dense = tl.layers.Dense(WORDS, W_init=uniform, b_init=uniform, in_channels=UNITS)
    layers = (vectors, *lstms, dense)
    weights = [weight for layer in layers for weight in layer.trainable_weights]
    return (vectors, lstms, dense), weights


def ours() -> Contestant:
    """TensorLayer: a sequence is one operation."""
    (vectors, lstms, dense), weights = _our_layers()

    def forward(words: tf.Tensor, states: list[State]) -> tuple[tf.Tensor, list[State]]:
        net = vectors(words)
        for layer, lstm in enumerate(lstms):
            net, states[layer] = lstm(net, initial_state=list(states[layer]), is_train=True)
        return dense(tf.reshape(net, [-1, UNITS])), states

    return descending(carried(forward), weights, RATE, CLIP)


def our_cells() -> Contestant:
    """TensorLayer, its cells in the loop of the native one: operation for operation the same."""
    (vectors, lstms, dense), weights = _our_layers()

    def forward(words: tf.Tensor, states: list[State]) -> tuple[tf.Tensor, list[State]]:
        nets = tf.unstack(vectors(words), axis=1)
        for layer, lstm in enumerate(lstms):
            for step, net in enumerate(nets):
                nets[step], states[layer] = lstm.cell(net, list(states[layer]))
        return dense(tf.reshape(tf.stack(nets, 1), [-1, UNITS])), states

    return descending(carried(forward), weights, RATE, CLIP)


def sonnet() -> Contestant:
    """Sonnet 2: a loop of TensorFlow."""
    uniform = snt.initializers.RandomUniform(-SCALE, SCALE)
    embed = snt.Embed(WORDS, UNITS, initializer=uniform)
    lstms = [
        snt.LSTM(UNITS, w_i_init=uniform, w_h_init=uniform, forget_bias=0.0) for _ in range(LAYERS)
    ]
    dense = snt.Linear(WORDS, w_init=uniform, b_init=uniform)

    def forward(words: tf.Tensor, states: list[State]) -> tuple[tf.Tensor, list[State]]:
        net = tf.transpose(embed(words), [1, 0, 2])
        for layer, lstm in enumerate(lstms):
            net, states[layer] = snt.static_unroll(lstm, net, snt.LSTMState(*states[layer]))
        return dense(tf.reshape(tf.transpose(net, [1, 0, 2]), [-1, UNITS])), states

    cost = carried(forward)
    zeros = tf.zeros([BATCH, STEPS], tf.int32)
    cost(zeros, zeros)  # makes the weights
    layers = (embed, *lstms, dense)
    weights = [weight for layer in layers for weight in layer.trainable_variables]
    return descending(cost, weights, RATE, CLIP)


def keras() -> tf.keras.Model:
    """Keras 3."""
    uniform = tf.keras.initializers.RandomUniform(-SCALE, SCALE)
    lstm = {
        "return_sequences": True, "stateful": True, "unit_forget_bias": False,
        "kernel_initializer": uniform, "recurrent_initializer": uniform,
    }  # fmt: skip
    model = tf.keras.Sequential([
        tf.keras.layers.Input(batch_shape=[BATCH, STEPS], dtype="int32"),
        tf.keras.layers.Embedding(WORDS, UNITS, embeddings_initializer=uniform),
        *(tf.keras.layers.LSTM(UNITS, **lstm) for _ in range(LAYERS)),
        tf.keras.layers.Dense(WORDS, kernel_initializer=uniform, bias_initializer=uniform),
    ])  # fmt: skip
    model.compile(
        tf.keras.optimizers.SGD(RATE, global_clipnorm=CLIP),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model


WORKLOAD = Workload(
    name="PTB",
    unit="words",
    per_step=BATCH * STEPS,
    n_steps=20,
    n_at_once=1,
    batches=text,
    contestants={
        "native": native,
        "native, inputs ahead": native_ahead,
        "TensorLayer": ours,
        CELLS: our_cells,
        "Sonnet": sonnet,
    },
    keras=keras,
    loop_bar=1.0,
)
