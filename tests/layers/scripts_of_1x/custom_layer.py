import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl
from tensorlayer.layers import Layer


class MyDenseLayer(Layer):
    def __init__(self, prev_layer, n_units=100, act=tf.nn.relu, name="simple_dense"):
        # the inputs of this layer are the output of previous layer (REQUIRED)
        super(MyDenseLayer, self).__init__(prev_layer=prev_layer, act=act, name=name)
        # operation (customized)
        n_in = int(self.inputs.get_shape()[-1])
        with tf.variable_scope(name) as vs:
            # create new parameters
            W = tf.get_variable(name="W", shape=(n_in, n_units))
            b = tf.get_variable(name="b", shape=(n_units), initializer=tf.zeros_initializer())
            # tensor operation
            self.outputs = self._apply_activation(tf.matmul(self.inputs, W) + b)
        # update layer (customized)
        self._add_layers(self.outputs)
        self._add_params([W, b])


class MyDropLayer(Layer):
    def __init__(self, prev_layer, keep=0.5, is_train=True, name="my_drop"):
        super(MyDropLayer, self).__init__(prev_layer=prev_layer, name=name)
        with tf.variable_scope(name):
            scale = tf.get_variable(name="scale", shape=(), initializer=tf.ones_initializer())
        if is_train:
            placeholder = tf.placeholder(tf.float32)
            self.all_drop.update({placeholder: keep})
            self.outputs = scale * tf.nn.dropout(self.inputs, placeholder, name=name)
        else:
            self.outputs = scale * self.inputs
        self._add_layers(self.outputs)
        self._add_params([scale])


def double(t):
    width = t.get_shape()[-1]
    assert getattr(width, "value", width) == 6  # as the script chose
    return t * 2


X = np.linspace(-1, 1, 40).reshape(10, 4).astype(np.float32)
x = tf.placeholder(tf.float32, shape=[None, 4], name="x")


def model(x, is_train, reuse):
    with tf.variable_scope("model", reuse=reuse):
        net = tl.layers.InputLayer(x, name="input")
        net = MyDenseLayer(net, 6, act=tf.nn.relu, name="simple_dense")
        net = MyDropLayer(net, keep=0.5, is_train=is_train, name="my_drop")
        net = tl.layers.LambdaLayer(net, fn=double, name="double")
        return tl.layers.DenseLayer(net, 2, name="output")


net = model(x, True, None)
net_test = model(x, False, True)
target = tf.placeholder(tf.float32, shape=[None, 2])
cost = tl.cost.mean_squared_error(net.outputs, target)
train_op = tf.train.AdamOptimizer(0.02).minimize(cost, var_list=net.all_params)

sess = tf.Session()
tl.layers.initialize_global_variables(sess)
Y = np.stack([X.sum(1), X[:, 0]], axis=1)
off = tl.utils.dict_to_one(net.all_drop)
first = sess.run(cost, {x: X, target: Y, **off})
for step in range(200):
    sess.run(train_op, {x: X, target: Y, **off})
last = sess.run(cost, {x: X, target: Y, **off})
params = sess.run(net.all_params)
tested = sess.run(net_test.outputs, {x: X})
trained = sess.run(net.outputs, {x: X, **off})
dropped = [sess.run(net.outputs, {x: X, **net.all_drop}) for _ in range(2)]
keeps = list(net.all_drop.values()), list(net_test.all_drop.values())
shared = [a is b for a, b in zip(net.all_params, net_test.all_params)]
n_variables = len(tf.trainable_variables())
sess.close()
