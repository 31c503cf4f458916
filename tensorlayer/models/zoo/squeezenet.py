"""SqueezeNet: modules that narrow to a few channels and widen again, in version 1.1."""

from __future__ import annotations

from typing import Any

from tensorlayer.layers import Concat, Conv2d, Dropout, GlobalMeanPool2d, MaxPool2d, Network
from tensorlayer.models.model import Model
from tensorlayer.models.zoo.recipe import Points, Recipe
from tensorlayer.models.zoo.trained import Trained

__all__ = ["SqueezeNetV1"]

#: The number of narrow channels of the modules fire2 to fire9.
NARROW = (16, 16, 32, 32, 48, 48, 64, 64)
#: The modules behind which there is a pool.
POOLED = (3, 5)
ENDS = (
    *("conv1", "maxpool1", "fire2", "fire3", "maxpool3", "fire4", "fire5", "maxpool5"),
    *("fire6", "fire7", "fire8", "fire9", "drop1", "conv10", "out"),
)


def fire(net: Network, n_filter: int, name: str) -> Network:
    """Return a module: narrow, and wide again by convolutions of size 1 and 3 side by side."""
    net = Conv2d(net, n_filter, (1, 1), act="relu", name=f"{name}.squeeze1x1")
    wide = [
        Conv2d(net, 4 * n_filter, (size, size), act="relu", name=f"{name}.expand{size}x{size}")
        for size in (1, 3)
    ]
    return Concat(wide, -1, name=f"{name}.concat")


def points(net: Network, is_train: bool | None) -> Points:
    """Yield the points."""
    net = Conv2d(net, 64, (3, 3), (2, 2), act="relu", name="conv1")
    yield "conv1", net
    net = MaxPool2d(net, (3, 3), (2, 2), padding="VALID", name="maxpool1")
    yield "maxpool1", net
    for index, n_filter in enumerate(NARROW, 2):
        net = fire(net, n_filter, f"fire{index}")
        yield f"fire{index}", net
        if index in POOLED:
            net = MaxPool2d(net, (3, 3), (2, 2), padding="VALID", name=f"maxpool{index}")
            yield f"maxpool{index}", net
    net = Dropout(net, keep=0.5, name="drop1", is_train=is_train)
    yield "drop1", net
    net = Conv2d(net, 1000, (1, 1), padding="VALID", name="conv10")
    yield "conv10", net
    yield "out", GlobalMeanPool2d(net, name="out")


TRAINED = Trained(
    ("squeezenet.npz",), "https://github.com/tensorlayer/pretrained-models/raw/master/models/"
)
RECIPE = Recipe("SqueezeNetV1", "squeezenetv1", ENDS, points, TRAINED, {"output": "out"})


def SqueezeNetV1(  # noqa: N802 - the name of TensorLayer 1.x and 2.x
    pretrained: Any = False,
    end_with: str = "out",
    name: str | None = None,
    *,
    x: Any = None,
    is_train: bool | None = None,
    reuse: Any = None,
) -> Model | Network:
    """SqueezeNet 1.1.

    Parameters
    ----------
    pretrained
        True for weights trained with ImageNet: of the file `squeezenet.npz` in the folder `models`,
        which is downloaded (7 MB) if it is not there; no checksum of it is published. The path of a
        file, or of another folder. A network or tensor stands for `x`.
    end_with
        The last point: `"conv1"`, `"maxpool1"`, `"fire2"`, `"fire3"`, `"maxpool3"`, `"fire4"`,
        `"fire5"`, `"maxpool5"`, `"fire6"`, ..., `"fire9"`, `"drop1"`, `"conv10"`, or `"out"`, the
        logits, which 1.x calls `"output"`.
    name
        Of the model, for people; of the scope if there is an `x`.
    x
        The network, tensor or placeholder to stand on, as in TensorLayer 1.x. A network is returned
        whose layers are in the scope `squeezenetv1`.
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
    Input shape: `(batch, 224, 224, 3)`; on top of an `x`, any height and width from 31. Values from
    0 to 1, in the order red, green, blue. Nothing is subtracted here.

    References
    ----------
    Iandola et al., *SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and < 0.5 MB model
    size*, 2016.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = SqueezeNetV1(tl.layers.Input([None, 63, 63, 3]), end_with="fire3")
    >>> net.shape
    TensorShape([None, 15, 15, 128])
    """
    return RECIPE.declare(pretrained, end_with, name, x, is_train, reuse)
