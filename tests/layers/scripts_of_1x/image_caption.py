import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl
from tensorlayer.layers import (
    DenseLayer,
    DropoutLayer,
    DynamicRNNLayer,
    EmbeddingInputlayer,
    InputLayer,
    ReshapeLayer,
)

rng = np.random.RandomState(0)
batch_size, size, vocab_size = 6, 16, 8


def build_network(features, input_seqs, input_mask, mode, reuse):
    """The image is the first word; the words go on from the state that it leaves."""
    init = tf.random_uniform_initializer(-0.08, 0.08)
    is_train = mode == "train"
    with tf.variable_scope("image_embedding", reuse=reuse):
        net_image = InputLayer(features, name="features")
        net_image = DenseLayer(net_image, size, None, init, name="embed")
        net_image = ReshapeLayer(net_image, [-1, 1, size], name="expanded")
    with tf.variable_scope("seq_embedding", reuse=reuse):
        net_seq = EmbeddingInputlayer(input_seqs, vocab_size, size, init, name="map")
        net_seq = DropoutLayer(net_seq, 0.9, True, is_train, name="drop")
    with tf.variable_scope("lstm", reuse=reuse):
        net_first = DynamicRNNLayer(
            net_image, cell_fn=tl.layers.BasicLSTMCell, n_hidden=size, initializer=init,
            sequence_length=tl.layers.retrieve_seq_length_op(net_image.outputs),
            return_last=True, name="rnn",
        )  # fmt: skip
    with tf.variable_scope("lstm", reuse=True):
        network = DynamicRNNLayer(
            net_seq, cell_fn=tl.layers.BasicLSTMCell, n_hidden=size, initializer=init,
            sequence_length=tf.reduce_sum(input_mask, 1), initial_state=net_first.final_state,
            return_last=False, return_seq_2d=True, name="rnn",
        )  # fmt: skip
    net_rnn = network
    with tf.variable_scope("logits", reuse=reuse):
        network = DenseLayer(network, n_units=vocab_size, W_init=init, name="logits")
    return network, net_rnn, net_first


features = tf.placeholder(tf.float32, [batch_size, 5], name="features")
input_seqs = tf.placeholder(tf.int64, [batch_size, None], name="input_seqs")
target_seqs = tf.placeholder(tf.int64, [batch_size, None], name="target_seqs")
input_mask = tf.placeholder(tf.int32, [batch_size, None], name="input_mask")
network, net_rnn, _ = build_network(features, input_seqs, input_mask, "train", reuse=None)
cost = tl.cost.cross_entropy_seq_with_mask(network.outputs, target_seqs, input_mask)
train_op = tf.train.AdamOptimizer(0.02).minimize(cost)

feature1 = tf.placeholder(tf.float32, [1, 5], name="feature")
seq1 = tf.placeholder(tf.int64, [1, None], name="seq")
mask1 = tf.placeholder(tf.int32, [1, None], name="mask")
net_test, rnn_test, first_test = build_network(feature1, seq1, mask1, "inference", reuse=True)
softmax = tf.nn.softmax(net_test.outputs)

sess = tf.Session()
tl.layers.initialize_global_variables(sess)
kinds = np.eye(5, dtype=np.float32)[:3]
captions = np.array([[1, 2, 3, 4, 0], [1, 5, 5, 4, 0], [1, 3, 4, 0, 0]])
losses = []
for step in range(120):
    which = rng.randint(0, 3, batch_size)
    words, mask = captions[which, :-1], (captions[which, :-1] > 0).astype(np.int32)
    err, _ = sess.run(
        [cost, train_op],
        {features: kinds[which], input_seqs: words, input_mask: mask,
         target_seqs: captions[which, 1:]},
    )  # fmt: skip
    losses.append(err)

told = []
for kind in kinds:
    state = sess.run(first_test.final_state, {feature1: [kind]})
    word, sentence = 1, [1]
    for _ in range(4):
        probabilities, state = sess.run(
            [softmax, rnn_test.final_state],
            {seq1: [[word]], mask1: [[1]], rnn_test.initial_state: state},
        )
        word = int(np.argmax(probabilities[-1]))
        sentence.append(word)
        if word in (0, 4):
            break
    told.append(sentence)
shared = [a is b for a, b in zip(network.all_params, net_test.all_params)]
n_variables = len(tf.trainable_variables())
sess.close()
