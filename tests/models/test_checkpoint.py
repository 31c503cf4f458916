from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.models import weights
from tensorlayer.models.checkpoint import is_parameter, without_training, write


def test_tensorflow_reads_what_is_written(tmp_path):
    arrays = {"a/weights": np.eye(3), "a/b": np.float32(2), "n": np.arange(3)}
    write(tmp_path / "deep" / "model.ckpt", arrays)

    reader = tf.train.load_checkpoint(str(tmp_path / "deep" / "model.ckpt"))

    assert set(reader.get_variable_to_shape_map()) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(reader.get_tensor(name), array)
    assert sorted(os.listdir(tmp_path / "deep")) == [
        "model.ckpt.data-00000-of-00001", "model.ckpt.index",
    ]  # fmt: skip


def test_a_checkpoint_replaces_another(tmp_path):
    write(tmp_path / "m", {"a": np.zeros(2)})
    write(tmp_path / "m", {"b": np.ones(3)})

    assert tf.train.list_variables(str(tmp_path / "m")) == [("b", [3])]


def test_a_write_that_fails_leaves_the_old_one_and_nothing_else(tmp_path):
    write(tmp_path / "m", {"a": np.zeros(2)})
    before = sorted(os.listdir(tmp_path))

    with pytest.raises(TypeError):
        write(tmp_path / "m", {3: np.ones(2)})

    assert sorted(os.listdir(tmp_path)) == before
    assert tf.train.list_variables(str(tmp_path / "m")) == [("a", [2])]


#: Writes three checkpoints, one after the other; before each change of files it copies what there
#: is, as a kill in that moment would leave it. At last it is killed in fact.
KILLED = """
import os, pathlib, shutil, signal, sys
import numpy as np
from tensorlayer.models.checkpoint import write

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir"}
folder, copied, is_copying = pathlib.Path(sys.argv[1]), [], True

def copy(event, given):
    global is_copying
    if event in CHANGES and not is_copying:
        is_copying = True
        copied.append(number)
        shutil.copytree(folder / "run", folder / "copies" / str(len(copied)))
        if number == 3 and str(given[1]).endswith("m.index"):
            os.kill(os.getpid(), signal.SIGKILL)
        is_copying = False

sys.addaudithook(copy)
for number in range(4):
    write(folder / "run" / "m", {name: np.full(3 + number, number) for name in "ab"})
    is_copying = False
"""


