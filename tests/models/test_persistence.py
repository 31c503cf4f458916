from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import tensorlayer as tl
from tensorlayer.errors import StructureMismatch
from tensorlayer.models import Model

OLD = Path(__file__).parent / "golden" / "tensorlayer-1.11.1"


def mlp(*names):
    net = x = tl.layers.Input([None, 4], name="x")
    for name in names:
        net = tl.layers.Dense(net, 4, name=name)
    return Model(x, net)


def test_methods_take_what_those_of_2_x_took():
    for method, expected in [
        ("save", ["filepath", "save_weights", "customized_data"]),
        ("load", ["filepath", "load_weights"]),
    ]:
        ours = list(inspect.signature(getattr(Model, method)).parameters)
        assert [name for name in ours if name != "self"][: len(expected)] == expected
    ours = list(inspect.signature(Model.load_weights).parameters)
    assert ours[2:] == ["format", "in_order", "skip", "names"]


def test_in_order_places_count_and_not_names(tmp_path):
    model, other = mlp("a", "b"), mlp("c", "d")
    for name in ("w.h5", "w.safetensors"):
        model.save_weights(tmp_path / name)
        with pytest.raises(StructureMismatch, match="missing: c/weights"):
            other.load_weights(tmp_path / name)
    other.load_weights(tmp_path / "w.h5", in_order=True)

    for mine, theirs in zip(other.all_weights, model.all_weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(StructureMismatch, match="holds 4 arrays and the model 2 parameters"):
        mlp("e").load_weights(tmp_path / "w.h5", in_order=True)


def old_network():
    """What the files of 1.11.1 hold, in the spelling of then."""
    net = tl.layers.Input([None, 8, 8, 3], name="x")
    net = tl.layers.Conv2d(net, 4, (3, 3), name="c1")
    net = tl.layers.BatchNormLayer(net, act="relu", name="bn1")
    net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), name="p1")
    net = tl.layers.FlattenLayer(net, name="f")
    net = tl.layers.DenseLayer(net, 5, act="relu", name="d1")
    return tl.layers.DenseLayer(net, 3, name="d2")


@pytest.mark.parametrize(("name", "format_"), [("cnn.dict.npz", "npz_dict"), ("cnn.ckpt", "ckpt")])
def test_files_of_1_x_are_read_by_the_names_of_then(name, format_):
    net, values = old_network(), np.load(OLD / "cnn.values.npz")

    Model(net.input_nodes[0], net).load_weights(OLD / name, format_)

    np.testing.assert_allclose(net(values["x0"], is_train=False), values["y"], atol=1e-5)


def test_layers_are_found_by_name_and_by_index():
    model = mlp("a", "b")

    assert model.get_layer("b") is model.get_layer(name="b") is model.get_layer(index=2)
    assert model.get_layer(index=-1) is model.get_layer(2)
    for given in ({}, {"name": "a", "index": 1}):
        with pytest.raises(ValueError, match="get_layer takes a name or an index"):
            model.get_layer(**given)
    with pytest.raises(ValueError, match="has 3 layers, got index 3"):
        model.get_layer(index=3)


def test_print_shows_each_layer_on_a_line_of_its_own_and_nested_ones_indented():
    x = tl.layers.Input([None, 4], name="x")
    inner = mlp("a")
    both = tl.layers.LayerList(
        [tl.layers.Dense(4, name="l1"), tl.layers.Dense(2, name="l2")], name="list"
    )
    model = Model(x, both(inner.as_layer(name="m")(x)), name="outer")

    assert str(model).splitlines() == [
        "<Model 'outer' of 3 layers>",
        "  _Input(shape=[None, 4], name='x')",
        f"  {model.get_layer('m')!r}",
        f"    {inner!r}",
        "      _Input(shape=[None, 4], name='x')",
        "      Dense(n_units=4, name='a')",
        f"  {both!r}",
        "    Dense(n_units=4, name='l1')",
        "    Dense(n_units=2, name='l2')",
    ]


def test_the_config_has_the_keys_of_2_x():
    config, again = mlp("a").config, mlp("a").config

    assert set(config) >= {"name", "version_info", "model_architecture", "inputs", "outputs"}
    info = config["version_info"]
    assert info["tensorlayer_version"] == tl.__version__
    assert info["backend_version"].startswith("2.")
    assert (info["backend"], info["training_device"]) in {
        ("tensorflow", "cpu"),
        ("tensorflow", "gpu"),
    }
    assert info.pop("save_date") <= again["version_info"].pop("save_date")
    assert config == again
    layer = tl.layers.Dense(3, act="relu", b_init=None, name="d")
    assert layer.config["class"] == "Dense"
    assert {**layer.config["args"], "W_init": 0} == {
        "n_units": 3, "act": "relu", "W_init": 0, "name": "d"
    }  # fmt: skip
    assert mlp("a").release_memory() is None


class Lazy(Model):
    def __init__(self):
        super().__init__()
        self.d = tl.layers.Dense(3)

    def forward(self, x):
        return self.d(x)


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        (AttributeError, lambda: Lazy().all_weights),
        (AttributeError, lambda: tl.layers.Dense(3).all_weights),
        (TypeError, lambda: Model(3, 4)),
        (TypeError, lambda: Model(tl.layers.Input([None, 3]), 4)),
        (TypeError, lambda: tl.layers.Dense(prev_layer=3)),
        (TypeError, lambda: tl.layers.Dense(np.ones([2, 3]), 4)),
        (ValueError, lambda: Model([], [])),
        (ValueError, lambda: tl.layers.Dense(0)),
        (RuntimeError, lambda: Model.from_config({})),
    ],
)
def test_errors_are_of_the_builtin_classes_that_scripts_catch(error, wrong):
    with pytest.raises(error) as caught:
        wrong()
    assert isinstance(caught.value, tl.errors.TensorLayerError)
    assert isinstance(caught.value, ValueError)


def test_arrays_that_are_missing_are_an_error_unless_they_are_to_be_skipped():
    model = mlp("a")
    before = model.to_arrays()
    name, *others = before
    some = {other: before[other] + 1 for other in others}

    with pytest.raises(StructureMismatch, match=name):
        model.assign_arrays(some)
    assert all(np.array_equal(model.to_arrays()[each], before[each]) for each in before)

    assert model.assign_arrays(some, skip=True).missing == (name,)
    assert all(np.array_equal(model.to_arrays()[each], some[each]) for each in others)
    assert not model.assign_arrays(before)
