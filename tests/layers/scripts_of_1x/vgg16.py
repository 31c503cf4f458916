import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl

rng = np.random.RandomState(0)
kinds = [(3, 4), (4, 4), "pool1", (4, 6), (6, 6), "pool2"]


def conv_layers(net_in):
    with tf.name_scope("preprocess"):
        # Notice that we include a preprocessing layer that takes the RGB image
        # with pixels values in the range of 0-255 and subtracts the mean image values
        mean = tf.constant(
            [123.68, 116.779, 103.939], dtype=tf.float32, shape=[1, 1, 1, 3], name="img_mean"
        )
        net_in.outputs = net_in.outputs - mean

    network = net_in
    for i, kind in enumerate(kinds):
        if isinstance(kind, str):
            network = tl.layers.PoolLayer(
                network, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME",
                pool=tf.nn.max_pool, name=kind,
            )  # fmt: skip
        else:
            network = tl.layers.Conv2dLayer(
                network, tf.nn.relu, [3, 3, *kind], [1, 1, 1, 1], "SAME",
                tf.truncated_normal_initializer(stddev=0.1), name="conv%d" % i,
            )  # fmt: skip
    return network


def fc_layers(net):
    network = tl.layers.FlattenLayer(net, name="flatten")
    network = tl.layers.DenseLayer(network, n_units=10, act=tf.nn.relu, name="fc1_relu")
    network = tl.layers.DenseLayer(network, n_units=5, act=tf.identity, name="fc3_relu")
    return network


sess = tf.InteractiveSession()

x = tf.placeholder(tf.float32, [None, 8, 8, 3])
net_in = tl.layers.InputLayer(x, name="input")
net_cnn = conv_layers(net_in)
network = fc_layers(net_cnn)

y = network.outputs
probs = tf.nn.softmax(y)

tl.layers.initialize_global_variables(sess)
network.print_params(False)
network.print_layers()

# weights as they were stored: an array for each, sorted by name
values = {}
for i, shape in enumerate(v.shape.as_list() for v in network.all_params):
    values["w%02d" % i] = rng.normal(size=shape).astype(np.float32) / np.sqrt(np.prod(shape[:-1]))
np.savez("vgg16_weights.npz", **values)

npz = np.load("vgg16_weights.npz")
params = []
for val in sorted(npz.items()):
    print("  Loading params %s" % str(val[1].shape))
    params.append(val[1])
tl.files.assign_params(sess, params, network)

img = rng.uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
prob = sess.run(probs, feed_dict={x: img})
preds = (np.argsort(prob[0])[::-1])[0:5]

# the same from one file, as load_and_assign_npz does
tl.files.save_npz(network.all_params, name="vgg16.npz", sess=sess)
tl.layers.initialize_global_variables(sess)
other = sess.run(probs, feed_dict={x: img})
tl.files.load_and_assign_npz(sess=sess, name="vgg16.npz", network=network)
again = sess.run(probs, feed_dict={x: img})

# features of the convolutions only, with a head of one's own
features = tl.layers.get_layers_with_name(network, "conv")[-1].outputs
feature_shape = sess.run(features, feed_dict={x: img}).shape
small = tl.files.load_npz(name="vgg16.npz")[:4]
tl.files.assign_params(sess, small, network)
sess.close()
