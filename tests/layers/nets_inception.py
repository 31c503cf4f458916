"""Inception V3 of TF-Slim, whole."""

from __future__ import annotations

import tf_slim as slim
from tf_slim.nets import inception

from tensorlayer.layers import Flatten, Input, SlimNetsLayer
from tensorlayer.models import Model, serializable


@serializable
def inception_v3(images, is_training):
    with slim.arg_scope(inception.inception_v3_arg_scope(batch_norm_decay=0.5)):
        return inception.inception_v3(
            images, num_classes=3, is_training=is_training, create_aux_logits=False
        )


def build() -> Model:
    x = Input([None, 75, 75, 3], name="x")
    net = SlimNetsLayer(x, slim_layer=inception_v3, name="InceptionV3")
    return Model(x, Flatten(net, name="flat"), name="inception")
