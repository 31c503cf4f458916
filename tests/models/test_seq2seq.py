"""Seq2seq against NumPy, as scripts of 2.x call it, and in the rest of the library."""

from __future__ import annotations

import copy
import itertools
import threading

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.models import BeamSearch, SampledSearch, Seq2seq
from tests.models import cells_of_numpy as oracle

N_WORDS, SIZE, UNITS = 7, 5, 6
SOURCE = np.array([[1, 2, 3, 4], [5, 6, 0, 0]])
TARGET = np.array([[1, 3, 3], [1, 4, 5]])
keras = tf.keras.layers
every_cell = pytest.mark.parametrize(
    ("cell", "formula"),
    [
        (keras.GRUCell, oracle.gru), (keras.LSTMCell, oracle.lstm),
        (tl.layers.GRUCell, oracle.gru), (tl.layers.LSTMCell, oracle.lstm),
        (lambda units: tl.layers.GRUCell(units), oracle.gru),
    ],
)  # fmt: skip


def made(cell=keras.GRUCell, n_layer=2, steps=3, **options):
    """Return a model whose weights are large enough for answers to differ."""
    words = tl.layers.Embedding(N_WORDS, SIZE, name="words")
    model = Seq2seq(steps, cell, cell, UNITS, n_layer, words, **options)
    rng = np.random.default_rng(0)
    for weight in model.all_weights:
        weight.assign(rng.normal(size=weight.shape, scale=0.7))
    return model


def weights_of(model):
    return {name: variable.numpy() for name, variable in model.parameters.items()}


def expected_logits(model, formula, source, target, lengths=None, n_layer=2):
    """Return the logits that the formulas give."""
    w = weights_of(model)
    embeddings = next(value for name, value in w.items() if name.endswith("embeddings"))

    def cell(part, layer):
        return [w[f"{part}/{layer}/{each}"] for each in ("kernel", "recurrent_kernel", "bias")]

    values, states = embeddings[source], []
    for layer in range(n_layer):
        values, state = oracle.over(formula, cell("enc_layers", layer), values, None, lengths)
        states.append(state)
    values = embeddings[target]
    for layer in range(n_layer):
        values, _ = oracle.over(formula, cell("dec_layers", layer), values, states[layer])
    return values @ w["dense_layer/weights"] + w["dense_layer/biases"]


def best_by_enumeration(model, formula, row, n_steps, start, **options):
    """Return the likeliest of all sequences, and its log-probability."""
    every = np.array(list(itertools.product(range(N_WORDS), repeat=n_steps)))
    targets = np.concatenate([np.full([len(every), 1], start), every[:, :-1]], 1)
    sources = np.repeat(SOURCE[row : row + 1], len(every), 0)
    p = np.log(oracle.softmax(expected_logits(model, formula, sources, targets, **options)))
    totals = np.take_along_axis(p, every[..., None], -1)[..., 0].sum(-1)
    return every[totals.argmax()], totals.max()


@every_cell
def test_the_whole_forward_is_that_of_the_formulas(cell, formula):
    model = made(cell)
    expected = expected_logits(model, formula, SOURCE, TARGET)

    trained = model(inputs=[SOURCE, TARGET], is_train=True)
    np.testing.assert_allclose(trained, expected, rtol=1e-4, atol=1e-5)
    validated = model(inputs=[SOURCE, TARGET], is_train=False)
    np.testing.assert_allclose(validated, expected, rtol=1e-4, atol=1e-5)


@every_cell
def test_greedy_decoding_is_that_of_the_formulas(cell, formula):
    model = made(cell)
    ids = np.full([2, 1], 1)
    for _ in range(6):
        ids = np.c_[ids, expected_logits(model, formula, SOURCE, ids)[:, -1].argmax(-1)]

    found = model(inputs=[SOURCE], seq_length=6, start_token=1, is_train=False)

    assert found.numpy().tolist() == ids[:, 1:].tolist()


