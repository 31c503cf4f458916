"""ONNX: what its runtime computes from the files is what the models compute."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, LibraryMissing, NotSerializable
from tensorlayer.models import Model, Signature
from tests.models.kinds import every_kind


def mlp():
    x = tl.layers.Input([None, 4], name="x")
    return Model(x, tl.layers.Dense(x, 3, name="logits"), name="mlp")


def run(path, values):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, values), strict=True))


@every_kind
def test_its_runtime_computes_the_same_for_any_batch(kind, tmp_path):
    model = kind.model()
    model.export(tmp_path / "m.onnx")

    for n in (1, 5):
        values = kind.values(n)
        expected = kind.expected(model, values)
        found = run(tmp_path / "m.onnx", values)
        assert set(found) == set(expected)
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5)


def test_it_has_what_is_before_and_after(tmp_path):
    model = mlp()
    model.export(
        tmp_path / "m.onnx",
        inputs={"pixels": tf.TensorSpec([None, 4], tf.uint8)},
        preprocess=lambda pixels: tf.cast(pixels, tf.float32) / 255.0,
        postprocess=lambda logits: {"kind": tf.argmax(logits, -1)},
    )
    images = np.random.default_rng(1).integers(0, 256, (6, 4), dtype="uint8")

    logits = model((images / 255).astype("float32"), is_train=False)
    np.testing.assert_array_equal(
        run(tmp_path / "m.onnx", {"pixels": images})["kind"], np.argmax(logits, -1)
    )


def test_a_long_loop_is_carried_for_any_batch(tmp_path):
    x = tl.layers.Input([None, None, 4], name="steps")
    model = Model(x, tl.layers.LSTMRNN(x, units=3, name="lstm")[0], name="long")
    model.export(tmp_path / "m.onnx")

    for n, steps in ((2, 60), (1, 7)):
        values = np.random.default_rng(0).normal(size=(n, steps, 4)).astype("float32")
        (found,) = run(tmp_path / "m.onnx", {"steps": values}).values()
        np.testing.assert_allclose(found, model(values, is_train=False), rtol=1e-5, atol=1e-5)


def test_a_file_has_one_function(tmp_path):
    with pytest.raises(InvalidArgument, match=r"one function, got 'serving_default', 'a'\. Wri"):
        mlp().export(tmp_path / "m.onnx", signatures=[Signature("a")])
    assert os.listdir(tmp_path) == []


def test_an_input_and_a_result_need_two_names(tmp_path):
    x = tl.layers.Input([None, 4], name="x")
    model = Model(x, [x, tl.layers.Dense(x, 3, name="logits")], name="passing")

    with pytest.raises(InvalidArgument, match=r"'x' is an input and a result, .* Give a postproc"):
        model.export(tmp_path / "m.onnx")
    assert os.listdir(tmp_path) == []
    model.export(
        tmp_path / "m.onnx", postprocess=lambda found: {"same": found[0], "logits": found[1]}
    )
    values = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    found = run(tmp_path / "m.onnx", {"x": values})
    np.testing.assert_array_equal(found["same"], values)
    np.testing.assert_allclose(found["logits"], model(values, is_train=False)[1], rtol=1e-5)


def test_without_the_converter_a_line_says_what_to_install(tmp_path, monkeypatch):
    for name in ("tf2onnx", "tf2onnx.convert"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(LibraryMissing, match=r"pip install 'tensorlayer\[onnx\]'"):
        mlp().export(tmp_path / "m.onnx")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("function", "lacks"),
    [
        (lambda x: tf.strings.length(tf.strings.as_string(x)), "AsString|StringLength"),
        (tf.math.erfinv, "Erfinv"),
        (lambda x: tf.cast(tf.cast(x, tf.bfloat16) @ tf.ones([4, 2], tf.bfloat16), x.dtype), "Mat"),
    ],
)
def test_a_file_that_nobody_could_load_is_not_written(function, lacks, tmp_path):
    x = tl.layers.Input([None, 4], name="x")
    model = Model(x, tl.layers.Lambda(x, function, name="f"))

    with pytest.raises(NotSerializable, match=rf"ONNX cannot express the model; .*({lacks})"):
        model.export(tmp_path / "m.onnx")
    assert os.listdir(tmp_path) == []
