from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import BatchNorm, Concat, Dense, Input, InputLayer, summary, tree


def rows(table):
    """Return the cells of a table, by row."""
    return list(
        zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)
    )


def test_a_row_for_every_variable_and_the_total():
    net = BatchNorm(Dense(Input([None, 3]), 2, name="d"), name="bn")

    table = summary.parameter_table(tree.listing(net))

    assert [column.header for column in table.columns] == ["name", "shape", "dtype", "trainable"]
    assert rows(table)[:2] == [
        ("d/weights", "(3, 2)", "float32", "True"),
        ("d/biases", "(2,)", "float32", "True"),
    ]
    assert rows(table)[-1] == ("bn/moving_var", "(2,)", "float32", "False")
    assert table.caption == "16 parameters"


def test_what_is_frozen_is_not_shown_as_trainable():
    net = Dense(Input([None, 3]), 2, name="d", trainable=False)

    assert [row[3] for row in rows(summary.parameter_table(tree.listing(net)))] == ["False"] * 2


def test_details_are_mean_median_and_standard_deviation():
    module = tf.Module()
    module.w = tf.Variable([0.0, 0.0, 3.0, 9.0])
    module.half = tf.Variable([1.0, 2.0], dtype="bfloat16")

    table = summary.parameter_table(tree.listing(module), details=True)

    assert [column.header for column in table.columns[4:]] == ["mean", "median", "std"]
    assert rows(table)[0][4:] == ("3", "1.5", f"{np.std([0, 0, 3, 9]):.4g}")
    assert rows(table)[1] == ("half", "(2,)", "bfloat16", "True", "1.5", "1.5", "0.5")


def test_big_totals_are_divided_into_thousands():
    module = tf.Module()
    module.w = tf.Variable(tf.zeros([1000, 1234]))

    assert summary.parameter_table(tree.listing(module)).caption == "1,234,000 parameters"


def test_a_row_for_every_layer():
    x = Input([None, 3], name="x")
    net = Concat([Dense(x, 1000, name="d"), Dense(x, 2)], name="both")

    table = summary.layer_table(net)

    assert [column.header for column in table.columns] == [
        "name", "layer", "output shape", "parameters",
    ]  # fmt: skip
    assert rows(table) == [
        ("d", "Dense", "(None, 1000)", "4,000"),
        ("dense_1", "Dense", "(None, 2)", "8"),
        ("both", "Concat", "(None, 1002)", "0"),
    ]


def test_long_names_are_not_cut_where_there_is_no_terminal(capsys):
    name = "/".join(["a_rather_long_name"] * 5)
    net = Dense(Input([None, 3]), 2, name=name)

    summary.show(summary.parameter_table(tree.listing(net)))

    assert f"{name}/weights" in capsys.readouterr().out


def test_a_table_of_one_column(capsys):
    summary.show(summary.text_table("heading", ["one", "two"]))

    words = [word for word in capsys.readouterr().out.split() if word.isalpha()]
    assert words == ["heading", "one", "two"]


def test_structures_show_every_shape():
    structure = {"a": tf.TensorSpec([None, 2]), "b": [tf.zeros([3])]}

    assert summary.shapes(structure) == "(None, 2), (3,)"
    assert summary.shapes(3.0) == "()"


def test_details_in_a_graph_of_tensorflow_1_are_those_of_the_default_session(capsys):
    v1 = tf.compat.v1
    with tf.Graph().as_default():
        net = Dense(InputLayer(tf.ones([2, 4])), 3, W_init=0.25, name="d")
        with pytest.raises(InvalidArgument, match=r"'d/weights:0' of a graph.*session.as_default"):
            net.print_params(details=True)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            net.print_params(details=True)

    assert "0.25" in capsys.readouterr().out
