"""Weights of others by a map of names: of Keras in three formats, and of two TensorFlows."""

from __future__ import annotations

import logging
import re
import time
import tracemalloc
import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import Corrupt, InvalidArgument, StructureMismatch
from tensorlayer.models import Model, weights
from tensorlayer.models.matching import Skipped, closest, names_there
from tests.models.kinds import every_kind

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 8, 8, 3)).astype("float32")


def ours():
    x = tl.layers.Input([None, 8, 8, 3], name="x")
    net = tl.layers.Conv2d(x, 4, (3, 3), name="c")
    net = tl.layers.BatchNorm(net, epsilon=1e-3, act="relu", name="bn")
    net = tl.layers.Flatten(net, name="flat")
    net = tl.layers.Dropout(tl.layers.Dense(net, 6, act="relu", name="d1"), 0.5, name="drop")
    return Model(x, tl.layers.Dense(net, 2, name="d2"), name="ours")


def theirs(fit=True):
    """The same network in Keras, with parameters that are nowhere at their first values."""
    net = keras.Sequential(
        [
            keras.Input([8, 8, 3]),
            keras.layers.Conv2D(4, 3, padding="same", name="conv"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(6, activation="relu", name="first"),
            keras.layers.Dropout(0.5, seed=1),
            keras.layers.Dense(2, name="second"),
        ]
    )
    net.set_weights([RNG.uniform(0.1, 0.5, w.shape) for w in net.get_weights()])
    if fit:  # so that what an optimizer keeps is in the files
        net.compile("adam", "mse", metrics=["mae"])
        net.fit(X, RNG.normal(size=(5, 2)), verbose=0)
    return net


#: The parts of a layer in the order of Keras, by our names.
PARTS = {
    "c": ("filters", "biases"),
    "bn": ("gamma", "beta", "moving_mean", "moving_var"),
    "d1": ("weights", "biases"),
    "d2": ("weights", "biases"),
}
GROUPS = {"c": "conv2d", "bn": "batch_normalization", "d1": "dense", "d2": "dense_1"}
BY_PLACE = {
    f"{layer}/{part}": f"layers/{GROUPS[layer]}/vars/{place}"
    for layer, parts in PARTS.items()
    for place, part in enumerate(parts)
}
OF_LAYERS = {"c": "conv", "bn": "norm", "d1": "first", "d2": "second"}
OF_PARTS = {
    "filters": "kernel", "weights": "kernel", "biases": "bias", "moving_var": "moving_variance"
}  # fmt: skip


def by_name(name):
    layer, part = name.split("/")
    return f"{OF_LAYERS[layer]}/{OF_PARTS.get(part, part)}"


def close(model, other):
    expected = other.predict(X, verbose=0)
    np.testing.assert_allclose(model(X, is_train=False), expected, rtol=1e-5, atol=1e-5)


def unchanged(model, before):
    return all(np.array_equal(array, before[name]) for name, array in model.to_arrays().items())


@every_kind
@pytest.mark.parametrize(
    ("name", "format_"),
    [("w.ckpt", None), ("w.h5", None), ("w.npz", "npz_dict"), ("w.safetensors", None)],
)
def test_every_kind_is_read_under_other_names(kind, name, format_, tmp_path):
    model, other, values = kind.model(), kind.make(), kind.values()
    arrays = {f"tower_0/{n.upper()}": array for n, array in model.to_arrays().items()}
    weights.save(tmp_path / name, arrays, weights.format_of(name, format_))

    report = other.load_weights(tmp_path / name, format_, names=lambda n: f"tower_0/{n.upper()}")

    found, expected = kind.expected(other, values), kind.expected(model, values)
    for result, array in expected.items():
        np.testing.assert_allclose(found[result], array, rtol=1e-5, atol=1e-5)
    assert (bool(report), set(report.loaded)) == (False, set(model.parameters))


# -- files of Keras


@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5"])
def test_files_of_keras_3_are_read_by_the_places_of_their_layers(name, tmp_path):
    other, model = theirs(), ours()
    (other.save if name == "m.keras" else other.save_weights)(tmp_path / name)

    report = model.load_weights(tmp_path / name, names=BY_PLACE)

    close(model, other)
    assert not report
    assert set(report.loaded) == set(model.parameters)


def test_what_older_releases_of_keras_3_left_beside_weights_is_none(tmp_path):
    path, model = tmp_path / "m.weights.h5", ours()
    theirs().save_weights(path)
    with h5py.File(path, "a") as file:  # as Keras 3.0 wrote them
        assert "optimizer" in file
        file["layers/dropout/seed_generator/vars/0"] = np.zeros(2, "uint32")
        file["metrics/mean/vars/0"] = np.float32(1)

    assert not model.load_weights(path, names=BY_PLACE)


def test_files_of_keras_2_are_read_by_the_names_of_their_variables(tmp_path):
    other, model = theirs(), ours()
    other.save(tmp_path / "m.h5")
    prefix = other.layers[0].weights[0].path.rpartition("conv/")[0]

    model.load_weights(tmp_path / "m.h5", names=lambda name: prefix + by_name(name))

    close(model, other)


def test_weights_of_tf_keras_are_read(tmp_path):
    import tf_keras

    other = tf_keras.Sequential(
        [
            tf_keras.layers.Conv2D(4, 3, padding="same", name="conv", input_shape=(8, 8, 3)),
            tf_keras.layers.BatchNormalization(name="norm"),
            tf_keras.layers.ReLU(),
            tf_keras.layers.Flatten(),
            tf_keras.layers.Dense(6, activation="relu", name="first"),
            tf_keras.layers.Dense(2, name="second"),
        ]
    )
    for name in ("w.h5", "m.h5"):
        model = ours()
        other.set_weights([RNG.uniform(0.1, 0.5, w.shape) for w in other.get_weights()])
        (other.save_weights if name == "w.h5" else other.save)(str(tmp_path / name))
        model.load_weights(tmp_path / name, names=by_name)
        close(model, other)


def test_a_keras_model_of_half_precision_is_read(tmp_path):
    layer = keras.layers.Dense(3, dtype="bfloat16", name="first")
    other = keras.Sequential([keras.Input([4], dtype="bfloat16"), layer])
    other.save(tmp_path / "m.keras")
    x = tl.layers.Input([None, 4], name="x")
    model = Model(x, tl.layers.Dense(x, 3, name="d"))

    model.load_weights(
        tmp_path / "m.keras",
        names={"d/weights": "layers/dense/vars/0", "d/biases": "layers/dense/vars/1"},
    )

    expected = keras.ops.convert_to_numpy(layer.kernel).astype("float32")
    np.testing.assert_array_equal(model.to_arrays()["d/weights"], expected)


def test_layers_of_one_class_come_in_the_order_of_their_numbers(tmp_path):
    widths = list(range(2, 15))
    other = keras.Sequential([keras.Input([1]), *map(keras.layers.Dense, widths)])
    other.save_weights(tmp_path / "m.weights.h5")
    x = net = tl.layers.Input([None, 1], name="x")
    for width in widths:
        net = tl.layers.Dense(net, width)
    model = Model(x, net)

    model.load_weights(tmp_path / "m.weights.h5", in_order=True)

    values = np.ones([2, 1], "float32")
    np.testing.assert_allclose(model(values, is_train=False), other(values), rtol=1e-5)


def test_keras_files_are_not_written(tmp_path):
    with pytest.raises(InvalidArgument, match=r"not written as 'keras': Keras does that, for a"):
        ours().save_weights(tmp_path / "m.keras")


# -- checkpoints


def test_a_checkpoint_of_a_session_is_read_by_a_function(tmp_path):
    other, model = theirs(fit=False), ours()
    expected = dict(zip(BY_PLACE, other.get_weights(), strict=True))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, array in expected.items():
            variable = tf.compat.v1.get_variable(
                f"tower/{by_name(name)}", initializer=tf.constant(array)
            )
            if name == "d2/weights":
                loss = tf.reduce_sum(variable)
        tf.compat.v1.train.AdamOptimizer().minimize(loss)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(tmp_path / "m.ckpt"), global_step=7)

    report = model.load_weights(tmp_path / "m.ckpt-7", names=lambda n: f"tower/{by_name(n)}")

    close(model, other)
    assert not report


