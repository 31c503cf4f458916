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
)
from tests.layers.twins import assert_twin

IDS = np.random.default_rng(0).integers(0, 7, [5, 4])
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


def test_rows_are_cast_and_not_the_table():
    layer = Embedding(7, 3, dtype="mixed_float16")

    trace = tf.function(layer).get_concrete_function(tf.TensorSpec([None], tf.int64))

    casts = [each for each in trace.graph.get_operations() if each.type == "Cast"]
    assert [each.inputs[0].shape.as_list() for each in casts] == [[None, 3]]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "uint32", "int32", "uint64"])
def test_ids_are_integers_of_any_type(dtype):
    given = tf.cast(IDS, dtype)

    np.testing.assert_array_equal(Embedding(7, 3, E_init=TABLE)(given), TABLE[IDS])
    np.testing.assert_array_equal(OneHot(7)(given), np.eye(7)[IDS])
    expected = AverageEmbedding(7, 3, E_init=TABLE)(IDS)
    np.testing.assert_array_equal(AverageEmbedding(7, 3, E_init=TABLE)(given), expected)


# -- as in 1.x


def test_names_of_1x():
    assert (OneHotInputLayer, EmbeddingInputlayer) == (OneHot, Embedding)
    assert AverageEmbeddingInputlayer is AverageEmbedding


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
