"""Seq2seqLuongAttention against NumPy, and its attention where it can be told what is right."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.mode import mode
from tensorlayer.models import BeamSearch, GreedySearch, Seq2seqLuongAttention
from tests.models import cells_of_numpy as oracle

N_WORDS, SIZE, UNITS = 7, 5, 6
SOURCE = np.array([[1, 2, 3, 4], [5, 6, 0, 0]])
TARGET = np.array([[1, 3, 3, 2, 6], [1, 4, 5, 2, 0]])
keras = tf.keras.layers
every_method = pytest.mark.parametrize("method", ["dot", "general", "concat"])


def made(method="general", cell=keras.GRUCell, **options):
    words = tl.layers.Embedding(N_WORDS, SIZE, name="words")
    model = Seq2seqLuongAttention(UNITS, words, cell, method, **options)
    rng = np.random.default_rng(0)
    for weight in model.all_weights:
        weight.assign(rng.normal(size=weight.shape, scale=0.7))
    return model


def score(method, w, h, source):
    """Return the score of one state of the decoder and one of the encoder, as in the paper."""
    if method == "dot":
        return h @ source
    if method == "general":
        return h @ w["attention_layer/W"] @ source
    return w["attention_layer/V"][:, 0] @ np.tanh(np.r_[h, source] @ w["attention_layer/W"])


def expected(model, formula, source, target, lengths=None):
    """Return logits and attention, computed one step of one sequence after the other."""
    w = {name: variable.numpy() for name, variable in model.parameters.items()}
    parts = ("kernel", "recurrent_kernel", "bias")
    encoder, decoder = ([w[f"{p}/{e}"] for e in parts] for p in ("enc_layer", "dec_layer"))
    memory, state = oracle.over(formula, encoder, w["words/embeddings"][source], None, lengths)
    states, _ = oracle.over(formula, decoder, w["words/embeddings"][target], state)
    logits = np.zeros([*target.shape, N_WORDS])
    looked = np.zeros([*target.shape, source.shape[1]])
    for row, t in np.ndindex(*target.shape):
        n = source.shape[1] if lengths is None else lengths[row]
        scores = [score(model.attention_layer.method, w, states[row, t], m) for m in memory[row]]
        looked[row, t, :n] = oracle.softmax(np.array(scores[:n]))
        context = looked[row, t] @ memory[row]
        h = np.tanh(np.r_[context, states[row, t]] @ w["attention_layer/W_c"])
        logits[row, t] = h @ w["dense_layer/weights"] + w["dense_layer/biases"]
    return logits, looked


@every_method
@pytest.mark.parametrize("cell", [keras.GRUCell, tl.layers.LSTMCell])
@pytest.mark.parametrize("lengths", [None, [4, 2]])
def test_the_whole_forward_is_that_of_the_formulas(method, cell, lengths):
    model = made(method, cell)
    formula = oracle.gru if cell is keras.GRUCell else oracle.lstm
    logits, looked = expected(model, formula, SOURCE, TARGET, lengths)

    ours = model(inputs=[SOURCE, TARGET], sequence_length=lengths, is_train=True)
    np.testing.assert_allclose(ours, logits, rtol=1e-4, atol=1e-5)
    ours = model.attention(SOURCE, TARGET, sequence_length=lengths)
    np.testing.assert_allclose(ours, looked, rtol=1e-4, atol=1e-6)


@every_method
def test_greedy_decoding_and_inference_are_those_of_the_formulas(method):
    model = made(method)
    ids = np.full([2, 1], 1)
    for _ in range(6):
        ids = np.c_[ids, expected(model, oracle.gru, SOURCE, ids)[0][:, -1].argmax(-1)]

    model.eval()
    assert model(inputs=[SOURCE], sos=1).shape == [2, 20]
    assert model(inputs=[SOURCE], seq_length=6, sos=1).numpy().tolist() == ids[:, 1:].tolist()
    assert model([SOURCE, TARGET], seq_length=6, sos=1).numpy().tolist() == ids[:, 1:].tolist()
    memory, (last,) = model.encode(tf.constant(SOURCE))
    for states in (last, [last]):
        found = model.inference(SOURCE, memory.values, states, 6, 1)
        assert found.numpy().tolist() == ids[:, 1:].tolist()


@pytest.mark.parametrize("cell", [keras.GRUCell, tl.layers.LSTMCell])
def test_the_rows_of_a_beam_look_at_their_own_source(cell):
    model = made("concat", cell, pad_id=0)
    formula = oracle.gru if cell is keras.GRUCell else oracle.lstm

    found = model.translate(SOURCE, 4, start_token=2, end_token=3, search=BeamSearch(5))

    targets = np.concatenate([np.full([2, 5, 1], 2), found.ids[:, :, :-1]], -1)
    for beam in range(5):
        logits, _ = expected(model, formula, SOURCE, targets[:, beam], [4, 2])
        p = np.log(oracle.softmax(logits))
        for row in range(2):
            n = int(found.lengths[row, beam])
            total = sum(p[row, t, found.ids[row, beam, t]] for t in range(n))
            np.testing.assert_allclose(found.log_probabilities[row, beam], total, rtol=1e-4)
    greedy = model.translate(SOURCE, 4, start_token=2, end_token=3, search=GreedySearch())
    assert (found.best.log_probabilities.numpy() > greedy.log_probabilities.numpy() - 1e-5).all()


@every_method
def test_a_source_of_pads_alone_gives_numbers_and_gradients(method):
    model = made(method, pad_id=0)
    with tf.GradientTape() as tape:
        logits = model(inputs=[np.zeros([2, 4], int), TARGET], is_train=True)
    gradients = tape.gradient(logits, model.trainable_weights)

    assert np.isfinite(logits).all()
    assert all(np.isfinite(tf.convert_to_tensor(each)).all() for each in gradients)


@every_method
def test_it_learns_to_turn_sources_around_and_looks_where_it_has_to(method):
    tf.random.set_seed(1)
    rng = np.random.default_rng(1)
    sources = rng.integers(2, 12, [256, 5])
    answers = sources[:, ::-1]
    targets = np.c_[np.full([256, 1], 1), answers[:, :-1]]
    words = tl.layers.Embedding(12, 16)
    model = Seq2seqLuongAttention(32, words, tl.layers.GRUCell, method)
    optimizer = tf.optimizers.Adam(0.01)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            logits = model(inputs=[sources, targets], is_train=True)
            loss = tl.cost.cross_entropy_seq(logits, answers, batch_size=256)
        gradients = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))

    for _ in range(400):
        step()

    found = model(inputs=[sources], seq_length=5, sos=1, is_train=False)
    assert np.mean(found.numpy() == answers) > 0.97


def test_weights_and_whole_models_are_saved(tmp_path):
    model = made("concat", keras.LSTMCell, pad_id=0)
    ids = model([SOURCE], 5, sos=1, is_train=False).numpy().tolist()

    model.save(tmp_path / "whole.h5")
    loaded = tl.models.Model.load(tmp_path / "whole.h5")
    assert isinstance(loaded, Seq2seqLuongAttention)
    assert loaded([SOURCE], 5, sos=1, is_train=False).numpy().tolist() == ids

    words = tl.layers.Embedding(N_WORDS, SIZE, name="words")
    other = Seq2seqLuongAttention(UNITS, words, keras.LSTMCell, "concat", pad_id=0)
    model.save_weights(tmp_path / "w.npz")
    other.load_weights(tmp_path / "w.npz")
    assert other([SOURCE], 5, sos=1, is_train=False).numpy().tolist() == ids


def test_gradients_reach_every_weight():
    model = made("concat", tl.layers.GRUCell)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(inputs=[SOURCE, TARGET], is_train=True) ** 2)

    for gradient in tape.gradient(loss, model.trainable_weights):
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0


def test_errors():
    words = tl.layers.Embedding(N_WORDS, SIZE)
    with pytest.raises(InvalidArgument, match=r"there is no method 'dott'.*'dot'"):
        Seq2seqLuongAttention(UNITS, words, keras.GRUCell, "dott")
    with pytest.raises(InvalidArgument, match="hidden_size"):
        Seq2seqLuongAttention(0, words, keras.GRUCell, "dot")
    with pytest.raises(InvalidArgument, match=r"cell is a class of cells.*3"):
        Seq2seqLuongAttention(UNITS, words, 3, "dot")
    with pytest.raises(InvalidArgument, match="`sos` of Seq2seqLuongAttention"):
        made()(inputs=[SOURCE], is_train=False)


def test_where_it_looks_is_that_of_inference_and_traced_without_a_word(caplog):
    model = made("general", lambda units: tl.layers.GRUCell(units, dropout=0.5))
    model.train()
    looked = model.attention(SOURCE, TARGET)

    with mode(True):
        np.testing.assert_array_equal(model.attention(SOURCE, TARGET), looked)
    traced = tf.function(model.attention)(SOURCE, TARGET)
    np.testing.assert_allclose(traced, looked, rtol=1e-5, atol=1e-6)
    assert "AutoGraph" not in caplog.text


@every_method
def test_the_policy_of_keras_may_be_mixed(method):
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        mixed = made(method, tl.layers.LSTMCell)
        logits = mixed(inputs=[SOURCE, TARGET], is_train=True)
        looked = mixed.attention(SOURCE, TARGET)
        ids = mixed([SOURCE], 4, sos=1, search=BeamSearch(3), is_train=False)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")

    exact = made(method, tl.layers.LSTMCell)
    expected = exact(inputs=[SOURCE, TARGET], is_train=True)
    np.testing.assert_allclose(tf.cast(logits, tf.float32), expected, atol=0.2)
    expected = exact.attention(SOURCE, TARGET)
    np.testing.assert_allclose(tf.cast(looked, tf.float32), expected, atol=0.05)
    assert ids.shape == [2, 4]
