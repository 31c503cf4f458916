"""The ternary network: what its layers compute with, and what it reaches."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.examples.packed import n_weights, packed_by
from tests.examples.running import EXAMPLES, help_of

sys.path.insert(0, str(EXAMPLES))

import ternary_net


def test_it_computes_with_three_values_of_each_layer():
    images = np.random.default_rng(0).uniform(size=[20, 8, 8, 1]).astype("float32")
    model = ternary_net.network(8)
    logits = model(images, is_train=False).numpy()

    for name, variable in model.parameters.items():
        if name.endswith(("filters", "weights")):
            sizes = np.abs(variable)
            is_large = sizes > 0.7 * sizes.mean()
            variable.assign(np.sign(variable) * is_large * sizes[is_large].mean())

    np.testing.assert_allclose(model(images, is_train=False), logits, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(200)
def test_two_bits_for_each_weight(tmp_path):
    arrays = packed_by("ternary_net", tmp_path, ternary_net.BAR)

    for name, n in n_weights(last="logits").items():
        low, none, high = arrays[f"{name}:values"]
        assert none == 0 < high == -low
        assert arrays[f"{name}:bits"].nbytes == n / 4


def test_help_teaches():
    shown = help_of("ternary_net.py")

    assert "TernaryConv2d" in shown
    assert "--data" in shown
