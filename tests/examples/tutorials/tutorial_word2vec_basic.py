import time

import numpy as np
import tensorflow as tf

import tensorlayer as tl

# Step 1: read the data into a list of strings.
words = tl.files.load_matt_mahoney_text8_dataset(path="data")
data_size = len(words)
print("Data size: %d words" % data_size)

# Step 2: build the dictionary, and replace rare words with the UNK token.
vocabulary_size = 2000
data, count, dictionary, reverse_dictionary = tl.nlp.build_words_dataset(
    words, vocabulary_size, True, "_UNK"
)
del words

batch_size = 128
embedding_size = 32
skip_window = 2  # how many words to consider left and right
num_skips = 4  # how many times to reuse an input to generate a label
num_sampled = 64  # number of negative examples to sample
learning_rate = 1.0
n_step = 1000
print_freq = 250

# Step 3: a function to generate a training batch for the skip-gram model.
batch, labels, data_index = tl.nlp.generate_skip_gram_batch(
    data=data, batch_size=8, num_skips=4, skip_window=2, data_index=0
)
for i in range(8):
    print(
        batch[i], reverse_dictionary[batch[i]], "->", labels[i, 0], reverse_dictionary[labels[i, 0]]
    )

# Step 4: build a skip-gram model.
valid_size = 8
valid_examples = np.random.choice(100, valid_size, replace=False)
valid_dataset = tf.constant(valid_examples, dtype=tf.int32)

inputs = tl.layers.Input([batch_size], dtype=tf.int32)
labels = tl.layers.Input([batch_size, 1], dtype=tf.int32)
emb_net = tl.layers.Word2vecEmbedding(
    vocabulary_size=vocabulary_size,
    embedding_size=embedding_size,
    num_sampled=num_sampled,
    activate_nce_loss=True,
    nce_loss_args={},
    E_init=tl.initializers.random_uniform(minval=-1.0, maxval=1.0),
    nce_W_init=tl.initializers.truncated_normal(stddev=float(1.0 / np.sqrt(embedding_size))),
    nce_b_init=tl.initializers.constant(value=0.0),
    name="word2vec_layer",
)
emb, nce = emb_net([inputs, labels])
model = tl.models.Model(inputs=[inputs, labels], outputs=[emb, nce], name="word2vec_model")

optimizer = tf.optimizers.Adagrad(learning_rate, initial_accumulator_value=0.1)

# Step 5: start training.
model.train()
data_index, loss_vals, loss = 0, [], 0
start_time = time.time()
for step in range(1, n_step + 1):
    batch_inputs, batch_labels, data_index = tl.nlp.generate_skip_gram_batch(
        data=data,
        batch_size=batch_size,
        num_skips=num_skips,
        skip_window=skip_window,
        data_index=data_index,
    )
    with tf.GradientTape() as tape:
        outputs, nce_cost = model([batch_inputs, batch_labels])
    grad = tape.gradient(nce_cost, model.trainable_weights)
    optimizer.apply_gradients(zip(grad, model.trainable_weights))
    loss += nce_cost

    if step % print_freq == 0:
        print(f"Average loss at step {step}/{n_step}: {float(loss / print_freq):.4f}")
        loss = 0
print("took %.1fs" % (time.time() - start_time))

# the nearest words
normalized_embeddings = emb_net.normalized_embeddings
valid_embed = tf.nn.embedding_lookup(normalized_embeddings, valid_dataset)
sim = tf.matmul(valid_embed, normalized_embeddings, transpose_b=True).numpy()
for i in range(valid_size):
    nearest = (-sim[i, :]).argsort()[1:9]
    words = [reverse_dictionary[k] for k in nearest]
    print("Nearest to %s: %s" % (reverse_dictionary[valid_examples[i]], ", ".join(words)))

# Step 6: save the vectors and the vocabulary.
tl.files.save_npz_dict(model.all_weights, name="model_word2vec.npz")
model.save_weights("model_word2vec.hdf5")
tl.files.save_any_to_npy(
    save_dict={
        "data": data, "count": count, "dictionary": dictionary,
        "reverse_dictionary": reverse_dictionary,
    },
    name="vocab.npy",
)  # fmt: skip
tl.nlp.save_vocab(count, name="vocab_text8.txt")
