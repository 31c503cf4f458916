"""What tries to lose something in models: weights, sharing, freezing, types, modes."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import StructureMismatch, TensorLayerError
from tensorlayer.layers import BatchNorm, Dense, Dropout, Input, Lambda, Layer
from tensorlayer.models import Model

ONES = np.ones([4, 3], np.float32)


@pytest.fixture(autouse=True)
def _isolated():
    """Keep the names of one test from the next."""
    with tl.layers.isolated():
        yield


def small(**options):
    x = Input([None, 3], name="x")
    return Model(x, BatchNorm(Dense(x, 3, name="d", **options), name="bn"), name="small")


def again(model):
    return Model.from_config(json.loads(json.dumps(model.config)))


def run(code):
    """Run a program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )


class Chain(Model):
    """Makes its layers while it computes."""

    def forward(self, x):
        for number in range(3):
            x = Dense(3, name=f"d{number}")(x)
        return x


class Pair(Model):
    """Its attributes are not in the order of the alphabet."""

    def __init__(self):
        super().__init__()
        self.z = Dense(3, in_channels=4)
        self.a = Dense(2, in_channels=3)

    def forward(self, x):
        return self.a(self.z(x))


class Foreign(Model):
    """Holds a layer of Keras."""

    def __init__(self):
        super().__init__()
        self.drop = tf.keras.layers.Dropout(0.5)

    def forward(self, x):
        return self.drop(x, training=self.is_train)


class Told(Model):
    """Doubles in training, by its own attribute."""

    def forward(self, x):
        return x * 2 if self.is_train else x


class Traced(Model):
    """Computes in a trace of its own."""

    def __init__(self):
        super().__init__()
        self.bn = BatchNorm(num_features=3, decay=0.5)

    @tf.function
    def forward(self, x):
        return self.bn(x)


class Around(Layer):
    """Holds a layer that it was given."""

    def __init__(self, inner, name=None):
        super().__init__(name=name)
        self.inner = inner

    def forward(self, inputs):
        return self.inner(inputs)


# -- checkpoints


def test_layers_made_in_a_forward_are_restored_before_the_first_call(tmp_path):
    first, second = Chain(), Chain()
    first(ONES, is_train=False)
    path = tf.train.Checkpoint(model=first).save(tmp_path / "c")
    status = tf.train.Checkpoint(model=second).restore(path)
    second(ONES, is_train=False)

    for name, variable in first.parameters.items():
        np.testing.assert_array_equal(second.parameters[name], variable, err_msg=name)
    status.assert_consumed()


# -- modes


def test_a_forward_reads_the_mode_of_the_call():
    model = Told()

    assert float(model(tf.ones([]), is_train=True)) == 2.0
    assert float(model(tf.ones([]), is_train=False)) == 1.0


def test_a_forward_reads_the_mode_of_the_model_around():
    inner = Told()
    inner.train()
    x = Input([])
    outer = Model(x, inner.as_layer()(x))

    assert float(outer(1.0, is_train=False)) == 1.0


def test_a_forward_that_is_a_tf_function_infers_after_training():
    model = Traced()
    model(ONES, is_train=True)
    model(ONES, is_train=False)

    assert model.bn.moving_mean.numpy().tolist() == [0.5, 0.5, 0.5]


def test_a_model_is_an_activation_that_follows_the_mode():
    x = Input([None, 300], name="x")
    act = Model(x, Dropout(x, 0.5, name="drop"), name="act")
    net = Dense(Input([None, 3]), 300, W_init=1.0, act=act, name="d")

    assert (net(ONES, is_train=True).numpy() == 0).any()
    assert not (net(ONES, is_train=False).numpy() == 0).any()


def test_a_keras_layer_in_a_model_of_ones_own_is_told_the_mode():
    model = Foreign()
    values = np.ones([1, 300], np.float32)

    assert (model(values, is_train=True).numpy() == 0).any()
    assert not (model(values, is_train=False).numpy() == 0).any()


def test_a_model_within_a_model_of_ones_own_follows_the_mode_around():
    x = Input([None, 300])
    inner = Model(x, Dropout(x, 0.5, name="drop"))
    inner.train()
    outer = Pair()
    outer.forward = lambda values: inner(values)
    outer.inner = inner

    assert not (outer(np.ones([1, 300], np.float32), is_train=False).numpy() == 0).any()


# -- layers of a model of one's own


def test_layers_of_a_model_of_ones_own_are_in_the_order_of_their_weights():
    model = Pair()

    assert [layer.n_units for layer in model.all_layers] == [2, 3]
    assert model.get_layer(0) is model.a


def test_a_layer_of_a_model_of_ones_own_is_got_by_its_attribute():
    model = Pair()

    assert model.get_layer("z") is model.z
    assert model.get_layer("a") is model.a


# -- freezing


def test_a_layer_that_was_frozen_later_stays_frozen_when_it_is_loaded(tmp_path):
    model = small()
    model.get_layer("d").trainable = False
    model.save(tmp_path / "m.safetensors")
    loaded = Model.load(tmp_path / "m.safetensors")

    assert len(loaded.trainable_weights) == len(model.trainable_weights) == 2


