from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Input

NAMES = ("BatchNorm", "GroupNorm", "InstanceNorm", "LayerNorm", "RMSNorm", "SwitchNorm")
every_layer = pytest.mark.parametrize("name", NAMES)


@every_layer
def test_the_data_format_has_two_values(name):
    with pytest.raises(InvalidArgument, match=rf"{name}: data_format is .*got 'NHWC'"):
        getattr(tl.layers, name)(data_format="NHWC")


@every_layer
def test_channels_must_be_known(name):
    with pytest.raises(InvalidArgument, match=r"(channels|of the parameters) must be known"):
        getattr(tl.layers, name)(Input([None, 4, 4, None]))


@every_layer
@pytest.mark.parametrize(("n_built", "n_given"), [(4, 8), (4, 1), (1, 4)])
def test_inputs_of_other_channels_are_refused(name, n_built, n_given):
    arguments = {"groups": 1} if name == "GroupNorm" else {}
    layer = getattr(tl.layers, name)(**arguments)
    layer(tf.ones([2, 3, 3, n_built]))

    with pytest.raises(
        WrongShape, match=rf"{name}.* for a size of {n_built} along axis.*{n_given}\)"
    ):
        layer(tf.ones([2, 3, 3, n_given]))


@every_layer
def test_what_does_not_vary_stays_finite_in_16_bits(name):
    arguments = {"groups": 2} if name == "GroupNorm" else {}
    x = tf.fill([2, 3, 3, 4], tf.constant(0.0, tf.float16))

    out = getattr(tl.layers, name)(**arguments)(x, is_train=True)

    assert np.all(np.isfinite(out))


def test_the_activation_is_last():
    x = tf.constant([[[-1.0], [1.0]]])

    for name in ("InstanceNorm", "LayerNorm"):
        out = getattr(tl.layers, name)(act="relu")(x).numpy().ravel()
        assert out[0] == 0, name
        assert out[1] == pytest.approx(1, abs=0.02), name
