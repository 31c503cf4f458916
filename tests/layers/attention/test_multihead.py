from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.initializers import RandomNormal
from tensorlayer.layers import Input, MultiheadAttention, RotaryEncoding, variable_scope
from tensorlayer.models import Model
from tests.operations import operations

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 6)).astype("float32")
MEMORY = RNG.normal(size=(2, 7, 3)).astype("float32")
OTHER = RNG.normal(size=(2, 7, 4)).astype("float32")
WIDE = {"W_init": RandomNormal(stddev=0.5), "b_init": RandomNormal(stddev=0.5)}
PAIRS = RNG.integers(0, 2, (2, 5, 7)).astype(bool) | np.eye(5, 7, dtype=bool)
KEYS = np.array([[1, 1, 1, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1, 1]], bool)
close = {"rtol": 1e-4, "atol": 1e-5}


def keras_of(layer, queries, keys, values, **arguments):
    """Return Keras's layer with the same weights."""
    keras = tf.keras.layers.MultiHeadAttention(
        layer.n_heads, layer.head_units, output_shape=layer.all_weights[-1].shape, **arguments
    )
    keras(queries, values, keys)
    keras.set_weights([v.numpy() for v in layer.all_weights])
    return keras


def attend(q, k, v, may_look=True, added=0.0):
    """Return the means of values by loops over samples, heads and queries."""
    out = np.zeros((*q.shape[:3], v.shape[-1]))
    share = q.shape[2] // k.shape[2]
    shape = (q.shape[0], q.shape[2], q.shape[1], k.shape[1])
    may_look, added = np.broadcast_to(may_look, shape), np.broadcast_to(added, shape)
    for b, h, t in np.ndindex(shape[:3]):
        scores = k[b, :, h // share] @ q[b, t, h] / np.sqrt(q.shape[-1]) + added[b, h, t]
        weights = np.exp(scores - scores.max()) * may_look[b, h, t]
        out[b, t, h] = weights / weights.sum() @ v[b, :, h // share]
    return out


def by_hand(layer, queries, keys, values, **masks):
    p = {name: v.numpy() for name, v in layer.parameters.items()}
    heads = [
        np.einsum("btc,chd->bthd", x, p[f"{name}/weights"]) + p[f"{name}/biases"]
        for name, x in (("query", queries), ("key", keys), ("value", values))
    ]
    means = attend(*heads, **masks)
    return np.einsum("bthd,hdc->btc", means, p["out/weights"]) + p["out/biases"]


# -- what it computes


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("head_units", [None, 3])
def test_it_agrees_with_keras(masked, head_units):
    layer = MultiheadAttention(2, 8, head_units=head_units, **WIDE)
    outputs, weights = layer(X, MEMORY, OTHER, mask=PAIRS if masked else None, with_weights=True)
    keras = keras_of(layer, X, MEMORY, OTHER)

    expected, scores = keras(
        X, OTHER, MEMORY, attention_mask=PAIRS if masked else None, return_attention_scores=True
    )

    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(weights, scores, rtol=1e-5, atol=1e-5)


def test_attention_to_itself_agrees_with_keras():
    layer = MultiheadAttention(2, 6, is_causal=True, **WIDE)
    outputs = layer(X)
    keras = keras_of(layer, X, X, X)

    np.testing.assert_allclose(outputs, keras(X, X, use_causal_mask=True), rtol=1e-5, atol=1e-5)


def test_masks_of_keys_agree_with_keras():
    layer = MultiheadAttention(2, 6, **WIDE)
    outputs = layer(X, MEMORY, key_mask=KEYS, mask=PAIRS)
    keras = keras_of(layer, X, MEMORY, MEMORY)

    expected = keras(X, MEMORY, key_mask=tf.constant(KEYS), attention_mask=PAIRS)

    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


def test_without_biases_it_agrees_with_keras():
    layer = MultiheadAttention(2, 6, W_init=WIDE["W_init"], b_init=None, name="att")
    outputs = layer(X, MEMORY)
    keras = tf.keras.layers.MultiHeadAttention(2, 3, output_shape=6, use_bias=False)
    keras(X, MEMORY)
    keras.set_weights([v.numpy() for v in layer.all_weights])

    assert [name.split("/")[-1] for name in layer.parameters] == ["weights"] * 4
    np.testing.assert_allclose(outputs, keras(X, MEMORY), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n_kv_heads", [1, 2, 4])
@pytest.mark.parametrize("masked", [False, True])
def test_heads_of_keys_may_be_shared(n_kv_heads, masked):
    layer = MultiheadAttention(4, 8, n_kv_heads, **WIDE)
    may_look = PAIRS[:, None] & KEYS[:, None, None] if masked else True
    given = {"mask": PAIRS, "key_mask": KEYS} if masked else {}

    outputs = layer(X, MEMORY, OTHER, **given)

    assert layer.parameters["key/weights"].shape == (3, n_kv_heads, 2)
    expected = by_hand(layer, X, MEMORY, OTHER, may_look=may_look)
    np.testing.assert_allclose(outputs, expected, **close)


@pytest.mark.parametrize("shape", [(5, 7), (2, 5, 7), (2, 4, 5, 7)])
@pytest.mark.parametrize("n_kv_heads", [2, 4])
def test_numbers_are_added_to_the_scores(shape, n_kv_heads):
    layer = MultiheadAttention(4, 8, n_kv_heads, **WIDE)
    added = RNG.normal(scale=2, size=shape).astype("float32")
    added[..., 0, 1] = -np.inf

    outputs = layer(X, MEMORY, bias=added)
    told = MultiheadAttention(4, 8, n_kv_heads, bias=added, **WIDE)
    told(X, MEMORY)
    for mine, other in zip(told.all_weights, layer.all_weights, strict=True):
        mine.assign(other)

    seen = added[:, None] if added.ndim == 3 else added
    np.testing.assert_allclose(outputs, by_hand(layer, X, MEMORY, MEMORY, added=seen), **close)
    np.testing.assert_array_equal(told(X, MEMORY), outputs)
    np.testing.assert_allclose(
        told(X, MEMORY, bias=0 * PAIRS), by_hand(layer, X, MEMORY, MEMORY), **close
    )


def test_a_query_without_keys_gets_the_mean_of_all_values():
    layer = MultiheadAttention(2, 6, **WIDE)
    blind = PAIRS.copy()
    blind[1, 2] = False

    outputs = layer(X, MEMORY, mask=blind)

    p = [v.numpy() for v in layer.all_weights]
    values = np.einsum("btc,chd->bthd", MEMORY, p[4]) + p[5]
    expected = np.einsum("hd,hdc->c", values[1].mean(0), p[6]) + p[7]
    np.testing.assert_allclose(outputs[1, 2], expected, **close)


def test_a_causal_position_sees_nothing_behind_it():
    layer = MultiheadAttention(2, 6, is_causal=True, **WIDE)
    changed = X.copy()
    changed[:, 3:] += 1

    one, other = layer(X).numpy(), layer(changed).numpy()

    np.testing.assert_array_equal(one[:, :3], other[:, :3])
    assert not np.allclose(one[:, 3:], other[:, 3:], atol=0.01)


def test_turned_queries_and_keys_see_distances_alone():
    layer = MultiheadAttention(2, 8, rotary=RotaryEncoding(), **WIDE)
    plain = MultiheadAttention(2, 8, **WIDE)
    _, weights = layer(np.repeat(X[:, :1], 6, 1), with_weights=True)
    q = k = np.repeat(X[:, :1], 6, 1)
    plain(q)
    for mine, other in zip(plain.all_weights, layer.all_weights, strict=True):
        mine.assign(other)

    heads = [part(q).numpy() for part in (plain.query, plain.key)]
    q, k = (layer.rotary(part).numpy() for part in heads)
    scores = np.einsum("bthd,bshd->bhts", q, k) / 2
    weights_by_hand = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)

    np.testing.assert_allclose(weights, weights_by_hand, **close)
    ratio = np.log(weights[..., 2, 1:] / weights[..., 2, :-1])
    later = np.log(weights[..., 3, 2:] / weights[..., 3, 1:-1])
    np.testing.assert_allclose(ratio[..., :-1], later, rtol=1e-3, atol=1e-4)
    assert not np.allclose(plain(X), layer(X), atol=1e-3)


def test_weights_are_dropped_in_training_alone():
    layer = MultiheadAttention(1, 1, keep=0.5, W_init="ones", b_init=None)
    x = tf.zeros([200, 10, 1])
    ones = tf.ones([200, 10, 1])

    _, inferred = layer(x, x, ones, with_weights=True)
    trained, shown = layer(x, x, ones, with_weights=True, is_train=True)

    np.testing.assert_allclose(inferred, 0.1, rtol=1e-6)
    np.testing.assert_allclose(shown, 0.1, rtol=1e-6)
    np.testing.assert_allclose(layer(x, x, ones), 1, rtol=1e-6)
    steps = trained.numpy() * 5  # how many of 10 are kept, each counting twice
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    assert abs(steps.mean() - 5) < 0.2
    assert 1 < steps.std() < 2


def test_gradients_are_finite_whatever_is_masked():
    layer = MultiheadAttention(2, 6, is_causal=True, keep=0.9, **WIDE)
    nobody = np.zeros((2, 5), bool)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(X, key_mask=nobody, is_train=True) ** 2)

    for gradient in tape.gradient(loss, layer.trainable_weights):
        assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_masks_fit_every_type(dtype):
    layer = MultiheadAttention(2, 6)
    x = tf.cast(X, dtype)
    far = np.triu(np.full((5, 5), -1e9, "float32"), 1)

    out = layer(x, bias=far)

    assert out.dtype == dtype
    for truth in (np.tri(5), np.tri(5, dtype=bool), np.tri(5, dtype="int32")):
        expected = tf.cast(layer(x, mask=truth), "float32")
        np.testing.assert_allclose(tf.cast(out, "float32"), expected, atol=1e-2)


# -- spellings and masks as networks


def test_a_list_is_queries_keys_and_values():
    layer = MultiheadAttention(2, 6, **WIDE)

    np.testing.assert_array_equal(layer([X]), layer(X))
    np.testing.assert_array_equal(layer([X, X + 1]), layer(X, X + 1))
    np.testing.assert_array_equal(layer([X, X + 1, 2 * X]), layer(X, X + 1, 2 * X))
    np.testing.assert_array_equal(layer([X, X + 1], values=2 * X), layer(X, X + 1, 2 * X))
    np.testing.assert_array_equal(layer(X, values=2 * X), layer(X, X, 2 * X))


@pytest.mark.parametrize("dtype", ["bool", "float32"])
def test_a_mask_may_be_a_network(dtype):
    x, m = Input([None, 5, 6], name="x"), Input([None, 7, 3], name="m")
    keys, pairs = Input([None, 7], dtype, name="keys"), Input([None, 5, 7], tf.bool, name="pairs")
    layer = MultiheadAttention(2, 6, name="att", **WIDE)
    called = layer(x, m, key_mask=keys, mask=pairs)
    with variable_scope("stacked"):
        stacked = MultiheadAttention(
            [x, m], n_heads=2, n_units=6, key_mask=keys, mask=pairs, name="att"
        )
    for mine, other in zip(stacked.all_params, called.all_params, strict=True):
        mine.assign(other)
    values = {"x": X, "m": MEMORY, "keys": KEYS.astype(dtype), "pairs": PAIRS}

    expected = layer(X, MEMORY, key_mask=KEYS, mask=PAIRS)

    np.testing.assert_allclose(called(values), expected, **close)
    np.testing.assert_allclose(stacked(values), expected, **close)


def test_a_mask_may_be_told_once():
    layer = MultiheadAttention(2, 6, mask=np.tri(5), key_mask=[[1, 1, 1, 1, 0]] * 2, **WIDE)

    expected = layer(X, mask=np.tri(5, dtype=bool), key_mask=np.array([[1, 1, 1, 1, 0]] * 2))
    other = layer(X, mask=np.ones((5, 5), bool), key_mask=np.ones((2, 5)))

    np.testing.assert_array_equal(layer(X), expected)
    assert not np.allclose(other, expected, atol=1e-3)


def test_a_model_has_it_with_weights_and_masks(tmp_path):
    x, keys = Input([None, 5, 6], name="x"), Input([None, 5], tf.bool, name="keys")
    outputs, weights = MultiheadAttention(2, 6, name="att")(x, key_mask=keys, with_weights=True)
    model = Model([x, keys], [outputs, weights])
    model.save(tmp_path / "m.safetensors")

    again = Model.load(tmp_path / "m.safetensors")

    values = [X, KEYS[:, :5]]
    results = (each(values, is_train=False) for each in (model, again))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_is_shared_by_name_whoever_made_its_encoding():
    def tower(x, reuse):
        with variable_scope("tower", reuse=reuse):
            return MultiheadAttention(x, 2, 8, rotary=RotaryEncoding(), name="att")

    first, second = (tower(Input([None, 5, 6]), reuse) for reuse in (None, True))

    assert second.layer is first.layer


# -- parameters and errors


def test_parameters_are_named_and_shaped():
    net = MultiheadAttention(Input([None, None, 6]), 4, 8, 2, head_units=3, name="att")

    assert {name: tuple(v.shape) for name, v in net.parameters.items()} == {
        "att/query/weights": (6, 4, 3),
        "att/query/biases": (4, 3),
        "att/key/weights": (6, 2, 3),
        "att/key/biases": (2, 3),
        "att/value/weights": (6, 2, 3),
        "att/value/biases": (2, 3),
        "att/out/weights": (4, 3, 8),
        "att/out/biases": (8,),
    }
    assert net.outputs.shape.as_list() == [None, None, 8]
    spread = np.std(np.concatenate([np.ravel(v) for v in net.all_params if v.shape.rank == 3]))
    assert 0.012 < spread < 0.024


def test_its_defaults_are_those_of_the_paper():
    layer = MultiheadAttention()

    assert (layer.n_heads, layer.head_units, layer.n_kv_heads, layer.keep) == (8, 64, 8, 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_heads": 3, "n_units": 8}, "n_units is a multiple of n_heads, got 8 and 3"),
        (
            {"n_heads": 4, "n_units": 8, "n_kv_heads": 3},
            "n_heads is a multiple of n_kv_heads, got 4 and 3",
        ),
        ({"n_heads": 2, "n_units": 8, "n_kv_heads": 4}, "n_heads is a multiple of n_kv_heads"),
        ({"n_heads": 0}, "n_heads must be a positive integer, got 0"),
        ({"n_units": -8}, "n_units must be a positive integer, got -8"),
        ({"n_kv_heads": 0}, "n_kv_heads must be a positive integer, got 0"),
        ({"head_units": 0}, "head_units must be a positive integer, got 0"),
        ({"keep": 0}, r"keep is the probability of keeping a weight, in \(0, 1\]; got 0"),
        ({"keep": 1.5}, r"keep is the probability of keeping a weight, in \(0, 1\]; got 1.5"),
    ],
)
def test_arguments_are_checked_at_once(arguments, message):
    with pytest.raises(InvalidArgument, match=f"MultiheadAttention: {message}"):
        MultiheadAttention(**arguments)