def test_a_layer_that_was_thawed_stays_thawed_when_it_is_loaded(tmp_path):
    model = small(trainable=False)
    model.get_layer("d").trainable = True
    model.save(tmp_path / "m.safetensors")

    assert len(Model.load(tmp_path / "m.safetensors").trainable_weights) == 4


def test_what_is_frozen_after_as_keras_is_not_trained_by_keras():
    model = small()
    outer = tf.keras.Sequential([tf.keras.Input([3]), model.as_keras()])
    model.get_layer("d").trainable = False
    before = model.get_layer("d").W.numpy()
    outer.compile("sgd", "mse")
    outer.fit(np.arange(24.0).reshape(8, 3), np.ones([8, 3]), verbose=0)

    np.testing.assert_array_equal(model.get_layer("d").W, before)


def test_what_is_thawed_after_as_keras_is_trained_by_keras():
    model = small(trainable=False)
    outer = tf.keras.Sequential([tf.keras.Input([3]), model.as_keras()])
    model.get_layer("d").trainable = True

    assert len(outer.trainable_weights) == 4


def test_a_keras_layer_that_is_frozen_leaves_the_averages_as_they_are():
    model = small()
    layer = model.as_keras()
    outer = tf.keras.Sequential([tf.keras.Input([3]), layer])
    layer.trainable = False
    outer.compile("sgd", "mse")
    outer.fit(np.arange(24.0).reshape(8, 3), np.ones([8, 3]), verbose=0)

    assert not model.get_layer("bn").moving_mean.numpy().any()


def test_a_model_is_a_keras_layer_twice_in_one_keras_model():
    model = small()
    x = tf.keras.Input([3])
    outer = tf.keras.Model(x, model.as_keras()(model.as_keras()(x)))

    assert outer(ONES).shape == (4, 3)


@pytest.mark.parametrize("say", [Model.train, Model.eval])
def test_a_model_that_was_told_its_mode_is_a_keras_layer(say):
    model = small()
    say(model)
    outer = tf.keras.Sequential([tf.keras.Input([3]), model.as_keras()])
    outer.compile("sgd", "mse")
    outer.fit(ONES, ONES, verbose=0)

    assert outer.predict(ONES, verbose=0).shape == (4, 3)


def test_a_keras_file_is_loaded_by_a_program_that_imported_the_model(tmp_path):
    outer = tf.keras.Sequential([tf.keras.Input([3]), small().as_keras()])
    outer.save(tmp_path / "m.keras")
    path = str(tmp_path / "m.keras")
    code = f"import keras; from tensorlayer.models import Model; keras.models.load_model({path!r})"
    done = run(code)

    assert done.returncode == 0, done.stderr[-2000:]


# -- config


def test_a_model_made_under_a_policy_of_the_program_is_loaded_with_it(tmp_path):
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = small()
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    model.save(tmp_path / "m.safetensors")
    loaded = Model.load(tmp_path / "m.safetensors")

    assert loaded(ONES, is_train=False).dtype == model(ONES, is_train=False).dtype == tf.bfloat16


def test_a_layer_in_a_nested_model_and_beside_it_is_shared_after_loading(tmp_path):
    x, y = Input([None, 3], name="x"), Input([None, 3], name="y")
    shared = Dense(3, name="d")
    model = Model(y, shared(Model(x, shared(x), name="inner").as_layer()(y)))
    model.save(tmp_path / "m.safetensors")

    assert Model.load(tmp_path / "m.safetensors").n_weights == model.n_weights == 2


def test_a_model_that_is_two_layers_is_shared_after_the_config():
    x, y = Input([None, 3], name="x"), Input([None, 3], name="y")
    inner = Model(x, Dense(x, 3, name="d"), name="inner")
    model = Model(y, inner.as_layer(name="q")(inner.as_layer(name="p")(y)))

    assert again(model).n_weights == model.n_weights == 2


def test_a_layer_that_two_layers_hold_is_shared_after_the_config():
    inner = Dense(3, in_channels=3, name="d")
    x = Input([None, 3], name="x")
    model = Model(x, Around(Around(x, inner, name="p"), inner, name="q"))

    assert again(model).n_weights == model.n_weights == 2


def test_a_layer_that_is_the_activation_of_two_is_shared_after_the_config():
    act = Dense(3, in_channels=3, name="act")
    x = Input([None, 3], name="x")
    model = Model(x, Dense(Dense(x, 3, act=act, name="p"), 3, act=act, name="q"))

    assert again(model).n_weights == model.n_weights == 6


def test_arguments_that_change_later_do_not_change_the_config():
    options = {"axis": -1}
    x = Input([None, 3], name="x")
    model = Model(x, Lambda(x, tf.reduce_sum, fn_args=options, name="l"))
    options["axis"] = 0

    assert again(model)(ONES, is_train=False).shape == model(ONES, is_train=False).shape == [4]


