"""Modules and functions of one's own in a network; Sonnet's as well."""

from __future__ import annotations

import numpy as np
import sonnet as snt
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import Input, Lambda, variable_scope
from tensorlayer.layers.foreign import Foreign
from tests.layers.adopted import assert_adopted

X = np.random.default_rng(0).normal(size=(16, 6)).astype("float32")


def test_modules_and_functions_train_and_are_kept(tmp_path):
    model = assert_adopted("nets_function", X, tmp_path, n_statistics=2)

    assert list(model.parameters) == [
        "affine/fn/w", "affine/fn/mean", "dense/w", "dense/b", "estimator/scaled/scale",
        "estimator/scaled/steps",
    ]  # fmt: skip
    assert model.parameters["estimator/scaled/steps"].numpy() == 3.0  # one for each step


def test_sonnet_trains_and_is_kept(tmp_path):
    assert_adopted("nets_sonnet", X, tmp_path, n_statistics=6, how="weights")


def test_a_second_use_of_a_sonnet_module_by_name_shares():
    module = snt.Linear(3)

    def net(name, reuse=None):
        with variable_scope("s", reuse=reuse):
            return Lambda(Input([None, 6], name=name), module, name="m")

    first, second = net("x"), net("y", reuse=True)

    assert second.layer is first.layer
    assert len(second.all_params) == 2


def test_a_layer_of_ones_own_adopts_in_its_constructor():
    class Both(Foreign):
        def __init__(self, module, name=None):
            super().__init__(name=name)
            self.adopt("module", module)

        def call_foreign(self, x):
            return 2 * super().call_foreign(x)

    module = snt.Linear(3)
    net = Both(Input([None, 6]), module, name="both")

    np.testing.assert_allclose(net(X), 2 * module(X), rtol=1e-6)
    assert list(net.parameters) == ["both/linear/w", "both/linear/b"]


def test_functions_with_other_arguments_share_their_variables():
    v1, ones = tf.compat.v1, np.ones([50, 20], "float32")
    with tf.Graph().as_default(), v1.Session() as sess, tl.layers.isolated():

        def scaled(x, factor):
            return factor * x * v1.get_variable("scale", [20], initializer=v1.ones_initializer())

        x = v1.placeholder(tf.float32, [None, 20])
        nets = []
        for reuse, factor in ((None, 1.0), (True, 2.0), (True, 3.0)):
            with v1.variable_scope("m", reuse=reuse):
                nets.append(
                    tl.layers.LambdaLayer(
                        tl.layers.InputLayer(x), scaled, fn_args={"factor": factor}, name="f"
                    )
                )

        assert len(v1.global_variables()) == 1
        assert all(net.all_params[0] is nets[0].all_params[0] for net in nets)
        sess.run(v1.global_variables_initializer())
        found = sess.run([net.outputs for net in nets], {x: ones})
        for value, factor in zip(found, (1, 2, 3), strict=True):
            np.testing.assert_array_equal(value, factor * ones)
