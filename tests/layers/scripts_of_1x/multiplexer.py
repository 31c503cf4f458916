import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl
from tensorlayer.layers import *

sess = tf.InteractiveSession()
x = tf.placeholder(tf.float32, shape=(None, 8), name="x")
y_ = tf.placeholder(tf.int64, shape=(None,), name="y_")
# define the network
net_in = InputLayer(x, name="input")
net_in = DropoutLayer(net_in, 0.8, False, True, None, "drop1")
# net 0
net_0 = DenseLayer(net_in, 6, act=tf.nn.relu, name="net0/relu1")
net_0 = DropoutLayer(net_0, keep=0.5, name="net0/drop2")
net_0 = DenseLayer(net_0, 6, act=tf.nn.relu, name="net0/relu2")
# net 1
net_1 = DenseLayer(net_in, 6, act=tf.nn.relu, name="net1/relu1")
net_1 = DenseLayer(net_1, 6, act=tf.nn.relu, name="net1/relu2")
# multiplexer
net_mux = MultiplexerLayer(layers=[net_0, net_1], name="mux_layer")
network = ReshapeLayer(net_mux, shape=(-1, 6), name="reshape_layer")
network = DropoutLayer(network, 0.5, True, False, name="drop3")
# output layer
network = DenseLayer(network, 3, act=None, name="output")
y = network.outputs

sess.run(tf.global_variables_initializer())
network.print_params()
X = np.random.RandomState(0).normal(size=(10, 8)).astype(np.float32)
off = tl.utils.dict_to_one(network.all_drop)
outputs = [sess.run(y, {x: X, net_mux.sel: i, **off}) for i in (0, 1)]
parts = sess.run([net_0.outputs, net_1.outputs], {x: X, **off})
chosen = [sess.run(net_mux.outputs, {x: X, net_mux.sel: i, **off}) for i in (0, 1)]
W, b = sess.run(network.all_params[-2:])
keeps = sorted(network.all_drop.values())
gradients = tf.gradients(tf.reduce_sum(y), [net_0.all_params[0], net_1.all_params[0]])
g0, g1 = sess.run(gradients, {x: X, net_mux.sel: 1, **off})
try:
    sess.run(y, {x: X, **off})
    forgotten = ""
except tf.errors.InvalidArgumentError as error:
    forgotten = str(error)
sess.close()
