"""HDF5 files, ours and those of TensorLayer 2.x."""

import os

import h5py
import numpy as np
import pytest

import tensorlayer as tl
from tensorlayer import files
from tensorlayer.errors import Corrupt, InvalidArgument, StructureMismatch
from tests.files.places import tmp_path  # noqa: F401 - a fixture
from tests.files.test_weights import build, fill, same, values
from tests.models import hostile


@pytest.fixture
def net():
    return fill(build(), seed=1)


def test_weights_come_back_by_name(net, tmp_path):
    expected = values(net)
    files.save_weights_to_hdf5(tmp_path / "a.h5", net)
    fill(net, seed=2)
    files.load_hdf5_to_weights(tmp_path / "a.h5", net)
    assert same(values(net), expected)


def test_weights_come_back_in_order_whatever_their_names(net, tmp_path):
    files.save_weights_to_hdf5(tmp_path / "a.h5", net)
    other = build("b")
    files.load_hdf5_to_weights_in_order(tmp_path / "a.h5", other)
    assert same(values(other), values(net))
    with pytest.raises(StructureMismatch, match="missing: b_1"):
        files.load_hdf5_to_weights(tmp_path / "a.h5", other)


def old_file(path, layers, encode):
    """Write what TensorLayer 2.x wrote: a group for each layer, layers within layers."""
    text = np.bytes_ if encode else str

    def write(group, layers):
        group.attrs["layer_names"] = [text(name) for name in layers]
        for name, content in layers.items():
            inner = group.create_group(name)
            if all(isinstance(each, dict) for each in content.values()):
                write(inner, content)
            else:
                inner.attrs["weight_names"] = [text(each) for each in content]
                for each, array in content.items():
                    inner.create_dataset(each, data=array)

    with h5py.File(path, "w") as file:
        write(file, layers)


@pytest.mark.parametrize("encode", [True, False])
def test_files_of_2_x_are_read_with_names_in_bytes_or_text(encode, net, tmp_path):
    names, arrays = list(net.parameters), values(net)
    by_name = {f"{name}:0": array for name, array in zip(names, arrays, strict=True)}
    layers = {
        "a_1": dict(list(by_name.items())[:2]),
        "model": {"inner": {"a_bn": dict(list(by_name.items())[2:6])}},
        "a_2": dict(list(by_name.items())[6:]),
    }
    old_file(tmp_path / "old.h5", layers, encode)
    for load in (files.load_hdf5_to_weights, files.load_hdf5_to_weights_in_order):
        fill(net, seed=3)
        load(tmp_path / "old.h5", net)
        assert same(values(net), arrays)


def test_names_that_are_not_unique_are_read_in_order(tmp_path):
    x = tl.layers.Input([None, 2], name="x")
    net = tl.layers.Dense(tl.layers.Dense(x, 2, b_init=None, name="a"), 2, b_init=None, name="b")
    layers = {"one": {"dense/weights:0": np.eye(2)}, "two": {"dense/weights:0": 2 * np.eye(2)}}
    old_file(tmp_path / "old.h5", layers, encode=False)
    with pytest.raises(StructureMismatch, match=r"several arrays named dense/weights.*in order"):
        files.load_hdf5_to_weights(tmp_path / "old.h5", net)
    files.load_hdf5_to_weights_in_order(tmp_path / "old.h5", net)
    assert same(values(net), [np.eye(2), 2 * np.eye(2)])


def test_wrong_names_assign_nothing_unless_skipped(net, tmp_path):
    expected = values(net)
    layers = {"a_1": {"a_1/weights:0": 0 * expected[0]}, "z": {"z/weights:0": np.eye(2)}}
    old_file(tmp_path / "old.h5", layers, encode=False)
    with pytest.raises(StructureMismatch, match="not in the model: z/weights"):
        files.load_hdf5_to_weights(tmp_path / "old.h5", net)
    assert same(values(net), expected)
    files.load_hdf5_to_weights(tmp_path / "old.h5", net, skip=True)
    assert same(values(net), [0 * expected[0], *expected[1:]])


@pytest.mark.parametrize("save_weights", [False, True])
def test_structure_comes_back_as_json(save_weights, net, tmp_path):
    model = tl.models.Model(net.input_nodes[0], net, name="small")
    files.save_hdf5_graph(model, tmp_path / "m.h5", save_weights, customized_data={"epoch": 3})
    assert os.listdir(tmp_path) == ["m.h5"]
    back = files.load_hdf5_graph(tmp_path / "m.h5", load_weights=save_weights)
    assert hostile.structure(back.config) == hostile.structure(model.config)
    assert same(values(back), values(model)) is save_weights
    with h5py.File(tmp_path / "m.h5") as file:
        assert file["__customized_data__"][()] == b'{"epoch": 3}'


def test_a_structure_of_2_x_is_not_evaluated(tmp_path):
    hostile = f"__import__('os').mkdir({str(tmp_path / 'hostile')!r})"
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["model_config"] = hostile
    with pytest.raises(Corrupt, match=r"The structure is no literal of Python"):
        files.load_hdf5_graph(tmp_path / "old.h5")
    assert os.listdir(tmp_path) == ["old.h5"]


def test_what_is_no_config_is_an_error():
    with pytest.raises(InvalidArgument, match="model_config is the config of"):
        files.static_graph2net("{'class': 'Model'}")


@pytest.mark.parametrize("content", [b"", b"no HDF5", None])
def test_damaged_and_empty_files_are_named(content, net, tmp_path):
    path = tmp_path / "a.h5"
    if content is None:
        h5py.File(path, "w").close()
    else:
        path.write_bytes(content)
    for load in (files.load_hdf5_to_weights, files.load_hdf5_to_weights_in_order):
        with pytest.raises(Corrupt, match=r"a\.h5' cannot be read as hdf5: "):
            load(path, net)
    with pytest.raises(Corrupt, match=r"a\.h5' (cannot be read as|holds weights but no structure)"):
        files.load_hdf5_graph(path)


def test_a_missing_file_is_named(net, tmp_path):
    for load in (files.load_hdf5_to_weights, files.load_hdf5_to_weights_in_order):
        with pytest.raises(FileNotFoundError, match=r"no weights file .*missing\.h5"):
            load(tmp_path / "missing.h5", net)
    with pytest.raises(FileNotFoundError, match=r"no file .*missing\.h5"):
        files.load_hdf5_graph(tmp_path / "missing.h5")


@pytest.mark.parametrize("text", ["{", "[" * 10**5, "{'class': 'Model'}"])
def test_a_structure_that_is_no_json_is_named(text, tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["__config__"] = text
    with pytest.raises(Corrupt, match=r"the structure in .*m\.h5' is no JSON"):
        files.load_hdf5_graph(tmp_path / "m.h5")
