import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits

import tensorlayer as tl

digits = load_digits()
X_train, y_train = digits.images[:1200, :, :, None].astype(np.float32) / 16, digits.target[:1200]
X_test, y_test = digits.images[1200:, :, :, None].astype(np.float32) / 16, digits.target[1200:]

batch_size = 100
x = tf.placeholder(tf.float32, shape=[batch_size, 8, 8, 1], name="x")
y_ = tf.placeholder(tf.int64, shape=[batch_size], name="y_")

# Professional conv API
net = tl.layers.InputLayer(x, name="input")
net = tl.layers.Conv2dLayer(
    net,
    act=tf.nn.relu,
    shape=[3, 3, 1, 16],
    strides=[1, 1, 1, 1],
    padding="SAME",
    W_init=tf.truncated_normal_initializer(stddev=5e-2),
    b_init=tf.constant_initializer(value=0.0),
    name="cnn1",
)
net = tl.layers.PoolLayer(
    net,
    ksize=[1, 2, 2, 1],
    strides=[1, 2, 2, 1],
    padding="SAME",
    pool=tf.nn.max_pool,
    name="pool1",
)
net = tl.layers.LocalResponseNormLayer(
    net, depth_radius=4, bias=1.0, alpha=0.001 / 9.0, beta=0.75, name="norm1"
)
# Simplified conv API
net = tl.layers.Conv2d(net, 16, (3, 3), (1, 1), act=tf.nn.relu, padding="SAME", name="cnn2")
net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), padding="SAME", name="pool2")
net = tl.layers.FlattenLayer(net, name="flatten")
net = tl.layers.DropoutLayer(net, keep=0.9, name="drop1")
net = tl.layers.DenseLayer(
    net, 64, act=tf.nn.relu, W_init=tf.truncated_normal_initializer(stddev=0.1), name="relu1"
)
net = tl.layers.DenseLayer(net, 10, act=None, name="output")

y = net.outputs
cost = tl.cost.cross_entropy(y, y_, "cost")
L2 = 0
for p in tl.layers.get_variables_with_name("relu1", True, True):
    L2 += tf.nn.l2_loss(p) * 0.0001
for p in net.all_params[:1]:
    L2 += tl.cost.maxnorm_regularizer(1e-6)(p)
cost = cost + L2
acc = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(y, 1), y_), tf.float32))
train_op = tf.train.AdamOptimizer(0.005).minimize(cost, var_list=net.all_params)

with tf.Session() as sess:
    tl.layers.initialize_global_variables(sess)
    net.print_params(False)
    net.print_layers()
    losses = []
    for epoch in range(10):
        for X_train_a, y_train_a in tl.iterate.minibatches(
            X_train, y_train, batch_size, shuffle=True
        ):
            feed_dict = {x: X_train_a, y_: y_train_a}
            feed_dict.update(net.all_drop)
            _, loss = sess.run([train_op, cost], feed_dict=feed_dict)
            losses.append(loss)
    test_acc, n_batch = 0, 0
    for X_test_a, y_test_a in tl.iterate.minibatches(X_test, y_test, batch_size, shuffle=False):
        feed_dict = {x: X_test_a, y_: y_test_a}
        feed_dict.update(tl.utils.dict_to_one(net.all_drop))
        test_acc += sess.run(acc, feed_dict=feed_dict)
        n_batch += 1
    test_acc /= n_batch
    predicted = tl.utils.predict(sess, net, X_test, x, tf.argmax(y, 1), batch_size)
    tested = tl.utils.test(sess, net, acc, X_test, y_test, x, y_, batch_size)
