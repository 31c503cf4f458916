import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl
from tensorlayer.layers import (
    DenseLayer,
    EmbeddingInputlayer,
    Seq2Seq,
    retrieve_seq_length_op2,
)

rng = np.random.RandomState(0)
batch_size, vocab_size, emb_dim, start_id, end_id = 30, 12, 32, 10, 11
X = [list(rng.randint(1, 10, rng.randint(2, 5))) for _ in range(300)]
Y = [list(reversed(each)) for each in X]  # what came last is said first


def model(encode_seqs, decode_seqs, is_train=True, reuse=False):
    with tf.variable_scope("model", reuse=reuse):
        # for chatbot, you can use the same embedding layer,
        with tf.variable_scope("embedding") as vs:
            net_encode = EmbeddingInputlayer(
                inputs=encode_seqs,
                vocabulary_size=vocab_size,
                embedding_size=emb_dim,
                name="seq_embedding",
            )
            vs.reuse_variables()
            tl.layers.set_name_reuse(True)
            net_decode = EmbeddingInputlayer(
                inputs=decode_seqs,
                vocabulary_size=vocab_size,
                embedding_size=emb_dim,
                name="seq_embedding",
            )
        net_rnn = Seq2Seq(
            net_encode,
            net_decode,
            cell_fn=tl.layers.BasicLSTMCell,
            n_hidden=emb_dim,
            initializer=tf.random_uniform_initializer(-0.1, 0.1),
            encode_sequence_length=retrieve_seq_length_op2(encode_seqs),
            decode_sequence_length=retrieve_seq_length_op2(decode_seqs),
            initial_state_encode=None,
            dropout=(0.95 if is_train else None),
            n_layer=2,
            return_seq_2d=True,
            name="seq2seq",
        )
        net_out = DenseLayer(net_rnn, n_units=vocab_size, act=tf.identity, name="output")
    return net_out, net_rnn


# model for training
encode_seqs = tf.placeholder(dtype=tf.int64, shape=[batch_size, None], name="encode_seqs")
decode_seqs = tf.placeholder(dtype=tf.int64, shape=[batch_size, None], name="decode_seqs")
target_seqs = tf.placeholder(dtype=tf.int64, shape=[batch_size, None], name="target_seqs")
target_mask = tf.placeholder(dtype=tf.int64, shape=[batch_size, None], name="target_mask")
net_out, _ = model(encode_seqs, decode_seqs, is_train=True, reuse=False)

# model for inferencing
encode_seqs2 = tf.placeholder(dtype=tf.int64, shape=[1, None], name="encode_seqs")
decode_seqs2 = tf.placeholder(dtype=tf.int64, shape=[1, None], name="decode_seqs")
net, net_rnn = model(encode_seqs2, decode_seqs2, is_train=False, reuse=True)
y = tf.nn.softmax(net.outputs)

# loss for training
loss = tl.cost.cross_entropy_seq_with_mask(
    logits=net_out.outputs,
    target_seqs=target_seqs,
    input_mask=target_mask,
    return_details=False,
    name="cost",
)
net_out.print_params(False)
train_op = tf.train.AdamOptimizer(learning_rate=0.01).minimize(loss)

sess = tf.Session()
tl.layers.initialize_global_variables(sess)

losses = []
for epoch in range(25):
    for n in range(0, 300, batch_size):
        _X = tl.prepro.pad_sequences(X[n : n + batch_size], maxlen=5)
        _target = tl.prepro.sequences_add_end_id(Y[n : n + batch_size], end_id=end_id)
        _target = tl.prepro.pad_sequences(_target, maxlen=5)
        _decode = tl.prepro.sequences_add_start_id(Y[n : n + batch_size], start_id=start_id)
        _decode = tl.prepro.pad_sequences(_decode, maxlen=5)
        _mask = tl.prepro.sequences_get_mask(_target)
        _, err = sess.run(
            [train_op, loss],
            {encode_seqs: _X, decode_seqs: _decode, target_seqs: _target, target_mask: _mask},
        )
        losses.append(err)

answers = []
for seed in X[:40]:
    # 1. encode, get state
    state = sess.run(net_rnn.final_state_encode, {encode_seqs2: [seed]})
    # 2. decode, feed start_id, get first word
    o, state = sess.run(
        [y, net_rnn.final_state_decode],
        {net_rnn.initial_state_decode: state, decode_seqs2: [[start_id]]},
    )
    w = int(np.argmax(o[0]))
    sentence = [w]
    # 3. decode, feed state iteratively
    for _ in range(4):
        if w == end_id:
            break
        o, state = sess.run(
            [y, net_rnn.final_state_decode],
            {net_rnn.initial_state_decode: state, decode_seqs2: [[w]]},
        )
        w = int(np.argmax(o[0]))
        sentence.append(w)
    answers.append(sentence)
shared = [a is b for a, b in zip(net_out.all_params, net.all_params)]
n_variables = len(tf.trainable_variables())
sess.close()
