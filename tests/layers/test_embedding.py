from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import (
    AverageEmbedding,
    AverageEmbeddingInputlayer,
    Dense,
    Embedding,
    EmbeddingInputlayer,
    Input,
    OneHot,
    OneHotInputLayer,
    Word2vecEmbedding,
    Word2vecEmbeddingInputlayer,
)
from tensorlayer.models import Model
from tests.layers.twins import assert_twin
from tests.operations import operations

v1 = tf.compat.v1
IDS = np.random.default_rng(0).integers(0, 7, [5, 4])
LABELS = np.random.default_rng(1).integers(0, 7, [5, 1])
TABLE = np.random.default_rng(2).normal(size=(7, 3)).astype("float32")


def ids(shape=(None, 4), name="ids"):
    return Input(shape, "int64", name=name)


# -- one-hot


def test_one_hot():
    np.testing.assert_array_equal(OneHot(ids(), depth=7)(IDS), np.eye(7)[IDS])
    values = OneHot(ids(), depth=7, on_value=0.9, off_value=-1.0, axis=1)(IDS)
    expected = np.where(np.eye(7)[IDS], 0.9, -1).transpose(0, 2, 1)
    np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(None, "float32"), ("int32", "int32"), (tf.float64, "float64"), ("mixed_float16", "float16")],
)
def test_one_hot_of_a_type(dtype, expected):
    assert OneHot(ids(), depth=7, dtype=dtype).outputs.dtype == expected


def test_one_hot_needs_a_depth_and_a_type():
    with pytest.raises(InvalidArgument, match="OneHot: depth must be a positive integer, got None"):
        OneHot()
    with pytest.raises(InvalidArgument, match="dtype is a floating-point type"):
        OneHot(depth=3, dtype="float33")


@pytest.mark.parametrize("make", [OneHot, Embedding, AverageEmbedding, Word2vecEmbedding])
def test_ids_are_integers(make):
    options = {} if make is OneHot else {"embedding_size": 2, "name": "e"}
    with pytest.raises(InvalidArgument, match=r"takes ids, which are integers, got float32\. Decl"):
        make(Input([None, 4]), 80, **options)


# -- embeddings


def test_an_embedding_is_a_row_of_its_table():
    net = Embedding(ids(), vocabulary_size=7, embedding_size=3, E_init=TABLE)

    np.testing.assert_array_equal(net(IDS), TABLE[IDS])
    assert tuple(net.shape) == (None, 4, 3)
    table = net.all_params[0]
    assert_twin(net, lambda x: tf.nn.embedding_lookup(table, x), IDS)


@pytest.mark.parametrize("make", [Embedding, AverageEmbedding])
def test_the_table_starts_uniform_in_a_tenth(make):
    values = make(vocabulary_size=500, embedding_size=20).embeddings.numpy()

    assert -0.1 <= values.min() < -0.099
    assert 0.099 < values.max() < 0.1


def test_sizes_of_1x_are_the_default():
    assert Embedding().embeddings.shape == (80000, 200)


def test_an_average_leaves_the_padding_out():
    net = AverageEmbedding(ids(), 7, 3, pad_value=2, E_init=TABLE)
    texts = np.where(np.arange(5)[:, None] == 3, 2, IDS)
    expected = np.zeros([5, 3])
    for row, text in enumerate(texts):
        words = [TABLE[word] for word in text if word != 2]
        if words:
            expected[row] = np.sum(words, 0) / (len(words) + 1e-8)

    np.testing.assert_allclose(net(texts), expected, rtol=1e-5, atol=1e-7)
    assert not np.any(net(texts)[3])


def test_an_average_of_16_bits_of_nothing_is_zero():
    layer = AverageEmbedding(7, 3, dtype="float16")

    np.testing.assert_array_equal(layer(np.zeros([2, 4], int)), np.zeros([2, 3]))


