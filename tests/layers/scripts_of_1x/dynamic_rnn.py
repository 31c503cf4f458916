import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl

rng = np.random.RandomState(1)
lengths = rng.randint(2, 9, 300)
X = np.zeros((300, 8), np.int64)
for row, n in enumerate(lengths):
    X[row, :n] = rng.randint(1, 20, n)
Y = np.array([row[n - 1] > 10 for row, n in zip(X, lengths)]).astype(np.int64)  # by the last word

x = tf.placeholder(tf.int64, shape=[None, None], name="x")
y_ = tf.placeholder(tf.int64, shape=[None], name="y_")


def build(x, is_train, reuse):
    with tf.variable_scope("rnn", reuse=reuse):
        net = tl.layers.EmbeddingInputlayer(
            inputs=x, vocabulary_size=20, embedding_size=8, name="seq_embedding"
        )
        net = tl.layers.DynamicRNNLayer(
            net,
            cell_fn=tl.layers.BasicLSTMCell,
            n_hidden=16,
            dropout=(0.8 if is_train else None),
            sequence_length=tl.layers.retrieve_seq_length_op2(x),
            return_last=True,
            name="dynamic_rnn",
        )
        rnn = net
        net = tl.layers.DenseLayer(net, n_units=2, act=None, name="output")
    return net, rnn


net, rnn = build(x, is_train=True, reuse=None)
net_test, rnn_test = build(x, is_train=False, reuse=True)

cost = tl.cost.cross_entropy(net.outputs, y_, "cost")
acc = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(net_test.outputs, 1), y_), tf.float32))
train_op = tf.train.AdamOptimizer(0.02).minimize(cost, var_list=net.all_params)

sess = tf.Session()
tl.layers.initialize_global_variables(sess)
first = sess.run(cost, {x: X, y_: Y})
for i in range(80):
    sess.run(train_op, {x: X[:200], y_: Y[:200]})
last = sess.run(cost, {x: X, y_: Y})
test_acc = sess.run(acc, {x: X[200:], y_: Y[200:]})
found_lengths, final_h, out = sess.run(
    [rnn_test.sequence_length, rnn_test.final_state.h, rnn_test.outputs], {x: X}
)
noisy = [sess.run(rnn.outputs, {x: X}) for _ in range(2)]
quiet = [sess.run(rnn_test.outputs, {x: X}) for _ in range(2)]
# begin where another sequence has ended
begun = sess.run(
    rnn_test.outputs,
    {x: X, rnn_test.initial_state.c: np.ones([300, 16]), rnn_test.initial_state.h: final_h},
)
sess.close()