def test_averages_in_a_checkpoint_are_read_where_they_are_named(tmp_path):
    x = tl.layers.Input([None, 1], name="x")
    model = Model(x, tl.layers.Dense(x, 1, b_init=None, name="d"))
    average = "d/weights/ExponentialMovingAverage"
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, value in (("d/weights", 1.0), (average, 2.0)):
            tf.compat.v1.get_variable(name, initializer=tf.constant([[value]]))
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(tmp_path / "m.ckpt"))

    model.load_weights(tmp_path / "m.ckpt")
    assert model.to_arrays()["d/weights"] == 1
    report = model.load_weights(tmp_path / "m.ckpt", names={"d/weights": average}, skip=True)
    assert model.to_arrays()["d/weights"] == 2
    assert report.unexpected == ("d/weights",)


def test_a_checkpoint_of_objects_is_read_without_what_training_left(tmp_path):
    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.first = tf.Variable(RNG.normal(size=[4, 3]).astype("float32"))
            self.bias = tf.Variable(tf.ones([3]))

    net, optimizer = Net(), keras.optimizers.Adam()
    optimizer.apply_gradients([(tf.ones_like(v), v) for v in net.trainable_variables])
    prefix = tf.train.Checkpoint(net=net, optimizer=optimizer).save(str(tmp_path / "ckpt"))
    x = tl.layers.Input([None, 4], name="x")
    model = Model(x, tl.layers.Dense(x, 3, name="d"))

    report = model.load_weights(
        prefix, "ckpt", names={"d/weights": "net/first", "d/biases": "net/bias"}
    )

    assert not report
    np.testing.assert_array_equal(model.to_arrays()["d/weights"], net.first)
    np.testing.assert_array_equal(model.to_arrays()["d/biases"], net.bias)


