from __future__ import annotations

import base64
import pickle  # noqa: TID251 - to write what is not to be unpickled
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import BrokenConfig, Corrupt
from tensorlayer.models import Model, legacy

GOLDEN = Path(__file__).parent / "golden" / "tensorlayer-2.2.4"
X = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)


def entry(cls, *previous, layer_type="normal", **args):
    names = [f"{name}_node_0" for name in previous]
    return {"class": cls, "args": {**args, "layer_type": layer_type}, "prev_layer": names or None}


INPUT = entry("_InputLayer", shape=[None, 6], dtype="tf.float32", name="x")


def write(path, *entries, outputs=None, inputs="x_node_0", data=None):
    """Write a structure as TensorLayer 2.x did, without weights."""
    config = {
        "name": "old",
        "version_info": {"tensorlayer_version": "2.2.4"},
        "model_architecture": [INPUT, *entries],
        "inputs": inputs,
        "outputs": outputs or f"{entries[-1]['args']['name']}_node_0",
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = str(config)
        file.attrs["customized_data"] = str(data)
    return path


def load(path, *entries, functions=None, **ends):
    return Model.load(write(path / "old.h5", *entries, **ends), False, functions)


def pickled(value, protocol=4):
    data = value if isinstance(value, bytes) else pickle.dumps(value, protocol)
    return ("is_Func", base64.b64encode(data).decode())


def named(module, name, protocol=4):
    """Return the pickle of a function that stands at the top level of a module."""
    if protocol < 4:
        return pickled(f"c{module}\n{name}\n.".encode())
    texts = b"".join(b"\x8c" + bytes([len(t)]) + t.encode() + b"\x94" for t in (module, name))
    return pickled(b"\x80\x04" + texts + b"\x93\x94.")


@pytest.mark.parametrize("name", ["mlp", "cnn", "layerlist", "deconv"])
def test_a_whole_model_of_2_x_gives_what_it_gave(name):
    model, values = Model.load(GOLDEN / f"{name}.model.h5"), np.load(GOLDEN / f"{name}.values.npz")

    np.testing.assert_allclose(model(values["x0"], is_train=False), values["y"], atol=1e-5)
    assert model.name == name
    again = Model.from_config(model.config)
    assert again.structure_digest == model.structure_digest


@pytest.mark.parametrize("kind", ["weights.h5", "npz", "dict.npz"])
@pytest.mark.parametrize("name", ["mlp", "cnn", "layerlist", "deconv"])
def test_weights_of_2_x_give_what_they_gave(name, kind):
    model = Model.load(GOLDEN / f"{name}.model.h5", load_weights=False)
    values, path = np.load(GOLDEN / f"{name}.values.npz"), GOLDEN / f"{name}.{kind}"
    if name == "cnn":  # whether there are biases is seen from weights alone
        model = Model.load(GOLDEN / f"{name}.model.h5")
        model.assign_arrays({key: value * 0 + 1 for key, value in model.to_arrays().items()})

    if kind == "weights.h5":
        model.load_weights(path)
    elif kind == "npz":
        tl.files.load_and_assign_npz(str(path), model)
    else:
        tl.files.load_and_assign_npz_dict(str(path), model)

    np.testing.assert_allclose(model(values["x0"], is_train=False), values["y"], atol=1e-5)


def test_weights_of_a_subclassed_model_of_2_x():
    class Dynamic(Model):
        def __init__(self):
            super().__init__()
            self.c = tl.layers.Conv2d(4, (3, 3), in_channels=3)
            self.f = tl.layers.Flatten()
            self.d = tl.layers.Dense(3, in_channels=values["x0"][0, ..., 0].size * 4)

        def forward(self, x):
            return self.d(self.f(self.c(x)))

    values = np.load(GOLDEN / "dynamic.values.npz")
    for kind in ("weights.h5", "dict.npz", "npz"):
        model = Dynamic()
        if kind == "npz":
            tl.files.load_and_assign_npz(str(GOLDEN / f"dynamic.{kind}"), model)
        else:
            model.load_weights(GOLDEN / f"dynamic.{kind}", {"dict.npz": "npz_dict"}.get(kind))
        np.testing.assert_allclose(model(values["x0"], is_train=False), values["y"], atol=1e-5)


def test_a_layer_that_is_used_twice_is_shared(tmp_path):
    twice = entry("Dense", "x", name="d", n_units=6)
    again = {**twice, "prev_layer": ["d_node_0"]}

    model = load(tmp_path, twice, again, outputs="d_node_1")

    assert len(model.all_weights) == 2
    d = model.get_layer("d")
    np.testing.assert_allclose(model(X, is_train=False), d(d(X)), rtol=1e-6)


def test_several_ends_and_several_inputs_of_a_layer(tmp_path):
    first, second = (entry("Dense", "x", name=name, n_units=2) for name in "ab")
    merged = entry("Concat", "a", "b", name="c", concat_dim=-1)

    ends = {"inputs": ["x_node_0"], "outputs": ["c_node_0", "a_node_0"]}
    model = load(tmp_path, first, second, merged, **ends)

    c, a = model([X], is_train=False)
    assert (c.shape, a.shape) == ((3, 4), (3, 2))


def test_a_model_as_a_layer(tmp_path):
    dense = entry("Dense", "x", name="d", n_units=6)
    inner = {"name": "inner", "model_architecture": [INPUT, dense]}
    inner |= {"inputs": "x_node_0", "outputs": "d_node_0"}

    model = load(tmp_path, entry("ModelLayer", "x", layer_type="modellayer", name="m", model=inner))

    assert list(model.parameters) == ["m/d/weights", "m/d/biases"]


FUNCTIONS = {
    "bare": "minimum",
    "named": named("tensorflow.python.ops.math_ops", "minimum"),
    "old protocol": named("tensorflow.python.ops.math_ops", "minimum", 2),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_of_tensorflow_is_found_by_its_name(function, tmp_path):
    model = load(
        tmp_path, entry("Elementwise", "x", "x", name="e", combine_fn=function, act="relu")
    )

    np.testing.assert_allclose(model(X, is_train=False), np.maximum(X, 0))


def test_an_activation_of_tensorlayer_is_found_by_its_name(tmp_path):
    act = named("tensorlayer.activation", "leaky_relu")

    model = load(tmp_path, entry("Dense", "x", name="d", n_units=6, act=act))

    assert model.get_layer("d").act is tl.activation.leaky_relu


def bomb():
    raise AssertionError("it was executed")


class _Bomb:
    def __reduce__(self):
        return bomb, ()


REFUSED = {
    "code": pickled(_Bomb()),
    "another library": named("os", "system"),
    "not public": named("tensorflow.python.ops.math_ops", "_no_such"),
    "reads files": named("tensorflow.python.ops.io_ops", "read_file"),
    "calls functions": named("tensorflow.python.ops.script_ops", "py_function"),
    "no base 64": ("is_Func", "%%%"),
    "nothing": ("is_Func",),
    "a number": ("is_Func", 3),
    "cut": pickled(b"\x80\x04\x8c"),
    "attribute": named("tensorflow", "io.read_file"),
    "bare and unknown": "my_function",
}


@pytest.mark.parametrize("function", REFUSED.values(), ids=REFUSED)
def test_pickled_code_is_refused_by_the_name_of_its_layer_and_may_be_given(function, tmp_path):
    layer = entry("Lambda", "x", name="lam/1", fn=function)
    hint = r"layer 'lam/1' holds pickled code.*not executed.*functions=\{'lam/1': function\}"

    with pytest.raises(BrokenConfig, match=hint):
        load(tmp_path, layer)
    model = load(tmp_path, layer, functions={"lam/1": tf.square})

    np.testing.assert_allclose(model(X, is_train=False), X**2, rtol=1e-6)


def test_a_keras_layer_is_given(tmp_path):
    given = tf.keras.layers.Dense(2)
    given.build([None, 6])

    layer = entry("Lambda", "x", layer_type="keraslayer", name="k", fn={"config": 1}, odd=3)
    model = load(tmp_path, layer, functions={"k": given})

    np.testing.assert_allclose(model(X, is_train=False), given(X))


def changed(**to):
    return {**entry("Dense", "x", name="d", n_units=2), **to}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (entry("NoSuch", "x", name="n"), r"\[1\]\['class'\]: tl.layers has no layer 'NoSuch'"),
        (entry("Layer.__init__", "x", name="n"), r"tl.layers has no layer"),
        (entry("variable_scope", "x", name="n"), r"tl.layers has no layer 'variable_scope'"),
        (entry("Dense", "y", name="d", n_units=2), r"\['prev_layer'\].*: there is no node 'y_node"),
        (entry("Dense", "x", name="d", n_units=0), r"\[1\]: Dense: n_units must be"),
        (entry("Dense", "x", name="d", n_uni=2), r"\[1\]: Dense: unknown argument 'n_uni'"),
        (entry("Dense", "x", n_units=2), r"'name' is missing"),
        (changed(prev_layer=None), r"\['prev_layer'\]: there is no node None"),
        (changed(prev_layer=[]), r"\['prev_layer'\]: the layer is applied to nothing"),
        (changed(args=3), r"\['args'\]: it has to be an object"),
    ],
)
def test_damage_is_told_with_its_place(layer, message, tmp_path):
    with pytest.raises(BrokenConfig, match=message):
        load(tmp_path, layer, outputs="x_node_0")


