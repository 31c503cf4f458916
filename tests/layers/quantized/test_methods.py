from __future__ import annotations

import numpy as np
import pytest

from tensorlayer.layers.quantized import methods
from tests.layers.quantized.rounding import METHODS, NAMES

RNG = np.random.default_rng(1)


@pytest.mark.parametrize(("name", "arguments", "expected"), METHODS, ids=NAMES)
def test_weights_and_inputs_are_rounded_as_the_method_says(name, arguments, expected):
    method = getattr(methods, name)()
    if hasattr(method, "set_bits"):
        defaults = {"Dorefa": (1, 3), "Quan": (8, 8)}[name]
        method.set_bits(*(arguments.values() or defaults))
    x = RNG.normal(size=(20, 5)).astype("float32")

    np.testing.assert_allclose(method.quantize_weights(x), expected.weights(x), atol=1e-6)
    np.testing.assert_allclose(method.quantize_inputs(x), expected.inputs(x), atol=1e-6)
