"""TensorFlow Lite: what its interpreter computes from the files is what the models compute."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import NotSerializable
from tensorlayer.models import Model, Signature
from tensorlayer.models.lite import converted
from tests.models.kinds import every_kind

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def interpreted(path, signature="serving_default"):
    return tf.lite.Interpreter(str(path)).get_signature_runner(signature)


def close(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5)


def mlp():
    x = tl.layers.Input([None, 4], name="x")
    hidden = tl.layers.Dense(x, 8, act="relu", name="hidden")
    return Model(x, tl.layers.Dense(hidden, 3, name="logits"), name="mlp"), hidden


@every_kind
def test_its_interpreter_computes_the_same_for_any_batch(kind, tmp_path):
    model = kind.model()
    model.export(tmp_path / "m.tflite")
    run = interpreted(tmp_path / "m.tflite")

    for n in (1, 5, 2):
        values = kind.values(n)
        close(run(**values), kind.expected(model, values))


def test_it_has_signatures_with_what_is_before_and_after(tmp_path):
    model, hidden = mlp()
    model.export(
        tmp_path / "m",
        format="tflite",
        inputs={"pixels": tf.TensorSpec([None, 4], tf.uint8)},
        preprocess=lambda pixels: tf.cast(pixels, tf.float32) / 255.0,
        postprocess=lambda logits: {"kind": tf.argmax(logits, -1)},
        signatures=[Signature("embedding", outputs=hidden)],
    )
    images = np.random.default_rng(1).integers(0, 256, (6, 4), dtype="uint8")

    logits = model((images / 255).astype("float32"), is_train=False)
    close(interpreted(tmp_path / "m")(pixels=images), {"kind": np.argmax(logits, -1)})
    expected = Model(model.inputs[0], hidden)(X, is_train=False)
    close(interpreted(tmp_path / "m", "embedding")(x=X), {"hidden": expected})


def test_what_it_cannot_express_is_named_and_the_file_before_stays(tmp_path):
    model, _ = mlp()
    model.export(tmp_path / "m.tflite")
    before = (tmp_path / "m.tflite").read_bytes()

    def products(logits):
        return tf.math.erfinv(tf.math.cumprod(logits, axis=1))

    with pytest.raises(
        NotSerializable, match=r"cannot express the model: it has no Cumprod, Erfinv\. Use other"
    ):
        model.export(tmp_path / "m.tflite", postprocess=products)
    assert (tmp_path / "m.tflite").read_bytes() == before
    assert os.listdir(tmp_path) == ["m.tflite"]


def test_a_long_loop_needs_a_fixed_batch_size_and_says_so(tmp_path):
    x = tl.layers.Input([None, 60, 4], name="steps")
    model = Model(x, tl.layers.LSTMRNN(x, units=3, name="lstm")[0], name="long")
    values = np.random.default_rng(0).normal(size=(2, 60, 4)).astype("float32")

    with pytest.raises(NotSerializable, match=r"no TensorListReserve.* a fixed batch size: inputs"):
        model.export(tmp_path / "m.tflite")
    model.export(tmp_path / "m.tflite", inputs=[tf.TensorSpec([2, 60, 4])])

    (found,) = interpreted(tmp_path / "m.tflite")(steps=values).values()
    np.testing.assert_allclose(found, model(values, is_train=False), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_a_model_of_another_type_is_to_be_made_in_float32(dtype, tmp_path):
    x = tl.layers.Input([None, 4], dtype, name="x")
    model = Model(x, tl.layers.Dense(x, 3, name="logits"), name="other")

    with pytest.raises(NotSerializable, match=f"with float32, and the model with {dtype}: make th"):
        model.export(tmp_path / "m.tflite")
    assert os.listdir(tmp_path) == []
    x = tl.layers.Input([None, 4], name="x")
    same = Model(x, tl.layers.Dense(x, 3, name="logits"), name="same")
    same.assign_arrays(model.to_arrays())
    same.export(tmp_path / "m.tflite")

    expected = tf.cast(model(tf.cast(X, dtype), is_train=False), tf.float32)
    (found,) = interpreted(tmp_path / "m.tflite")(x=X).values()
    np.testing.assert_allclose(found, expected, rtol=0.05, atol=0.05)


def test_what_the_converter_says_is_passed_on(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path))

    with pytest.raises(NotSerializable, match="cannot express the model: its converter says: "):
        converted(tmp_path, [])