def test_whenever_it_is_killed_there_is_a_checkpoint(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    copies = sorted((tmp_path / "copies").iterdir(), key=lambda path: int(path.name))
    found = []

    for folder in (*copies, tmp_path / "run"):
        reader = tf.train.load_checkpoint(str(folder / "m"))
        a, b = reader.get_tensor("a"), reader.get_tensor("b")
        assert set(a) == set(b) == {a[0]}
        assert a.size == b.size == 3 + a[0]
        found.append(a[0])
    assert len(found) > 20
    assert set(found) == {0, 1, 2}
    assert found == sorted(found)

    for folder in (*copies, tmp_path / "run"):
        write(folder / "m", {"c": np.zeros(2), "d": np.zeros(2)})
        assert tf.train.list_variables(str(folder / "m")) == [("c", [2]), ("d", [2])]
        left = {name for name in os.listdir(folder) if not name.startswith("m.")}
        assert not any(map(os.listdir, (folder / name for name in left)))


@pytest.mark.parametrize("shape", [(), (1, 1), (0,), (2,), (3, 1), (1, 5, 2), (2, 3, 4)])
def test_a_single_array_is_replaced_too(shape, tmp_path):
    for number in range(4):
        array = np.arange(number, number + np.prod(shape, dtype=int)).reshape(shape)
        write(tmp_path / "m", {"a": array})
        np.testing.assert_array_equal(
            tf.train.load_checkpoint(str(tmp_path / "m")).get_tensor("a"), array
        )


@pytest.mark.parametrize("kind", ["float16", "bool", "uint16", "int8", "float64", "str"])
@pytest.mark.parametrize("shape", [(3,), (2,) + (1,) * 8], ids=["3", "9 axes"])
def test_a_single_array_of_any_kind_is_read_again(kind, shape, tmp_path):
    for number in range(3):
        array = np.full(shape, number).astype(kind)
        write(tmp_path / "m", {"a": array})
        found = tf.train.load_checkpoint(str(tmp_path / "m")).get_tensor("a")
        np.testing.assert_array_equal(found.astype(kind), array)


WRITING = """
import sys
import numpy as np
from tensorlayer.models.checkpoint import write

for number in range(20):
    write(sys.argv[1], {name: np.full(3, number) for name in "ab"})
"""


def test_two_that_write_leave_a_whole_one(tmp_path):
    prefix = str(tmp_path / "m")
    writers = [subprocess.Popen([sys.executable, "-c", WRITING, prefix]) for _ in range(2)]

    assert [each.wait() for each in writers] == [0, 0]

    reader = tf.train.load_checkpoint(prefix)
    np.testing.assert_array_equal(reader.get_tensor("a"), [19, 19, 19])
    np.testing.assert_array_equal(reader.get_tensor("b"), [19, 19, 19])
    assert len(os.listdir(tmp_path)) in {2, 3}


def test_a_checkpoint_of_others_of_many_files_is_replaced(tmp_path):
    names = [str(tmp_path / f"part{index}") for index in range(3)]
    for index, name in enumerate(names):
        tf.raw_ops.SaveV2(
            prefix=name, tensor_names=[f"w{index}"], shape_and_slices=[""],
            tensors=[tf.constant(index)],
        )  # fmt: skip
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=names, destination_prefix=str(tmp_path / "m"), delete_old_dirs=False
    )
    assert len(os.listdir(tmp_path)) == 4
    (tmp_path / "m2.data-00000-of-00009").touch()  # of another one

    write(tmp_path / "m", {"a": np.zeros(2)})

    assert tf.train.list_variables(str(tmp_path / "m")) == [("a", [2])]
    assert sorted(os.listdir(tmp_path)) == [
        "m.data-00000-of-00001", "m.index", "m2.data-00000-of-00009",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["w/Adam", "w/Adam_1", "w/Momentum", "global_step", "beta1_power", "save_counter"]
)
def test_what_training_leaves_is_no_parameter(name):
    assert not is_parameter(name)
    assert is_parameter(f"{name}/weights")


@pytest.mark.parametrize("make", [tf.keras.optimizers.Adam, tf.compat.v1.train.AdamOptimizer])
def test_a_checkpoint_of_objects_has_the_names_of_objects(make, tmp_path):
    model, optimizer = tf.Module(), make()
    model.w, model.optimizer_like = tf.Variable([1.0]), tf.Variable([2.0])
    optimizer.apply_gradients([(tf.ones([1]), model.w)])
    path = tf.train.Checkpoint(model=model, optimizer=optimizer).save(str(tmp_path / "c"))
    found = dict(tf.train.list_variables(path))

    assert len(found) > 6
    assert without_training(found, ()) == {"model/w": [1], "model/optimizer_like": [1]}
    assert "save_counter" in without_training(found, {"save_counter"})


def test_signs_of_patterns_in_a_path_are_signs(tmp_path):
    arrays = {"w": np.arange(6.0).reshape(2, 3)}
    prefix = tmp_path / "run[1]" / "a*b?.ckpt"
    weights.save(prefix, arrays, "ckpt")

    found = weights.load(prefix, "ckpt")

    assert list(found) == ["w"]
    np.testing.assert_array_equal(found["w"], arrays["w"])


@pytest.mark.parametrize("end", [".index", ".data-00000-of-00001", ".meta"])
def test_a_file_of_a_checkpoint_is_not_its_name(end, tmp_path):
    weights.save(tmp_path / "m.ckpt-7", {"w": np.eye(2)}, "ckpt")

    with pytest.raises(FileNotFoundError, match=r"what its files begin with: '.*m\.ckpt-7'\."):
        weights.load(f"{tmp_path}/m.ckpt-7{end}", "ckpt")


def test_a_folder_of_checkpoints_is_none(tmp_path):
    kept = tf.train.CheckpointManager(tf.train.Checkpoint(w=tf.Variable(1.0)), tmp_path, 2)
    kept.save()

    for path in (tmp_path, tmp_path / "ckpt"):
        with pytest.raises(FileNotFoundError, match=r"its files begin with: '.*/ckpt-1'\."):
            weights.load(path, "ckpt")
    with pytest.raises(FileNotFoundError, match=r"there is no checkpoint '.*/none/ckpt'\.$"):
        weights.load(tmp_path / "none" / "ckpt", "ckpt")
