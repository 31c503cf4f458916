import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

import tensorlayer as tl
from tensorlayer.layers import InputLayer, SlimNetsLayer

rng = np.random.RandomState(0)


def inception_v3_arg_scope(weight_decay=0.00004):
    with (
        slim.arg_scope(
            [slim.conv2d, slim.fully_connected],
            weights_regularizer=slim.l2_regularizer(weight_decay),
        ),
        slim.arg_scope(
            [slim.conv2d],
            activation_fn=tf.nn.relu,
            normalizer_fn=slim.batch_norm,
            normalizer_params={"decay": 0.9, "epsilon": 0.001},
        ) as scope,
    ):
        return scope


def inception_v3(inputs, num_classes=5, is_training=True, reuse=None, scope="InceptionV3"):
    """A small one, with the manners of the large one."""
    end_points = {}
    with tf.variable_scope(scope, "InceptionV3", [inputs], reuse=reuse) as scope:
        with slim.arg_scope([slim.batch_norm, slim.dropout], is_training=is_training):
            net = slim.conv2d(inputs, 4, [3, 3], stride=2, scope="Conv2d_1a_3x3")
            end_points["Conv2d_1a_3x3"] = net
            with tf.variable_scope("Mixed_5b"):
                one = slim.conv2d(net, 4, [1, 1], scope="Conv2d_0a_1x1")
                other = slim.conv2d(net, 4, [3, 3], scope="Conv2d_0b_3x3")
                net = tf.concat([one, other], 3)
            end_points["Mixed_5b"] = net
            net = tf.reduce_mean(net, [1, 2])
            net = slim.dropout(net, keep_prob=0.8, scope="Dropout_1b")
            logits = slim.fully_connected(net, num_classes, activation_fn=None, scope="Logits")
            end_points["Logits"] = logits
    return logits, end_points


x = tf.placeholder(tf.float32, shape=[None, 9, 9, 3])
net_in = InputLayer(x, name="input_layer")
with slim.arg_scope(inception_v3_arg_scope()):
    network = SlimNetsLayer(
        prev_layer=net_in,
        slim_layer=inception_v3,
        slim_args={"num_classes": 6, "is_training": False},
        name="InceptionV3",  # <-- the name should be the same with the ckpt model
    )

sess = tf.InteractiveSession()
network.print_params(False)
y = network.outputs
probs = tf.nn.softmax(y)
tl.layers.initialize_global_variables(sess)

saver = tf.train.Saver()
saver.save(sess, "./inception_v3.ckpt")
images = rng.uniform(size=(4, 9, 9, 3)).astype(np.float32)
before = sess.run(probs, feed_dict={x: images})
tl.layers.initialize_global_variables(sess)
between = sess.run(probs, feed_dict={x: images})
saver.restore(sess, "./inception_v3.ckpt")
after = sess.run(probs, feed_dict={x: images})

names = [v.name for v in network.all_params]
in_checkpoint = sorted(name for name, _ in tf.train.list_variables("./inception_v3.ckpt"))
tl.files.save_npz(network.all_params, name="inception_v3.npz", sess=sess)
tl.layers.initialize_global_variables(sess)
tl.files.load_and_assign_npz(sess=sess, name="inception_v3.npz", network=network)
loaded = sess.run(probs, feed_dict={x: images})
sess.close()