@pytest.mark.parametrize("cell", [keras.GRUCell, tl.layers.LSTMCell])
def test_a_wide_beam_finds_the_likeliest_of_all_sequences(cell):
    formula = oracle.gru if cell is keras.GRUCell else oracle.lstm
    model = made(cell)

    found = model.translate(SOURCE, 3, start_token=2, search=BeamSearch(N_WORDS**3)).best

    for row in range(2):
        ids, total = best_by_enumeration(model, formula, row, 3, 2)
        assert found.ids[row].numpy().tolist() == ids.tolist()
        np.testing.assert_allclose(found.log_probabilities[row], total, rtol=1e-4)


def test_pads_and_lengths_of_sources():
    lengths = [4, 2]
    expected = expected_logits(made(), oracle.gru, SOURCE, TARGET, lengths)

    given = made()(inputs=[SOURCE, TARGET], sequence_length=lengths, is_train=True)
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-5)
    padded = made(pad_id=0)
    counted = padded(inputs=[SOURCE, TARGET], is_train=True)
    np.testing.assert_allclose(counted, expected, rtol=1e-4, atol=1e-5)
    inner = padded.lengths_of(tf.constant([[0, 3, 0, 4, 0], [0, 0, 0, 0, 0]]), None)
    assert inner.numpy().tolist() == [4, 0]
    alone = padded(inputs=[SOURCE[1:, :2]], seq_length=5, start_token=1, is_train=False)
    both = padded(inputs=[SOURCE], seq_length=5, start_token=1, is_train=False)
    assert both[1].numpy().tolist() == alone[0].numpy().tolist()


def test_scripts_of_2x_run():
    """The loop of the chatbot of 2.x, on a task that can be learnt: the source again."""
    tf.random.set_seed(0)
    rng = np.random.default_rng(0)
    sources = rng.integers(2, 10, [64, 3])
    starts = np.full([64, 1], 1)
    words = tl.layers.Embedding(vocabulary_size=10, embedding_size=16, name="words")
    model_ = Seq2seq(
        decoder_seq_length=3, cell_enc=keras.GRUCell, cell_dec=keras.GRUCell, n_layer=1,
        n_units=48, embedding_layer=words,
    )  # fmt: skip
    optimizer = tf.optimizers.Adam(0.02)
    targets = np.concatenate([starts, sources[:, :-1]], 1)

    model_.train()
    for _ in range(120):
        with tf.GradientTape() as tape:
            output = model_(inputs=[sources, targets])
            output = tf.reshape(output, [-1, 10])
            loss = tl.cost.cross_entropy_seq(logits=output, target_seqs=sources)
        grad = tape.gradient(loss, model_.all_weights)
        optimizer.apply_gradients(zip(grad, model_.all_weights, strict=True))

    model_.eval()
    prediction = model_(inputs=[sources], seq_length=3, start_token=1, top_n=1)
    assert np.mean(prediction.numpy() == sources) > 0.97


def test_top_n_searches_and_states_of_a_call():
    model = made()
    model.eval()

    ids, states = model([SOURCE], seq_length=4, start_token=1, return_state=True)
    again, same = model.inference([SOURCE], 4, 1, None)
    assert model([SOURCE], start_token=1).shape == [2, 20]
    assert model.translate(SOURCE, start_token=1).ids.shape == [2, 20]
    assert ids.numpy().tolist() == again.numpy().tolist()
    assert [[each.shape for each in state] for state in states] == [[(2, UNITS)]] * 2
    tf.nest.map_structure(np.testing.assert_allclose, states, same)

    drawn = model([SOURCE], 30, start_token=1, search=SampledSearch(2, seed=1))
    assert drawn.numpy().tolist() != model([SOURCE], 30, start_token=1).numpy().tolist()
    for t in range(30):  # each is one of the two likeliest after those before it
        before = np.c_[np.full([2, 1], 1), drawn[:, :t]]
        likeliest = expected_logits(model, oracle.gru, SOURCE, before)[:, -1].argsort(-1)[:, -2:]
        assert all(drawn[row, t] in likeliest[row] for row in range(2))
    tf.random.set_seed(3)
    first = model([SOURCE], 30, start_token=1, top_n=3)
    tf.random.set_seed(3)
    assert first.numpy().tolist() == model([SOURCE], 30, start_token=1, top_n=3).numpy().tolist()


