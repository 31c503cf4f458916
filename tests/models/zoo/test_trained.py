from __future__ import annotations

import dataclasses
import hashlib
import sys

import h5py
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import Corrupt, DownloadFailed, StructureMismatch
from tensorlayer.models.zoo import mobilenet, resnet, squeezenet
from tensorlayer.models.zoo.vgg import RECIPES
from tests.models.zoo.keras_files import randomised, write_h5

TRAINED = RECIPES["vgg16"].trained
KERAS_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(sys.modules["tensorlayer.files.download"], "PAUSE_SECONDS", 0.01)


@pytest.fixture
def model():
    """Return a network of two convolutions, the beginning of VGG."""
    return tl.models.vgg16(end_with="conv1_2")


@pytest.fixture
def values(model):
    """Return random values for its parameters."""
    rng = np.random.default_rng(1)
    return {n: rng.random(v.shape, np.float32) for n, v in model.parameters.items()}


def assert_has(model, values):
    for name, variable in model.parameters.items():
        np.testing.assert_array_equal(variable, values[name], err_msg=name)


def with_blue_first(values):
    """Return the values with the channels that the first filters take turned around."""
    first = values["conv1_1/filters"][:, :, [2, 1, 0]]
    return {**values, "conv1_1/filters": first}


# -- layouts


def test_the_archive_of_vgg16_has_an_array_for_each_parameter(model, values, tmp_path):
    names = {n: n.replace("/filters", "_W").replace("/biases", "_b") for n in values}
    others = {"conv2_1_W": np.zeros([3, 3, 64, 128]), "fc8_b": np.zeros(1000)}
    np.savez(tmp_path / "w.npz", **others, **{names[n]: values[n] for n in reversed(values)})
    with np.load(tmp_path / "w.npz") as file:
        assert list(file)[-1] == "conv1_1_W"

    # By name: the order of the file is not that of the layers, but for weights and biases.
    ordered = {names[n]: values[n] for n in sorted(values)}
    ordered = {n: ordered[n] for n in ("conv1_2_W", "conv1_2_b", "conv1_1_W", "conv1_1_b")}
    np.savez(tmp_path / "w.npz", **others, **ordered)
    TRAINED.read(tmp_path / "w.npz", model.parameters)
    assert_has(model, values)


@pytest.mark.parametrize("protocol", [2, 4])
def test_the_dictionary_of_vgg19_takes_blue_first(model, values, tmp_path, protocol):
    layers = {
        layer: [values[f"{layer}/filters"], values[f"{layer}/biases"]]
        for layer in ("conv1_2", "conv1_1")
    }
    pickled = np.array({**layers, "fc8": [np.zeros([4096, 1000]), np.zeros(1000)]}, object)
    with open(tmp_path / "vgg19.npy", "wb") as file:
        header = {"descr": "|O", "fortran_order": False, "shape": ()}
        np.lib.format.write_array_header_1_0(file, header)
        __import__("pickle").dump(pickled, file, protocol=protocol)

    TRAINED.read(tmp_path / "vgg19.npy", model.parameters)
    assert_has(model, with_blue_first(values))


def test_what_is_no_dictionary_of_layers_is_damage(model, tmp_path):
    np.save(tmp_path / "vgg19.npy", np.zeros(3))

    with pytest.raises(Corrupt, match="is no dictionary of layers"):
        TRAINED.read(tmp_path / "vgg19.npy", model.parameters)


@pytest.mark.parametrize("name", ["w.h5", "w.npz", "w.safetensors"])
def test_what_the_library_has_written_is_as_it_was(model, values, tmp_path, name):
    longer = tl.models.vgg16(end_with="conv2_1")
    longer.assign_arrays(values, skip=True)
    longer.save_weights(tmp_path / name)

    again = tl.models.vgg16(tmp_path / name, end_with="conv1_2")
    assert isinstance(again, tl.models.VGG)
    assert_has(again, values)