# -- weights


def test_complex_numbers_are_not_cut_to_their_real_part(tmp_path):
    x = Input([None, 3], name="x")
    model = Model(x, Dense(x, 3, b_init=None, name="d"))
    before = model.all_weights[0].numpy()
    np.savez(tmp_path / "w.npz", **{"d/weights": np.ones([3, 3]) * 1j})

    with pytest.raises(StructureMismatch, match="complex"):
        model.load_weights(tmp_path / "w.npz", format="npz_dict")
    np.testing.assert_array_equal(model.all_weights[0], before)


def test_a_layer_called_like_a_parameter_is_saved_or_is_our_error(tmp_path):
    x = Input([None, 3], name="x")
    model = Model(x, Dense(Dense(x, 3, name="d"), 3, name="d/weights"))
    before = model.to_arrays()
    try:
        model.save_weights(tmp_path / "w.h5")
    except TensorLayerError:
        return
    model.load_weights(tmp_path / "w.h5")
    for name, array in model.to_arrays().items():
        np.testing.assert_array_equal(array, before[name])


# -- copies and memory


def test_a_static_model_of_named_layers_is_copied():
    model = small()
    copied = copy.deepcopy(model)
    copied.get_layer("d").W.assign_add(tf.ones([3, 3]))

    assert not np.allclose(model(ONES, is_train=False), copied(ONES, is_train=False))


# -- devices, in a process of their own


STRATEGY = """
import numpy as np, tensorflow as tf, tensorlayer as tl
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    x = tl.layers.Input([None, 3], name="x")
    net = tl.layers.BatchNorm(tl.layers.Dense(x, 3, name="d"), name="bn")
    model = tl.models.Model(x, net)

@tf.function
def step(batch):
    return strategy.run(lambda v: model(v, is_train=True), args=(batch,))
"""

INFER_OUTSIDE = """
step(tf.ones([4, 3]))
assert model(np.ones([1, 3], np.float32), is_train=False).shape == (1, 3)
"""

LAST_BATCH = """
data = tf.data.Dataset.from_tensor_slices(np.ones([9, 3], np.float32)).batch(8)
for batch in strategy.experimental_distribute_dataset(data):
    step(batch)
for variable in model.all_weights:
    for value in strategy.experimental_local_results(variable):
        assert np.isfinite(value.numpy()).all(), variable.name
"""


@pytest.mark.parametrize("code", [INFER_OUTSIDE, LAST_BATCH], ids=["infer", "last_batch"])
def test_a_distributed_model(code):
    done = run(STRATEGY + code)

    assert done.returncode == 0, done.stderr[-2000:]


# -- what was mended, and its neighbours


@pytest.mark.parametrize("format", ["safetensors", "npz", "npz_dict", "hdf5", "ckpt"])
def test_weights_of_bfloat16_come_back_from_every_format(format, tmp_path):
    x = Input([None, 4], name="x", dtype=tf.bfloat16)
    model = Model(x, Dense(x, 2, name="b"))
    before, path = model.to_arrays(), tmp_path / f"w.{format}"
    model.save_weights(path, format=format)
    for variable in model.all_weights:
        variable.assign(tf.zeros_like(variable))
    model.load_weights(path, format=format)

    for name, array in model.to_arrays().items():
        np.testing.assert_array_equal(array.astype("float32"), before[name].astype("float32"))


def test_a_file_of_bfloat16_by_position_comes_back(tmp_path):
    layer = Dense(2, name="b", in_channels=4, dtype="bfloat16")
    path = str(tmp_path / "w.npz")
    tl.files.save_npz(layer.all_weights, name=path)

    assert [array.dtype for array in tl.files.load_npz(name=path)] == [np.float32, np.float32]


class Declaring(Model):
    """A model that says its mode in its constructor, as in 2.x."""

    def __init__(self, is_train=True):
        super().__init__()
        self.is_train = is_train
        self.drop = Dropout(0.5)

    def forward(self, x):
        return self.drop(x) if self.is_train else x


def test_a_mode_that_a_constructor_sets_is_that_of_train_and_eval():
    model, x = Declaring(), tf.ones([1, 400])
    assert (model(x).numpy() == 0).any()
    model.eval()
    assert (model(x).numpy() == 1).all()
    model.train()
    assert (model(x).numpy() == 0).any()


def test_what_is_frozen_after_a_forward_was_traced_stands_still():
    class Normal(Model):
        def __init__(self):
            super().__init__()
            self.norm = BatchNorm(decay=0.5, name="bn")

        @tf.function
        def forward(self, x):
            return self.norm(x)

    model = Normal()
    model(ONES, is_train=True)
    before = model.norm.moving_mean.numpy()
    model.norm.trainable = False
    model(ONES, is_train=True)
    np.testing.assert_array_equal(model.norm.moving_mean, before)
    model.norm.trainable = True
    model(ONES, is_train=True)
    assert (model.norm.moving_mean.numpy() != before).any()