def test_an_end_token_ends():
    model = made()
    free = model([SOURCE], 8, start_token=1, is_train=False).numpy()
    end = int(free[0, 1])

    found = model.translate(SOURCE, 8, start_token=1, end_token=end)

    for row, length in enumerate(found.lengths.numpy()):
        first = [*free[row], end].index(end) + 1
        assert length == min(first, 8)
        assert found.ids[row, :length].numpy().tolist() == free[row, :length].tolist()
        assert (found.ids[row, length:].numpy() == end).all()


@pytest.mark.parametrize("kind", ["embedding", "network", "model"])
def test_what_embeds_may_be_a_layer_a_network_or_a_model(kind):
    x = tl.layers.Input([None, None], dtype="int64", name="ids")
    net = tl.layers.Embedding(N_WORDS, SIZE, name="words")(x)
    embedding = {
        "embedding": tl.layers.Embedding(N_WORDS, 2 * SIZE),
        "network": tl.layers.Dense(net, 2 * SIZE, in_channels=SIZE, name="wider"),
        "model": tl.models.Model(x, tl.layers.Dense(net, 2 * SIZE, in_channels=SIZE, name="wider")),
    }[kind]
    model = Seq2seq(3, keras.GRUCell, keras.GRUCell, UNITS, 1, embedding)

    assert (model.vocabulary_size, model.embedding_size) == (N_WORDS, 2 * SIZE)
    assert model(inputs=[SOURCE, TARGET], is_train=True).shape == [2, 3, N_WORDS]
    found = model(inputs=[SOURCE], seq_length=5, start_token=1, is_train=False)
    assert found.shape == [2, 5]
    assert len(model.trainable_weights) == 8 + (1 if kind == "embedding" else 3)


@pytest.mark.parametrize("suffix", ["npz", "h5", "safetensors"])
def test_weights_are_saved_and_loaded(suffix, tmp_path):
    model, other = made(), Seq2seq(
        3, keras.GRUCell, keras.GRUCell, UNITS, 2, tl.layers.Embedding(N_WORDS, SIZE, name="words")
    )  # fmt: skip
    model.save_weights(tmp_path / f"w.{suffix}")
    other.load_weights(tmp_path / f"w.{suffix}")

    np.testing.assert_array_equal(
        model(inputs=[SOURCE, TARGET], is_train=False),
        other(inputs=[SOURCE, TARGET], is_train=False),
    )


@pytest.mark.parametrize("cell", [keras.LSTMCell, tl.layers.GRUCell])
def test_whole_models_are_saved_copied_and_exported(cell, tmp_path):
    model = made(cell, pad_id=0)
    expected = model([SOURCE], 5, start_token=1, is_train=False).numpy()

    model.save(tmp_path / "whole.h5")
    loaded = tl.models.Model.load(tmp_path / "whole.h5")
    assert isinstance(loaded, Seq2seq)
    for each in (loaded, copy.deepcopy(model)):
        found = each([SOURCE], 5, start_token=1, is_train=False)
        assert found.numpy().tolist() == expected.tolist()

    x = tl.layers.Input([None, None], dtype="int32", name="source")
    net = model.as_layer()(x, seq_length=5, start_token=1)
    tl.models.Model(x, net).export(tmp_path / "exported")
    serve = tf.saved_model.load(tmp_path / "exported").signatures["serving_default"]
    (ids,) = serve(source=tf.constant(SOURCE, tf.int32)).values()
    assert ids.numpy().tolist() == expected.tolist()


def test_models_are_made_in_fresh_processes_from_their_configs():
    model = made(keras.LSTMCell)
    again = tl.models.Model.from_config(model.config)

    assert again.config["arguments"] == model.config["arguments"]
    assert list(again.parameters) == list(model.parameters)


def test_in_a_function_it_is_one_trace_for_all_shapes_and_nothing_is_reported(caplog):
    model, n_traces = made(keras.LSTMCell, steps=None), []

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int64)] * 2)
    def both(source, target):
        n_traces.append(1)
        logits = model(inputs=[source, target], is_train=True)
        return logits, model(inputs=[source], seq_length=6, start_token=1, is_train=False)

    for source, target in ((SOURCE, TARGET), (SOURCE[:1, :2], TARGET[:1])):
        logits, ids = both(source, target)
        expected = expected_logits(model, oracle.lstm, source, target)
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
        eager = model(inputs=[source], seq_length=6, start_token=1, is_train=False)
        assert ids.numpy().tolist() == eager.numpy().tolist()
    assert len(n_traces) == 1
    assert "AutoGraph" not in caplog.text


