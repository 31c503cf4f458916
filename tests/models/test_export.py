from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, NotBuilt, NotSerializable, UnlistedVariable
from tensorlayer.layers import Dense, Input, variable_scope
from tensorlayer.models import Model, Signature, export
from tests.models.kinds import KINDS, every_kind
from tests.models.serving import X, close, mlp, served, served_alone

# -- what is in it


def test_a_process_without_the_library_computes_the_same(tmp_path):
    values = {str(tmp_path / name): kind.values() for name, kind in KINDS.items()}
    expected = []
    for name, kind in KINDS.items():
        model = kind.model()
        model.export(tmp_path / name / "1")
        expected.append(kind.expected(model, kind.values()))

    for found, wanted in zip(served_alone(**values), expected, strict=True):
        close(found, wanted)


@every_kind
def test_the_batch_size_is_free(kind, tmp_path):
    model = kind.model()
    serve = served(model, tmp_path)

    for n in (1, 7):
        values = kind.values(n)
        close(serve(**{k: tf.constant(v) for k, v in values.items()}), kind.expected(model, values))


@pytest.mark.parametrize("name", ["mlp", "recurrent", "ends", "own forward"])  # no convolutions:
def test_an_empty_batch_has_empty_results(name, tmp_path):  # those of oneDNN have a wrong shape
    kind = KINDS[name]
    model, values = kind.model(), kind.values(0)

    close(served(model, tmp_path)(**values), kind.expected(model, values))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_a_model_of_another_type_is_served_in_it(dtype, tmp_path):
    x = Input([None, 4], dtype, name="x")
    model = Model(x, Dense(x, 3, name="d"))
    values = tf.cast(X, dtype)

    found = served(model, tmp_path)(x=values)["d"]

    assert found.dtype == dtype
    np.testing.assert_array_equal(found, model(values, is_train=False))


def test_a_model_is_exported_in_the_scope_of_a_strategy(tmp_path):
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model, _ = mlp()
        serve = served(model, tmp_path)

    close(serve(x=X), {"logits": model(X, is_train=False)})


def test_outputs_whose_names_differ_in_punctuation_are_both_there(tmp_path):
    x = Input([None, 4], name="x")
    model = Model(x, [Dense(x, 2, name="o.1"), Dense(x, 3, name="o_1")])

    result = served(model, tmp_path)(x=tf.constant(X))

    first, second = model(X, is_train=False)
    np.testing.assert_allclose(result["o_1"], first, rtol=1e-6)
    np.testing.assert_allclose(result["o_1_1"], second, rtol=1e-6)


def test_a_layer_applied_twice_gives_both_outputs(tmp_path):
    x = Input([None, 4], name="x")
    layer = Dense(n_units=4, name="twice")
    once = layer(x)
    model = Model(x, {"once": once, "again": layer(once)})

    result = served(model, tmp_path)(x=tf.constant(X))

    expected = model(X, is_train=False)
    np.testing.assert_allclose(result["twice"], expected["once"], rtol=1e-6)
    np.testing.assert_allclose(result["twice_1"], expected["again"], rtol=1e-6)


def test_inputs_of_a_scope_are_named_arguments(tmp_path):
    with variable_scope("s"):
        x = Input([None, 4], name="x")
    model = Model(x, Dense(x, 2, name="d"))

    assert served(model, tmp_path)(s_x=tf.constant(X))["d"].shape == (5, 2)


# -- models of one's own


class Own(Model):
    def __init__(self):
        super().__init__(name="own")
        self.dense = Dense(n_units=3, in_channels=4)
        self.scale = tf.Variable(2.0)

    def forward(self, x, y=0.0):
        return {"sum": self.dense(x) * self.scale + y, "x": x}


