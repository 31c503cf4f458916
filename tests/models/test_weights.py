from __future__ import annotations

import json
import logging
import shutil
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import save_file

import tensorlayer as tl
from tensorlayer.errors import BrokenConfig, Corrupt, InvalidArgument, StructureMismatch
from tensorlayer.models import Model, weights

GOLDEN = Path(__file__).parent / "golden"

ARRAYS = {
    "b/weights": np.arange(6, dtype="float32").reshape(2, 3),
    "a/biases": np.array([np.nan, np.inf, -0.0], "float32"),
    "scalar": np.array(3, "int64"),
}


@pytest.mark.parametrize("format_", ["safetensors", "npz_dict", "hdf5", "ckpt"])
def test_arrays_by_name_come_back_in_any_format(tmp_path, format_):
    weights.save(tmp_path / "w", ARRAYS, format_)

    found = weights.load(tmp_path / "w", format_)

    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)


def test_arrays_by_position_keep_their_order_and_different_shapes(tmp_path):
    weights.save(tmp_path / "w.npz", ARRAYS, "npz")

    found = weights.load(tmp_path / "w.npz", "npz")

    for one, other in zip(found.values(), ARRAYS.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    weights.save(tmp_path / "w.npz", ARRAYS, "npz_dict")
    before = (tmp_path / "w.npz").read_bytes()

    with pytest.raises(TypeError):
        weights.save(tmp_path / "w.npz", {3: np.ones(2)}, "npz_dict")

    assert (tmp_path / "w.npz").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["w.npz"]


@pytest.mark.parametrize("format_", ["safetensors", "npz", "hdf5"])
def test_a_file_of_something_else_is_corrupt(tmp_path, format_):
    (tmp_path / "w").write_bytes(b"not what it says")

    with pytest.raises(Corrupt, match=f"cannot be read as {format_}"):
        weights.load(tmp_path / "w", format_)


def test_a_truncated_file_is_corrupt(tmp_path):
    weights.save(tmp_path / "w.safetensors", ARRAYS, "safetensors")
    whole = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "w.safetensors").write_bytes(whole[:-4])

    with pytest.raises(Corrupt, match=r"cannot be read as safetensors"):
        weights.load(tmp_path / "w.safetensors", "safetensors")


def test_pickled_arrays_are_not_read(tmp_path):
    np.savez(tmp_path / "w.npz", params=np.array([np.ones(2), np.ones(3)], dtype=object))

    with pytest.raises(Corrupt, match=r"is read by tl.files.load_and_assign_npz"):
        weights.load(tmp_path / "w.npz", "npz")


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no weights file"):
        weights.load(tmp_path / "none.npz", "npz")


def test_without_an_extension_it_is_hdf5(tmp_path):
    model = mlp()
    model.save_weights(tmp_path / "w")

    other = mlp()
    other.load_weights(tmp_path / "w")

    assert h5py.is_hdf5(tmp_path / "w")
    np.testing.assert_array_equal(other.all_weights[0], model.all_weights[0])


def test_an_unknown_format_names_those_there_are():
    with pytest.raises(
        InvalidArgument, match=r"format 'pkl' of 'model.pkl' is unknown. There are: "
    ):
        weights.format_of("model.pkl")


def test_another_number_of_arrays_is_refused_by_position():
    with pytest.raises(StructureMismatch, match=r"holds 3 arrays and the model 1 parameters: w"):
        weights.by_position({"w": tf.Variable(1.0)}, ARRAYS)


def test_names_of_older_releases_end_in_an_output_number(tmp_path):
    np.savez(tmp_path / "w.npz", **{"dense/W:0": np.ones(2), "dense/b:0": np.ones(1)})

    assert list(weights.load(tmp_path / "w.npz", "npz_dict")) == ["dense/W", "dense/b"]


def test_thousands_of_names_fit_into_an_hdf5_file(tmp_path):
    many = {f"a/rather/long/name/of/a/parameter/{i}": np.array(i) for i in range(5000)}

    weights.save(tmp_path / "w.h5", many, "hdf5")

    assert list(weights.load(tmp_path / "w.h5", "hdf5")) == list(many)


# -- what a model makes of them

BY_NAME = [
    ("w.safetensors", None), ("w.npz", "npz_dict"), ("w.h5", None), ("w.hdf5", None),
    ("w.ckpt", None), ("w", "ckpt"), ("w.ckpt-100", None),
]  # fmt: skip


def mlp(n_out=3, head="d2"):
    x = tl.layers.Input([None, 6], name="x")
    hidden = tl.layers.Dense(x, 5, act="relu", name="d1")
    return Model(x, tl.layers.Dense(tl.layers.Dropout(hidden, 0.8), n_out, name=head), name="mlp")