def test_cells_in_models_of_ones_own_are_converted_without_a_word(caplog):
    class Mine(tl.models.Model):
        def __init__(self):
            super().__init__()
            self.rnn = tl.layers.LSTMRNN(3, in_channels=2, return_last_state=False)

        def forward(self, x):
            return self.rnn(x) + self.rnn.cell(x[:, 0], self.rnn.cell.initial_state(1))[0]

    model = Mine()
    tf.function(lambda x: model(x, is_train=True))(tf.ones([1, 4, 2]))

    assert "AutoGraph" not in caplog.text


def test_decoding_again_is_not_traced_again():
    model = made()
    decode = model._translated_at_once
    for n, batch in itertools.product((3, 9), (1, 2)):
        for search in (BeamSearch(2), None):
            model.translate(SOURCE[:batch], n, start_token=1, end_token=0, search=search)
    n_traces = decode.experimental_get_tracing_count()
    for n in (4, 5):
        model.translate(SOURCE[:1], n, start_token=2, end_token=3, search=BeamSearch(2))

    assert decode.experimental_get_tracing_count() == n_traces <= 4


def test_gradients_reach_every_weight():
    model = made(n_layer=3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(inputs=[SOURCE, TARGET], is_train=True) ** 2)

    for gradient in tape.gradient(loss, model.trainable_weights):
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0


def test_errors_of_the_constructor():
    words, gru = tl.layers.Embedding(N_WORDS, SIZE), keras.GRUCell
    with pytest.raises(InvalidArgument, match=r"embedding_layer is a tl.layers.Embedding.*None"):
        Seq2seq(3, gru, gru)
    with pytest.raises(InvalidArgument, match="has no layer with a vocabulary_size"):
        Seq2seq(3, gru, gru, embedding_layer=tl.layers.Dense(3))
    with pytest.raises(InvalidArgument, match="both cells need states of one kind"):
        Seq2seq(3, keras.LSTMCell, gru, 4, 1, words)
    with pytest.raises(InvalidArgument, match=r"cell_enc is a class of cells.*'gru'"):
        Seq2seq(3, "gru", gru, 4, 1, words)
    with pytest.raises(InvalidArgument, match="n_layer"):
        Seq2seq(3, gru, gru, 4, 0, words)


def test_errors_of_a_call():
    model = made()
    with pytest.raises(InvalidArgument, match="decoding needs the id that targets begin with"):
        model(inputs=[SOURCE], is_train=False)
    with pytest.raises(InvalidArgument, match=r"in training it takes inputs=\[source, target\]"):
        model(inputs=[SOURCE], is_train=True)
    with pytest.raises(InvalidArgument, match=r"the source has ids from 1 to 7, .* from 0 to 6"):
        model(inputs=[SOURCE + 1, TARGET], is_train=True)
    with pytest.raises(InvalidArgument, match="the target has ids from -1 to 3"):
        model(inputs=[SOURCE, TARGET - 2], is_train=True)
    with pytest.raises(InvalidArgument, match="the start token has ids from 9 to 9"):
        model(inputs=[SOURCE], start_token=9, is_train=False)
    with pytest.raises(InvalidArgument, match="the end token has ids from 8 to 8"):
        model(inputs=[SOURCE], start_token=1, end_token=8, is_train=False)
    with pytest.raises(WrongShape, match=r"the source is \(batch, steps\), got shape \(4,\)"):
        model(inputs=[SOURCE[0]], start_token=1, is_train=False)
    with pytest.raises(WrongShape, match="decoder_seq_length=3 steps, got 2"):
        model(inputs=[SOURCE, TARGET[:, :2]], is_train=True)
    with pytest.raises(InvalidArgument, match="which are integers, got float32"):
        model(inputs=[SOURCE * 1.0, TARGET], is_train=True)
    with pytest.raises(InvalidArgument, match=r"inputs are \[source, target\].*got 3"):
        model(inputs=[SOURCE, TARGET, TARGET], is_train=True)
    with pytest.raises(InvalidArgument, match="seq_length must be a positive integer, got 0"):
        model(inputs=[SOURCE], seq_length=0, start_token=1, is_train=False)
    with pytest.raises(InvalidArgument, match="top_n=2 is short for"):
        model([SOURCE], start_token=1, top_n=2, search=BeamSearch(2), is_train=False)
    with pytest.raises(InvalidArgument, match="sequence_length is between 0 and"):
        model([SOURCE], start_token=1, sequence_length=[5, 1], is_train=False)