# -- what does not fit


def saved(tmp_path):
    theirs(fit=False).save_weights(tmp_path / "m.weights.h5")
    return tmp_path / "m.weights.h5"


def test_without_a_map_both_sides_are_named_and_what_is_closest(tmp_path):
    model = Model(x := tl.layers.Input([None, 4]), tl.layers.Dense(x, 3, name="dense"))
    np.savez(tmp_path / "w.npz", **{"dense0/weights": np.ones([4, 3]), "dense0/biases": np.ones(3)})
    before = model.to_arrays()

    with pytest.raises(
        StructureMismatch,
        match=r"missing: dense/weights, dense/biases; not in the model: dense0/weights, dense0/bi.*"
        r"Nothing was assigned.* Closest to 'dense/weights' is 'dense0/weights', to 'dense/bias.*"
        r"load_weights\(path, names={here: there}\) maps names\.",
    ):
        model.load_weights(tmp_path / "w.npz")
    assert unchanged(model, before)


def test_a_map_is_strict(tmp_path):
    path, model = saved(tmp_path), ours()
    before = model.to_arrays()
    wrong = {**BY_PLACE, "d1/weights": "layers/dens/vars/0"}
    few = {**BY_PLACE, "d1/weights": "layers/dense_1/vars/0", "d2/weights": "layers/dense/vars/0"}

    with pytest.raises(
        StructureMismatch,
        match=r"missing: d1/weights; not in the model: layers/dense/vars/0. .* "
        r"Closest to 'layers/dens/vars/0' \(d1/weights\) is 'layers/dense/vars/0'",
    ):
        model.load_weights(path, names=wrong)
    with pytest.raises(
        StructureMismatch, match=r"other shapes: d1/weights is \(256, 6\) in the model, \(6, 2\) in"
    ):
        model.load_weights(path, names=few)
    with pytest.raises(StructureMismatch, match="missing: d2/weights, d2/biases"):
        model.load_weights(path, names=lambda n: None if n[:2] == "d2" else BY_PLACE[n])
    assert unchanged(model, before)


def test_with_skip_a_report_says_what_became_of_everything(tmp_path, caplog):
    path, model = saved(tmp_path), ours()
    before = model.to_arrays()
    names = {**BY_PLACE, "d1/weights": "none", "d2/weights": "layers/dense/vars/0"}

    with caplog.at_level(logging.WARNING, "tensorlayer"):
        report = model.load_weights(path, names=names, skip=True)

    assert report.missing == ("d1/weights",)
    assert report.unexpected == ("layers/dense_1/vars/0",)
    assert report.reshaped == ("d2/weights",)
    assert set(report.loaded) == set(model.parameters) - {"d1/weights", "d2/weights"}
    assert re.match(
        r"missing: d1/weights; not in the model: layers/dense_1/vars/0; other shapes: d2/weights "
        r"is \(6, 2\) in the model, \(256, 6\) in the file; loaded: .* and 3 more",
        str(report),
    )
    assert "some weights were skipped; missing: d1/weights" in caplog.text
    after = model.to_arrays()
    assert {n for n in after if np.array_equal(after[n], before[n])} == {"d1/weights", "d2/weights"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"d1/wieghts": "x"}, r"'d1/wieghts' is no parameter .* Did you mean 'd1/weights'"),
        ({"d1/weights": "x", "d2/weights": "x"}, r"'d1/weights' and 'd2/weights' would both take"),
        (lambda name: "x", r"'c/filters' and 'c/biases' would both take 'x'"),
        ({"d1/weights": 3}, r"'d1/weights' has a name in the file, got 3"),
        ("d1", r"a dictionary or function from names here to names in the file, got 'd1'"),
    ],
)
def test_a_map_that_cannot_be_is_refused(names, message, tmp_path):
    path, model = saved(tmp_path), ours()
    before = model.to_arrays()

    for skip in (False, True):
        with pytest.raises(InvalidArgument, match=message):
            model.load_weights(path, names=names, skip=skip)
    assert unchanged(model, before)


