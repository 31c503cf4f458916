from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.initializers import RandomNormal
from tensorlayer.layers import (
    Dense,
    Input,
    Network,
    RotaryEncoding,
    TransformerDecoder,
    TransformerEncoder,
)
from tests.operations import operations

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 8)).astype("float32")
MEMORY = RNG.normal(size=(2, 7, 3)).astype("float32")
WIDE = {"W_init": RandomNormal(stddev=0.4), "b_init": RandomNormal(stddev=0.4)}
PAIRS = RNG.integers(0, 2, (2, 5, 5)).astype(bool) | np.eye(5, dtype=bool)
STEPS = np.array([[1, 1, 1, 1, 0], [0, 1, 1, 1, 1]], bool)
SEEN = np.array([[1, 1, 1, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1, 1]], bool)
BIAS = RNG.normal(size=(2, 5, 5)).astype("float32")
close = {"rtol": 1e-5, "atol": 1e-5}
both = pytest.mark.parametrize("kind", [TransformerEncoder, TransformerDecoder])


def keras_attention(layer, x, memory):
    """Return Keras's layer with the weights of a part of ours."""
    keras = tf.keras.layers.MultiHeadAttention(layer.n_heads, layer.head_units, output_shape=8)
    keras(x, memory)
    keras.set_weights([v.numpy() for v in layer.all_weights])
    return keras


def keras_norm(layer, epsilon=1e-6):
    """Return Keras's normalisation with the weights of a part of ours."""
    keras = tf.keras.layers.LayerNormalization(epsilon=epsilon)
    keras(X)
    beta, gamma = layer.all_weights
    keras.set_weights([gamma.numpy(), beta.numpy()])
    return keras


def perceptron(layer, x):
    w1, b1, w2, b2 = (v.numpy() for v in layer.all_weights)
    return tf.nn.gelu(x @ w1 + b1) @ w2 + b2


def block_of_keras(block, x, memory=None, told=None, seen=None):
    """Compute a block with Keras's layers."""
    attend = keras_attention(block.attention, x, x)
    parts = [(block.attention_norm, lambda q: attend(q, q, **(told or {})))]
    if memory is not None:
        look = keras_attention(block.memory_attention, x, memory)
        parts += [(block.memory_norm, lambda q: look(q, memory, key_mask=seen))]
    parts += [(block.mlp_norm, lambda q: perceptron(block.mlp, q))]
    for norm, part in parts:
        norm = keras_norm(norm)
        x = x + part(norm(x)) if block.is_prenorm else norm(x + part(x))
    return x


def disturbed(block):
    """Give offsets and scales of normalisations other values than 0 and 1."""
    for name, variable in block.parameters.items():
        if name.split("/")[-1] in {"beta", "gamma"}:
            variable.assign(RNG.normal(1, 0.3, variable.shape))
    return block


# -- what they compute


@pytest.mark.parametrize("is_prenorm", [True, False])
@pytest.mark.parametrize("is_causal", [True, False])
def test_an_encoder_agrees_with_layers_of_keras(is_prenorm, is_causal):
    block = TransformerEncoder(2, 8, is_prenorm=is_prenorm, is_causal=is_causal, **WIDE)
    block(X)
    disturbed(block)

    expected = block_of_keras(
        block, X, told={"attention_mask": PAIRS, "use_causal_mask": is_causal,
                        "key_mask": tf.constant(STEPS)}
    )  # fmt: skip

    np.testing.assert_allclose(block(X, mask=PAIRS, key_mask=STEPS), expected, **close)


@pytest.mark.parametrize("is_prenorm", [True, False])
@pytest.mark.parametrize("is_causal", [True, False])
def test_a_decoder_agrees_with_layers_of_keras(is_prenorm, is_causal):
    block = TransformerDecoder(2, 8, is_prenorm=is_prenorm, is_causal=is_causal, **WIDE)
    block(X, MEMORY)
    disturbed(block)
    told = {"attention_mask": PAIRS, "use_causal_mask": is_causal, "key_mask": tf.constant(STEPS)}

    expected = block_of_keras(block, X, MEMORY, told, tf.constant(SEEN))

    out = block(X, MEMORY, mask=PAIRS, key_mask=STEPS, memory_mask=SEEN)
    np.testing.assert_allclose(out, expected, **close)


def test_defaults_are_those_of_the_papers():
    encoder, decoder = TransformerEncoder(Input([None, 9, 512])), TransformerDecoder()

    assert encoder.layer.attention.n_heads == 8
    assert encoder.parameters["transformer_encoder_1/mlp/1/weights"].shape == (512, 2048)
    assert (encoder.layer.keep, encoder.layer.attention.keep) == (0.9, 1.0)
    assert encoder.layer.is_prenorm
    assert not encoder.layer.attention.is_causal
    assert decoder.attention.is_causal
    assert not decoder.memory_attention.is_causal
    assert encoder.layer.attention_norm.epsilon == encoder.layer.mlp_norm.epsilon == 1e-6


