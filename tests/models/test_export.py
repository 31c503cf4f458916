from __future__ import annotations

import numpy as np
import tensorflow as tf

from tensorlayer.layers import Dense, Input, variable_scope
from tensorlayer.models import Model

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def served(model, path):
    model.export(path)
    return tf.saved_model.load(str(path)).signatures["serving_default"]


def test_outputs_whose_names_differ_in_punctuation_are_both_there(tmp_path):
    x = Input([None, 4], name="x")
    model = Model(x, [Dense(x, 2, name="o.1"), Dense(x, 3, name="o_1")])

    result = served(model, tmp_path)(x=tf.constant(X))

    first, second = model(X, is_train=False)
    np.testing.assert_allclose(result["o_1"], first, rtol=1e-6)
    np.testing.assert_allclose(result["o_1_1"], second, rtol=1e-6)


def test_a_layer_applied_twice_gives_both_outputs(tmp_path):
    x = Input([None, 4], name="x")
    layer = Dense(n_units=4, name="twice")
    once = layer(x)
    model = Model(x, {"once": once, "again": layer(once)})

    result = served(model, tmp_path)(x=tf.constant(X))

    expected = model(X, is_train=False)
    np.testing.assert_allclose(result["twice"], expected["once"], rtol=1e-6)
    np.testing.assert_allclose(result["twice_1"], expected["again"], rtol=1e-6)


def test_inputs_of_a_scope_are_named_arguments(tmp_path):
    with variable_scope("s"):
        x = Input([None, 4], name="x")
    model = Model(x, Dense(x, 2, name="d"))

    assert served(model, tmp_path)(s_x=tf.constant(X))["d"].shape == (5, 2)