def test_a_file_of_the_first_keras_takes_blue_first(model, values, tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [b"input_1", b"block1_conv2", b"block1_conv1", b"block1_pool"]
        for name in file.attrs["layer_names"]:
            file.create_group(name).attrs["weight_names"] = np.zeros(0, "S")
        for index in (1, 2):
            group = file[f"block1_conv{index}"]
            names = [f"block1_conv{index}_{letter}_1:0" for letter in "Wb"]
            group.attrs["weight_names"] = [each.encode() for each in names]
            for name, own in zip(names, ("filters", "biases"), strict=True):
                group[name] = values[f"conv1_{index}/{own}"]

    TRAINED.read(tmp_path / "w.h5", model.parameters)
    assert_has(model, with_blue_first(values))


def test_scale_and_offset_are_not_mixed_up(tmp_path):
    network = tf.keras.applications.MobileNet(weights=None, input_shape=(32, 32, 3))
    path = write_h5(randomised(network), tmp_path / "w.h5")
    model = tl.models.MobileNetV1(path, end_with="conv")

    pairs = {"gamma": "gamma", "beta": "beta", "moving_mean": "moving_mean"}
    pairs["moving_variance"] = "moving_var"
    for weight in network.get_layer("conv1_bn").weights:
        found = model.parameters[f"conv.batchnorm/{pairs[weight.name]}"]
        np.testing.assert_array_equal(found, weight.numpy())


# -- what does not fit


def test_a_layer_that_is_missing_is_named_and_nothing_assigned(model, values, tmp_path):
    before = {n: v.numpy() for n, v in model.parameters.items()}
    np.savez(tmp_path / "w.npz", conv1_1_W=values["conv1_1/filters"], conv1_1_b=np.zeros(64))

    with pytest.raises(StructureMismatch, match="missing: conv1_2/filters, conv1_2/biases"):
        TRAINED.read(tmp_path / "w.npz", model.parameters)
    assert_has(model, before)


def test_another_shape_is_named_and_nothing_assigned(tmp_path):
    np.savez(tmp_path / "w.npz", conv1_1_W=np.zeros([3, 3, 3, 32]), conv1_1_b=np.zeros(64))

    with pytest.raises(StructureMismatch, match=r"conv1_1/filters is \(3, 3, 3, 64\) in the model"):
        tl.models.vgg16(tmp_path / "w.npz", end_with="conv1_1", mode="static")


def test_a_layer_that_is_there_twice_is_refused(tmp_path):
    arrays = {"conv1_1_W": np.zeros([3, 3, 3, 64]), "conv1_1_b": np.zeros(64)}
    np.savez(tmp_path / "w.npz", **arrays, block1_conv1_b=np.zeros(64))

    with pytest.raises(StructureMismatch, match="block1_conv1_b once more"):
        tl.models.vgg16(tmp_path / "w.npz", end_with="conv1_1")


def test_fewer_arrays_than_parameters_are_refused(tmp_path):
    tl.files.save_npz([np.zeros([3, 3, 3, 64])], tmp_path / "w.npz")

    with pytest.raises(StructureMismatch, match="holds 1 arrays and the network has 2 parameters"):
        tl.models.vgg16(tmp_path / "w.npz", end_with="conv1_1")


def test_a_file_that_is_not_there_is_not_looked_for_elsewhere(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"mine.h5.*pretrained=True downloads"):
        tl.models.vgg16(tmp_path / "mine.h5", end_with="conv1_1")


def test_a_damaged_archive_is_corrupt(tmp_path):
    (tmp_path / "w.npz").write_bytes(b"PK and nothing more")

    with pytest.raises(Corrupt):
        tl.models.vgg16(tmp_path / "w.npz", end_with="conv1_1")


# -- the folder, and the server


@pytest.fixture
def published(server, values, tmp_path):
    """Return trained weights on the server, with their checksum."""
    with h5py.File(tmp_path / "made.h5", "w") as file:
        file.attrs["layer_names"] = ["block1_conv1", "block1_conv2"]
        for index in (1, 2):
            group = file.create_group(f"block1_conv{index}")
            names = [f"block1_conv{index}/{own}:0" for own in ("kernel", "bias")]
            group.attrs["weight_names"] = names
            group[names[0]] = values[f"conv1_{index}/filters"]
            group[names[1]] = values[f"conv1_{index}/biases"]
    content = (tmp_path / "made.h5").read_bytes()
    server.files[KERAS_FILE] = content
    checksum = f"md5:{hashlib.md5(content).hexdigest()}"
    return dataclasses.replace(TRAINED, url=server.url, checksum=checksum)


@pytest.fixture
def _serving(published, monkeypatch, tmp_path):
    """Let vgg16 take its weights from there, in a folder of this test."""
    monkeypatch.setitem(RECIPES, "vgg16", dataclasses.replace(RECIPES["vgg16"], trained=published))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_serving")
@pytest.mark.parametrize("mode", ["dynamic", "static"])
def test_they_are_downloaded_once_into_the_folder_models(mode, server, values, tmp_path):
    for _ in range(2):
        model = tl.models.vgg16(pretrained=True, end_with="conv1_2", mode=mode)
        assert_has(model, with_blue_first(values))
    assert [path for path, _ in server.requests] == [f"/{KERAS_FILE}"]
    assert [path.name for path in (tmp_path / "models").iterdir()] == [KERAS_FILE]


@pytest.mark.usefixtures("_serving")
def test_the_file_of_2_x_in_the_folder_is_taken(server, values, tmp_path):
    (tmp_path / "own").mkdir()
    arrays = {n.replace("/filters", "_W").replace("/biases", "_b"): v for n, v in values.items()}
    np.savez(tmp_path / "own" / "vgg16_weights.npz", **arrays)

    net = tl.models.VGG16(
        x=tl.layers.Input([None, 8, 8, 3]), pretrained=tmp_path / "own", end_with="conv1_2"
    )
    assert server.requests == []
    for name, value in values.items():
        np.testing.assert_array_equal(net.parameters[f"vgg16/{name}"], value)


@pytest.mark.usefixtures("_serving")
def test_another_file_than_was_published_is_refused(server, tmp_path):
    server.files[KERAS_FILE] = b"something else"

    with pytest.raises(Corrupt, match="checksum is not md5:"):
        tl.models.vgg16(pretrained=True, end_with="conv1_1")
    assert list((tmp_path / "models").glob("*.h5")) == []


@pytest.mark.usefixtures("_serving")
def test_a_server_without_the_file_says_where_to_put_it(server):
    server.files.clear()

    with pytest.raises(DownloadFailed, match=rf"models/{KERAS_FILE}' yourself"):
        tl.models.vgg16(pretrained=True, end_with="conv1_1")


@pytest.mark.parametrize(
    "trained",
    [RECIPES["vgg16"].trained, RECIPES["vgg19"].trained, resnet.TRAINED],
    ids=["vgg16", "vgg19", "resnet50"],
)
def test_addresses_and_checksums_are_those_of_keras(trained):
    module = trained.files[-1].partition("_")[0].replace("resnet50", "resnet")
    text = source_of(module)

    assert trained.checksum.removeprefix("md5:") in text
    base, folder = trained.url[:-1].rsplit("/", 1)
    assert base == "https://storage.googleapis.com/tensorflow/keras-applications"
    assert trained.url.endswith("/")
    assert folder == module


def source_of(module):
    """Return what Keras itself says of its files."""
    import importlib.util
    from pathlib import Path

    found = Path(importlib.util.find_spec("keras").origin).parent
    return (found / "src" / "applications" / f"{module}.py").read_text()


@pytest.mark.parametrize("trained", [mobilenet.TRAINED, squeezenet.TRAINED])
def test_no_checksum_is_made_up(trained):
    assert trained.checksum is None
    published = "https://github.com/tensorlayer/pretrained-models/raw/master/models/"
    assert trained.url == published