def same(model, arrays):
    found = model.to_arrays()
    return list(found) == list(arrays) and all(np.array_equal(found[n], arrays[n]) for n in found)


@pytest.mark.parametrize(("name", "format_"), [*BY_NAME, ("w.npz", None)])
def test_weights_come_back_in_any_format(tmp_path, name, format_):
    one, other = mlp(), mlp()
    one.save_weights(tmp_path / name, format_)

    skipped = other.load_weights(tmp_path / name, format_)

    assert same(other, one.to_arrays())
    assert not skipped


@pytest.mark.parametrize("suffix", ["", ":0"])
def test_an_archive_with_names_is_read_by_name_in_any_order(tmp_path, suffix):
    one, other = mlp(5, head="a"), mlp(5, head="a")
    arrays = one.to_arrays()
    np.savez(tmp_path / "w.npz", **{f"{n}{suffix}": arrays[n] for n in reversed(arrays)})

    for format_ in (None, "npz", "npz_dict"):
        other.assign_arrays({name: 0 * array for name, array in arrays.items()})
        other.load_weights(tmp_path / "w.npz", format_)
        assert same(other, arrays)


def test_an_archive_with_other_names_is_not_read_by_position(tmp_path):
    one, other = mlp(head="old"), mlp(head="new")
    one.save_weights(tmp_path / "w.npz", "npz_dict")

    with pytest.raises(StructureMismatch, match=r"missing: new/weights.*not in the model: old/w"):
        other.load_weights(tmp_path / "w.npz")


def test_places_are_numbers_whatever_their_order_in_the_archive(tmp_path):
    model, many = mlp(), [np.full(i + 1, i, "f4") for i in range(12)]
    variables = {f"v{i}": tf.Variable(0 * array) for i, array in enumerate(many)}
    np.savez(
        tmp_path / "w.npz", **{f"arr_{i}": many[i] for i in (11, 3, 0, 10, 1, 2, *range(4, 10))}
    )

    weights.restore(variables, tmp_path / "w.npz", "npz")

    assert all(np.array_equal(variables[f"v{i}"], array) for i, array in enumerate(many))
    with pytest.raises(StructureMismatch, match=r"holds 12 arrays and the model 4 parameters"):
        model.load_weights(tmp_path / "w.npz")


def test_what_older_releases_wrote_is_read(tmp_path):
    folder = GOLDEN / "tensorlayer-2.2.4"
    with np.load(folder / "mlp.values.npz") as values:
        x, y = values["x0"], values["y"]

    for name in ("mlp.dict.npz", "mlp.weights.h5"):
        model = mlp()
        model.load_weights(folder / name)
        np.testing.assert_allclose(model(x, is_train=False), y, rtol=1e-5)
    with pytest.raises(Corrupt, match=r"is read by tl.files.load_and_assign_npz"):
        mlp().load_weights(folder / "mlp.npz")


def test_a_checkpoint_of_tensorlayer_1_is_read():
    folder = GOLDEN / "tensorlayer-1.11.1"
    with np.load(folder / "cnn.dict.npz") as file:
        expected = {name.removesuffix(":0"): file[name] for name in file.files}
    variables = {name: tf.Variable(tf.zeros_like(array)) for name, array in expected.items()}

    weights.restore(variables, folder / "cnn.ckpt", "ckpt")

    assert len(expected) == 10
    assert all(np.array_equal(variables[name], array) for name, array in expected.items())


def test_a_checkpoint_of_a_session_is_read_without_what_training_left(tmp_path):
    arrays = mlp().to_arrays()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, array in {**arrays, "d1/weights/Adam": np.zeros(1), "global_step": 7}.items():
            tf.compat.v1.get_variable(name, initializer=tf.constant(array))
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(tmp_path / "old.ckpt"), global_step=3)
    model = mlp()

    model.load_weights(tmp_path / "old.ckpt-3")

    assert same(model, arrays)


def test_the_values_of_a_graph_are_those_of_its_session():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = {name: tf.Variable(tf.random.normal([3]), name=name) for name in "ba"}
        session.run(tf.compat.v1.global_variables_initializer())

        values = weights.values_of(variables)

        expected = session.run(variables)
    assert list(values) == ["b", "a"]
    assert all(np.array_equal(values[name], expected[name]) for name in "ab")


def test_what_was_skipped_is_shown_once():
    skipped = weights.Skipped(reshaped=("head",), shapes=("head: (2,) in the file, not (3,)",))

    assert repr(skipped) == "Skipped(missing=(), unexpected=(), reshaped=('head',))"
    assert str(skipped) == "other shapes: head: (2,) in the file, not (3,)"


# -- what does not fit


