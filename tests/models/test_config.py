"""The config is a promise: what version 1 wrote is read by every later version."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import BrokenConfig, NotSerializable
from tensorlayer.layers import BatchNorm, Concat, Conv2d, Dense, Flatten, Input, MaxPool2d
from tensorlayer.models import Model
from tests.models import hostile

NODES = "model_architecture"
GOLDEN = Path(__file__).parent / "golden" / "small_cnn.json"


def small_cnn():
    x = Input([None, 8, 8, 3], name="x")
    with tl.layers.variable_scope("features"):
        net = Conv2d(x, 4, (3, 3), act=tf.nn.relu, name="conv")
        net = BatchNorm(net, act="lrelu0.1", name="bn")
        net = MaxPool2d(net, name="pool")
    flat = Flatten(net, name="flat")
    head = Dense(n_units=5, W_init=tl.initializers.RandomNormal(stddev=0.01), name="head")
    return Model(x, Concat([head(flat), flat[:, :2]], name="out"), name="small_cnn")


def described():
    model = small_cnn()
    shapes = {name: list(variable.shape) for name, variable in model.parameters.items()}
    return {
        "config": hostile.structure(model.config),
        "digest": model.structure_digest,
        "parameters": shapes,
    }


def test_the_config_is_what_it_was():
    assert described() == json.loads(GOLDEN.read_text())


def test_a_config_of_this_version_is_read():
    golden = json.loads(GOLDEN.read_text())

    model = Model.from_config(golden["config"])

    assert model.structure_digest == golden["digest"]
    assert {n: list(v.shape) for n, v in model.parameters.items()} == golden["parameters"]
    assert model(np.zeros([2, 8, 8, 3]), is_train=False).shape == (2, 7)


class Named(Model):
    def __init__(self, n_units=2, name=None):
        super().__init__(name=name)
        self.d = Dense(n_units, in_channels=3)

    def forward(self, x):
        return self.d(x)


class Nameless(Named):
    def __init__(self, n_units=2):
        super().__init__(n_units)


@pytest.mark.parametrize(
    ("make", "name"),
    [(lambda: Named(5, name="mine"), "mine"), (lambda: Nameless(5), "nameless")],
    ids=["named", "nameless"],
)
def test_a_model_of_ones_own_is_read_with_its_arguments_and_its_name(make, name):
    model = make()

    found = Model.from_config(json.loads(json.dumps(model.config)))

    assert (type(found), found.name, found.d.n_units) == (type(model), name, 5)
    assert found.structure_digest == model.structure_digest


# -- configs of strangers


def changed(model, *path, to):
    config = json.loads(json.dumps(model.config))
    holder = config
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = to
    return config


@pytest.mark.parametrize(
    "make",
    [hostile.small, lambda: hostile.nested(2), lambda: hostile.own(3), hostile.shared],
)
def test_every_damage_is_a_model_or_our_error_and_does_nothing(make):
    config = json.loads(json.dumps(make().config))
    Model.from_config(config)
    hostile.COMPUTED.clear()
    modules, messages = set(sys.modules), []

    for what, damaged in hostile.mutations(config):
        try:
            assert isinstance(Model.from_config(damaged), Model), what
        except BrokenConfig as error:
            messages.append(str(error))

    assert all(message.startswith("config") for message in messages)
    assert set(sys.modules) == modules
    assert hostile.COMPUTED == []


@pytest.mark.parametrize(
    "inputs",
    [
        [], None, 3, [1.0, 2.0], {"is": "tuple", "items": [1]},
        {"is": "array", "dtype": "float32", "values": [1.0]},
    ],
)  # fmt: skip
def test_a_function_is_not_run_on_constants(inputs):
    hostile.COMPUTED.clear()
    config = changed(hostile.small(), NODES, 3, "inputs", to=[inputs])

    with pytest.raises(
        BrokenConfig, match=r"config\['model_architecture'\]\[3\]\['inputs'\]: the layer is appl"
    ):
        Model.from_config(config)
    assert hostile.COMPUTED == []


@pytest.mark.parametrize(
    ("path", "to", "message"),
    [
        ((NODES, 2, "layer"), "none", r"\[2\]\['layer'\]: there is no layer 'none'"),
        ((NODES, 1, "inputs", 0, "index"), 1, r"one of the 1 nodes before, got 1"),
        ((NODES, 1, "inputs", 0, "index"), -1, r"one of the 1 nodes before, got -1"),
        ((NODES, 2), {"layer": "twice"}, r"\['model_architecture'\]\[2\]: .* is no input"),
        ((NODES, 1), {"layer": "twice"}, r"\[1\]\['layer'\]: there is no layer 'twice'"),
        ((NODES, 3, "layer"), "twice", r"\[3\]: the layer 'twice' is described twice"),
        ((NODES, 1, "is_train"), 1, r"is_train is true or false"),
        ((NODES, 1, "inputs"), 3, r"\['inputs'\]: it has to be a list, got 3"),
        (("inputs", 0, "index"), True, r"\['inputs'\]\[0\]\['index'\]: it has to be an integer"),
        (("inputs", 0, "index"), 1, r"inputs are made by tl.layers.Input"),
        (("name",), ["small"], r"config\['name'\]: it has to be text"),
        (("class",), "subprocess.Popen", r"config: .*'subprocess.Popen', which is not imported"),
        ((NODES, 1, "class"), "tensorlayer.models.Model", r"which is not imported"),
        ((NODES, 1, "arguments", "name"), "x", r"\[1\]: TypeError"),
        ((NODES, 1, "arguments", "n_units"), 0, r"\[1\]: Dense: n_units"),
    ],
)  # fmt: skip
def test_damage_is_told_with_its_place(path, to, message):
    with pytest.raises(BrokenConfig, match=message):
        Model.from_config(changed(hostile.small(), *path, to=to))


NAMED = "keras_nlp"  # a package from which Keras imports what a description names


def initializer_that_names_a_module(description):
    x = Input([None, 4], name="x")
    model = Model(x, Dense(x, 2, W_init=tf.keras.initializers.Constant(1.0), name="d"))
    path = (NODES, 1, "arguments", "W_init", "config", "items", "value")
    return changed(model, *path, to=description)


def function_that_is_given_a_module(description):
    x = Input([None, 4], name="x")
    model = Model(x, tl.layers.Lambda(x, tf.nn.relu, name="l"))
    config = changed(model, NODES, 1, "inputs", to=description)
    config[NODES][1]["arguments"]["fn"]["name"] = "tensorflow.keras.activations.get"
    return config


@pytest.mark.parametrize("make", [initializer_that_names_a_module, function_that_is_given_a_module])
def test_a_module_that_a_config_names_is_not_imported(make, tmp_path, monkeypatch):
    (tmp_path / f"{NAMED}.py").write_text("Thing = 1.0")
    monkeypatch.syspath_prepend(tmp_path)
    config = {"is": "dict", "items": {}}
    thing = {"module": NAMED, "class_name": "Thing", "registered_name": "Thing", "config": config}
    named = make({"is": "dict", "items": thing})
    assert NAMED not in sys.modules

    try:
        with pytest.raises((TypeError, ValueError)) as caught:
            Model.from_config(named)
        assert NAMED not in sys.modules
    finally:
        sys.modules.pop(NAMED, None)
    assert isinstance(caught.value, BrokenConfig)


@pytest.mark.parametrize("config", [None, 3, "Model", [], {}])
def test_what_is_no_config_is_our_error(config):
    with pytest.raises(BrokenConfig, match=r"^config: "):
        Model.from_config(config)


@pytest.mark.parametrize("n_units", [10**12, 10**30])
def test_a_layer_beyond_the_memory_is_refused_before_it_is_made(n_units):
    path = (NODES, 1, "arguments", "n_units")

    with pytest.raises(BrokenConfig, match=r"\['model_architecture'\]\[1\]: the variables need"):
        Model.from_config(changed(hostile.small(), *path, to=n_units))
    with pytest.raises(BrokenConfig, match=r"config: the variables need"):
        Model.from_config(changed(hostile.own(3), "arguments", "n_units", to=n_units))


def test_models_within_models_have_an_end():
    config = hostile.nested(20).config
    assert hostile.structure(Model.from_config(config).config) == hostile.structure(config)
    for depth in (30, 500, 5000):
        deep = config
        for _ in range(depth):
            outer = dict(config)
            outer[NODES] = [{"model": {"is": "model", "config": deep}}]
            deep = outer
        with pytest.raises(BrokenConfig, match=r"nested deeper than 128 levels"):
            Model.from_config(deep)


def test_a_chain_of_whole_models_within_models_has_an_end():
    config = json.loads(json.dumps(hostile.nested(1).config))
    deep = config
    for _ in range(400):
        deep = changed_inner(config, deep)

    with pytest.raises(BrokenConfig, match=r"nested deeper than 128 levels"):
        Model.from_config(deep)
    assert Model.from_config(changed_inner(config, config)).count_params() == 16


def changed_inner(config, inner):
    outer = json.loads(json.dumps(config))
    hostile.layers(outer)["inner"]["arguments"]["model"]["config"] = inner
    return outer


if __name__ == "__main__":  # python -m tests.models.test_config writes the file anew
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(described(), indent=1) + "\n")


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    def nested(depth):
        model = None
        for _ in range(depth):
            x = Input([None, 2], name="x")
            model = Model(x, model(x) if model else Dense(x, 2, name="d"), name="m")
        return model

    Model.from_config(nested(5).config)
    with pytest.raises(NotSerializable, match=r"model 'm': .*deeper than 128 levels.* Nest models"):
        nested(40).save(tmp_path / "deep.safetensors")
    assert list(tmp_path.iterdir()) == []
