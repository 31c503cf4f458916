import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl

np.random.seed(0)
words = ("it is not the strongest that wins but the one that learns . " * 30).split()
vocab = tl.nlp.create_vocab([words], word_counts_output_file="vocab.txt", min_word_count=1)
vocab = tl.nlp.Vocabulary("vocab.txt", unk_word="<UNK>")
vocab_size = vocab.unk_id + 1
train_data = [vocab.word_to_id(word) for word in words]
batch_size, sequence_length, hidden_size, max_grad_norm = 5, 6, 24, 5


def inference(x, is_train, sequence_length, reuse=None):
    rnn_init = tf.random_uniform_initializer(-0.1, 0.1)
    with tf.variable_scope("model", reuse=reuse):
        network = tl.layers.EmbeddingInputlayer(
            inputs=x, vocabulary_size=vocab_size, embedding_size=hidden_size, E_init=rnn_init,
            name="embedding",
        )  # fmt: skip
        network = tl.layers.RNNLayer(
            network, cell_fn=tl.layers.BasicLSTMCell,
            cell_init_args={"forget_bias": 0.0, "state_is_tuple": True}, n_hidden=hidden_size,
            initializer=rnn_init, n_steps=sequence_length, return_last=False, return_seq_2d=True,
            name="lstm1",
        )  # fmt: skip
        lstm1 = network
        network = tl.layers.DenseLayer(
            network, vocab_size, W_init=rnn_init, b_init=rnn_init, act=tf.identity, name="output"
        )
    return network, lstm1


input_data = tf.placeholder(tf.int32, [batch_size, sequence_length])
targets = tf.placeholder(tf.int32, [batch_size, sequence_length])
input_data_test = tf.placeholder(tf.int32, [1, 1])
network, lstm1 = inference(input_data, True, sequence_length, reuse=None)
network_test, lstm1_test = inference(input_data_test, False, 1, reuse=True)
y_linear = network_test.outputs
y_soft = tf.nn.softmax(y_linear)

cost = tl.cost.cross_entropy_seq(network.outputs, targets, batch_size)
with tf.variable_scope("learning_rate"):
    lr = tf.Variable(0.0, trainable=False)
tvars = network.all_params
grads, _ = tf.clip_by_global_norm(tf.gradients(cost, tvars), max_grad_norm)
optimizer = tf.train.AdamOptimizer(lr)
train_op = optimizer.apply_gradients(zip(grads, tvars))

sess = tf.InteractiveSession()
tl.layers.initialize_global_variables(sess)

costs = []
for i in range(12):
    sess.run(tf.assign(lr, 0.02))
    state1 = tl.layers.initialize_rnn_state(lstm1.initial_state)
    for step, (x, y) in enumerate(tl.iterate.ptb_iterator(train_data, batch_size, sequence_length)):
        _cost, state1, _ = sess.run(
            [cost, lstm1.final_state, train_op],
            feed_dict={input_data: x, targets: y, lstm1.initial_state: state1},
        )
        costs.append(_cost / sequence_length)

outs_id = [vocab.word_to_id(w) for w in ["it", "is", "not", "the"]]
state1 = tl.layers.initialize_rnn_state(lstm1_test.initial_state)
for ids in outs_id[:-1]:
    a_id = np.asarray(ids).reshape(1, 1)
    state1 = sess.run(
        [lstm1_test.final_state],
        feed_dict={input_data_test: a_id, lstm1_test.initial_state: state1},
    )
a_id = outs_id[-1]
for _ in range(12):
    a_id = np.asarray(a_id).reshape(1, 1)
    out, state1 = sess.run(
        [y_soft, lstm1_test.final_state],
        feed_dict={input_data_test: a_id, lstm1_test.initial_state: state1},
    )
    a_id = tl.nlp.sample_top(out[0], top_k=1)
    outs_id.append(a_id)
sentence = " ".join(vocab.id_to_word(id) for id in outs_id)
sess.close()
