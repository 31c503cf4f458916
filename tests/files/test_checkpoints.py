"""TensorFlow checkpoints by name."""

import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer import files
from tensorlayer.errors import Corrupt, InvalidArgument, StructureMismatch
from tests.files.places import tmp_path  # noqa: F401 - a fixture
from tests.files.test_weights import build, fill, same, values


@pytest.fixture
def net():
    return fill(build(), seed=1)


def test_variables_come_back_from_the_latest_or_a_named_one(net, tmp_path):
    first = values(net)
    files.save_ckpt("model.ckpt", tmp_path / "c", var_list=net.all_params, global_step=1)
    second = values(fill(net, seed=2))
    path = files.save_ckpt("model.ckpt", tmp_path / "c", net.all_params, 2, printable=True)
    assert path == str(tmp_path / "c" / "model.ckpt-2")
    fill(net, seed=3)
    files.load_ckpt(save_dir=tmp_path / "c", var_list=net.all_params)
    assert same(values(net), second)
    files.load_ckpt(None, "model.ckpt-1", tmp_path / "c", net.all_params, is_latest=False)
    assert same(values(net), first)


def test_tensorflow_reads_it(net, tmp_path):
    files.save_ckpt(save_dir=tmp_path, var_list=net.all_params)
    prefix = tf.train.latest_checkpoint(str(tmp_path))
    assert dict(tf.train.list_variables(prefix))["a_1/weights"] == [4, 3]
    reader = tf.train.load_checkpoint(prefix)
    np.testing.assert_array_equal(reader.get_tensor("a_1/weights"), values(net)[0])


def test_the_folder_may_be_moved(net, tmp_path):
    expected = values(net)
    files.save_ckpt(save_dir=tmp_path / "a", var_list=net.all_params)
    shutil.move(tmp_path / "a", tmp_path / "b")
    fill(net, seed=2)
    files.load_ckpt(save_dir=tmp_path / "b", var_list=net.all_params)
    assert same(values(net), expected)


def test_a_program_of_tensorflow_1_and_ours_read_each_other(net, tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4])
        old = tl.layers.DenseLayer(tl.layers.InputLayer(x, name="x"), 3, name="a_1")
        sess.run(tf.compat.v1.global_variables_initializer())
        expected = sess.run(old.all_params)
        tf.compat.v1.train.Saver().save(sess, str(tmp_path / "old.ckpt"))
        changed = [value + 1 for value in expected]
        files.assign_params(sess, changed, old)
        files.save_ckpt("new.ckpt", tmp_path / "c", old.all_params, sess=sess)
        files.assign_params(sess, expected, old)
        files.load_ckpt(sess, save_dir=tmp_path / "c", var_list=old.all_params)
        assert same(sess.run(old.all_params), changed)
    rest = values(net)[2:]
    assert files.load_and_assign_ckpt(tmp_path / "old.ckpt", net) is net
    assert same(values(net), [*expected, *rest])


def test_names_that_only_one_side_has(net, tmp_path):
    moment = tf.Variable([1.0], name="a_1/weights/Adam_1")
    files.save_ckpt(save_dir=tmp_path, var_list=[*net.all_params, moment])
    expected = values(net)
    fill(net, seed=2)
    files.load_and_assign_ckpt(tmp_path, net, skip=False)  # the slot of an optimizer is passed over
    assert same(values(net), expected)
    before = values(fill(net, seed=3))
    files.save_ckpt(save_dir=tmp_path, var_list=net.all_params[1:])
    for load in (
        lambda: files.load_and_assign_ckpt(tmp_path, net, skip=False),
        lambda: files.load_ckpt(save_dir=tmp_path, var_list=net.all_params),
    ):
        with pytest.raises(StructureMismatch, match="missing: a_1/weights"):
            load()
    assert same(values(net), before)


def test_a_checkpoint_becomes_an_archive(net, tmp_path):
    kernel, bias, slot, step = (
        tf.Variable(np.full(shape, i, "f4"), name=name)
        for i, (name, shape) in enumerate(
            [
                ("a_1/kernel", (4, 3)),
                ("a_1/bias", 3),
                ("a_1/kernel/Adam", (4, 3)),
                ("global_step", 1),
            ]
        )
    )
    files.save_ckpt(save_dir=tmp_path, var_list=[kernel, bias, slot, step])
    files.ckpt_to_npz_dict(tmp_path, tmp_path / "plain.npz")
    files.ckpt_to_npz_dict(str(tmp_path / "model.ckpt"), tmp_path / "ours.npz", rename_key=True)
    assert set(np.load(tmp_path / "plain.npz")) == {"a_1/kernel:0", "a_1/bias:0"}
    rest = values(net)[2:]
    files.load_and_assign_npz_dict(tmp_path / "ours.npz", net, skip=True)
    assert same(values(net), [np.zeros((4, 3)), np.ones(3), *rest])


def test_a_missing_checkpoint_is_an_error(net, tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint in the folder"):
        files.load_ckpt(save_dir=tmp_path, var_list=net.all_params)
    for load in (
        lambda: files.load_ckpt(None, "x", tmp_path, net.all_params, is_latest=False),
        lambda: files.load_and_assign_ckpt(tmp_path / "x", net),
        lambda: files.ckpt_to_npz_dict(tmp_path / "x", tmp_path / "a.npz"),
    ):
        with pytest.raises(FileNotFoundError, match=r"no checkpoint '.*x'"):
            load()
    assert os.listdir(tmp_path) == []


def test_a_damaged_checkpoint_is_corrupt_and_assigns_nothing(net, tmp_path):
    prefix = files.save_ckpt(save_dir=tmp_path, var_list=net.all_params)
    before = values(net)
    data = f"{prefix}.data-00000-of-00001"
    with open(data, "r+b") as file:
        file.truncate(os.path.getsize(data) // 2)
    with pytest.raises(Corrupt, match=r"model\.ckpt' cannot be read as ckpt: .*take an older one"):
        files.load_ckpt(save_dir=tmp_path, var_list=net.all_params)
    assert same(values(net), before)


@pytest.mark.parametrize("printable", [False, True])
def test_what_is_saved_is_said_if_it_is_wanted(net, tmp_path, caplog, printable):
    names = ", ".join(net.parameters)
    files.save_ckpt("model.ckpt", tmp_path, net.all_params, printable=printable)
    assert caplog.messages == [f"save {names}"] * printable


def test_what_is_no_network_is_refused_by_name(tmp_path):
    with pytest.raises(InvalidArgument, match=r"^load_and_assign_ckpt: network is a .* got 'net'"):
        files.load_and_assign_ckpt(tmp_path, network="net")


@pytest.mark.parametrize("call", [files.save_ckpt, files.load_ckpt])
def test_no_variables_are_an_error(call):
    with pytest.raises(InvalidArgument, match=r"give the variables, such as var_list=net\.all_p"):
        call(save_dir="nowhere")


def test_with_the_folder_of_the_default(net, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = values(net)
    files.save_ckpt(var_list=net.all_params)
    fill(net, seed=2)
    files.load_ckpt(var_list=net.all_params)
    assert same(values(net), expected)
    files.ckpt_to_npz_dict("checkpoint")
    assert len(np.load("model.npz")) == len(expected)
