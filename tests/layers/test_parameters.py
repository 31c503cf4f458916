from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.layers import BatchNorm, Input
from tensorlayer.models import Model


def things():
    x = Input([None, 3], name="x")
    net = BatchNorm(x, name="bn")
    return {"layer": net.layer, "network": net, "model": Model(x, net)}


@pytest.mark.parametrize("kind", ["layer", "network", "model"])
def test_layers_networks_and_models_tell_the_same(kind, capsys):
    thing = things()[kind]
    beta, gamma, mean, variance = thing.parameters.values()

    assert thing.trainable_weights == [beta, gamma]
    assert thing.nontrainable_weights == [mean, variance]
    assert thing.all_weights == [beta, gamma, mean, variance]
    assert thing.count_params() == 12
    thing.print_params()
    assert "moving_var" in capsys.readouterr().out


def test_trainable_variables_come_first():
    net = BatchNorm(BatchNorm(Input([None, 2]), name="a"), name="b")

    assert [v.trainable for v in net.all_weights] == [True] * 4 + [False] * 4
    assert [v.trainable for v in net.all_params] == [True, True, False, False] * 2
    assert all(isinstance(v, tf.Variable) for v in net.all_params)
