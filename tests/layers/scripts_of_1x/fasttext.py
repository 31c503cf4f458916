import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl
from tensorlayer.layers import AverageEmbeddingInputlayer, DenseLayer

rng = np.random.RandomState(0)


class FastTextClassifier(object):
    def __init__(self, vocab_size, embedding_size, n_labels):
        self.vocab_size = vocab_size
        self.embedding_size = embedding_size
        self.n_labels = n_labels

        self.inputs = tf.placeholder(tf.int32, shape=[None, None], name="inputs")
        self.labels = tf.placeholder(tf.int32, shape=[None], name="labels")

        # Network structure
        network = AverageEmbeddingInputlayer(self.inputs, self.vocab_size, self.embedding_size)
        self.network = DenseLayer(network, self.n_labels)

        # Training operation
        cost = tl.cost.cross_entropy(self.network.outputs, self.labels, name="cost")
        self.train_op = tf.train.AdamOptimizer(0.05).minimize(cost)

        # Predictions
        self.prediction_probs = tf.nn.softmax(self.network.outputs)
        self.predictions = tf.argmax(self.network.outputs, axis=1, output_type=tf.int32)

        # Evaluation
        are_predictions_correct = tf.equal(self.predictions, self.labels)
        self.accuracy = tf.reduce_mean(tf.cast(are_predictions_correct, tf.float32))

    def save(self, sess, filename):
        tl.files.save_npz(self.network.all_params, name=filename, sess=sess)

    def load(self, sess, filename):
        tl.files.load_and_assign_npz(sess, name=filename, network=self.network)


def texts(n):
    labels = rng.randint(0, 2, n)
    return [list(rng.randint(1, 10, rng.randint(3, 9)) + 10 * label) for label in labels], labels


X_train, y_train = texts(200)
X_test, y_test = texts(60)

with tf.Session() as sess:
    classifier = FastTextClassifier(vocab_size=21, embedding_size=8, n_labels=2)
    tl.layers.initialize_global_variables(sess)
    for epoch in range(3):
        for X_batch, y_batch in tl.iterate.minibatches(X_train, y_train, 20, shuffle=True):
            sess.run(
                classifier.train_op,
                feed_dict={
                    classifier.inputs: tl.prepro.pad_sequences(X_batch),
                    classifier.labels: y_batch,
                },
            )
    padded = np.array(tl.prepro.pad_sequences(X_test))
    test_accuracy = sess.run(
        classifier.accuracy, feed_dict={classifier.inputs: padded, classifier.labels: y_test}
    )
    tested = tl.utils.test(
        sess, classifier.network, classifier.accuracy, padded, y_test, classifier.inputs,
        classifier.labels, batch_size=None,
    )  # fmt: skip
    classifier.save(sess, "fasttext.npz")
    expected = sess.run(classifier.prediction_probs, {classifier.inputs: padded})
    tl.layers.initialize_global_variables(sess)
    classifier.load(sess, "fasttext.npz")
    found = sess.run(classifier.prediction_probs, {classifier.inputs: padded})
    params = sess.run(classifier.network.all_params)