@both
def test_arguments_reach_the_parts(kind):
    block = kind(
        4, 8, 5, act="relu", attention_keep=0.7, norm="rms", epsilon=1e-3, n_kv_heads=2,
        rotary=RotaryEncoding(), b_init=None,
    )  # fmt: skip
    block(*([X] if kind is TransformerEncoder else [X, MEMORY]))

    shapes = {name: tuple(v.shape) for name, v in block.parameters.items()}
    assert shapes["mlp/1/weights"] == (8, 5)
    assert shapes["attention/key/weights"] == (8, 2, 2)
    assert not [name for name in shapes if name.endswith(("biases", "beta"))]
    assert block.attention.keep == 0.7
    assert block.attention.rotary is block.arguments["rotary"]
    assert block.mlp_norm.epsilon == 1e-3
    if kind is TransformerDecoder:
        assert block.memory_attention.keep == 0.7
        assert block.memory_attention.rotary is None
        assert shapes["memory_attention/key/weights"] == (3, 2, 2)
        assert shapes["memory_norm/gamma"] == (8,)
    hidden = np.maximum(X @ block.mlp.all_weights[0], 0) @ block.mlp.all_weights[1]
    np.testing.assert_allclose(block.mlp(X), hidden, rtol=1e-4, atol=1e-6)


def test_parameters_are_called_after_their_parts():
    x, memory = Input([None, 5, 8]), Input([None, 7, 3])
    net = TransformerDecoder([x, memory], n_heads=2, n_units=8, name="block")

    parts = list(dict.fromkeys(name.rsplit("/", 1)[0] for name in net.parameters))

    attention = ("query", "key", "value", "out")
    assert parts == [
        *(f"block/attention/{each}" for each in attention), "block/attention_norm",
        "block/mlp/1", "block/mlp/2", "block/mlp_norm",
        *(f"block/memory_attention/{each}" for each in attention), "block/memory_norm",
    ]  # fmt: skip


@both
def test_outputs_of_the_parts_are_dropped_in_training(kind):
    given = [X] if kind is TransformerEncoder else [X, MEMORY]
    block = kind(2, 8, keep=0.5, W_init="zeros", b_init="ones")
    sure = kind(2, 8, keep=1.0, W_init="zeros", b_init="ones")
    n_parts = len(given) + 1

    inferred = block(*given) - X
    trained = np.round((block(*given, is_train=True) - X).numpy(), 4)

    np.testing.assert_allclose(inferred, n_parts, rtol=1e-5)  # every part gives its bias of one
    assert set(np.unique(trained)) == {2.0 * kept for kept in range(n_parts + 1)}
    np.testing.assert_array_equal(sure(*given, is_train=True), sure(*given))


@both
@pytest.mark.parametrize("is_prenorm", [True, False])
def test_gradients_are_finite_whatever_is_masked(kind, is_prenorm):
    given = [X] if kind is TransformerEncoder else [X, MEMORY]
    block = kind(2, 8, is_prenorm=is_prenorm, attention_keep=0.8)
    masks = {"key_mask": np.zeros((2, 5))}
    if kind is TransformerDecoder:
        masks["memory_mask"] = np.zeros((2, 7))

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(block(*given, **masks, is_train=True) ** 2)

    for gradient in tape.gradient(loss, block.trainable_weights):
        assert np.all(np.isfinite(gradient))


# -- masks, as networks and as values


def test_masks_may_be_networks():
    x, memory = Input([None, 5, 8], name="x"), Input([None, 7, 3], name="memory")
    masks = {
        "mask": Input([None, 5, 5], tf.bool, name="mask"),
        "key_mask": Input([None, 5], tf.bool, name="key_mask"),
        "bias": Input([None, 5, 5], name="bias"),
        "memory_mask": Input([None, 7], name="memory_mask"),
    }
    values = {"mask": PAIRS, "key_mask": STEPS, "bias": BIAS, "memory_mask": SEEN.astype("float32")}
    block = TransformerDecoder(2, 8, is_causal=False, name="called", **WIDE)
    called = block(x, memory, **masks)
    stacked = TransformerDecoder(
        [x, memory], n_heads=2, n_units=8, is_causal=False, name="stacked", **masks
    )
    for mine, other in zip(stacked.all_params, called.all_params, strict=True):
        mine.assign(other)

    expected = block(X, MEMORY, **values)

    for net in (called, stacked):
        np.testing.assert_allclose(net({"x": X, "memory": MEMORY, **values}), expected, **close)
    for name in masks:
        others = {key: value for key, value in values.items() if key != name}
        assert not np.allclose(block(X, MEMORY, **others), expected, atol=1e-3), name