def test_a_model_of_ones_own_is_exported_with_inputs_that_are_said(tmp_path):
    model = Own()
    model.export(tmp_path / "1", inputs={"x": tf.TensorSpec([None, 4])})
    expected = model(X, is_train=False)

    close(tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"](x=X), expected)


def test_a_model_of_ones_own_takes_several_arguments_also_from_a_preprocess(tmp_path):
    model = Own()
    specs = [tf.TensorSpec([None, 4]), tf.TensorSpec([None, 3])]
    swapped = Signature(
        "swapped",
        inputs=specs[::-1],
        preprocess=lambda y, x: (x, y),
        postprocess=lambda outputs: outputs["sum"],
    )
    model.export(tmp_path, inputs=specs, signatures=[swapped])
    loaded = tf.saved_model.load(str(tmp_path)).signatures
    y = np.ones([5, 3], "float32")
    expected = model(X, y, is_train=False)

    close(loaded["serving_default"](input_0=X, input_1=y), expected)
    close(loaded["swapped"](input_0=y, input_1=X), {"output_0": expected["sum"]})


def test_a_model_in_training_is_exported_in_inference(tmp_path):
    kind = KINDS["mlp"]
    model, values = kind.model(), kind.values()
    expected = kind.expected(model, values)
    model.train()

    close(served(model, tmp_path)(**values), expected)


class Unbuilt(Model):
    def __init__(self):
        super().__init__(name="unbuilt")
        self.dense = Dense(n_units=3)

    def forward(self, x):
        return self.dense(x)


class Late(Model):
    def __init__(self):
        super().__init__(name="late")

    def forward(self, x):
        return Dense(n_units=2, name="made")(x)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (Unbuilt, NotBuilt, "has no weights yet. Give it"),
        (Late, UnlistedVariable, r"made 2 variable.* Call the model once, train it"),
    ],
)
def test_a_model_without_all_its_weights_is_refused(make, error, message, tmp_path):
    with pytest.raises(error, match=message):
        make().export(tmp_path / "1", inputs=[tf.TensorSpec([None, 4])])
    assert os.listdir(tmp_path) == []


def test_a_model_of_ones_own_says_what_it_needs(tmp_path):
    with pytest.raises(NotSerializable, match=r"'own': only .* knows .* Give inputs=\[tf.TensorS"):
        Own().export(tmp_path)
    with pytest.raises(InvalidArgument, match=r"'own' has no networks that could be outputs"):
        Own().export(tmp_path, inputs=[tf.TensorSpec([None, 4])], signatures=[
            Signature("a", inputs=[tf.TensorSpec([None, 4])], outputs=mlp()[1])
        ])  # fmt: skip


# -- formats and suffixes


def export_with(path, **options):
    mlp()[0].export(path, **options)


@pytest.mark.parametrize(
    ("name", "format_", "message"),
    [
        ("m.h5", None, r"'.*m.h5' has the suffix '.h5', which is that of no export. A SavedModel"),
        ("m.tflite", "onnx", r"has the suffix of 'tflite', and format='onnx'"),
        ("m.onnx", "savedmodel", r"has the suffix of 'onnx', and format='savedmodel'"),
        ("m", "pb", r"the format 'pb' is unknown. There are: 'onnx', 'savedmodel', 'tflite'"),
        ("m", "tfite", r"'tfite' is unknown. Did you mean 'tflite'\?"),
    ],
)
def test_a_suffix_says_the_format_and_must_not_contradict_it(name, format_, message, tmp_path):
    with pytest.raises(InvalidArgument, match=message):
        export_with(tmp_path / name, format=format_)
    assert os.listdir(tmp_path) == []


def test_a_folder_with_a_dot_is_one_if_that_is_said(tmp_path):
    export_with(tmp_path / "v1.5", format="savedmodel")

    assert (tmp_path / "v1.5" / "saved_model.pb").is_file()


def test_the_format_of_an_export():
    assert [export.format_of(f"m{end}") for end in ("", ".TFLITE", ".onnx")] == [
        "savedmodel", "tflite", "onnx"
    ]  # fmt: skip


# -- what is there already


def test_another_export_is_replaced_as_a_whole(tmp_path):
    model, _ = mlp()
    model.export(tmp_path / "1")
    (tmp_path / "1" / "assets" / "of_before.txt").write_text("stale")
    model.assign_arrays({name: array + 1 for name, array in model.to_arrays().items()})

    found = served(model, tmp_path / "1")(x=X)

    close(found, {"logits": model(X, is_train=False)})
    assert os.listdir(tmp_path / "1" / "assets") == []
    assert os.listdir(tmp_path) == ["1"]


