from __future__ import annotations

import inspect

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Input, Word2vecEmbedding, Word2vecEmbeddingInputlayer
from tensorlayer.models import Model
from tests.operations import operations

v1 = tf.compat.v1
IDS = np.random.default_rng(0).integers(0, 7, [5, 4])
LABELS = np.random.default_rng(1).integers(0, 7, [5, 1])
TABLE = np.random.default_rng(2).normal(size=(7, 3)).astype("float32")


def ids(shape, name="ids"):
    return Input(shape, "int64", name=name)


def numpy_nce(vectors, labels, weights, biases, sampled, true_count, sampled_count):
    """The cost of noise-contrastive estimation, in 64 bits."""

    def softplus(x):
        return np.logaddexp(0, x)

    true = np.sum(vectors * weights[labels[:, 0]], 1) + biases[labels[:, 0]]
    true -= np.log(true_count[:, 0])
    noise = vectors @ weights[sampled].T + biases[sampled] - np.log(sampled_count)
    return np.mean(softplus(-true) + softplus(noise).sum(1))


def word2vec(**options):
    return Word2vecEmbedding(
        ids([None], "words"), train_labels=ids([None, 1], "labels"),
        vocabulary_size=7, embedding_size=3, num_sampled=4, E_init=TABLE, nce_W_init=TABLE / 2,
        nce_b_init=TABLE[:, 0], name="w2v", **options,
    )  # fmt: skip


def test_the_cost_is_noise_contrastive_estimation():
    sampled = np.array([0, 2, 6])
    counts = np.full([5, 1], 0.3, "float32"), np.array([0.9, 0.5, 0.1], "float32")
    net = word2vec(nce_loss_args={"sampled_values": (sampled, *counts), "num_sampled": 3})

    cost = net.nce_cost({"words": IDS[:, 0], "labels": LABELS})

    expected = numpy_nce(
        TABLE[IDS[:, 0]], LABELS, TABLE / 2, TABLE[:, 0].astype("float64"), sampled, *counts
    )
    assert cost.numpy().item() == pytest.approx(expected, rel=1e-5)
    np.testing.assert_array_equal(net({"words": IDS[:, 0], "labels": LABELS}), TABLE[IDS[:, 0]])


def test_traced_a_step_is_the_loss_of_tensorflow():
    net = word2vec()
    table, weights, biases = net.all_params
    tf.random.set_seed(1)

    def twin(words, labels):
        vectors = tf.nn.embedding_lookup(table, words)
        loss = tf.nn.nce_loss(weights, biases, labels, vectors, num_sampled=4, num_classes=7)
        return tf.reduce_mean(loss)

    layer = Word2vecEmbedding(7, 3, num_sampled=4)
    arrays = (IDS[:, 0], LABELS)
    specs = [tf.TensorSpec(each.shape, each.dtype) for each in arrays]
    ours = operations(tf.function(lambda a, b: layer([a, b])[1]), *specs)
    assert ours == operations(tf.function(twin), *specs)


def test_the_gradients_of_the_cost_are_of_rows():
    layer = Word2vecEmbedding(700, 3, num_sampled=4)
    with tf.GradientTape() as tape:
        vectors, cost = layer([IDS[:, 0], LABELS])
    gradients = tape.gradient(cost, layer.trainable_weights)

    assert [type(each) for each in gradients] == [tf.IndexedSlices] * 3
    assert vectors.shape == (5, 3)
    assert list(layer.parameters) == ["embeddings", "nce_weights", "nce_biases"]


def test_the_parameters_start_as_in_2x():
    layer = Word2vecEmbedding(1000, 50)
    table, weights, biases = (each.numpy() for each in layer.all_weights)

    assert -1 <= table.min() < -0.99
    assert 0.99 < table.max() <= 1
    assert weights.std() == pytest.approx(0.88 * 0.03, rel=0.05)
    assert not biases.any()


def test_a_list_gives_a_pair_of_networks_and_a_model_trains_on_it():
    words, labels = ids([None], "words"), ids([None, 1], "labels")
    net, cost = Word2vecEmbedding(7, 3, num_sampled=4, name="w")([words, labels])
    model = Model([words, labels], [net, cost])
    optimizer = tf.optimizers.SGD(0.5)

    costs = []
    for _ in range(60):
        with tf.GradientTape() as tape:
            _, value = model([IDS[:, 0], LABELS], is_train=True)
        gradients = tape.gradient(value, model.trainable_weights)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        costs.append(value.numpy())

    assert np.mean(costs[-20:]) < np.mean(costs[:20])
    assert tuple(cost.shape) == ()


