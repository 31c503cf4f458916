"""A net of TFLearn with what follows the mode: dropout and batch normalisation."""

from __future__ import annotations

from tensorlayer.layers import Dense, Input, Lambda
from tensorlayer.layers.tflearn import load_tflearn
from tensorlayer.models import Model, serializable

tflearn = load_tflearn()


@serializable
def tower(images):
    net = tflearn.conv_2d(images, 4, 3, activation="relu", name="conv")
    net = tflearn.batch_normalization(net, decay=0.5, name="norm")
    net = tflearn.max_pool_2d(net, 2)
    net = tflearn.dropout(tflearn.fully_connected(net, 8, activation="tanh", name="fc"), 0.5)
    return tflearn.fully_connected(net, 3, name="logits")


def build() -> Model:
    x = Input([None, 8, 8, 1], name="x")
    return Model(x, Dense(Lambda(x, tower, name="tower"), 2, name="out"), name="tflearn")
