"""Layers as a user writes them from the documentation: three methods, and ``self._get_weights``."""

from __future__ import annotations

import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import Dense, Layer, Outputs


class Embedding(Layer):
    """Rows of a table by number."""

    def __init__(self, n_words, n_units, name=None):
        super().__init__(name=name)
        self.n_words = n_words
        self.n_units = n_units

    def build(self, inputs_shape):
        self.table = self._get_weights("table", [self.n_words, self.n_units], init="random_uniform")

    def forward(self, inputs):
        return tf.nn.embedding_lookup(self.table, inputs)


class GRU(Layer):
    """A recurrent layer: the outputs of all steps, and the last state beside them."""

    def __init__(self, n_units, initial_state=None, name=None):
        super().__init__(name=name)
        self.n_units = n_units
        self.initial_state = initial_state

    def build(self, inputs_shape):
        n = self.n_units
        self.W = self._get_weights("kernel", [inputs_shape[-1], 3 * n])
        self.U = self._get_weights("recurrent", [n, 3 * n])
        self.b = self._get_weights("biases", [3 * n], init="zeros")

    def step(self, x, state):
        n = self.n_units
        gates = tf.sigmoid(x[:, : 2 * n] + tf.matmul(state, self.U[:, : 2 * n]))
        z, r = tf.split(gates, 2, axis=1)
        new = tf.tanh(x[:, 2 * n :] + tf.matmul(r * state, self.U[:, 2 * n :]))
        return z * state + (1 - z) * new

    def forward(self, inputs, initial_state=None):
        projected = tf.matmul(inputs, self.W) + self.b  # of all steps at once
        n_steps = tf.shape(inputs)[1]
        state = initial_state
        if state is None:
            state = tf.zeros([tf.shape(inputs)[0], self.n_units], inputs.dtype)
        outputs = tf.TensorArray(inputs.dtype, n_steps, element_shape=[None, self.n_units])

        def body(t, state, outputs):
            state = self.step(projected[:, t], state)
            return t + 1, state, outputs.write(t, state)

        _, state, outputs = tf.while_loop(
            lambda t, *_: t < n_steps, body, [tf.constant(0), state, outputs]
        )
        return Outputs(tf.transpose(outputs.stack(), [1, 0, 2]), final_state=state)


class SubpixelConv(Layer):
    """Four times the channels, folded into twice the height and width."""

    def __init__(self, n_filter, act=None, name=None):
        super().__init__(name=name, act=act)
        self.n_filter = n_filter

    def build(self, inputs_shape):
        self.filters = self._get_weights("filters", [1, 1, inputs_shape[-1], 4 * self.n_filter])

    def transform(self, inputs):
        return tf.nn.depth_to_space(tf.nn.conv2d(inputs, self.filters, 1, "SAME"), 2)


class Residual(Layer):
    """A block whose layers are named, unnamed, in a list and in a private attribute."""

    def __init__(self, n_units, name=None):
        super().__init__(name=name)
        self.first = Dense(n_units, act="tanh", name="entry")
        self.second = Dense(n_units, act="tanh")
        self.more = [Dense(n_units, act="tanh"), Dense(n_units, act="tanh", name="last")]
        self._gate = Dense(n_units, act="sigmoid")

    def forward(self, inputs):
        x = self.second(self.first(inputs))
        for layer in self.more:
            x = layer(x)
        return inputs + self._gate(inputs) * x


class Bilinear(Layer):
    """Two networks in a list: the products of all pairs, weighted."""

    def __init__(self, n_units, name=None):
        super().__init__(name=name)
        self.n_units = n_units

    def build(self, inputs_shape):
        (*_, a), (*_, b) = inputs_shape
        self.W = self._get_weights("weights", [a, b, self.n_units])

    def forward(self, inputs):
        a, b = inputs
        return tf.einsum("ni,nj,ijk->nk", a, b, self.W)


class Attention(Layer):
    """Two networks by position: queries look at a memory."""

    def __init__(self, n_units, name=None):
        super().__init__(name=name)
        self.n_units = n_units

    def build(self, inputs_shape):
        queries, memory = inputs_shape
        self.Q = self._get_weights("queries", [queries[-1], self.n_units])
        self.K = self._get_weights("keys", [memory[-1], self.n_units])

    def forward(self, queries, memory):
        scores = tf.matmul(queries @ self.Q, memory @ self.K, transpose_b=True)
        return tf.matmul(tf.nn.softmax(scores), memory)


class WeightNorm(Layer):
    """Another layer with ``W = g v / |v|``: direction and length are parameters of their own."""

    def __init__(self, layer, name=None):
        super().__init__(name=name)
        self.layer = layer

    def build(self, inputs_shape):
        self.layer(tf.zeros([1, *inputs_shape[1:]]))  # which makes its weights
        W = self.v = self.layer.W
        self.g = self._get_weights("g", W.shape[-1:], init=lambda *_, **__: tf.norm(W, axis=0))

    def forward(self, inputs):
        self.layer.W = self.g * tf.math.l2_normalize(self.v, axis=0)
        try:
            return self.layer(inputs)
        finally:
            self.layer.W = self.v


class Own(tl.models.Model):
    """One layer in a model of one's own; what it takes goes to the layer."""

    def __init__(self, layer, name=None):
        super().__init__(name=name)
        self.layer = layer

    def forward(self, *inputs):
        return self.layer(*inputs)