def test_an_average_takes_rows():
    with pytest.raises(WrongShape, match=r"rank 2, got shape \(None,\)\. Give it a row of ids"):
        AverageEmbedding(ids([None]), 7, 3)
    with pytest.raises(InvalidArgument, match="vocabulary_size must be a positive integer, got 0"):
        AverageEmbedding(0, 3)
    with pytest.raises(InvalidArgument, match="embedding_size must be a positive integer, got 0"):
        AverageEmbedding(7, 0)


@pytest.mark.parametrize("bad", [7, -1])
def test_an_id_out_of_range_names_the_layer_and_costs_nothing(bad):
    layer = Embedding(7, 3, name="words")

    with pytest.raises(InvalidArgument, match=rf"name='words'.*in \[0, 7\): .* = {bad} .*larger"):
        layer(np.array([1, bad]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="words"):
        tf.function(layer)(tf.constant([1, bad]))


@pytest.mark.parametrize("is_mixed", [False, True])
def test_gradients_are_of_the_rows_that_were_used(is_mixed):
    layer = Embedding(7, 3, dtype="mixed_float16" if is_mixed else None)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.array([1, 5])))
    gradient = tape.gradient(loss, layer.embeddings)

    assert isinstance(gradient, tf.IndexedSlices)
    np.testing.assert_array_equal(gradient.indices, [1, 5])
    np.testing.assert_array_equal(gradient.values, np.ones([2, 3]))


# -- word2vec


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
    with pytest.raises(InvalidArgument, match=r"train_labels are a network.*got list"):
        Word2vecEmbedding(700, 3, train_labels=[1])
    with pytest.raises(InvalidArgument, match=r"ids must be in \[0, 7\)"):
        Word2vecEmbedding(7, 3, num_sampled=4)([IDS[:, 0], LABELS + 7])
    with pytest.raises(InvalidArgument, match="takes ids, which are integers, got float32"):
        Word2vecEmbedding(7, 3, num_sampled=4)([IDS[:, 0], LABELS.astype("float32")])


# -- as in 1.x


def test_names_of_1x():
    assert (OneHotInputLayer, EmbeddingInputlayer) == (OneHot, Embedding)
    assert AverageEmbeddingInputlayer is AverageEmbedding
    assert Word2vecEmbeddingInputlayer is Word2vecEmbedding


def test_in_1x_a_tensor_begins_the_network():
    words = tf.constant(IDS)
    one_hot = OneHotInputLayer(words, depth=7, name="one_hot")
    net = EmbeddingInputlayer(inputs=words, vocabulary_size=7, embedding_size=3, name="words")
    average = AverageEmbeddingInputlayer(
        words, 7, 3, embeddings_initializer=TABLE, embeddings_kwargs=None, name="average"
    )
    head = Dense(average, n_units=2, name="head")

    np.testing.assert_array_equal(one_hot.outputs, np.eye(7)[IDS])
    assert net.outputs.shape == (5, 4, 3)
    assert head.outputs.shape == (5, 2)
    np.testing.assert_array_equal(average.all_params[0], TABLE)
    np.testing.assert_allclose(average(IDS), average.outputs)


def test_word2vec_in_a_session_as_in_1x():
    with tf.Graph().as_default(), v1.Session() as session:
        words, labels = v1.placeholder(tf.int32, [5]), v1.placeholder(tf.int32, [5, 1])
        net = Word2vecEmbeddingInputlayer(
            inputs=words, train_labels=labels, vocabulary_size=7, embedding_size=3, num_sampled=4,
            nce_W_init_args={}, name="word2vec",
        )  # fmt: skip
        session.run(v1.global_variables_initializer())
        feed = {words: IDS[:, 0], labels: LABELS}
        vectors, cost = session.run([net.outputs, net.nce_cost.outputs], feed)
        normalised, table = session.run([net.normalized_embeddings, net.all_params[0]])

    np.testing.assert_array_equal(vectors, table[IDS[:, 0]])
    assert np.isfinite(cost)
    np.testing.assert_allclose(np.linalg.norm(normalised, axis=1), 1, rtol=1e-5)
