"""What ``run`` says about its arguments; what it does is in test_train.py and beside this file."""

from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train import run


def test_an_iterator_is_passed_over_once():
    steps = tf.Variable(0)

    with pytest.raises(InvalidArgument, match=r"for 2 epochs.*got a generator.*passed over once"):
        run(lambda x: steps.assign_add(x), (n for n in [1, 2]), n_epoch=2)
    assert steps.numpy() == 0

    epochs = run(lambda x: steps.assign_add(x), lambda _: (n for n in [1, 2]), n_epoch=2)
    assert [epoch.n_steps for epoch in epochs] == [2, 2]


@pytest.mark.parametrize("data", [[], iter([]), tf.data.Dataset.range(3).filter(lambda x: x > 3)])
def test_data_of_unknown_length_has_to_have_a_batch_too(data):
    with pytest.raises(InvalidArgument, match="epoch 1 of training has no batch"):
        run(lambda x: x, data)


def test_a_list_has_a_length_for_the_progress_bar(capsys):
    run(lambda x: x, [1.0, 2.0, 3.0], progress=True)

    assert "3/3" in capsys.readouterr().err


def test_the_time_of_an_epoch_includes_its_trace():
    (epoch,) = run(lambda x: x, [1.0])

    assert epoch.seconds > 0