@pytest.mark.parametrize("part", ["scores", "step"])
def test_states_are_as_many_as_layers(part):
    model = made()
    memory, states = model.encode(tf.constant(SOURCE))
    ids = tf.constant(TARGET[:, 0] if part == "step" else TARGET, tf.int32)
    options = {"memory": memory, "state": states[:1]}

    with pytest.raises(ValueError, match="shorter"):
        getattr(model, part)(ids, **options)


def test_random_numbers_of_cells_are_no_weights():
    model = made(lambda units: keras.GRUCell(units, dropout=0.2), n_layer=1)

    assert len(model.all_weights) == len(model.trainable_weights) == 9
    assert not [name for name in model.parameters if "seed" in name]


def test_many_threads_decode_at_once_from_the_first_call_on():
    model, found = made(), []
    expected = made()([SOURCE], 6, start_token=1, is_train=False).numpy().tolist()

    def decode():
        found.append(model([SOURCE], 6, start_token=1, is_train=False).numpy().tolist())

    threads = [threading.Thread(target=decode) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [expected] * 8


@pytest.mark.parametrize("cell", [keras.GRUCell, tl.layers.LSTMCell])
def test_mixed_precision_keeps_weights_and_decodes(cell):
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        mixed = made(cell)
        logits = mixed(inputs=[SOURCE, TARGET], is_train=True)
        found = mixed.translate(SOURCE, 4, 1, end_token=0, search=BeamSearch(3))
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")

    expected = made(cell)(inputs=[SOURCE, TARGET], is_train=True)
    np.testing.assert_allclose(tf.cast(logits, tf.float32), expected, atol=0.2)
    assert {weight.dtype for weight in mixed.all_weights} == {tf.float32}
    assert found.log_probabilities.dtype == tf.float32


def test_two_models_share_an_embedding_and_are_trained_together():
    words = tl.layers.Embedding(N_WORDS, SIZE, name="words")
    models = [Seq2seq(3, c, c, UNITS, 1, words) for c in (keras.GRUCell, tl.layers.GRUCell)]
    before = words.all_weights[0].numpy()
    with tf.GradientTape() as tape:
        loss = sum(tf.reduce_sum(m([SOURCE, TARGET], is_train=True) ** 2) for m in models)
    weights = list({id(w): w for m in models for w in m.trainable_weights}.values())
    gradients = tape.gradient(loss, weights)
    tl.optimizers.Adam(0.1).apply_gradients(zip(gradients, weights, strict=True))

    assert len(weights) == 2 * 8 + 1
    moved = np.abs(words.all_weights[0].numpy() - before).max(1)
    used = np.isin(np.arange(N_WORDS), [*SOURCE.ravel(), *TARGET.ravel()])
    assert ((moved > 0.05) == used).all()


def test_a_target_of_one_step_and_a_long_decoding():
    model = made(steps=None)

    one = model(inputs=[SOURCE, TARGET[:, :1]], is_train=True)
    np.testing.assert_allclose(
        one, expected_logits(model, oracle.gru, SOURCE, TARGET[:, :1]), rtol=1e-4, atol=1e-5
    )
    ids = model(inputs=[SOURCE], seq_length=3000, start_token=1, is_train=False)
    assert ids.shape == [2, 3000]
    with pytest.raises(WrongShape, match=r"the input has no steps, shape \(2, 0, 5\)"):
        model(inputs=[SOURCE, TARGET[:, :0]], is_train=True)


def test_a_source_without_steps_is_an_error_in_a_graph_too():
    model = made(pad_id=0)
    run = tf.function(
        lambda source: model([source], 3, start_token=1, is_train=False),
        input_signature=[tf.TensorSpec([None, None], tf.int32)],
    )

    assert run(SOURCE).shape == [2, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="the input has no steps"):
        run(np.zeros([2, 0], np.int32))