def test_what_is_no_export_is_left_alone(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("years of work")
    (tmp_path / "site" / "assets").mkdir(parents=True)
    (tmp_path / "file").write_text("a file")

    with pytest.raises(InvalidArgument, match=r"thesis' is no export, it holds 'chapter1.tex'. No"):
        export_with(tmp_path / "thesis")
    with pytest.raises(InvalidArgument, match=r"site' is no export, it holds 'assets'"):
        export_with(tmp_path / "site")
    with pytest.raises(InvalidArgument, match=r"file' is a file. Nothing was written"):
        export_with(tmp_path / "file")
    with pytest.raises(InvalidArgument, match=r"thesis' is a folder. Nothing was written"):
        export_with(tmp_path / "thesis", format="tflite")
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "years of work"
    assert sorted(os.listdir(tmp_path)) == ["file", "site", "thesis"]


def test_a_failing_export_leaves_the_one_before(tmp_path):
    model, _ = mlp()
    model.export(tmp_path / "1")
    before = {path: path.read_bytes() for path in (tmp_path / "1").rglob("*") if path.is_file()}

    class Broken(tf.Module):
        def __call__(self, x):
            return x

        def _trackable_children(self, *args, **kwargs):
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        model.export(tmp_path / "1", preprocess=Broken())
    assert {p: p.read_bytes() for p in (tmp_path / "1").rglob("*") if p.is_file()} == before
    assert os.listdir(tmp_path) == ["1"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no limits of files")
@pytest.mark.parametrize("name", ["1", "m.tflite", "m.onnx"])
def test_a_disk_that_is_full_leaves_the_export_before(name, tmp_path):
    import resource

    x = Input([None, 300], name="x")
    model = Model(x, Dense(x, 300, name="d"))
    model.export(tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # of 360,000 bytes of weights
    try:
        with pytest.raises((OSError, tf.errors.OutOfRangeError), match="File too large"):
            model.export(tmp_path / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert os.listdir(tmp_path) == [name]


KILLED = """
import sys, time
import tensorflow as tf
import tensorlayer as tl

class Slow(tf.Module):
    def __call__(self, x):
        return x

    def _trackable_children(self, *args, **kwargs):
        print("saving", flush=True)
        time.sleep(60)
        return {}

x = tl.layers.Input([None, 4], name="x")
model = tl.models.Model(x, tl.layers.Dense(x, 3, name="logits"), name="mlp")
model.export(sys.argv[1], preprocess=Slow())
"""


def test_a_killed_export_leaves_the_one_before_and_nothing_with_its_name(tmp_path):
    model, _ = mlp()
    model.export(tmp_path / "1")

    for name in ("1", "2"):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path / name)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "saving\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    close(
        tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"](x=X),
        {"logits": model(X, is_train=False)},
    )
    assert [p.name for p in Path(tmp_path).iterdir() if not p.name.startswith(".")] == ["1"]


def test_in_a_graph_of_tensorflow_1_it_says_so(tmp_path):
    with tf.Graph().as_default():
        x = Input([None, 4], name="x")
        model = Model(x, Dense(x, 3, name="d"))
        with pytest.raises(InvalidArgument, match="variables have values in a session only"):
            model.export(tmp_path / "1")


def doubled(x):
    return tf.ensure_shape(tf.numpy_function(lambda array: 2 * array, [x], tf.float32), x.shape)


@pytest.mark.parametrize("wrapped", [doubled, tf.function(doubled)])
@pytest.mark.parametrize("name", ["1", "1.tflite", "1.onnx"])
def test_what_calls_python_is_refused(name, wrapped, tmp_path):
    x = Input([None, 4], name="x")
    model = Model(x, tl.layers.Lambda(x, wrapped, name="twice"))

    with pytest.raises(NotSerializable, match=r"'serving_default' computes with tf.py_function"):
        model.export(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_the_folder_that_a_program_works_in_stays(tmp_path, monkeypatch):
    (tmp_path / "within").mkdir()
    monkeypatch.chdir(tmp_path / "within")
    model, _ = mlp()
    for path in (".", "", tmp_path / "within"):
        with pytest.raises(InvalidArgument, match="is the folder that this program works in, or"):
            model.export(path)
    model.export("1")
    assert os.listdir(tmp_path / "within") == ["1"]


def test_an_address_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, _ = mlp()
    for name in ("gs://bucket/1", "s3://bucket/1.tflite", "gs://bucket/1.onnx"):
        with pytest.raises(InvalidArgument, match=f"'{name}' is an address, and files are wri"):
            model.export(name)
    for name in ("gs://bucket/w.npz", "gs://bucket/w.h5", "gs://bucket/w.ckpt"):
        with pytest.raises(InvalidArgument, match=f"'{name}' is an address, and files are wri"):
            model.save_weights(name)
    assert os.listdir(tmp_path) == []


def test_random_numbers_of_keras_do_not_keep_a_model_from_being_served(tmp_path):
    x = Input([None, 8, 8, 3], name="x")
    flip = tf.keras.Sequential([tf.keras.layers.RandomFlip(), tf.keras.layers.Rescaling(2.0)])
    model = Model(x, tl.layers.Lambda(x, flip, name="flip"))
    images = np.random.default_rng(0).uniform(size=[2, 8, 8, 3]).astype("float32")

    close(served(model, tmp_path / "1")(x=images), {"flip": 2 * images})
