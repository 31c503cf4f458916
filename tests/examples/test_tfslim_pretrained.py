"""A checkpoint of TensorFlow 1 in a net of TF-Slim."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tests.examples.running import EXAMPLES, help_of, run, run_here, run_within

sys.path.insert(0, str(EXAMPLES))

import handwritten
import tfslim_pretrained

v1 = tf.compat.v1


def checkpoint(folder, images):
    """Write a checkpoint as a program of 2017 does; return it, and what its net gives."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(3)
        fed = v1.placeholder(tf.float32, [None, 8, 8, 1])
        logits, _ = tfslim_pretrained.digits_net(fed)
        session.run(v1.global_variables_initializer())
        moved = [v for v in v1.global_variables() if "moving" in v.op.name]
        for variable in moved:
            variable.load(np.random.default_rng(0).uniform(1, 2, variable.shape), session)
        path = v1.train.Saver().save(session, str(folder / "net.ckpt"))
        return path, session.run(logits, {fed: images})


def test_a_checkpoint_is_read_by_name(tmp_path):
    images = np.random.default_rng(0).uniform(size=[4, 8, 8, 1]).astype("float32")
    path, expected = checkpoint(tmp_path, images)
    five, others = tfslim_pretrained.classifier(8)
    assert not np.allclose(five(images, is_train=False), expected, rtol=1e-2, atol=1e-2)

    tl.files.load_and_assign_ckpt(path, five, skip=False)

    np.testing.assert_allclose(five(images, is_train=False), expected, rtol=1e-3, atol=1e-4)
    assert [each.name for each in others.trainable_weights] == ["new/weights:0", "new/biases:0"]


def test_digits_are_parted():
    train, _ = handwritten.read(None)

    low, high = tfslim_pretrained.parts(train)
    few = tfslim_pretrained.first_of_each(high, 3)

    assert set(low.labels) == set(high.labels) == set(range(5))
    assert len(low.labels) + len(high.labels) == len(train.labels)
    assert few.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(300)
def test_what_was_learnt_in_a_session_is_of_use(tmp_path):
    shown = run("tfslim_pretrained.py", tmp_path, "--quick")

    assert float(re.search(r"digits from 0 to 4 ([\d.]+)%", shown)[1]) >= 97
    assert re.search(r"\+[\d.]+% by the checkpoint", shown)


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(300)
def test_a_checkpoint_that_is_given(tmp_path):
    path, _ = checkpoint(tmp_path, np.zeros([1, 8, 8, 1], np.float32))

    shown = run_within("tfslim_pretrained.py", tmp_path, "--checkpoint", path)

    assert "read by name" in shown
    assert not list((tmp_path / "tfslim_pretrained").iterdir())  # nothing was trained for it


def test_help_teaches():
    shown = help_of("tfslim_pretrained.py")

    assert "load_and_assign_ckpt" in shown
    assert "--checkpoint" in shown


def test_a_checkpoint_that_is_not_there_is_refused_in_a_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit):
        run_here("tfslim_pretrained.py", "--checkpoint", "nowhere")

    said = "error: --checkpoint nowhere: no checkpoint begins with this path\n"
    assert capsys.readouterr().err.endswith(said)


def test_a_checkpoint_of_another_net_is_refused_in_a_line(tmp_path):
    path = tf.train.Checkpoint(x=tf.Variable(0.0)).save(str(tmp_path / "other"))
    five, _ = tfslim_pretrained.classifier(8)

    with pytest.raises(SystemExit, match=rf"^{path} is no checkpoint of this net: "):
        tfslim_pretrained.read_by_name(path, five)
