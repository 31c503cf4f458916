"""ResNet v1 50 of TF-Slim, whole."""

from __future__ import annotations

import tf_slim as slim
from tf_slim.nets import resnet_v1

from tensorlayer.layers import Flatten, Input, SlimNetsLayer
from tensorlayer.models import Model, serializable


@serializable
def resnet(images, is_training):
    with slim.arg_scope(resnet_v1.resnet_arg_scope(batch_norm_decay=0.5)):
        return resnet_v1.resnet_v1_50(images, num_classes=3, is_training=is_training)


def build() -> Model:
    x = Input([None, 33, 33, 3], name="x")
    net = SlimNetsLayer(x, slim_layer=resnet, name="resnet_v1_50")
    return Model(x, Flatten(net, name="flat"), name="resnet_v1")
