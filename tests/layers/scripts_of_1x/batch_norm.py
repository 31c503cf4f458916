import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl
from tensorlayer.layers import (
    BatchNormLayer,
    Conv2d,
    DenseLayer,
    DropoutLayer,
    FlattenLayer,
    InputLayer,
    MaxPool2d,
)

rng = np.random.RandomState(0)
Y = rng.randint(0, 2, 200)
X = (rng.normal(3, 2, (200, 6, 6, 3)) + Y[:, None, None, None]).astype(np.float32)

sess = tf.Session()


def model(x, y_, reuse, is_train):
    W_init = tf.truncated_normal_initializer(stddev=5e-2)
    b_init = tf.constant_initializer(value=0.1)
    with tf.variable_scope("model", reuse=reuse):
        net = InputLayer(x, name="input")
        net = Conv2d(
            net, 8, (3, 3), (1, 1), padding="SAME", W_init=W_init, b_init=None, name="cnn1"
        )
        net = BatchNormLayer(net, decay=0.9, is_train=is_train, act=tf.nn.relu, name="batch1")
        net = MaxPool2d(net, (3, 3), (2, 2), padding="SAME", name="pool1")
        net = FlattenLayer(net, name="flatten")
        net = DropoutLayer(net, keep=0.8, is_fix=True, is_train=is_train, name="drop")
        net = DenseLayer(net, 16, act=tf.nn.relu, W_init=W_init, b_init=b_init, name="d1relu")
        net = DenseLayer(net, n_units=2, act=None, W_init=W_init, name="output")
        y = net.outputs
        cost = tl.cost.cross_entropy(y, y_, name="cost")
        L2 = 0
        for p in tl.layers.get_variables_with_name("relu/W", True, True):
            L2 += tf.nn.l2_loss(p)
        acc = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(y, 1), y_), tf.float32))
        return net, cost + 0.004 * L2, acc


x = tf.placeholder(tf.float32, shape=[None, 6, 6, 3], name="x")
y_ = tf.placeholder(tf.int64, shape=[None], name="y_")

network, cost, _ = model(x, y_, False, is_train=True)
network_test, cost_test, acc = model(x, y_, True, is_train=False)

train_op = tf.train.AdamOptimizer(0.01).minimize(cost, var_list=network.all_params)

tl.layers.initialize_global_variables(sess)
network.print_params(False)
network.print_layers()

moving_before = sess.run(tl.layers.get_variables_with_name("batch1", False)[2:4])
for step in range(60):
    sess.run([cost, train_op], feed_dict={x: X[:100], y_: Y[:100]})
moving = sess.run(tl.layers.get_variables_with_name("batch1", False)[2:4])
once, twice = (sess.run(acc, feed_dict={x: X[100:], y_: Y[100:]}) for _ in range(2))
moving_after_test = sess.run(tl.layers.get_variables_with_name("batch1", False)[2:4])
convolved = sess.run(network.all_layers[0].outputs, {x: X[:100]})
drops = network.all_drop, network_test.all_drop
n_variables = len(tf.trainable_variables())
sess.close()