def test_names_and_places_contradict_each_other(tmp_path):
    with pytest.raises(InvalidArgument, match="names and in_order=True contradict each other"):
        ours().load_weights(saved(tmp_path), names=BY_PLACE, in_order=True)


def test_what_is_not_mapped_keeps_its_name():
    assert names_there(["a", "b"], {}) == {"a": "a", "b": "b"}
    assert not Skipped(loaded=("a",))


# -- files of strangers


def test_damage_in_the_last_array_assigns_none(tmp_path):
    path, model = saved(tmp_path), ours()
    before = model.to_arrays()
    with h5py.File(path, "a") as file:
        bias = np.array(file["layers/dense_1/vars/1"])
        del file["layers/dense_1/vars/1"]
        file.create_dataset("layers/dense_1/vars/1", data=bias, fletcher32=True, chunks=(2,))
    content = bytearray(path.read_bytes())
    content[content.rindex(bias.tobytes())] ^= 1
    path.write_bytes(content)

    with pytest.raises(Corrupt, match="cannot be read as hdf5"):
        model.load_weights(path, names=BY_PLACE)
    assert unchanged(model, before)


def test_an_archive_that_is_cut_off_or_holds_something_else_is_corrupt(tmp_path):
    theirs(fit=False).save(tmp_path / "m.keras")
    whole = (tmp_path / "m.keras").read_bytes()
    model = ours()
    before = model.to_arrays()

    for end in range(0, len(whole), len(whole) // 20):
        (tmp_path / "m.keras").write_bytes(whole[:end])
        with pytest.raises(Corrupt, match="cannot be read as keras"):
            model.load_weights(tmp_path / "m.keras", names=BY_PLACE)
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(Corrupt, match=r"there is no 'model.weights.h5' in it"):
        model.load_weights(tmp_path / "m.keras", names=BY_PLACE)
    assert unchanged(model, before)


def test_a_small_file_that_claims_gigabytes_costs_nothing(tmp_path):
    path, model = saved(tmp_path), ours()
    with h5py.File(path, "a") as file:
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", (2**20, 2**14), "float32")

    for skip in (False, True):
        tracemalloc.start()
        try:
            if skip:
                assert model.load_weights(path, names=BY_PLACE, skip=True).reshaped
            else:
                with pytest.raises(StructureMismatch, match=r"\(1048576, 16384\) in the file"):
                    model.load_weights(path, names=BY_PLACE)
            assert tracemalloc.get_traced_memory()[1] < 10**7
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("place", ["layers/dense/vars/0", "layers/dense", "model_weights"])
def test_links_to_other_files_are_not_followed(place, tmp_path):
    path, model = saved(tmp_path), ours()
    theirs(fit=False).save(tmp_path / "secret.h5")
    with h5py.File(path, "a") as file:
        file.pop(place, None)
        there = place if place == "model_weights" else "model_weights/first"
        file[place] = h5py.ExternalLink("secret.h5", there)
    before = model.to_arrays()

    with pytest.raises((StructureMismatch, Corrupt), match=r"missing: d1/|lies in another file"):
        model.load_weights(path, names=BY_PLACE)
    assert unchanged(model, before)


def test_to_name_what_is_closest_takes_no_time_that_a_file_decides():
    left = ["ab" * 50_000 + str(number) for number in range(1000)] + ["d/weight"] * 5000

    before = time.process_time()
    assert "Closest" not in closest({"ba" * 50_000: "ba" * 50_000}, left)
    assert time.process_time() - before < 2


def test_groups_of_tensorlayer_2_in_other_files_are_not_followed(tmp_path):
    theirs(fit=False).save(tmp_path / "secret.h5")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = ["first"]
        file["first"] = h5py.ExternalLink("secret.h5", "model_weights/first")

    with pytest.raises(Corrupt, match="'first' lies in another file"):
        ours().load_weights(tmp_path / "w.h5", names=by_name)
