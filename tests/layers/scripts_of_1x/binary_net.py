import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits

import tensorlayer as tl

np.random.seed(0)
images, labels = load_digits(return_X_y=True)
images, labels = (images / 16).astype(np.float32).reshape(-1, 8, 8, 1), labels.astype(np.int64)
X_train, y_train, X_test, y_test = (
    images[:1000],
    labels[:1000],
    images[1000:1300],
    labels[1000:1300],
)
batch_size = 50
x = tf.placeholder(tf.float32, shape=[batch_size, 8, 8, 1])
y_ = tf.placeholder(tf.int64, shape=[batch_size])


def model(x, is_train=True, reuse=False):
    with tf.variable_scope("binarynet", reuse=reuse):
        net = tl.layers.InputLayer(x, name="input")
        net = tl.layers.BinaryConv2d(
            net, 16, (3, 3), (1, 1), padding="SAME", b_init=None, name="bcnn1"
        )
        net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), padding="SAME", name="pool1")
        net = tl.layers.BatchNormLayer(net, act=tl.act.htanh, is_train=is_train, name="bn1")

        net = tl.layers.SignLayer(net, name="sign2")
        net = tl.layers.BinaryConv2d(
            net, 32, (3, 3), (1, 1), None, "SAME", False, tf.random_normal_initializer(0, 0.1),
            None, name="bcnn2",
        )  # fmt: skip
        net = tl.layers.BatchNormLayer(net, act=tl.act.htanh, is_train=is_train, name="bn2")

        net = tl.layers.FlattenLayer(net)
        net = tl.layers.SignLayer(net, name="sign3")
        net = tl.layers.BinaryDenseLayer(net, 64, b_init=None, name="dense")
        net = tl.layers.BatchNormLayer(net, act=tl.act.htanh, is_train=is_train, name="bn3")

        net = tl.layers.SignLayer(net, name="sign4")
        net = tl.layers.BinaryDenseLayer(net, 10, b_init=None, name="bout")
        net = tl.layers.BatchNormLayer(net, is_train=is_train, name="bno")
    return net


net_train = model(x, is_train=True, reuse=False)
net_test = model(x, is_train=False, reuse=True)
cost = tl.cost.cross_entropy(net_train.outputs, y_, name="xentropy")
cost_test = tl.cost.cross_entropy(net_test.outputs, y_, name="xentropy2")
correct_prediction = tf.equal(tf.argmax(net_test.outputs, 1), y_)
acc = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))
train_params = tl.layers.get_variables_with_name("binarynet", True, True)
train_op = tf.train.AdamOptimizer(learning_rate=0.003).minimize(cost, var_list=train_params)

sess = tf.InteractiveSession()
tl.layers.initialize_global_variables(sess)
net_train.print_params()
net_train.print_layers()
losses = []
for epoch in range(6):
    for X_a, y_a in tl.iterate.minibatches(X_train, y_train, batch_size, shuffle=True):
        losses.append(sess.run([cost, train_op], feed_dict={x: X_a, y_: y_a})[0])

test_acc, n_batch = 0, 0
for X_a, y_a in tl.iterate.minibatches(X_test, y_test, batch_size, shuffle=True):
    test_acc, n_batch = test_acc + sess.run(acc, feed_dict={x: X_a, y_: y_a}), n_batch + 1
test_acc = test_acc / n_batch
# of placeholders of one size, with no batch_size and one sample too many
tested = tl.utils.test(sess, net_test, acc, X_test, y_test, x, y_, batch_size=None)
predicted = tl.utils.predict(sess, net_test, X_test[:101], x, tf.argmax(net_test.outputs, 1))
sess.close()
