from __future__ import annotations

import logging

import numpy as np
import pytest

from tensorlayer.errors import WrongShape
from tensorlayer.layers import Input, SwitchNorm, SwitchNormLayer

RNG = np.random.default_rng(0)
X = RNG.normal(2.0, 3.0, size=(5, 4, 3, 6)).astype("float32")


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def mixed(x, mean_weight, var_weight, epsilon):
    axes = [(0, 1, 2), (1, 2), (1, 2, 3)]
    shares = softmax(mean_weight), softmax(var_weight)
    mean = sum(s * x.mean(a, keepdims=True) for s, a in zip(shares[0], axes, strict=True))
    variance = sum(s * x.var(a, keepdims=True) for s, a in zip(shares[1], axes, strict=True))
    return (x - mean) / np.sqrt(variance + epsilon)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_moments_of_batch_instance_and_layer_are_mixed(data_format):
    gamma, beta = RNG.normal(size=(2, 6)).astype("float32")
    weights = RNG.normal(size=(2, 3)).astype("float32")
    axis = -1 if data_format == "channels_last" else 1
    layer = SwitchNorm(None, 0.1, beta, gamma, data_format=data_format)
    given = np.moveaxis(X, -1, axis)
    layer(given)
    layer.mean_weight.assign(weights[0])
    layer.var_weight.assign(weights[1])

    out = np.moveaxis(layer(given), axis, -1)

    expected = gamma * mixed(X, *weights, 0.1) + beta
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


def test_the_three_weigh_the_same_at_first():
    equal = np.ones([2, 3])

    np.testing.assert_allclose(SwitchNorm()(X), mixed(X, *equal, 1e-5), rtol=1e-4, atol=1e-5)


def test_there_is_no_moving_mean(caplog):
    with caplog.at_level(logging.WARNING):
        net = SwitchNormLayer(Input([None, 4, 4, 3]), moving_mean_init=1.0)

    assert len(net.all_params) == 4
    assert "SwitchNorm: the argument moving_mean_init has no effect" in caplog.text


def test_errors():
    with pytest.raises(WrongShape, match=r"SwitchNorm.*rank 4"):
        SwitchNorm(Input([None, 3, 3]))
