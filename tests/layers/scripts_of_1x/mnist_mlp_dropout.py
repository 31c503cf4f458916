import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits

import tensorlayer as tl

sess = tf.InteractiveSession()

# prepare data
images, labels = load_digits(return_X_y=True)
images, labels = (images / 16).astype(np.float32), labels.astype(np.int64)
X_train, y_train, X_val, y_val = images[:1000], labels[:1000], images[1000:1400], labels[1000:1400]
X_test, y_test = images[1400:], labels[1400:]

# define placeholder
x = tf.placeholder(tf.float32, shape=[None, 64], name="x")
y_ = tf.placeholder(tf.int64, shape=[None], name="y_")

# define the network
network = tl.layers.InputLayer(x, name="input")
network = tl.layers.DropoutLayer(network, keep=0.8, name="drop1")
network = tl.layers.DenseLayer(network, n_units=100, act=tf.nn.relu, name="relu1")
network = tl.layers.DropoutLayer(network, keep=0.5, name="drop2")
network = tl.layers.DenseLayer(network, n_units=100, act=tf.nn.relu, name="relu2")
network = tl.layers.DropoutLayer(network, keep=0.5, name="drop3")
# the softmax is implemented internally in tl.cost.cross_entropy(y, y_, 'cost') to
# speed up computation, so we use identity here.
network = tl.layers.DenseLayer(network, n_units=10, act=None, name="output")

# define cost function and metric.
y = network.outputs
cost = tl.cost.cross_entropy(y, y_, name="cost")
correct_prediction = tf.equal(tf.argmax(y, 1), y_)
acc = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))
y_op = tf.argmax(tf.nn.softmax(y), 1)

# define the optimizer
train_params = network.all_params
train_op = tf.train.AdamOptimizer(learning_rate=0.003).minimize(cost, var_list=train_params)

# initialize all variables in the session
tl.layers.initialize_global_variables(sess)

# print network information
network.print_params()
network.print_layers()
print(network.all_drop)

# train the network
epochs = tl.utils.fit(
    sess, network, train_op, cost, X_train, y_train, x, y_, acc=acc, batch_size=50, n_epoch=15,
    print_freq=5, X_val=X_val, y_val=y_val, eval_train=False,
)  # fmt: skip

# evaluation
test_acc = tl.utils.test(sess, network, acc, X_test, y_test, x, y_, batch_size=None, cost=cost)
test_acc_batches = tl.utils.test(sess, network, acc, X_test, y_test, x, y_, batch_size=50)
predicted = tl.utils.predict(sess, network, X_test, x, y_op, batch_size=60)

# one step by hand
feed_dict = {x: X_train[:50], y_: y_train[:50]}
feed_dict.update(network.all_drop)  # enable noise layers
sess.run(train_op, feed_dict=feed_dict)
dp_dict = tl.utils.dict_to_one(network.all_drop)  # disable noise layers
feed_dict = {x: X_test}
feed_dict.update(dp_dict)
logits = sess.run(y, feed_dict=feed_dict)
hidden = sess.run(network.all_layers[1].outputs, feed_dict=feed_dict)
params = sess.run(network.all_params)
noisy = [sess.run(y, {x: X_test[:5], **network.all_drop}) for _ in range(2)]

# save the network to .npz file
tl.files.save_npz(network.all_params, name="model.npz", sess=sess)
sess.close()
