"""The network of few bits: what its layers are given and compute with, and what it reaches."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tensorlayer as tl
from tests.examples.packed import n_weights, packed_by
from tests.examples.running import EXAMPLES, help_of

sys.path.insert(0, str(EXAMPLES))

import dorefa_net


@pytest.mark.parametrize(("bitW", "bitA"), [(1, 3), (2, 2), (4, 8)])
def test_rounding_layers_compute_with_levels(bitW, bitA):
    rng = np.random.default_rng(0)
    images = rng.uniform(size=[20, 8, 8, 1]).astype("float32")
    model = dorefa_net.network(8, bitW=bitW, bitA=bitA)
    for name, variable in model.parameters.items():
        if name.endswith("beta"):
            variable.assign(rng.normal(size=variable.shape))
    nodes = {node.layer_name: node for node in model.outputs.all_layers}

    x = model.inputs[0]
    given, found = tl.models.Model(x, [nodes["flat"], nodes["dense3"]])(images, is_train=False)

    given, W = np.asarray(given, "float64"), nodes["dense3"].layer.W.numpy().astype("float64")
    n, m = 2**bitA - 1, 2**bitW - 1
    levels = np.round(given * n) / n
    weights = np.sign(W) * np.abs(W).mean()
    if bitW > 1:
        weights = 2 * np.round((W / 2 + 0.5).clip(0, 1) * m) / m - 1
    assert 0 <= given.min() < given.max() <= 1
    np.testing.assert_allclose(found, levels @ weights, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(200)
@pytest.mark.parametrize("bits", [1, 2])
def test_so_many_bits_for_each_weight(bits, tmp_path):
    bar, asked = dorefa_net.BAR, ("--bits-weights", str(bits))
    arrays = packed_by("dorefa_net", tmp_path, bar, *asked)

    rounded = n_weights(last="logits")
    for name in ("conv2/filters", "dense3/weights"):
        assert len(arrays[f"{name}:values"]) == 2**bits
        assert arrays[f"{name}:bits"].nbytes == bits * rounded[name] / 8
    assert arrays["conv1/filters"].shape == (3, 3, 1, 32)
    assert arrays["logits/weights"].shape == (128, 10)


def test_help_teaches():
    shown = help_of("dorefa_net.py")

    assert "DorefaConv2d" in shown
    assert "--bits-weights" in shown
