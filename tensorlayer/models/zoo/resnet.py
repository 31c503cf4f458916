"""ResNet: blocks of three convolutions, each added to what it was given."""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import Any

import tensorflow as tf

from tensorlayer.layers import (
    BatchNorm,
    Conv2d,
    Dense,
    Elementwise,
    GlobalMeanPool2d,
    MaxPool2d,
    Network,
    ZeroPad2d,
)
from tensorlayer.layers.arguments import positive
from tensorlayer.models.model import Model
from tensorlayer.models.zoo.recipe import Points, Recipe
from tensorlayer.models.zoo.trained import Trained

__all__ = ["ResNet50"]

#: The number of blocks in each stage, from the second, and of filters in the first two
#: convolutions of a block; the third has four times as many.
STAGES = {2: (3, 64), 3: (4, 128), 4: (6, 256), 5: (3, 512)}
#: The number of classes that the weights were trained for.
N_CLASSES = 1000

#: The variance of He et al. Uniform numbers: to draw 25 million normal ones takes about as long as
#: everything else that declaring does.
INITIAL = "he_uniform"
#: The way around a block, and its convolutions, in the numbering of Keras.
_BRANCHES = ("1", "2a", "2b", "2c")
_IN_BLOCK = re.compile(r"(?P<kind>res|bn)(?P<stage>\d)(?P<letter>[a-f])_branch(?P<branch>1|2[abc])")


def _conv(net: Network, n_filter: int, size: int, name: str, strides: int = 1) -> Network:
    """Convolve; the branch and the stage are in the name."""
    return Conv2d(
        net,
        n_filter,
        (size, size),
        (strides, strides),
        padding="SAME" if strides == 1 or size == 1 else "VALID",
        W_init=INITIAL,
        name=name,
    )


def block(net: Network, stage: int, letter: str, is_train: bool | None) -> Network:
    """Return a block: three convolutions, and the way around them, which the first one widens."""
    n_filter, at = STAGES[stage][1], f"{stage}{letter}_branch"
    strides = 2 if letter == "a" and stage > min(STAGES) else 1
    norm = functools.partial(BatchNorm, is_train=is_train)
    around = net
    inner = _conv(net, n_filter, 1, f"res{at}2a", strides)
    inner = norm(inner, act="relu", name=f"bn{at}2a")
    inner = norm(_conv(inner, n_filter, 3, f"res{at}2b"), act="relu", name=f"bn{at}2b")
    inner = norm(_conv(inner, 4 * n_filter, 1, f"res{at}2c"), name=f"bn{at}2c")
    if letter == "a":
        around = norm(_conv(net, 4 * n_filter, 1, f"res{at}1", strides), name=f"bn{at}1")
    return Elementwise([inner, around], combine_fn=tf.add, act="relu", name=f"add{stage}{letter}")


def points(net: Network, is_train: bool | None, n_classes: int = N_CLASSES) -> Points:
    """Yield the points."""
    # As many zeros on both sides: SAME would put one more behind, and move the image by a pixel
    # against what the weights were trained with.
    net = _conv(ZeroPad2d(net, 3, name="conv1_pad"), 64, 7, "conv1", strides=2)
    net = BatchNorm(net, act="relu", name="bn_conv1", is_train=is_train)
    yield "conv1", net
    net = ZeroPad2d(net, 1, name="pool1_pad")
    net = MaxPool2d(net, (3, 3), (2, 2), padding="VALID", name="max_pool1")
    yield "max_pool1", net
    for stage, (n_blocks, _) in STAGES.items():
        for letter in "abcdef"[:n_blocks]:
            net = block(net, stage, letter, is_train)
            yield f"{stage}{letter}", net
    net = GlobalMeanPool2d(net, name="avg_pool")
    yield "avg_pool", net
    yield "fc1000", Dense(net, n_classes, name="fc1000")


ENDS = (
    *("conv1", "max_pool1"),
    *(f"{stage}{letter}" for stage, (n, _) in STAGES.items() for letter in "abcdef"[:n]),
    *("avg_pool", "fc1000"),
)


def synonyms(layer: str) -> tuple[str, ...]:
    """Return what Keras calls a layer today; its first releases called it as it is called here."""
    found = _IN_BLOCK.fullmatch(layer)
    if found is None:
        ends = {"conv1": "conv1_conv", "bn_conv1": "conv1_bn", "fc1000": "predictions"}
        return (ends[layer],) if layer in ends else ()
    kind = {"res": "conv", "bn": "bn"}[found["kind"]]
    place = _BRANCHES.index(found["branch"])
    return (f"conv{found['stage']}_block{'abcdef'.index(found['letter']) + 1}_{place}_{kind}",)


TRAINED = Trained(
    ("resnet50_weights_tf_dim_ordering_tf_kernels.h5",),
    "https://storage.googleapis.com/tensorflow/keras-applications/resnet/",
    "md5:2cb95161c43110f7111970584f804107",
    synonyms,
)


def ResNet50(  # noqa: N802 - the name of TensorLayer 2.x
    pretrained: Any = False,
    end_with: str = "fc1000",
    n_classes: int = N_CLASSES,
    name: str | None = None,
    *,
    x: Any = None,
    is_train: bool | None = None,
    reuse: Any = None,
) -> Model | Network:
    """ResNet with 50 layers that have weights.

    Parameters
    ----------
    pretrained
        True for weights trained with ImageNet: of the file
        `resnet50_weights_tf_dim_ordering_tf_kernels.h5` in the folder `models`, which is downloaded
        (0.1 GB) if it is not there. The path of a file, or of another folder. With another number
        of classes the last layer stays new. A network or tensor stands for `x`.
    end_with
        The last point: `"conv1"`, `"max_pool1"`, the blocks `"2a"`, `"2b"`, ..., `"5c"`,
        `"avg_pool"`, or `"fc1000"`, the logits.
    n_classes
        The number of logits; 1000 as in ImageNet.
    name
        Of the model, for people; of the scope if there is an `x`.
    x
        The network, tensor or placeholder to stand on. A network is returned whose layers are in
        the scope `resnet50`.
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
        There is no such point, or `n_classes` is no positive integer.
    DownloadFailed, Corrupt, StructureMismatch
        The weights cannot be had, or do not fit. The network is as it was made.

    Notes
    -----
    Input shape: `(batch, 224, 224, 3)`; on top of an `x`, any height and width. Nothing is
    subtracted here: the trained weights take values from 0 to 255 in the order blue, green, red,
    less the mean of ImageNet, `image[..., ::-1] - [103.939, 116.779, 123.68]`.

    References
    ----------
    He et al., *Deep residual learning for image recognition*, 2015.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = ResNet50(tl.layers.Input([None, 64, 64, 3]), end_with="2c")
    >>> net.shape
    TensorShape([None, 16, 16, 256])
    """
    n_classes = positive(n_classes, "ResNet50", "n_classes")
    trained = TRAINED
    if n_classes != N_CLASSES:
        trained = dataclasses.replace(trained, head="fc1000")
    declared = functools.partial(points, n_classes=n_classes)
    recipe = Recipe("ResNet50", "resnet50", ENDS, declared, trained)
    return recipe.declare(pretrained, end_with, name, x, is_train, reuse)
