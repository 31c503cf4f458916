from __future__ import annotations

import json
import os

import h5py
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import Corrupt, NotSerializable, StructureMismatch, WeightsMissing
from tensorlayer.models import Model
from tests.models.hostile import Own, structure

NAMES = ["m.h5", "m.hdf5", "m", "m.model", "m.safetensors"]
every_name = pytest.mark.parametrize("name", NAMES)
ONES = np.ones([2, 4], np.float32)


def mlp():
    x = tl.layers.Input([None, 4], name="x")
    net = tl.layers.Dense(x, 3, act="relu", name="d1")
    return Model(x, tl.layers.BatchNorm(net, name="bn"), name="mlp")


def same(one, other):
    return all(
        np.array_equal(a, b) for a, b in zip(one.all_weights, other.all_weights, strict=True)
    )


@every_name
def test_a_model_comes_back_with_its_weights_and_data(name, tmp_path):
    model, data = mlp(), {"epoch": 3, "words": ["é", None, 0.1]}
    model.save(tmp_path / name, customized_data=data)

    again = Model.load(tmp_path / name)

    assert os.listdir(tmp_path) == [name]
    assert structure(again.config) == structure(model.config)
    assert same(again, model)
    assert again.customized_data == data
    assert type(again.customized_data) is dict


@every_name
def test_a_structure_alone_has_new_weights(name, tmp_path):
    model = mlp()
    model.save(tmp_path / name, save_weights=False)

    again = Model.load(tmp_path / name, load_weights=False)

    assert again.structure_digest == model.structure_digest
    assert not same(again, model)
    assert again.customized_data is None
    with pytest.raises(
        RuntimeError, match=r"was saved without weights\. Load it with load_weights"
    ):
        Model.load(tmp_path / name)


@every_name
def test_weights_that_are_not_wanted_are_not_loaded(name, tmp_path):
    model = mlp()
    model.save(tmp_path / name)

    assert not same(Model.load(tmp_path / name, load_weights=False), model)


@every_name
def test_a_model_of_ones_own_and_one_without_weights_come_back(name, tmp_path):
    own = Own(3)
    own.save(tmp_path / name)
    again = Model.load(tmp_path / name)
    assert type(again) is Own
    assert same(again, own)

    x = tl.layers.Input([None, 4], name="x")
    Model(x, tl.layers.Flatten(x, name="f"), name="flat").save(tmp_path / name)
    assert Model.load(tmp_path / name).all_weights == []


def test_the_content_says_which_kind_of_file_it_is(tmp_path):
    model = mlp()
    model.save(tmp_path / "m.safetensors")
    os.rename(tmp_path / "m.safetensors", tmp_path / "m.h5")

    assert same(Model.load(tmp_path / "m.h5"), model)


@every_name
def test_data_that_json_cannot_hold_is_refused_and_nothing_is_written(name, tmp_path):
    for data in ({1, 2}, np.eye(2), b"bytes"):
        with pytest.raises(NotSerializable, match="customized_data is what JSON can hold"):
            mlp().save(tmp_path / name, customized_data=data)
    assert os.listdir(tmp_path) == []


def test_weights_without_a_structure_are_told_apart(tmp_path):
    model = mlp()
    for name in ("w.h5", "w.safetensors"):
        model.save_weights(tmp_path / name)
        with pytest.raises(Corrupt, match=r"holds weights but no structure\. Use load_weights"):
            Model.load(tmp_path / name)
    for name in ("m.h5", "m.safetensors"):  # and the other way round, they may be used
        model.save(tmp_path / name)
        other = mlp()
        other.load_weights(tmp_path / name)
        assert same(other, model)


def test_weights_of_another_structure_are_refused(tmp_path):
    mlp().save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        del file["d1/weights"]
        file["d1/weights"] = np.zeros([4, 5], np.float32)

    with pytest.raises(StructureMismatch, match=r"d1/weights is \(4, 3\) in the model, \(4, 5\)"):
        Model.load(tmp_path / "m.h5")


@pytest.mark.parametrize("content", [b"", b"no model", b"\x89HDF\r\n\x1a\n cut"])
@every_name
def test_damage_is_named(content, name, tmp_path):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(Corrupt, match=rf"{name}' cannot be read as (hdf5|safetensors): "):
        Model.load(tmp_path / name)


def test_a_structure_that_is_no_json_is_named(tmp_path):
    for text in ("{", "[" * 10**5, "{'class': 'Model'}"):
        with h5py.File(tmp_path / "m.h5", "w") as file:
            file["__config__"], file["__customized_data__"] = text, "null"
        with pytest.raises(Corrupt, match=r"the structure in .*m.h5' is no JSON"):
            Model.load(tmp_path / "m.h5")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none.h5"):
        Model.load(tmp_path / "none.h5")


def test_a_large_structure_without_weights_is_bounded_by_the_machine(tmp_path):
    config = json.loads(json.dumps(mlp().config))
    config["model_architecture"][1]["arguments"]["n_units"] = 10**13
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["__config__"], file["__customized_data__"] = json.dumps(config), "null"

    with pytest.raises(tl.errors.BrokenConfig, match="the variables need"):
        Model.load(tmp_path / "m.h5", load_weights=False)


def test_the_data_of_a_loaded_model_are_no_part_of_a_checkpoint(tmp_path):
    mlp().save(tmp_path / "m.h5", customized_data={"notes": ["a", "b"]})
    model = Model.load(tmp_path / "m.h5")

    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "ckpt"))

    assert not any("customized" in name for name, _ in tf.train.list_variables(path))
    assert WeightsMissing.__mro__.index(RuntimeError) > 0
