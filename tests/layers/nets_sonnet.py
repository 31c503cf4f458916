"""Modules of Sonnet, which make their variables when they are called."""

from __future__ import annotations

import sonnet as snt

from tensorlayer.layers import Dense, Input, Lambda
from tensorlayer.models import Model


def build() -> Model:
    x = Input([None, 6], name="x")
    net = Lambda(x, snt.nets.MLP([5, 5]), name="mlp")
    net = Lambda(net, snt.BatchNorm(True, True, decay_rate=0.5), name="norm")
    return Model(x, Dense(net, 2, name="out"), name="sonnet")