@both
def test_masks_may_be_told_once(kind):
    given, values = [X], {"mask": PAIRS, "key_mask": STEPS, "bias": BIAS}
    if kind is TransformerDecoder:
        given, values = [X, MEMORY], {**values, "memory_mask": SEEN}
    told = kind(2, 8, is_causal=False, **values, **WIDE)
    asked = kind(2, 8, is_causal=False, **WIDE)
    asked(*given)
    told(*given)
    for mine, other in zip(told.all_weights, asked.all_weights, strict=True):
        mine.assign(other)

    np.testing.assert_array_equal(told(*given), asked(*given, **values))
    for name, value in values.items():
        changed = {**values, name: np.ones_like(value)}
        np.testing.assert_array_equal(
            told(*given, **{name: changed[name]}), asked(*given, **changed)
        )


# -- step by step


@pytest.mark.parametrize("is_prenorm", [True, False])
@pytest.mark.parametrize("rotary", [None, RotaryEncoding()])
def test_steps_of_an_encoder_are_the_whole(is_prenorm, rotary):
    block = TransformerEncoder(
        4, 8, is_causal=True, is_prenorm=is_prenorm, n_kv_heads=2, rotary=rotary, **WIDE
    )
    cache, outputs = block.start(tf.constant(X)), []
    for t in range(5):
        y, cache = block(X[:, t : t + 1], cache=cache)
        outputs.append(y)

    np.testing.assert_allclose(tf.concat(outputs, 1), block(X), **close)
    assert cache[0].shape == (2, 5, 2, 2)


@pytest.mark.parametrize("is_prenorm", [True, False])
@pytest.mark.parametrize("n_kv_heads", [None, 1])
def test_steps_of_a_decoder_are_the_whole(is_prenorm, n_kv_heads):
    block = TransformerDecoder(4, 8, is_prenorm=is_prenorm, n_kv_heads=n_kv_heads, **WIDE)
    cache, outputs = block.start(tf.constant(MEMORY)), []
    for t in range(5):
        y, cache = block(X[:, t : t + 1], cache=cache, memory_mask=SEEN)
        outputs.append(y)

    expected = block(X, MEMORY, memory_mask=SEEN)
    np.testing.assert_allclose(tf.concat(outputs, 1), expected, **close)
    (keys, _), (memory_keys, _) = cache
    assert (keys.shape[:2], memory_keys.shape[:2]) == ((2, 5), (2, 7))


def test_steps_of_a_decoder_are_a_loop_of_tensorflow():
    blocks = [TransformerDecoder(2, 8, rotary=RotaryEncoding(), **WIDE) for _ in range(2)]
    expected = blocks[1](blocks[0](X, MEMORY), MEMORY)

    @tf.function
    def decode(x, memory):
        caches = [block.start(memory) for block in blocks]
        steps = tf.TensorArray(tf.float32, 5, element_shape=[2, 1, 8])

        def step(t, steps, caches):
            y, after = tf.gather(x, [t], axis=1), []
            for block, cache in zip(blocks, caches, strict=True):
                y, cache = block(y, cache=cache)
                after.append(cache)
            return t + 1, steps.write(t, y), after

        growing, fixed = tf.TensorShape([2, None, 2, 4]), tf.TensorShape([2, 7, 2, 4])
        invariants = [((growing, growing), (fixed, fixed))] * 2
        _, steps, _ = tf.while_loop(
            lambda t, *_: t < 5, step, (0, steps, caches),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape(None), invariants),
        )  # fmt: skip
        return tf.concat(tf.unstack(steps.stack(), 5), 1)

    np.testing.assert_allclose(decode(X, MEMORY), expected, **close)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float64"])
def test_a_cache_has_the_type_that_the_block_computes_with(dtype):
    block = TransformerDecoder(2, 8, dtype=dtype)
    computed = "bfloat16" if dtype.startswith("mixed") else dtype

    cache = block.start(tf.constant(MEMORY))
    out, after = block(X[:, :1], cache=cache)

    assert out.dtype == computed
    assert {each.dtype for each in tf.nest.flatten((cache, after))} == {tf.as_dtype(computed)}


def test_a_network_of_a_step_gives_its_cache():
    x = Input([None, 1, 8], name="x")
    keys, values = (Input([None, None, 2, 4], name=name) for name in ("keys", "values"))
    block = TransformerEncoder(2, 8, is_causal=True, name="block", **WIDE)

    net, after = block(x, cache=(keys, values))

    assert isinstance(net, Network)
    assert net.outputs.shape.as_list() == [None, 1, 8]
    start = block.start(tf.constant(X))
    given = {"x": X[:, :1], "keys": start[0], "values": start[1]}
    np.testing.assert_allclose(net(given), block(X[:, :1]), **close)
    assert after[0](given).shape == (2, 1, 2, 4)


