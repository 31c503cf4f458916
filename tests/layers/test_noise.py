from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Dropout, Input


def test_training_drops_and_scales():
    out = Dropout(Input([None, 1000]), keep=0.8, seed=3)(tf.ones([20, 1000]), is_train=True).numpy()

    assert set(np.unique(out)) == {np.float32(0), np.float32(1.25)}
    assert (out > 0).mean() == pytest.approx(0.8, abs=0.01)
    assert out.mean() == pytest.approx(1, abs=0.01)


def test_inference_passes():
    x = tf.random.normal([4, 5])

    np.testing.assert_array_equal(Dropout(Input([None, 5]), keep=0.1)(x, is_train=False), x)


@pytest.mark.parametrize("keep", [0, -0.1, 1.5])
def test_keep_is_a_probability_of_keeping(keep):
    with pytest.raises(InvalidArgument, match=r"probability of keeping a unit, in \(0, 1\]; got"):
        Dropout(keep=keep)
