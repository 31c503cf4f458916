from __future__ import annotations

import tensorflow as tf

from tensorlayer.layers import Dense, Input, summary


def test_long_names_are_not_cut_where_there_is_no_terminal(capsys):
    name = "/".join(["a_rather_long_name"] * 5)
    net = Dense(Input([None, 3]), 2, name=name)

    summary.show(summary.parameter_table(net.parameters))

    assert f"{name}/weights" in capsys.readouterr().out


def test_structures_show_every_shape():
    structure = {"a": tf.TensorSpec([None, 2]), "b": [tf.zeros([3])]}

    assert summary.shapes(structure) == "(None, 2), (3,)"
