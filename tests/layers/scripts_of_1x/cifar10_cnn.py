import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl

rng = np.random.RandomState(0)


def images_of(labels):
    """Bright where the class says: at the left, the right, the top."""
    images = rng.uniform(0, 120, (len(labels), 14, 14, 3))
    for image, label in zip(images, labels):
        part = [np.s_[:, :5], np.s_[:, 9:], np.s_[:5, 4:10]][label]
        image[part] += 100
    return images.astype(np.float32)


y_train, y_test = rng.randint(0, 3, 240).astype(np.int32), rng.randint(0, 3, 60).astype(np.int32)
X_train, X_test = images_of(y_train), images_of(y_test)


def model(x, y_, reuse, is_train=False):
    W_init = tf.truncated_normal_initializer(stddev=5e-2)
    W_init2 = tf.truncated_normal_initializer(stddev=0.04)
    b_init2 = tf.constant_initializer(value=0.1)
    with tf.variable_scope("model", reuse=reuse):
        net = tl.layers.InputLayer(x, name="input")
        net = tl.layers.Conv2d(
            net, 8, (5, 5), (1, 1), padding="SAME", W_init=W_init, b_init=None, name="cnn1"
        )
        net = tl.layers.BatchNormLayer(
            net, decay=0.9, is_train=is_train, act=tf.nn.relu, name="batch1"
        )
        net = tl.layers.MaxPool2d(net, (3, 3), (2, 2), padding="SAME", name="pool1")
        net = tl.layers.Conv2d(
            net, 8, (5, 5), (1, 1), act=tf.nn.relu, padding="SAME", W_init=W_init, name="cnn2"
        )
        net = tl.layers.LocalResponseNormLayer(
            net, depth_radius=4, bias=1.0, alpha=0.001 / 9.0, beta=0.75, name="norm2"
        )
        net = tl.layers.MaxPool2d(net, (3, 3), (2, 2), padding="SAME", name="pool2")
        net = tl.layers.FlattenLayer(net, name="flatten")
        net = tl.layers.DenseLayer(
            net, 32, act=tf.nn.relu, W_init=W_init2, b_init=b_init2, name="d1relu"
        )
        net = tl.layers.DenseLayer(
            net, 16, act=tf.nn.relu, W_init=W_init2, b_init=b_init2, name="d2relu"
        )
        net = tl.layers.DenseLayer(net, 3, act=None, W_init=W_init2, name="output")
        y = net.outputs

        ce = tl.cost.cross_entropy(y, y_, name="cost")
        # L2 for the MLP
        L2 = 0
        for p in tl.layers.get_variables_with_name("relu/W", True, True):
            L2 += 0.004 * tf.nn.l2_loss(p)
        cost = ce + L2

        correct_prediction = tf.equal(tf.cast(tf.argmax(y, 1), tf.int32), y_)
        acc = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))
        return net, cost, acc, L2


def distort_fn(x, is_train=False):
    x = tl.prepro.crop(x, 12, 12, is_random=is_train)
    if is_train:
        x = tl.prepro.brightness(x, gamma=0.1, gain=1, is_random=True)
    x = (x - np.mean(x)) / max(np.std(x), 1e-5)  # avoid values divided by 0
    return x


x = tf.placeholder(dtype=tf.float32, shape=[None, 12, 12, 3], name="x")
y_ = tf.placeholder(dtype=tf.int32, shape=[None], name="y_")

network, cost, _, L2 = model(x, y_, False, is_train=True)
_, cost_test, acc, _ = model(x, y_, True, is_train=False)

# train
train_params = network.all_params
train_op = tf.train.AdamOptimizer(0.003).minimize(cost, var_list=tl.layers.list_remove_repeat(
    [p for p in train_params if p in tf.trainable_variables()]))  # fmt: skip

sess = tf.InteractiveSession()
tl.layers.initialize_global_variables(sess)
network.print_params(False)
network.print_layers()
n_params = network.count_params()

decay = sess.run(L2)
weights = [sess.run(v) for v in network.all_params if v.name.endswith("relu/weights:0")]
for epoch in range(6):
    for X_train_a, y_train_a in tl.iterate.minibatches(X_train, y_train, 40, shuffle=True):
        X_train_a = tl.prepro.threading_data(X_train_a, fn=distort_fn, is_train=True)
        sess.run(train_op, feed_dict={x: X_train_a, y_: y_train_a})

test_loss, test_acc, n_batch = 0, 0, 0
for X_test_a, y_test_a in tl.iterate.minibatches(X_test, y_test, 20, shuffle=False):
    X_test_a = tl.prepro.threading_data(X_test_a, fn=distort_fn, is_train=False)
    err, ac = sess.run([cost_test, acc], feed_dict={x: X_test_a, y_: y_test_a})
    test_loss, test_acc, n_batch = test_loss + err, test_acc + ac, n_batch + 1
test_acc /= n_batch
sess.close()
