"""A layer and its twin of one line in TensorFlow: the same operations, the same values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tests.operations import operations


def assert_twin(net: Any, twin: Callable[..., Any], *arrays: Any, tolerance: float = 1e-5) -> None:
    """Require that a traced network has the operations of ``twin``, and gives what it gives."""

    def evaluate(*values: tf.Tensor) -> Any:
        return net(values[0] if len(values) == 1 else list(values), is_train=False)

    traced, native = tf.function(evaluate), tf.function(twin)
    specs = [tf.TensorSpec(each.shape, each.dtype) for each in arrays]
    assert operations(traced, *specs) == operations(native, *specs)

    values = [tf.constant(each) for each in arrays]
    for ours, theirs in zip(
        tf.nest.flatten(traced(*values)), tf.nest.flatten(native(*values)), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