@pytest.mark.parametrize(("name", "format_"), BY_NAME)
def test_a_head_of_another_shape_is_skipped_and_said(tmp_path, name, format_, caplog):
    pretrained, model = mlp(1000), mlp(3)
    pretrained.save_weights(tmp_path / name, format_)
    before = model.to_arrays()

    with pytest.raises(
        StructureMismatch,
        match=r"other shapes: d2/weights is \(5, 3\) in the model, \(5, 1000\) in the file, d2/b.*"
        r"Nothing was assigned: skip=True",
    ):
        model.load_weights(tmp_path / name, format_)
    assert same(model, before)
    with caplog.at_level(logging.WARNING, "tensorlayer"):
        skipped = model.load_weights(tmp_path / name, format_, skip=True)

    assert skipped.reshaped == ("d2/weights", "d2/biases")
    assert (skipped.missing, skipped.unexpected) == ((), ())
    assert skipped
    assert "some weights were skipped; other shapes: d2/weights is (5, 3) in" in caplog.text
    after, given = model.to_arrays(), pretrained.to_arrays()
    for key in before:
        assert np.array_equal(after[key], (given if key.startswith("d1") else before)[key])


def test_names_of_one_side_are_skipped_and_said(tmp_path, caplog):
    mlp(head="old").save_weights(tmp_path / "w.h5")

    with caplog.at_level(logging.WARNING, "tensorlayer"):
        skipped = mlp(head="new").load_weights(tmp_path / "w.h5", skip=True)

    assert skipped == weights.Skipped(
        missing=("new/weights", "new/biases"), unexpected=("old/weights", "old/biases")
    )
    assert str(skipped) in caplog.text
    assert str(skipped).startswith("missing: new/weights, new/biases; not in the model: old/w")


def test_what_fits_is_loaded_and_the_rest_is_said(tmp_path, caplog):
    given, renamed, resized = mlp(7), mlp(7, head="new"), mlp(3)
    given.save_weights(tmp_path / "w.h5")

    with caplog.at_level(logging.WARNING, "tensorlayer"):
        renamed.load_weights(tmp_path / "w.h5", skip=True)
    assert "missing: new/weights, new/biases; not in the model: d2/weights" in caplog.text
    resized.load_weights(tmp_path / "w.h5", skip=True)

    for model in (renamed, resized):
        np.testing.assert_array_equal(model.all_weights[0], given.all_weights[0])


@pytest.mark.parametrize("format_", ["npz", "npz_dict"])
def test_an_archive_that_was_cut_off_is_our_error_and_assigns_nothing(tmp_path, format_):
    model, path = mlp(), tmp_path / "w.npz"
    model.save_weights(path, format_)
    whole, before = path.read_bytes(), model.to_arrays()

    for end in range(0, len(whole), 37):
        path.write_bytes(whole[:end])
        with pytest.raises(Corrupt, match=r"cannot be read as npz"):
            model.load_weights(path, format_)
    assert same(model, before)


def test_nothing_is_said_when_nothing_is_skipped(tmp_path, caplog):
    mlp().save_weights(tmp_path / "w.h5")

    with caplog.at_level(logging.DEBUG, "tensorlayer"):
        assert not mlp().load_weights(tmp_path / "w.h5", skip=True)
    assert caplog.text == ""


def test_nothing_in_common_is_an_error_even_when_skipping():
    model = mlp()
    before = model.to_arrays()

    for arrays in ({}, {"other": np.ones(2)}, {name: np.ones(9) for name in before}):
        with pytest.raises(StructureMismatch, match=r"they have nothing in common"):
            model.assign_arrays(arrays, skip=True)
    assert same(model, before)


@pytest.mark.parametrize(("name", "format_"), [*BY_NAME, ("w.npz", "npz")])
def test_a_float64_file_is_cast(tmp_path, name, format_):
    model = mlp()
    arrays = {name: array.astype("float64") + 1 for name, array in model.to_arrays().items()}
    weights.save(tmp_path / name, arrays, weights.format_of(tmp_path / name, format_))

    model.load_weights(tmp_path / name, format_)

    assert same(model, {name: array.astype("float32") for name, array in arrays.items()})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array(["a"] * 5), r"holds d1/biases of <U1\. Nothing was assigned"),
        (np.array([b"a"] * 5), r"holds d1/biases of \|S1"),
        (np.array([{}] * 5), r"holds d1/biases of object"),
        (np.zeros(5, "M8[s]"), r"holds d1/biases of datetime64"),
        (np.zeros(5, [("a", "f4")]), r"holds d1/biases of \[\('a'"),
    ],
)
def test_what_is_no_number_is_refused(value, message):
    model = mlp()
    before = model.to_arrays()

    for skip in (False, True):
        with pytest.raises(StructureMismatch, match=message):
            model.assign_arrays({**before, "d1/biases": value}, skip)
    assert same(model, before)