def test_normalised_embeddings_are_always_fresh():
    net = word2vec()
    before = net.normalized_embeddings
    np.testing.assert_allclose(
        before, TABLE / np.linalg.norm(TABLE, axis=1, keepdims=True), rtol=1e-5
    )

    net.all_params[0].assign(-TABLE)

    np.testing.assert_allclose(net.normalized_embeddings, -before, rtol=1e-6)


def test_without_the_cost_it_only_looks_up():
    bare = Word2vecEmbedding(ids([None]), 7, 3, activate_nce_loss=False, E_init=TABLE, name="w")

    np.testing.assert_array_equal(bare(IDS[:, 0]), TABLE[IDS[:, 0]])
    assert list(bare.parameters) == ["w/embeddings"]
    np.testing.assert_array_equal(bare.layer([IDS[:, 0], LABELS]), TABLE[IDS[:, 0]])
    with pytest.raises(InvalidArgument, match="made without the parameters of the cost"):
        bare.layer([IDS[:, 0], LABELS], use_nce_loss=True)


def test_one_call_may_leave_the_cost_out():
    layer = Word2vecEmbedding(7, 3, num_sampled=4, E_init=TABLE)

    np.testing.assert_array_equal(layer(IDS[:, 0], use_nce_loss=False), TABLE[IDS[:, 0]])
    with pytest.raises(InvalidArgument, match=r"the cost needs labels\. Give train_labels="):
        layer(IDS[:, 0])


@pytest.mark.parametrize("dtype", ["float16", "float64", "mixed_bfloat16"])
def test_the_cost_in_another_type(dtype):
    net = word2vec(dtype=dtype)

    cost = net.nce_cost({"words": IDS[:, 0], "labels": LABELS})

    assert np.isfinite(cost.numpy())
    assert cost.dtype == net.all_params[0].dtype


def test_what_cannot_be_sampled_is_refused():
    with pytest.raises(InvalidArgument, match=r"num_sampled must not be more than.*got 64 of 7"):
        Word2vecEmbedding(7, 3)
    with pytest.raises(InvalidArgument, match="Word2vecEmbedding: num_sampled must be a positive"):
        Word2vecEmbedding(7, 3, num_sampled=0)
    with pytest.raises(InvalidArgument, match=r"train_labels are a network.*got list"):
        Word2vecEmbedding(700, 3, train_labels=[1])
    with pytest.raises(InvalidArgument, match=r"ids must be in \[0, 7\)"):
        Word2vecEmbedding(7, 3, num_sampled=4)([IDS[:, 0], LABELS + 7])
    with pytest.raises(InvalidArgument, match="takes ids, which are integers, got float32"):
        Word2vecEmbedding(7, 3, num_sampled=4)([IDS[:, 0], LABELS.astype("float32")])


def test_word2vec_in_a_session_as_in_1x():
    with tf.Graph().as_default(), v1.Session() as session:
        words, labels = v1.placeholder(tf.int32, [5]), v1.placeholder(tf.int32, [5, 1])
        net = Word2vecEmbeddingInputlayer(
            inputs=words, train_labels=labels, vocabulary_size=7, embedding_size=3, num_sampled=4,
            nce_W_init_args={}, name="word2vec",
        )  # fmt: skip
        session.run(v1.global_variables_initializer())
        feed = {words: IDS[:, 0], labels: LABELS}
        vectors, cost = session.run([net.outputs, net.nce_cost], feed)
        normalised, table = session.run([net.normalized_embeddings, net.all_params[0]])

    np.testing.assert_array_equal(vectors, table[IDS[:, 0]])
    assert np.isfinite(cost)
    assert Word2vecEmbeddingInputlayer is Word2vecEmbedding
    np.testing.assert_allclose(np.linalg.norm(normalised, axis=1), 1, rtol=1e-5)


def test_the_sizes_are_those_of_1x():
    given = inspect.signature(Word2vecEmbedding).parameters

    assert [given[name].default for name in ("vocabulary_size", "embedding_size")] == [80000, 200]
