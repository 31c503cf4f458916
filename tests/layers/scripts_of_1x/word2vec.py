import collections

import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl

rng = np.random.RandomState(0)
# words of one half of the vocabulary stand beside each other
words = np.concatenate([rng.permutation(10) + 10 * (i % 2) for i in range(300)])
data = [int(w) for w in words]
vocabulary_size, embedding_size, batch_size, num_skips, skip_window = 20, 8, 32, 2, 1
valid_examples = np.array([1, 2, 11, 12])

train_inputs = tf.placeholder(tf.int32, shape=[batch_size])
train_labels = tf.placeholder(tf.int32, shape=[batch_size, 1])
valid_dataset = tf.constant(valid_examples, dtype=tf.int32)

emb_net = tl.layers.Word2vecEmbeddingInputlayer(
    inputs=train_inputs,
    train_labels=train_labels,
    vocabulary_size=vocabulary_size,
    embedding_size=embedding_size,
    num_sampled=8,
    nce_loss_args={},
    E_init=tf.random_uniform_initializer(minval=-1.0, maxval=1.0),
    nce_W_init=tf.truncated_normal_initializer(stddev=float(1.0 / np.sqrt(embedding_size))),
    nce_b_init=tf.constant_initializer(value=0.0),
    name="word2vec_layer",
)
# Construct the optimizer. Note: AdamOptimizer is very slow in this case
cost = emb_net.nce_cost
train_params = emb_net.all_params
train_op = tf.train.AdagradOptimizer(0.5, initial_accumulator_value=0.1).minimize(
    cost, var_list=train_params
)
# Compute the cosine similarity between minibatch examples and all embeddings.
normalized_embeddings = emb_net.normalized_embeddings
valid_embed = tf.nn.embedding_lookup(normalized_embeddings, valid_dataset)
similarity = tf.matmul(valid_embed, normalized_embeddings, transpose_b=True)

sess = tf.InteractiveSession()
tl.layers.initialize_global_variables(sess)
emb_net.print_params(False)
emb_net.print_layers()

losses, data_index = collections.deque(maxlen=50), 0
first = None
for step in range(400):
    batch_inputs, batch_labels, data_index = tl.nlp.generate_skip_gram_batch(
        data=data,
        batch_size=batch_size,
        num_skips=num_skips,
        skip_window=skip_window,
        data_index=data_index,
    )
    feed_dict = {train_inputs: batch_inputs, train_labels: batch_labels}
    _, loss_val = sess.run([train_op, cost], feed_dict=feed_dict)
    losses.append(loss_val)
    first = loss_val if first is None else first
sim = similarity.eval()
last = np.mean(losses)
table = sess.run(emb_net.all_params[0])
vectors = sess.run(emb_net.outputs, {train_inputs: np.arange(batch_size) % vocabulary_size})
sess.close()