def test_text_in_files_is_refused(tmp_path):
    model = mlp()
    arrays = {**model.to_arrays(), "d1/biases": np.array([b"text"] * 5)}
    weights.save(tmp_path / "w.npz", arrays, "npz_dict")
    weights.save(tmp_path / "w.h5", arrays, "hdf5")
    with h5py.File(tmp_path / "w.h5", "a") as file:
        del file["d1/biases"]
        file["d1/biases"] = ["any length"] * 5

    for name in ("w.npz", "w.h5"):
        with pytest.raises(StructureMismatch, match=r"weights are numbers; the file holds d1/bia"):
            model.load_weights(tmp_path / name)


def test_damage_in_the_last_array_assigns_none(tmp_path):
    model = mlp()
    before = model.to_arrays()
    for name, format_ in [("w.npz", "npz_dict"), ("w.npz", "npz"), ("w.ckpt", "ckpt")]:
        weights.save(tmp_path / name, {n: a + 1 for n, a in before.items()}, format_)
        path = tmp_path / ("w.ckpt.data-00000-of-00001" if format_ == "ckpt" else name)
        content = bytearray(path.read_bytes())
        last = (before["d2/biases"] + 1).tobytes()
        content[content.rindex(last)] ^= 1
        path.write_bytes(content)

        with pytest.raises(Corrupt, match=r"cannot be read as"):
            model.load_weights(tmp_path / name, format_)
        assert same(model, before)


@pytest.mark.parametrize("skip", [False, True])
def test_a_small_file_that_claims_gigabytes_costs_nothing(tmp_path, skip):
    model = mlp()
    names = list(model.parameters)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("__names__", data=json.dumps(names))
        for name in names:
            file.create_dataset(name, (40_000, 40_000), "f4", chunks=(1000, 1000))
    (tmp_path / "zeros").write_bytes(bytes(4 * 10**7))
    zeros = np.memmap(tmp_path / "zeros", "f4", "r")
    np.savez_compressed(tmp_path / "named.npz", **dict.fromkeys(names, zeros))
    np.savez_compressed(tmp_path / "w.npz", *[zeros] * 4)

    for name in ("w.h5", "named.npz", "w.npz"):
        assert (tmp_path / name).stat().st_size < 200_000
        tracemalloc.start()
        with pytest.raises(StructureMismatch, match=r"other shapes: d1/weights is \(6, 5\)"):
            model.load_weights(tmp_path / name, skip=skip)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10**7


# -- structure and weights in one file


def test_a_structure_that_is_damaged_is_our_error(tmp_path):
    arrays = mlp().to_arrays()
    for text in ("", "{", "[" * 10**5, "9" * 10**5, "NaN" + "x"):
        save_file(arrays, tmp_path / "m.safetensors", metadata={"config": text})
        with pytest.raises(Corrupt, match=r"the structure in .*m.safetensors' is no JSON"):
            Model.load(tmp_path / "m.safetensors")
    for text in ("null", "{}", "[]", json.dumps({**mlp().config, "model_architecture": 3})):
        save_file(arrays, tmp_path / "m.safetensors", metadata={"config": text})
        with pytest.raises(BrokenConfig, match=r"^config"):
            Model.load(tmp_path / "m.safetensors")


def test_a_structure_much_larger_than_its_weights_is_not_built(tmp_path, monkeypatch):
    config = mlp().config
    config["model_architecture"][1]["arguments"]["n_units"] = 2 * 10**7
    arrays = mlp().to_arrays()
    save_file(arrays, tmp_path / "m.safetensors", metadata={"config": json.dumps(config)})

    with pytest.raises(BrokenConfig, match=r"\[1\]: the variables need 480000000 bytes"):
        Model.load(tmp_path / "m.safetensors")


def test_a_model_of_one_number_comes_back(tmp_path):
    x = tl.layers.Input([None, 2], name="x")
    model = Model(x, tl.layers.Lambda(x, scaled, name="scaled"), name="scalar")
    model.all_weights[0].assign(5.0)
    model.save(tmp_path / "m.safetensors")

    assert Model.load(tmp_path / "m.safetensors").all_weights[0].numpy() == 5.0


@tl.models.serializable
def scaled(x):
    return x * tf.Variable(2.0, name="scale")


def test_a_saved_model_that_was_cut_off_is_corrupt(tmp_path):
    mlp().save(tmp_path / "m.safetensors")
    whole = (tmp_path / "m.safetensors").read_bytes()

    for end in (0, 5, 100, len(whole) - 1):
        (tmp_path / "m.safetensors").write_bytes(whole[:end])
        with pytest.raises(Corrupt, match=r"cannot be read as safetensors"):
            Model.load(tmp_path / "m.safetensors")
    shutil.copy(tmp_path / "m.safetensors", tmp_path / "w.npz")
    with pytest.raises(Corrupt, match=r"cannot be read as npz"):
        mlp().load_weights(tmp_path / "w.npz")