HOSTILE = [
    "__import__('os').mkdir('hacked')",
    "(lambda: 1)()",
    "[" * 10**5,
    "{'a': 1}.update(b=2)",
    "",
    "9" * 10**5,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_literal_is_not_evaluated(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Corrupt, match=r"The structure is no literal of Python .*load_weights"):
        legacy.parsed(text)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("config", [None, 3, [], {}, {"model_architecture": 3}])
def test_a_literal_that_is_no_structure_is_our_error(config):
    with pytest.raises(BrokenConfig, match=r"^model_config"):
        legacy.read_model(Model, config, frozenset(), {})


def test_deep_structures_have_an_end():
    deep = "x_node_0"
    for _ in range(1000):
        deep = [deep]
    with pytest.raises(BrokenConfig, match="nested deeper than"):
        legacy.read_model(Model, {"outputs": deep}, frozenset(), {})


@pytest.mark.parametrize(
    "data", [None, {"epoch": 3, "loss": [0.5, None]}, {"mean": np.zeros(2)}, "__import__('os').x"]
)
def test_the_data_of_ones_own_is_on_the_loaded_model(tmp_path, data):
    dense = entry("Dense", "x", n_units=2, name="d")

    loaded = load(tmp_path, dense, data=data).customized_data

    assert loaded == (data if data is None or "epoch" in data else str(data))
