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
    assert ours[2:] == ["format", "in_order", "skip"]


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
