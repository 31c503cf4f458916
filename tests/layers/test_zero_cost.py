"""Our traced train step is TensorFlow's own: the same operations as a step written by hand."""

from __future__ import annotations

import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import Conv2d, Dense, Dropout, Flatten, Input, MaxPool2d
from tests.operations import operations


def train_step(forward, variables, optimizer):
    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            logits = forward(x)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
            )
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    return step


def variables(*shapes):
    return [tf.Variable(tf.random.normal(shape)) for shape in shapes]


def assert_same_operations(net, forward, weights, shape):
    labels = tf.TensorSpec([32], tf.int64)
    images = tf.TensorSpec([32, *shape], tf.float32)

    ours = train_step(
        lambda x: net(x, is_train=True), net.trainable_weights, tf.optimizers.SGD(0.1)
    )
    native = train_step(forward, weights, tf.optimizers.SGD(0.1))

    assert operations(ours, images, labels) == operations(native, images, labels)


def test_a_multi_layer_perceptron():
    net = Input([None, 784], name="x")
    net = Dropout(net, keep=0.8, name="drop")
    net = Dense(net, 800, act=tf.nn.relu, name="relu1")
    net = Dense(net, 800, act=tf.nn.relu, name="relu2")
    net = Dense(net, 10, name="logits")
    weights = variables([784, 800], [800], [800, 800], [800], [800, 10], [10])

    def forward(x):
        w1, b1, w2, b2, w3, b3 = weights
        x = tf.nn.dropout(x, rate=0.2)
        x = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w1), b1))
        x = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w2), b2))
        return tf.nn.bias_add(tf.matmul(x, w3), b3)

    assert_same_operations(net, forward, weights, [784])


def test_a_small_convolutional_network():
    net = Input([None, 24, 24, 3], name="x")
    net = Conv2d(net, 32, (5, 5), act=tf.nn.relu, name="conv1")
    net = MaxPool2d(net, (3, 3), (2, 2), name="pool1")
    net = tl.layers.BatchNorm(net, decay=0.9, act=tf.nn.relu, name="bn")
    net = Flatten(net, name="flat")
    net = Dense(net, 10, name="logits")
    weights = variables([5, 5, 3, 32], [32], [32], [32], [12 * 12 * 32, 10], [10])
    averages = variables([32], [32])

    def forward(x):
        filters, b1, beta, gamma, w, b2 = weights
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, filters, 1, "SAME"), b1))
        x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        for moving, now in zip(averages, (mean, variance), strict=True):
            moving.assign(moving * 0.9 + now * 0.1)
        x = tf.nn.relu(tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-5))
        x = tf.reshape(x, [-1, 12 * 12 * 32])
        return tf.nn.bias_add(tf.matmul(x, w), b2)

    assert_same_operations(net, forward, weights, [24, 24, 3])


def test_a_model_of_ones_own():
    class Classifier(tl.models.Model):
        def __init__(self):
            super().__init__()
            self.hidden = Dense(50, act=tf.nn.relu, in_channels=20)
            self.logits = Dense(10, in_channels=50)

        def forward(self, x):
            return self.logits(self.hidden(x))

    weights = variables([20, 50], [50], [50, 10], [10])

    def forward(x):
        w1, b1, w2, b2 = weights
        x = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w1), b1))
        return tf.nn.bias_add(tf.matmul(x, w2), b2)

    assert_same_operations(Classifier(), forward, weights, [20])


def test_normalisation_padding_pooling_and_trained_slopes():
    net = Input([None, 8, 8, 3], name="x")
    net = tl.layers.ZeroPad2d(net, ((1, 0), (0, 1)), name="pad")
    net = Conv2d(net, 6, (3, 3), padding="VALID", name="conv")
    net = tl.layers.InstanceNorm2d(net, name="in")
    net = tl.layers.PRelu(net, name="prelu")
    net = tl.layers.MeanPool2d(net, name="pool")
    net = tl.layers.GlobalMeanPool2d(net, name="mean")
    net = tl.layers.LayerNorm(net, name="ln")
    net = tl.layers.DropconnectDense(net, keep=0.8, n_units=10, name="logits")
    weights = variables([3, 3, 3, 6], [6], [6], [6], [6], [6], [6], [6, 10], [10])

    def forward(x):
        filters, b1, beta, gamma, alpha, beta2, gamma2, w, b2 = weights
        x = tf.pad(x, [[0, 0], [1, 0], [0, 1], [0, 0]])
        x = tf.nn.bias_add(tf.nn.conv2d(x, filters, 1, "VALID"), b1)
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        x = tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-5)
        x = tf.nn.relu(x) - tf.sigmoid(alpha) * tf.nn.relu(-x)
        x = tf.reduce_mean(tf.nn.avg_pool2d(x, 3, 2, "SAME"), [1, 2])
        mean, variance = tf.nn.moments(x, [1], keepdims=True)
        x = tf.nn.batch_normalization(x, mean, variance, beta2, gamma2, 1e-12)
        return tf.nn.bias_add(tf.matmul(x, tf.nn.dropout(w, rate=0.2)), b2)

    assert_same_operations(net, forward, weights, [8, 8, 3])


def test_a_transformer():
    net = Input([None, 12, 8], name="x")
    net = tl.layers.SinusoidalEncoding(net, name="positions")
    net = tl.layers.TransformerEncoder(net, n_heads=2, n_units=8, keep=0.8, name="block")
    net = Flatten(net, name="flat")
    net = Dense(net, 10, name="logits")
    heads, bias = ([8, 2, 4], [2, 4]), ([8], [8])
    attention, norms = variables(*(heads * 3), [2, 4, 8], [8]), variables(*(bias * 2))
    dense = variables([8, 32], [32], [32, 8], [8], [96, 10], [10])

    def normalized(x, beta, gamma):
        mean, variance = tf.nn.moments(x, [2], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-6)

    def forward(x):
        wq, bq, wk, bk, wv, bv, wo, bo = attention
        w1, b1, w2, b2, w3, b3 = dense
        t = tf.cast(tf.range(12), tf.float32)[:, None]
        angles = t * 10000.0 ** -(tf.range(0, 8, 2, tf.float32) / 8)
        pairs = tf.stack([tf.sin(angles), tf.cos(angles)], -1)
        x += tf.reshape(pairs, tf.concat([tf.shape(pairs)[:-2], [8]], 0))
        y = normalized(x, *norms[:2])
        k = tf.einsum("btc,chd->bthd", y, wk) + bk
        v = tf.einsum("btc,chd->bthd", y, wv) + bv
        q = (tf.einsum("btc,chd->bthd", y, wq) + bq) * 0.5
        scores = tf.nn.softmax(tf.einsum("bthd,bshd->bhts", q, k))
        y = tf.einsum("bhts,bshd->bthd", scores, v)
        x += tf.nn.dropout(tf.einsum("bthd,hdc->btc", y, wo) + bo, rate=0.2)
        y = tf.nn.gelu(tf.nn.bias_add(tf.matmul(normalized(x, *norms[2:]), w1), b1))
        x += tf.nn.dropout(tf.nn.bias_add(tf.matmul(y, w2), b2), rate=0.2)
        return tf.nn.bias_add(tf.matmul(tf.reshape(x, [-1, 96]), w3), b3)

    assert_same_operations(net, forward, [*attention, *norms, *dense], [12, 8])
