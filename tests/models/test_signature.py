"""What an exported function takes and gives, and what does not fit the model."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, NotSerializable
from tensorlayer.layers import Dense, Flatten, Input
from tensorlayer.models import Model, Signature
from tensorlayer.models.signature import identifiers, traced
from tests.models.serving import X, close, mlp, served_alone


def takes(function):
    """Return shapes and types by name."""
    given = function.structured_input_signature[1]
    return {name: (spec.shape.as_list(), spec.dtype.name) for name, spec in given.items()}


def test_without_more_it_takes_and_gives_what_the_model_does():
    a, b = Input([None, 4], name="a"), Input([None, 2, 3], dtype="int32", name="s/b")
    model = Model({"one": a, "two": b}, [Dense(a, 2, name="d"), b])

    function = traced(model, Signature())

    assert takes(function) == {"a": ([None, 4], "float32"), "s_b": ([None, 2, 3], "int32")}
    assert sorted(function.structured_outputs) == ["d", "s_b"]


def test_several_inputs_become_several_others():
    a, b = Input([None, 4], name="a"), Input([None, 2], name="b")
    model = Model({"one": a, "two": b}, Dense(b, 2, name="d"))
    values = np.arange(12, dtype="float32").reshape(2, 6)

    function = traced(
        model,
        Signature(
            inputs=[tf.TensorSpec([None, 6], name="row")],
            preprocess=lambda row: {"two": row[:, 4:], "one": row[:, :4]},
        ),
    )

    assert takes(function) == {"row": ([None, 6], "float32")}
    expected = model({"one": values[:, :4], "two": values[:, 4:]}, is_train=False)
    np.testing.assert_allclose(function(row=tf.constant(values))["d"], expected, rtol=1e-6)


def test_python_control_flow_on_tensors_is_part_of_it():
    def scaled(x):
        if tf.reduce_max(x) > 1.0:
            x = x / 10.0
        return x

    model = mlp()[0]
    function = traced(model, Signature(preprocess=scaled))

    for size in (1.0, 10.0):
        values = tf.fill([2, 4], size)
        expected = model(tf.ones([2, 4]), is_train=False)
        np.testing.assert_allclose(function(x=values)["logits"], expected, rtol=1e-6)


def test_names_are_identifiers_each_once():
    assert identifiers(["a/b", "a.b", "a_b", "1", "é"]) == ["a_b", "a_b_1", "a_b_2", "1", "_"]


@pytest.mark.parametrize(
    ("name", "argument"),
    [("1st", "arg_1st"), ("in", "arg_in"), (".x", "arg__x"), ("self", "arg_self")],
)
def test_inputs_whose_names_are_none_of_python_are_arguments_too(name, argument):
    x = Input([None, 4], name=name)
    model = Model(x, Dense(x, 2, name=name + "y"))

    found = traced(model, Signature())(**{argument: tf.ones([3, 4])})

    np.testing.assert_allclose(
        next(iter(found.values())), model(tf.ones([3, 4]), is_train=False), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preprocess": 3}, r"signature 'serving_default': preprocess is a function, got 3"),
        (
            {"preprocess": lambda x: x[:, :3]},
            r"what preprocess returns and .* the input 'x' takes .*\(None, 4\), got .*\(None, 3\)",
        ),
        (
            {"preprocess": lambda x: tf.cast(x, tf.float64)},
            r"preprocess returns .* takes float32 .* got float64",
        ),
        ({"preprocess": lambda x: [x, x]}, r"preprocess returns .* inputs 'x', got 2 value"),
        ({"preprocess": lambda x: None}, r"preprocess returns .* 'x', got 1 value\(s\): NoneType"),
        (
            {"inputs": {"x": tf.TensorSpec([None, 4], tf.uint8)}},
            r"inputs and the model do not fit: .* takes float32 .* got uint8",
        ),
        ({"inputs": [tf.TensorSpec([None, 4])] * 2}, r"inputs 'x', got 2 value"),
        ({"inputs": {"a b": tf.TensorSpec([None, 4])}}, r"the input 'a b' has no name that an arg"),
        ({"inputs": {"_a": tf.TensorSpec([None, 4])}}, r"the input '_a' .* begin with a letter"),
        ({"inputs": {"for": tf.TensorSpec([None, 4])}}, r"the input 'for' has no name that an arg"),
        ({"inputs": {"self": tf.TensorSpec([None, 4])}}, r"the input 'self' has no name that an "),
        ({"inputs": {"x": [None, 4]}}, r"the input 'x' is a tf.TensorSpec, got \[None, 4\]"),
        ({"inputs": []}, r"inputs are tf.TensorSpec by name, got \[\]"),
        (
            {"inputs": [tf.TensorSpec([None], name="a"), tf.TensorSpec([None], name="a")]},
            r"two inputs have one name: a, a",
        ),
        ({"postprocess": lambda y: (y, y)}, r"returns 2 result\(s\) and the model has 1 output"),
        ({"postprocess": lambda y: {"y": "text"}}, r"results are tensors by name, got str as 'y'"),
        ({"postprocess": lambda y: {}}, r"there is no result"),
        ({"signatures": [Signature("a"), Signature("a")]}, r"two signatures are named 'a'"),
        ({"signatures": {"a": 1}}, r"signatures are a list of tl.models.Signature, got 'a' in it"),
        ({"signatures": Signature()}, r"two signatures are named 'serving_default'"),
        ({"signatures": [Signature()]}, r"two signatures are named 'serving_default'"),
        ({"signatures": [Signature("a", outputs=3)]}, r"outputs are networks of the model, got 3"),
        (
            {"signatures": [Signature("a", outputs=Dense(Input([None, 2], name="z"), 1))]},
            r"signature 'a': its outputs need the input 'z', which is none of the model's: 'x'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(options, message, tmp_path):
    with pytest.raises(InvalidArgument, match=message):
        mlp()[0].export(tmp_path / "1", **options)
    assert os.listdir(tmp_path) == []


def test_a_signature_has_a_name():
    for name in ("", "a b", 3):
        with pytest.raises(InvalidArgument, match="a name is letters, digits and _"):
            Signature(name)
    with pytest.raises(InvalidArgument, match="begin with '__saved_model' for itself, got '__sav"):
        Signature("__saved_model_init_op")


# -- what is before and after the model


def pixels(images):
    return tf.cast(images, tf.float32) / 255.0


def answer(logits):
    return {"kind": tf.argmax(logits, -1), "probability": tf.reduce_max(tf.nn.softmax(logits), -1)}


BYTES = np.random.default_rng(3).integers(0, 256, (6, 4), dtype="uint8")


def expected_answer(model, images):
    logits = model((images / 255).astype("float32"), is_train=False).numpy()
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    return {
        "kind": logits.argmax(-1),
        "probability": (shares / shares.sum(-1, keepdims=True)).max(-1),
    }


def test_bytes_go_in_and_an_answer_comes_out(tmp_path):
    model, _ = mlp()
    model.export(
        tmp_path / "1",
        inputs={"pixels": tf.TensorSpec([None, 4], tf.uint8)},
        preprocess=pixels,
        postprocess=answer,
    )

    (found,) = served_alone(**{str(tmp_path): {"pixels": BYTES}})

    close(found, expected_answer(model, BYTES))


def test_pictures_in_files_are_decoded_on_the_way_in(tmp_path):
    x = Input([None, 2, 2, 1], name="x")
    model = Model(x, Dense(Flatten(x, name="flat"), 3, name="logits"))
    images = BYTES.reshape(6, 2, 2, 1)
    files = [tf.io.encode_png(image).numpy() for image in images]

    def decoded(png):
        # Of sizes that are known when it runs.
        images = tf.map_fn(tf.io.decode_png, png, fn_output_signature=tf.uint8)
        return tf.cast(images, tf.float32) / 255.0

    model.export(
        tmp_path,
        inputs=tf.TensorSpec([None], tf.string, name="png"),
        preprocess=decoded,
        postprocess=answer,
    )
    serve = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]

    close(serve(png=tf.constant(files)), expected_answer(model, images))
    large = tf.io.encode_png(np.zeros([3, 3, 1], "uint8"))
    with pytest.raises(tf.errors.InvalidArgumentError):
        serve(png=large[None])


def test_signatures_compute_what_they_say(tmp_path):
    model, hidden = mlp()
    model.export(
        tmp_path / "1",
        signatures=[
            Signature("embedding", outputs=hidden),
            Signature("answer", postprocess=answer),
            Signature("both", outputs={"h": hidden, "l": model.outputs}),
        ],
    )

    logits = model(X, is_train=False)
    expected = Model(model.inputs[0], hidden)(X, is_train=False)
    loaded = tf.saved_model.load(str(tmp_path / "1")).signatures
    close(loaded["serving_default"](x=X), {"logits": logits})
    close(loaded["embedding"](x=X), {"hidden": expected})
    assert set(loaded) == {"serving_default", "embedding", "answer", "both"}
    np.testing.assert_array_equal(loaded["answer"](x=X)["kind"], np.argmax(logits, -1))
    close(loaded["both"](x=X), {"hidden": expected, "logits": logits})


def test_inputs_may_be_narrower_than_those_of_the_model(tmp_path):
    model, _ = mlp()
    model.export(tmp_path, inputs=[tf.TensorSpec([1, 4], tf.float32)])
    serve = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]

    assert serve(x=X[:1])["logits"].shape == (1, 3)
    assert serve.structured_input_signature[1]["x"].shape == [1, 4]


class Words(tf.Module):
    """Words to numbers, by a table that a file is the source of."""

    def __init__(self, path):
        super().__init__()
        whole, line = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        source = tf.lookup.TextFileInitializer(str(path), tf.string, whole, tf.int64, line)
        self.table = tf.lookup.StaticHashTable(source, -1)

    def __call__(self, words):
        return tf.one_hot(self.table.lookup(words), 4)

    def looked_up(self, words):
        return self(words)


@pytest.mark.parametrize("is_method", [False, True])
def test_a_table_of_words_comes_along(is_method, tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\nc\nd\n")
    model, _ = mlp()
    words = Words(tmp_path / "words.txt")
    spec = {"words": tf.TensorSpec([None], tf.string)}
    model.export(tmp_path / "1", inputs=spec, preprocess=words.looked_up if is_method else words)
    (tmp_path / "words.txt").unlink()

    (found,) = served_alone(**{str(tmp_path): {"words": np.array([b"c", b"a", b"?"])}})

    rows = np.stack([np.eye(4)[2], np.eye(4)[0], np.zeros(4)]).astype("float32")
    close(found, {"logits": model(rows, is_train=False)})


def test_a_layer_and_a_variable_of_others_come_along(tmp_path):
    model, _ = mlp()
    norm = tf.keras.layers.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[4.0] * 4)
    shift = tf.Variable([1.0, 2.0, 3.0])

    def shifted(logits):
        return logits + shift

    model.export(tmp_path / "1", preprocess=norm, postprocess=shifted)

    found = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"](x=X)

    given = (X - np.array([1, 2, 3, 4], "f4")) / 2
    close(found, {"logits": model(given, is_train=False) + np.array([1, 2, 3], "f4")})


def test_a_table_that_would_stay_behind_is_refused_and_nothing_is_written(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\nc\nd\n")
    model, _ = mlp()
    words = Words(tmp_path / "words.txt")

    with pytest.raises(NotSerializable, match=r"attribute of a tf.Module whose __call__ is the fu"):
        model.export(
            tmp_path / "1",
            inputs=[tf.TensorSpec([None], tf.string, name="words")],
            preprocess=lambda given: tf.one_hot(words.table.lookup(given), 4),
        )
    assert os.listdir(tmp_path) == ["words.txt"]