@pytest.mark.parametrize("shape", [(5, 6), (2, 5, 1, 6)])
def test_queries_are_a_sequence(shape):
    with pytest.raises(WrongShape, match=r"query.*rank 3, .* A sequence is \(batch, steps, ch"):
        MultiheadAttention(2, 6)(tf.zeros(shape), tf.zeros([2, 3, 4]))


def test_channels_are_known():
    with pytest.raises(InvalidArgument, match="the number of channels must be known"):
        MultiheadAttention(Input([None, 5, None]), 2, 6)


def test_masks_of_other_shapes_are_refused():
    layer = MultiheadAttention(2, 6, name="att")

    with pytest.raises(WrongShape, match=r"name='att'\): a mask is \(queries, keys\)"):
        layer(X, mask=np.ones(5))
    with pytest.raises(WrongShape, match=r"name='att'\): a bias is \(queries, keys\)"):
        layer(X, bias=np.ones(5))
    with pytest.raises(WrongShape, match=r"name='att'\): a key_mask is \(batch, keys\)"):
        layer(X, key_mask=np.ones((2, 5, 5)))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (([X] * 4,), "got a list of 4"),
        (([X, X], X), "got a list of 2 and keys beside it"),
    ],
)
def test_a_list_has_one_to_three(args, message):
    with pytest.raises(InvalidArgument, match=f"a list of queries, keys and values.*{message}"):
        MultiheadAttention(2, 6)(*args)


