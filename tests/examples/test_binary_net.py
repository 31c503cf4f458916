"""The binary network: what its layers are given and compute with, and what it reaches."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tensorlayer as tl
from tests.examples.packed import n_weights, packed_by
from tests.examples.running import EXAMPLES, help_of

sys.path.insert(0, str(EXAMPLES))

import binary_net


def test_layers_after_the_first_are_given_signs():
    rng = np.random.default_rng(0)
    images = rng.uniform(size=[20, 8, 8, 1]).astype("float32")
    model = binary_net.network(8)
    for name, variable in model.parameters.items():
        if name.endswith("beta"):  # untrained, sums of signs are often 0, and so is their sign
            variable.assign(rng.normal(size=variable.shape))
    nodes = {node.layer_name: node for node in model.outputs.all_layers}

    for before, name in (("sign1", "conv2"), ("flat", "dense3"), ("sign3", "dense4")):
        assert [each.layer_name for each in nodes[name].parents] == [before]
        found = tl.models.Model(model.inputs[0], nodes[before])(images, is_train=False)
        assert set(np.unique(found)) == {-1, 1}


def test_it_computes_with_signs_only():
    images = np.random.default_rng(0).uniform(size=[20, 8, 8, 1]).astype("float32")
    model = binary_net.network(8)
    logits = model(images, is_train=False).numpy()

    for name, variable in model.parameters.items():
        if name.startswith(("conv", "dense")):
            variable.assign(np.sign(variable))

    np.testing.assert_allclose(model(images, is_train=False), logits, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(200)
def test_a_bit_for_each_weight(tmp_path):
    arrays = packed_by("binary_net", tmp_path, binary_net.BAR)

    for name, n in n_weights(last="dense4").items():
        assert arrays[f"{name}:values"].tolist() == [-1, 1]
        assert arrays[f"{name}:bits"].nbytes == n / 8
        assert 0.2 < np.unpackbits(arrays[f"{name}:bits"]).mean() < 0.8


def test_help_teaches():
    shown = help_of("binary_net.py")

    assert "BinaryConv2d" in shown
    assert "--data" in shown
