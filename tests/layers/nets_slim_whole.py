"""Nets of TF-Slim, whole, as they are used in TensorFlow 1."""

from __future__ import annotations

import tf_slim as slim
from tf_slim.nets import inception, resnet_v1, resnet_v2, vgg

from tensorlayer.layers import Flatten, Input, SlimNetsLayer
from tensorlayer.models import Model, serializable

#: Statistics move far enough to be seen after a few steps.
DECAY = 0.5


@serializable
def vgg_16(images, is_training):
    with slim.arg_scope(vgg.vgg_arg_scope()):
        return vgg.vgg_16(images, num_classes=3, is_training=is_training)


@serializable
def inception_v3(images, is_training):
    with slim.arg_scope(inception.inception_v3_arg_scope(batch_norm_decay=DECAY)):
        return inception.inception_v3(
            images, num_classes=3, is_training=is_training, create_aux_logits=False
        )


@serializable
def resnet_v1_50(images, is_training):
    with slim.arg_scope(resnet_v1.resnet_arg_scope(batch_norm_decay=DECAY)):
        return resnet_v1.resnet_v1_50(images, num_classes=3, is_training=is_training)


@serializable
def resnet_v2_50(images, is_training):
    with slim.arg_scope(resnet_v2.resnet_arg_scope(batch_norm_decay=DECAY)):
        return resnet_v2.resnet_v2_50(images, num_classes=3, is_training=is_training)


#: By scope: the function, and sides of images that are as small as the net allows.
NETS = {
    "vgg_16": (vgg_16, 224),
    "InceptionV3": (inception_v3, 75),
    "resnet_v1_50": (resnet_v1_50, 33),
    "resnet_v2_50": (resnet_v2_50, 33),
}


def build(name: str) -> Model:
    function, side = NETS[name]
    x = Input([None, side, side, 3], name="x")
    net = SlimNetsLayer(x, slim_layer=function, name=name)
    return Model(x, Flatten(net, name="flat"), name="whole")
