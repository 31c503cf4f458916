"""Modules and functions of one's own in a network; Sonnet's as well."""

from __future__ import annotations

import numpy as np
import sonnet as snt

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
