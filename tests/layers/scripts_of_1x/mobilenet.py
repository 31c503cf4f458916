import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl
from tensorlayer.layers import (
    BatchNormLayer,
    Conv2d,
    DepthwiseConv2d,
    FlattenLayer,
    GlobalMeanPool2d,
    InputLayer,
    ReshapeLayer,
)

rng = np.random.RandomState(0)


def conv_block(n, n_filter, filter_size=(3, 3), strides=(1, 1), is_train=False, name="conv_block"):
    with tf.variable_scope(name):
        n = Conv2d(n, n_filter, filter_size, strides, b_init=None, name="conv")
        n = BatchNormLayer(n, decay=0.99, act=tf.nn.relu6, is_train=is_train, name="batchnorm")
    return n


def depthwise_conv_block(n, n_filter, strides=(1, 1), is_train=False, name="depth_block"):
    with tf.variable_scope(name):
        n = DepthwiseConv2d(n, (3, 3), strides, b_init=None, name="depthwise")
        n = BatchNormLayer(n, decay=0.99, act=tf.nn.relu6, is_train=is_train, name="batchnorm1")
        n = Conv2d(n, n_filter, (1, 1), (1, 1), b_init=None, name="conv")
        n = BatchNormLayer(n, decay=0.99, act=tf.nn.relu6, is_train=is_train, name="batchnorm2")
    return n


def mobilenet(x, is_train=True, reuse=False):
    with tf.variable_scope("mobilenetv1", reuse=reuse):
        tl.layers.set_name_reuse(reuse)
        n = InputLayer(x)
        n = conv_block(n, 8, strides=(2, 2), is_train=is_train, name="conv")
        n = depthwise_conv_block(n, 8, is_train=is_train, name="depth1")
        n = depthwise_conv_block(n, 16, strides=(2, 2), is_train=is_train, name="depth2")
        n = GlobalMeanPool2d(n)
        n = ReshapeLayer(n, [-1, 1, 1, 16])
        n = Conv2d(n, 4, (1, 1), (1, 1), name="out")
        n = FlattenLayer(n)
    return n


x = tf.placeholder(tf.float32, [None, 16, 16, 3])
tl.layers.clear_layers_name()
n = mobilenet(x, True)
n_test = mobilenet(x, False, reuse=True)
softmax = tf.nn.softmax(n_test.outputs)
n.print_layers()
n.print_params(False)

sess = tf.InteractiveSession()
tl.layers.initialize_global_variables(sess)
n_params = n.count_params()
n_layers = len(n)
images = rng.normal(size=(6, 16, 16, 3)).astype(np.float32)
moving = tl.layers.get_variables_with_name("batchnorm/moving", False, True)
before = sess.run(moving)
inferred = sess.run(n_test.outputs, {x: images})
unmoved = sess.run(moving)
sess.run(n.outputs, {x: images})
moved = sess.run(moving)
probabilities = sess.run(softmax, {x: images})

trained = tl.layers.get_variables_with_name("mobilenetv1", True, True)
every = tl.layers.get_variables_with_name("mobilenetv1", False, True)
of_conv = tl.layers.get_collection_trainable("mobilenetv1/conv/conv")
shared = [a is b for a, b in zip(n.all_params, n_test.all_params)]

merged = tl.layers.merge_networks([n, n_test])
n_merged = len(tl.layers.list_remove_repeat(merged.all_params))
tl.files.save_ckpt(sess=sess, mode_name="m.ckpt", save_dir="m", var_list=n.all_params)
kept = sess.run(n_test.outputs, {x: images})
tl.layers.initialize_global_variables(sess)
tl.files.load_ckpt(sess=sess, mode_name="m.ckpt", save_dir="m", var_list=n.all_params)
loaded = sess.run(n_test.outputs, {x: images})
sess.close()