def test_projected_keys_come_with_their_values():
    layer = MultiheadAttention(2, 6, name="att")
    keys, _ = layer.project(MEMORY)

    with pytest.raises(InvalidArgument, match=r"project\(\) gave come with their values"):
        layer(X, keys)


# -- cost


def formula(weights, n_heads, is_causal, shared):
    wq, bq, wk, bk, wv, bv, wo, bo = weights
    d = wq.shape[-1]

    def forward(x):
        q, k, v = (tf.einsum("btc,chd->bthd", x, w) + b for w, b in ((wq, bq), (wk, bk), (wv, bv)))
        q = q * (1 / math.sqrt(d))
        if shared == 1:
            scores = tf.einsum("bthd,bshd->bhts", q, k)
        else:
            b, t, s = tf.shape(q)[0], tf.shape(q)[1], tf.shape(k)[1]
            groups = tf.reshape(q, [b, t, n_heads // shared, shared, d])
            scores = tf.einsum("btgrd,bsgd->bgrts", groups, k)
            scores = tf.reshape(scores, [b, n_heads, t, s])
        if is_causal:
            may_look = tf.linalg.band_part(tf.ones(tf.shape(scores)[-2:], tf.bool), -1, 0)
            scores = tf.where(may_look, scores, scores.dtype.min)
        weights = tf.nn.softmax(scores)
        if shared == 1:
            means = tf.einsum("bhts,bshd->bthd", weights, v)
        else:
            groups = tf.reshape(weights, [b, n_heads // shared, shared, t, s])
            means = tf.reshape(tf.einsum("bgrts,bsgd->btgrd", groups, v), [b, t, n_heads, d])
        return tf.einsum("bthd,hdc->btc", means, wo) + bo

    return forward


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("shared", [1, 2])
@pytest.mark.parametrize("steps", [5, None])
def test_traced_it_has_no_more_operations_than_the_formula(is_causal, shared, steps):
    layer = MultiheadAttention(4, 8, 4 // shared, is_causal=is_causal, **WIDE)
    expected = layer(X)
    weights = [tf.Variable(v) for v in layer.all_weights]
    twin = tf.function(formula(weights, 4, is_causal, shared))
    ours, spec = tf.function(lambda x: layer(x)), tf.TensorSpec([None, steps, 6])

    mine, native = operations(ours, spec), operations(twin, spec)

    assert sum(mine.values()) <= sum(native.values())
    for kind in ("Einsum", "Softmax", "AddV2", "Mul", "ReadVariableOp", "SelectV2"):
        assert mine[kind] == native[kind], kind
    np.testing.assert_allclose(twin(X), expected, **close)


@pytest.mark.parametrize(
    ("what", "shape"),
    [("key_mask", (2, 4)), ("key_mask", (3, 5)), ("mask", (4, 5)), ("bias", (6,) * 3)],
)
def test_masks_of_other_sizes_are_refused_by_name(what, shape):
    attention = MultiheadAttention(2, 8, name="look")

    with pytest.raises(WrongShape, match=rf"look.*5 queries and 5 keys.* the {what} is for \("):
        attention(tf.zeros([2, 5, 8]), **{what: tf.ones(shape)})
