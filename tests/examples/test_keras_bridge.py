"""Layers of Keras among those of this library."""

from __future__ import annotations

import re
import sys

import keras
import numpy as np
import pytest

import tensorlayer as tl
from tests.examples.running import EXAMPLES, help_of, run

sys.path.insert(0, str(EXAMPLES))

import keras_bridge


def test_the_block_adds_its_input():
    block = keras_bridge.residual(8, 4)
    for weight in block.weights:
        if weight.name == "kernel":
            weight.assign(np.zeros(weight.shape))
    x = np.random.default_rng(0).normal(size=[2, 8, 8, 4]).astype("float32")

    np.testing.assert_allclose(block(x), x, atol=1e-6)


def test_all_weights_are_trained_by_the_network():
    model = keras_bridge.network(8)

    names = [name for name in model.parameters if name.startswith(("residual/", "head/"))]
    assert len(names) == 2 + 2 * 4 + 4 + 1  # kernels, norms, the head and the state of its dropout
    assert len(model.trainable_weights) == 2 + 2 + 2 * 2 + 4 + 2
    assert isinstance(model.get_layer("residual").fn, keras.Model)


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(300)
def test_a_network_with_layers_of_keras_learns_and_is_read_again(tmp_path):
    shown = run("keras_bridge.py", tmp_path, "--quick")

    reached, differ = re.search(r"accuracy .* ([\d.]+)%, largest difference (\S+)", shown).groups()
    assert float(reached) >= 100 * keras_bridge.BAR
    assert float(differ) < 1e-3
    found = tl.models.Model.load(tmp_path / "keras_bridge" / "model.safetensors")
    assert found.outputs.shape == (None, 10)


def test_help_teaches():
    shown = help_of("keras_bridge.py")

    assert "KerasLayer" in shown
    assert "--quick" in shown
