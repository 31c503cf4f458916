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
    SpatialTransformer2dAffineLayer,
)

rng = np.random.RandomState(0)
batch_size = 6
x = tf.placeholder(tf.float32, shape=[batch_size, 12, 12, 1], name="x")
y_ = tf.placeholder(tf.int64, shape=[batch_size], name="y_")


def model(x, is_train, reuse):
    with tf.variable_scope("STN", reuse=reuse):
        nin = InputLayer(x, name="in")
        ## 1. Localisation network
        # use MLP as the localisation net
        nt = FlattenLayer(nin, name="flatten")
        nt = DenseLayer(nt, n_units=20, act=tf.nn.tanh, name="dense1")
        nt = DropoutLayer(nt, 0.8, True, is_train, name="drop1")
        ## 2. Spatial transformer module (sampler)
        n = SpatialTransformer2dAffineLayer(nin, nt, [10, 8], "ST")
        s = n
        ## 3. Classifier
        n = Conv2d(n, 4, (3, 3), (2, 2), act=tf.nn.relu, padding="SAME", name="conv1")
        n = BatchNormLayer(n, 0.9, 1e-5, tf.nn.relu, is_train, name="bn1")
        n = FlattenLayer(n, name="flatten2")
        n = DenseLayer(n, n_units=2, act=tf.identity, name="do")
    return n, s


net_train, _ = model(x, is_train=True, reuse=False)
net_test, net_trans = model(x, is_train=False, reuse=True)
cost = tl.cost.cross_entropy(net_train.outputs, y_, name="cost")
params = tl.layers.get_variables_with_name("STN", train_only=True, verbose=True)
train_op = tf.train.AdamOptimizer(0.01).minimize(cost, var_list=params)

sess = tf.InteractiveSession()
tl.layers.initialize_global_variables(sess)
net_train.print_params(False)
net_train.print_layers()
images = rng.uniform(size=(60, 12, 12, 1)).astype(np.float32)
labels = rng.randint(0, 2, 60)
images[labels == 1, :6] += 1
losses = []
transformed = sess.run(net_trans.outputs, feed_dict={x: np.ones((batch_size, 12, 12, 1))})
for epoch in range(15):
    for X_a, y_a in tl.iterate.minibatches(images, labels, batch_size, shuffle=True):
        losses.append(sess.run([cost, train_op], feed_dict={x: X_a, y_: y_a})[0])
theta = net_trans.layer.all_weights
all_shared = [a is b for a, b in zip(net_train.all_params, net_test.all_params)]
sess.close()
