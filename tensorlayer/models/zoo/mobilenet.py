"""MobileNet: convolutions of each channel alone, mixed by convolutions of size 1."""

from __future__ import annotations

import functools
from typing import Any

from tensorlayer.layers import (
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Flatten,
    GlobalMeanPool2d,
    Network,
    Reshape,
)
from tensorlayer.models.model import Model
from tensorlayer.models.zoo.recipe import Points, Recipe
from tensorlayer.models.zoo.trained import Trained

__all__ = ["MobileNetV1"]

#: The number of filters and the strides of each pair of convolutions.
PAIRS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)
ENDS = (
    "conv",
    *(f"depth{index}" for index in range(1, len(PAIRS) + 1)),
    *("globalmeanpool", "reshape", "out"),
)


def points(net: Network, is_train: bool | None) -> Points:
    """Yield the points."""
    # The weights were trained with this epsilon; some variances are small enough to tell.
    norm = functools.partial(BatchNorm, decay=0.99, epsilon=1e-3, act="relu6", is_train=is_train)
    net = Conv2d(net, 32, (3, 3), (2, 2), b_init=None, name="conv.conv")
    net = norm(net, name="conv.batchnorm")
    yield "conv", net
    for index, (n_filter, strides) in enumerate(PAIRS, 1):
        at = f"depth{index}"
        net = DepthwiseConv2d(net, (3, 3), (strides, strides), b_init=None, name=f"{at}.depthwise")
        net = norm(net, name=f"{at}.batchnorm1")
        net = Conv2d(net, n_filter, (1, 1), b_init=None, name=f"{at}.conv")
        net = norm(net, name=f"{at}.batchnorm2")
        yield at, net
    net = GlobalMeanPool2d(net, name="globalmeanpool")
    yield "globalmeanpool", net
    net = Reshape(net, [-1, 1, 1, 1024], name="reshape")
    yield "reshape", net
    yield "out", Flatten(Conv2d(net, 1000, (1, 1), name="out"), name="flatten")


#: What Keras calls the layers; those of pairs with their number.
SYNONYMS = {
    "conv.conv": "conv1",
    "conv.batchnorm": "conv1_bn",
    "depth.depthwise": "conv_dw_{}",
    "depth.batchnorm1": "conv_dw_{}_bn",
    "depth.conv": "conv_pw_{}",
    "depth.batchnorm2": "conv_pw_{}_bn",
    "out": "conv_preds",
}


def synonyms(layer: str) -> tuple[str, ...]:
    """Return what Keras calls a layer.

    Examples
    --------
    >>> synonyms("depth3.batchnorm1")
    ('conv_dw_3_bn',)
    """
    at, dot, kind = layer.partition(".")
    stem = at.rstrip("0123456789")
    return (SYNONYMS[f"{stem}{dot}{kind}"].format(at.removeprefix(stem)),)


TRAINED = Trained(
    ("mobilenet_1_0_224_tf.h5", "mobilenet.npz"),
    "https://github.com/tensorlayer/pretrained-models/raw/master/models/",
    synonyms=synonyms,
)


def MobileNetV1(  # noqa: N802 - the name of TensorLayer 1.x and 2.x
    pretrained: Any = False,
    end_with: str = "out",
    name: str | None = None,
    *,
    x: Any = None,
    is_train: bool | None = None,
    reuse: Any = None,
) -> Model | Network:
    """MobileNet of full width.

    Parameters
    ----------
    pretrained
        True for weights trained with ImageNet: of a file in the folder `models`,
        `mobilenet_1_0_224_tf.h5` of Keras or `mobilenet.npz`, which is downloaded (25 MB) if there
        is neither; no checksum of it is published. The path of a file, or of another folder. A
        network or tensor stands for `x`.
    end_with
        The last point: `"conv"`, `"depth1"`, ..., `"depth13"`, `"globalmeanpool"`, `"reshape"`, or
        `"out"`, the logits.
    name
        Of the model, for people; of the scope if there is an `x`.
    x
        The network, tensor or placeholder to stand on, as in TensorLayer 1.x. A network is returned
        whose layers are in the scope `mobilenetv1`.
    is_train
        The mode that layers on top of `x` are declared with; without it they follow the mode around
        them.
    reuse
        Whether the layers are those that stand in the scope already.

    Returns
    -------
    Model or Network

    Raises
    ------
    InvalidArgument
        There is no such point.
    DownloadFailed, Corrupt, StructureMismatch
        The weights cannot be had, or do not fit. The network is as it was made.

    Notes
    -----
    Input shape: `(batch, 224, 224, 3)`; on top of an `x`, any height and width. Values from 0 to 1,
    in the order red, green, blue; the weights of Keras take them from -1 to 1. Nothing is
    subtracted here.

    References
    ----------
    Howard et al., *MobileNets: efficient convolutional neural networks for mobile vision
    applications*, 2017.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = MobileNetV1(tl.layers.Input([None, 64, 64, 3]), end_with="depth2")
    >>> net.shape
    TensorShape([None, 16, 16, 128])
    """
    recipe = Recipe("MobileNetV1", "mobilenetv1", ENDS, points, TRAINED)
    return recipe.declare(pretrained, end_with, name, x, is_train, reuse)
