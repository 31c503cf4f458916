import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits

import tensorlayer as tl

X = (load_digits().data / 16).astype(np.float32)
X_train, X_val = X[:1000], X[1000:1400]

sess = tf.InteractiveSession()
x = tf.placeholder(tf.float32, shape=[None, 64], name="x")

print("Build net")
net = tl.layers.InputLayer(x, name="input")
net = tl.layers.DropoutLayer(net, keep=0.8, name="denoising1")
net = tl.layers.DenseLayer(net, n_units=32, act=tf.nn.sigmoid, name="encoder1")
code = net
net = tl.layers.ReshapeLayer(net, shape=(-1, 4, 4, 2), name="reshape")
net = tl.layers.DeConv2d(net, 4, (3, 3), strides=(2, 2), act=tf.nn.relu, name="deconv")
net = tl.layers.Conv2d(net, 1, (3, 3), (1, 1), act=tf.nn.sigmoid, name="conv")
net = tl.layers.FlattenLayer(net, name="flatten")

mse = tl.cost.mean_squared_error(net.outputs, x, is_mean=True)
rho, rho_hat = 0.15, tf.reduce_mean(code.outputs, 0)
KLD = 0.001 * tf.reduce_sum(
    rho * tf.log(tf.div(rho, rho_hat)) + (1 - rho) * tf.log((1 - rho) / (tf.subtract(1.0, rho_hat)))
)
L2 = tl.cost.lo_regularizer(0.0001)(net.all_params[0])
cost = mse + KLD + L2
train_op = tf.train.AdamOptimizer(0.01).minimize(cost)

tl.layers.initialize_global_variables(sess)
net.print_params()

first = sess.run(mse, {x: X_val, **tl.utils.dict_to_one(net.all_drop)})
for epoch in range(6):
    for X_train_a, _ in tl.iterate.minibatches(X_train, X_train, 50, shuffle=True):
        feed_dict = {x: X_train_a}
        feed_dict.update(net.all_drop)
        sess.run(train_op, feed_dict=feed_dict)
off = tl.utils.dict_to_one(net.all_drop)
last = sess.run(mse, {x: X_val, **off})
reconstructed = sess.run(net.outputs, {x: X_val, **off})
code_of_one, encoder = sess.run([code.outputs, code.all_params], {x: X_val[:3], **off})
sess.close()