# -- learning


def test_a_decoder_learns_to_copy_its_memory():
    tf.random.set_seed(0)
    numbers = RNG.integers(0, 5, (64, 6))
    memory, before = (tf.one_hot(each, 8) for each in (numbers, np.roll(numbers, 1, 1)))
    places = tf.one_hot([range(6)], 8) / 2
    block = TransformerDecoder(2, 8, 16, keep=1.0, W_init=RandomNormal(stddev=0.3))
    logits = Dense(5, in_channels=8)
    block(before + places, memory + places)
    variables = [*block.trainable_weights, *logits.trainable_weights]
    optimizer = tf.keras.optimizers.Adam(0.02)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            z = logits(block(before + places, memory + places, is_train=True))
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(numbers, z)
            loss = tf.reduce_mean(losses)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    losses = [float(step()) for _ in range(150)]

    assert losses[0] > 1.3
    assert losses[-1] < 0.3


# -- errors


@both
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_heads": 3, "n_units": 8}, "n_units is a multiple of n_heads, got 8 and 3"),
        ({"n_units": 0}, "n_units must be a positive integer, got 0"),
        ({"n_hidden": 0}, "n_hidden must be a positive integer, got 0"),
        ({"keep": 0}, r"keep is the probability of keeping an output, in \(0, 1\]; got 0"),
        ({"keep": 1.2}, r"keep is the probability of keeping an output, in \(0, 1\]; got 1.2"),
        ({"attention_keep": -1}, "keep is the probability of keeping a weight"),
        ({"norm": "batch"}, "norm is 'layer' or 'rms', got 'batch'"),
    ],
)
def test_arguments_are_checked_at_once(kind, arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        kind(**arguments)


@both
def test_the_input_has_the_channels_of_the_outputs(kind):
    memory = [] if kind is TransformerEncoder else [tf.ones([2, 3, 4])]
    message = r"its input has n_units=8 channels, got 6\. Put a Dense\(8, in_channels=\.\.\.\)"
    with pytest.raises(WrongShape, match=message):
        kind(2, 8)(X[..., :6], *memory)
    with pytest.raises(WrongShape, match=r"rank 3, .* A sequence is \(batch, steps, channels\)"):
        kind(2, 8)(X[0], *memory)


def test_a_decoder_has_a_memory_or_a_cache():
    block = TransformerDecoder(2, 8, name="block")
    cache, message = block.start(tf.constant(MEMORY)), r"name='block'\): it takes inputs and a mem"

    for args, options in (([X], {}), ([X, MEMORY], {"cache": cache}), ([[X, MEMORY, X]], {})):
        with pytest.raises(InvalidArgument, match=message):
            block(*args, **options)


# -- cost


def test_traced_an_encoder_is_its_formula():
    block = TransformerEncoder(2, 8, is_causal=True, keep=0.8, **WIDE)
    block(X)
    attention = [tf.Variable(v) for v in block.attention.all_weights]
    beta1, gamma1 = (tf.Variable(v) for v in block.attention_norm.all_weights)
    w1, b1, w2, b2 = (tf.Variable(v) for v in block.mlp.all_weights)
    beta2, gamma2 = (tf.Variable(v) for v in block.mlp_norm.all_weights)

    def norm(x, beta, gamma):
        mean, variance = tf.nn.moments(x, [2], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-6)

    def twin(x):
        wq, bq, wk, bk, wv, bv, wo, bo = attention
        y = norm(x, beta1, gamma1)
        k = tf.einsum("btc,chd->bthd", y, wk) + bk
        v = tf.einsum("btc,chd->bthd", y, wv) + bv
        q = (tf.einsum("btc,chd->bthd", y, wq) + bq) * 0.5
        scores = tf.einsum("bthd,bshd->bhts", q, k)
        may_look = tf.linalg.band_part(tf.ones(tf.shape(scores)[-2:], tf.bool), -1, 0)
        weights = tf.nn.softmax(tf.where(may_look, scores, scores.dtype.min))
        y = tf.einsum("bhts,bshd->bthd", weights, v)
        x += tf.nn.dropout(tf.einsum("bthd,hdc->btc", y, wo) + bo, rate=0.2)
        y = tf.nn.gelu(tf.nn.bias_add(tf.matmul(norm(x, beta2, gamma2), w1), b1))
        return x + tf.nn.dropout(tf.nn.bias_add(tf.matmul(y, w2), b2), rate=0.2)

    spec = tf.TensorSpec([None, None, 8])
    ours = tf.function(lambda x: block(x, is_train=True))
    assert operations(ours, spec) == operations(tf.function(twin), spec)
