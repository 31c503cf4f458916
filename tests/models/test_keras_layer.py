from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import UnlistedVariable
from tensorlayer.layers import BatchNorm, Dense, Dropout, Input, KerasLayer, Lambda, Layer
from tensorlayer.models import Model
from tests.models.kinds import KINDS, every_kind

RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 4)).astype("float32")
Y = (X[:, 0] > X[:, 1]).astype("int64")


def model():
    x = Input([None, 4], name="x")
    net = Dropout(BatchNorm(Dense(x, 16, act="relu", name="h"), name="bn"), keep=0.9, name="drop")
    return Model(x, Dense(net, 8, name="out"), name="inner")


def keras_model(inner):
    outer = tf.keras.Sequential([tf.keras.Input([4]), inner.as_keras(), tf.keras.layers.Dense(2)])
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    outer.compile(tf.keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    return outer


def test_keras_trains_the_variables_of_the_model():
    inner = model()
    before = inner.to_arrays()
    outer = keras_model(inner)
    for name, value in inner.to_arrays().items():
        np.testing.assert_array_equal(value, before[name])

    history = outer.fit(X, Y, epochs=12, verbose=0)

    assert history.history["accuracy"][-1] > 0.9
    assert len(outer.trainable_weights) == 6 + 2
    for name, value in inner.to_arrays().items():
        assert not np.array_equal(value, before[name]), f"{name} did not change"


def test_it_follows_the_mode_of_keras():
    inner = model()
    layer = inner.as_keras()

    np.testing.assert_allclose(layer(X), inner(X, is_train=False), rtol=1e-5)
    assert not np.allclose(layer(X, training=True), layer(X, training=False))


def test_weights_are_saved_by_keras_and_by_us(tmp_path):
    inner = model()
    outer = keras_model(inner)
    expected = outer.predict(X[:5], verbose=0)
    outer.save_weights(tmp_path / "w.weights.h5")
    inner.save_weights(tmp_path / "w.safetensors")
    zeros = {name: np.zeros_like(value) for name, value in inner.to_arrays().items()}

    for load in (
        lambda: outer.load_weights(tmp_path / "w.weights.h5"),
        lambda: inner.load_weights(tmp_path / "w.safetensors"),
    ):
        inner.assign_arrays(zeros)
        load()
        np.testing.assert_allclose(outer.predict(X[:5], verbose=0), expected, rtol=1e-5)


def test_a_model_of_ones_own_is_a_keras_layer_too():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(3, in_channels=4)

        def forward(self, x):
            return self.dense(x)

    inner = Own()
    outer = tf.keras.Sequential([tf.keras.Input([4]), inner.as_keras()])

    np.testing.assert_allclose(outer(X), inner(X, is_train=False), rtol=1e-5)
    assert outer.count_params() == 15


class Block(Layer):
    def __init__(self, name=None):
        super().__init__(name=name)
        self._dense = Dense(n_units=4)
        self.scale = tf.Variable(tf.ones([4]))

    def forward(self, x):
        return self._dense(x) * self.scale


SHIFT = tf.Variable(tf.zeros([4]), name="shift")


def shifted(x):
    return x + SHIFT


def nested():
    x = Input([None, 4], name="x")
    inner = Model(x, Dense(x, 4, name="i"), name="inner")
    net = Lambda(Block(inner(x), name="b"), shifted, fn_weights=[SHIFT], name="shift")
    return Model(x, Dense(net, 1, name="out"), name="outer")


def test_everything_in_nested_models_blocks_and_lambdas_is_trained():
    model = nested()
    before = model.to_arrays()
    outer = tf.keras.Sequential([tf.keras.Input([4]), model.as_keras()])
    outer.compile(tf.keras.optimizers.SGD(0.1), "mse")

    outer.fit(X, X[:, :1], verbose=0)

    assert len(before) == 8
    for name, value in model.to_arrays().items():
        assert not np.array_equal(value, before[name]), f"{name} did not change"
    assert all(a.value is b for a, b in zip(outer.weights, model.all_weights, strict=True))


def scaled(x):
    return x * tf.Variable(2.0, name="scale")


class Holder(Layer):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.dense = Dense(n_units=4)

    def forward(self, x):
        return self.dense(x)


def inner():
    x = Input([None, 4], name="y")
    return Model(x, Dense(x, 4, name="d"), name="inner")


@pytest.mark.parametrize(
    "apply",
    [
        lambda x: inner().as_layer()(x),
        lambda x: Holder(x, name="holder"),
        lambda x: Lambda(x, scaled, name="scaled"),
    ],
    ids=["nested model", "block", "Lambda"],
)
def test_keras_trains_what_the_model_computes_with(apply):
    x = Input([None, 4], name="x")
    model = Model(x, apply(x))
    before = model.to_arrays()
    outer = tf.keras.Sequential([tf.keras.Input([4]), model.as_keras()])
    outer.compile(tf.keras.optimizers.SGD(0.1), "mse")

    outer.fit(X, X + 1, verbose=0)

    for name, value in model.to_arrays().items():
        assert not np.array_equal(value, before[name]), f"{name} did not change"
    np.testing.assert_allclose(outer(X), model(X, is_train=False), rtol=1e-5, atol=1e-6)


def test_one_model_may_be_several_keras_layers():
    inner = model()
    first, second = inner.as_keras(), inner.as_keras()

    first.set_weights([np.zeros_like(w) for w in first.get_weights()])

    np.testing.assert_array_equal(second(X[:2]), np.zeros([2, 8]))
    assert all(np.all(value == 0) for value in inner.to_arrays().values())


@pytest.fixture
def _mixed():
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    yield
    tf.keras.mixed_precision.set_global_policy("float32")


@pytest.mark.usefixtures("_mixed")
def test_it_trains_under_a_mixed_policy():
    inner = model()
    before = inner.to_arrays()
    outer = keras_model(inner)

    outer.fit(X, Y, epochs=1, verbose=0)

    assert {v.dtype for v in inner.all_weights} == {tf.float32}
    assert inner(X, is_train=False).dtype == tf.bfloat16
    assert any(not np.array_equal(v, before[k]) for k, v in inner.to_arrays().items())


def test_keras_adds_what_regularizers_in_the_model_cost():
    def decayed(x):
        return x * tf.compat.v1.get_variable(
            "w", [2], initializer=tf.compat.v1.ones_initializer(), regularizer=tf.reduce_sum
        )

    x = Input([None, 2])
    net = Lambda(
        Lambda(x, decayed, name="f"),
        tf.keras.layers.Dense(
            2, kernel_initializer="zeros", bias_initializer="ones", bias_regularizer="l2"
        ),
        name="k",
    )
    outer = tf.keras.Sequential([tf.keras.Input([2]), Model(x, net).as_keras()])
    outer.compile(tf.optimizers.SGD(0.0), "mse")

    history = outer.fit(np.zeros([4, 2]), np.ones([4, 2]), epochs=2, verbose=0).history["loss"]

    np.testing.assert_allclose(history, [2.0 + 2 * 0.01] * 2, rtol=1e-5)


def test_what_is_frozen_is_frozen_for_keras():
    inner = model()
    inner.get_layer("h").trainable = False

    layer = inner.as_keras()

    assert len(layer.trainable_weights) == 4
    assert len(layer.non_trainable_weights) == 4


def test_freezing_is_followed_back_and_forth_and_by_both_sides():
    inner = model()
    layer = inner.as_keras()

    def n_trained():
        return len(layer.trainable_weights), len(layer.trainable_variables)

    inner.get_layer("h").trainable = False
    assert n_trained() == (4, 4)
    layer.trainable = False
    assert n_trained() == (0, 0)
    layer.trainable = True
    assert n_trained() == (4, 4)
    inner.get_layer("h").trainable = True
    assert n_trained() == (6, 6)


def test_the_order_of_saved_weights_does_not_depend_on_what_is_frozen(tmp_path):
    inner = model()
    outer = keras_model(inner)
    outer.save_weights(tmp_path / "w.weights.h5")
    expected = outer.predict(X[:5], verbose=0)
    inner.assign_arrays({name: np.zeros_like(value) for name, value in inner.to_arrays().items()})
    inner.get_layer("h").trainable = False
    other = tf.keras.Sequential([tf.keras.Input([4]), inner.as_keras(), tf.keras.layers.Dense(2)])
    other.load_weights(tmp_path / "w.weights.h5")

    np.testing.assert_allclose(other.predict(X[:5], verbose=0), expected, rtol=1e-5)


def test_keras_layers_of_one_model_have_names_of_their_own():
    x = Input([None, 4], name="x")
    inner = Model(x, Dense(x, 4, name="d"), name="group/numbered")
    names = [inner.as_keras().name, inner.as_keras().name, inner.as_keras(name="mine").name]

    assert len(set(names)) == 3
    assert all(name.startswith("group.numbered") for name in names[:2])
    assert names[2] == "mine"


def test_what_is_frozen_and_shared_comes_back_from_a_keras_file(tmp_path):
    x, y = Input([None, 4], name="x"), Input([None, 4], name="y")
    inner = Model(x, Dense(x, 4, name="d"), name="inner")
    whole = Model(y, inner.as_layer(name="q")(inner.as_layer(name="p")(y)), name="whole")
    inner.trainable = False
    outer = tf.keras.Sequential([tf.keras.Input([4]), whole.as_keras()])
    outer.save(tmp_path / "m.keras")
    loaded = tf.keras.models.load_model(tmp_path / "m.keras")

    assert (len(loaded.weights), len(loaded.trainable_weights)) == (2, 0)
    np.testing.assert_allclose(loaded(X[:5]), outer(X[:5]), rtol=1e-5)


def test_a_keras_file_is_loaded_in_a_fresh_process(tmp_path):
    outer = keras_model(model())
    outer.save(tmp_path / "m.keras")
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", outer.predict(X, verbose=0))
    program = """
import sys, numpy as np, tensorflow as tf, tensorlayer as tl
tl.models.Model
model = tf.keras.models.load_model(sys.argv[1] + "/m.keras")
y = model.predict(np.load(sys.argv[1] + "/x.npy"), verbose=0)
np.testing.assert_allclose(y, np.load(sys.argv[1] + "/y.npy"), rtol=1e-5, atol=1e-6)
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True)


class Late(Model):
    def __init__(self):
        super().__init__()
        self.first = Dense(n_units=4, in_channels=4)

    def forward(self, x):
        return Dense(n_units=2, name="made")(self.first(x))


def test_variables_that_a_forward_makes_after_as_keras_are_not_lost():
    inner = Late()
    with pytest.raises(UnlistedVariable, match=r"made 2 variable.*'made/weights' first.*once,"):
        tf.keras.Sequential([tf.keras.Input([4]), inner.as_keras()])
    assert len(inner.parameters) == 4

    before = inner.to_arrays()
    keras_model(inner).fit(X, Y, verbose=0)
    assert not any(np.array_equal(v, before[n]) for n, v in inner.to_arrays().items())


# -- models of several kinds


def around(kind, inner):
    """A Keras model around a model, with the same ends."""
    ends = {name: tf.keras.Input(shape, name=name) for name, shape in kind.shapes.items()}
    given = list(ends.values())
    return tf.keras.Model(ends, inner.as_keras()(given if len(given) > 1 else given[0]))


def results(kind, found):
    return dict(zip(kind.results, tf.nest.flatten(found), strict=True))


@every_kind
def test_every_kind_computes_the_same_in_keras(kind):
    inner, values = kind.model(), kind.values()

    found = results(kind, around(kind, inner).predict(values, verbose=0))

    for name, array in kind.expected(inner, values).items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5)


@every_kind
def test_every_kind_is_trained_by_fit_but_for_what_is_frozen(kind):
    inner, values = kind.model(), kind.values(64)
    outer, before = around(kind, inner), inner.to_arrays()
    targets = [array * 0 for array in kind.expected(inner, values).values()]
    outer.compile(tf.keras.optimizers.Adam(0.01), ["mse"] * len(targets))

    losses = outer.fit(values, targets, epochs=4, verbose=0).history["loss"]

    assert losses[-1] < losses[0]
    after = inner.to_arrays()
    trained = {id(each) for each in inner.trainable_weights}
    for name, variable in inner.parameters.items():
        is_moving = name.startswith("bn/moving") and inner.get_layer("bn").trainable
        has_moved = not np.array_equal(after[name], before[name])
        assert has_moved == (id(variable) in trained or is_moving), name


FRESH = """
import sys
import numpy as np, tensorflow as tf
import tests.models.kinds
folder = sys.argv[1]
for name in tests.models.kinds.KINDS:
    outer = tf.keras.models.load_model(f"{folder}/{name}.keras")
    with np.load(f"{folder}/{name}.in.npz") as file:
        found = outer.predict(dict(file), verbose=0)
    np.savez(f"{folder}/{name}.out.npz", *tf.nest.flatten(found))
    outer.fit(dict(np.load(f"{folder}/{name}.in.npz")), tf.nest.flatten(found), verbose=0)
"""


@pytest.mark.timeout(240)
def test_every_kind_is_loaded_and_trained_on_in_a_fresh_process(tmp_path):
    expected = {}
    for name, kind in KINDS.items():
        inner, values = kind.model(), kind.values()
        outer, expected[name] = around(kind, inner), kind.expected(inner, values)
        outer.compile("adam", ["mse"] * len(kind.results))
        outer.save(tmp_path / f"{name}.keras")
        np.savez(tmp_path / f"{name}.in.npz", **values)

    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    for name, arrays in expected.items():
        with np.load(tmp_path / f"{name}.out.npz") as file:
            for found, array in zip(file.values(), arrays.values(), strict=True):
                np.testing.assert_allclose(found, array, rtol=1e-5, atol=1e-5, err_msg=name)


def test_activities_of_calls_before_are_no_losses():
    dense = tf.keras.layers.Dense(2, activity_regularizer="l2")
    x = Input([None, 3])
    model = Model(x, KerasLayer(x, keras_layer=lambda x: dense(x)))
    keras, values = model.as_keras(), tf.ones([2, 3])

    for _ in range(3):
        outputs = keras(values)

        (loss,) = keras.losses
        np.testing.assert_allclose(loss, 0.01 * np.sum(outputs**2) / 2, rtol=1e-5)
