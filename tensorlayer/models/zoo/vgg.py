"""VGG: stacks of 3x3 convolutions, with a pool after each stack and three dense layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, did_you_mean
from tensorlayer.layers import (
    BatchNorm,
    Conv2d,
    Dense,
    Flatten,
    Lambda,
    Layer,
    LayerList,
    MaxPool2d,
    Network,
)
from tensorlayer.models.model import Model
from tensorlayer.models.zoo.recipe import Points, Recipe, checked_end, is_start
from tensorlayer.models.zoo.trained import Trained

__all__ = ["VGG", "VGG16", "VGG19", "vgg16", "vgg19"]

#: The number of convolutions in each stack.
STACKS = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
#: The number of filters in each stack.
FILTERS = (64, 128, 256, 512, 512)
#: The mean red, green and blue of ImageNet, of 255.
MEAN = (123.68, 116.779, 103.939)
KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"


def preparing() -> list[Layer]:
    """Return what an image of values from 0 to 1 goes through first.

    The order of the channels stays red, green, blue, also in VGG19, for which 1.x turned them
    around: filters for blue, green and red are turned when they are read.
    """
    return [
        Lambda(tf.math.multiply, fn_args={"y": 255.0}, name="scale"),
        Lambda(tf.math.subtract, fn_args={"y": list(MEAN)}, name="minus_mean"),
    ]


def parts(kind: str, batch_norm: bool) -> Iterator[tuple[str, list[Layer]]]:
    """Yield the layers up to each point, with its name."""
    channels = 3
    for stack, (n_layers, n_filter) in enumerate(zip(STACKS[kind], FILTERS, strict=True), 1):
        for index in range(1, n_layers + 1):
            name = f"conv{stack}_{index}"
            conv = Conv2d(n_filter, (3, 3), act="relu", in_channels=channels, name=name)
            norm = [BatchNorm(num_features=n_filter, name=f"{name}_bn")] if batch_norm else []
            yield name, [conv, *norm]
            channels = n_filter
        yield f"pool{stack}", [MaxPool2d((2, 2), (2, 2), name=f"pool{stack}")]
    yield "flatten", [Flatten(name="flatten")]
    yield "fc1_relu", [Dense(4096, act="relu", in_channels=512 * 7 * 7, name="fc1_relu")]
    yield "fc2_relu", [Dense(4096, act="relu", in_channels=4096, name="fc2_relu")]
    yield "outputs", [Dense(1000, in_channels=4096, name="outputs")]
    yield "fc3_relu", [Lambda(tf.nn.relu, name="fc3_relu")]


def ends(kind: str) -> tuple[str, ...]:
    """Return the names of the points."""
    found: list[str] = []
    for stack, n_layers in enumerate(STACKS[kind], 1):
        found += [f"conv{stack}_{index}" for index in range(1, n_layers + 1)]
        found.append(f"pool{stack}")
    return (*found, "flatten", "fc1_relu", "fc2_relu", "outputs", "fc3_relu")


def synonyms(layer: str) -> tuple[str, ...]:
    """Return what Keras, and the files of the paper's authors, call a layer."""
    if layer.startswith("conv"):
        stack, _, index = layer.removeprefix("conv").partition("_")
        return (f"block{stack}_conv{index}",)
    return {
        "fc1_relu": ("fc6", "fc1"),
        "fc2_relu": ("fc7", "fc2"),
        "outputs": ("fc8", "predictions"),
    }.get(layer, ())


def _recipe(kind: str, files: tuple[str, ...], md5: str) -> Recipe:
    def points(net: Network, is_train: bool | None) -> Points:
        del is_train  # no layer asks for it
        for layer in preparing():
            net = layer(net)
        for name, layers in parts(kind, batch_norm=False):
            for layer in layers:
                net = layer(net)
            yield name, net

    trained = Trained(files, f"{KERAS}{kind}/", f"md5:{md5}", synonyms, turned="conv1_1/filters")
    return Recipe(kind, kind, ends(kind), points, trained)


RECIPES = {
    "vgg16": _recipe(
        "vgg16",
        ("vgg16_weights.npz", "vgg16_weights_tf_dim_ordering_tf_kernels.h5"),
        "64373286793e3c8b2b4e3219cbf3544b",
    ),
    "vgg19": _recipe(
        "vgg19",
        ("vgg19.npy", "vgg19_weights_tf_dim_ordering_tf_kernels.h5"),
        "cbe5617147190e668d6c5d5026f83318",
    ),
}


class VGG(Model):
    """VGG as a model that computes in ``forward``, with new weights.

    Parameters
    ----------
    layer_type
        ``"vgg11"``, ``"vgg13"``, ``"vgg16"`` or ``"vgg19"``, by the number of layers with weights;
        ``"vgg16_bn"`` and so on with batch normalisation.
    batch_norm
        Whether each convolution, with its relu, is normalised.
    end_with
        The last point: ``"conv1_1"``, ..., ``"pool5"``, ``"flatten"``, ``"fc1_relu"``,
        ``"fc2_relu"``, ``"outputs"`` (the logits), or ``"fc3_relu"``, what is positive of them.
    name
        For people.

    Notes
    -----
    Input shape: `(batch, 224, 224, 3)`; any height and width if it ends before `flatten`. The
    values are from 0 to 1, in the order red, green, blue; the mean of ImageNet is subtracted first.

    Raises
    ------
    InvalidArgument
        There is no such kind, or no such point in it.

    References
    ----------
    Simonyan and Zisserman, *Very deep convolutional networks for large-scale image recognition*,
    2014.

    Examples
    --------
    >>> features = VGG("vgg11", batch_norm=True, end_with="pool2")
    >>> features(tf.zeros([1, 64, 64, 3]), is_train=False).shape
    TensorShape([1, 16, 16, 128])
    """

    def __init__(
        self,
        layer_type: str,
        batch_norm: bool = False,
        end_with: str = "outputs",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        kind = str(layer_type).removesuffix("_bn")
        if kind not in STACKS:
            raise InvalidArgument(
                f"VGG: there is no layer_type {layer_type!r}. {did_you_mean(kind, STACKS)}"
            )
        end = checked_end(f"VGG {layer_type!r}", end_with, ends(kind))
        layers = preparing()
        for point, made in parts(kind, batch_norm or kind != layer_type):
            layers += made
            if point == end:
                break
        self.make_layer = LayerList(layers)

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the layers by their own names, those of the static model, then what else it has."""
        yield from ((layer.facts.own_name, layer) for layer in self.make_layer)
        yield from (part for part in super().parts() if part[0] != "make_layer")

    def forward(self, inputs: Any) -> Any:
        """Apply one layer after the other."""
        return self.make_layer(inputs)


def _vgg(
    kind: str,
    pretrained: Any,
    end_with: str,
    mode: str,
    name: str | None,
    x: Any,
    reuse: Any,
) -> Model | Network:
    recipe = RECIPES[kind]
    if mode not in ("dynamic", "static"):
        raise InvalidArgument(
            f'{kind}: mode is "dynamic" or "static", got {mode!r}. Give reuse= by its name.'
        )
    if mode == "static" or x is not None or is_start(pretrained):
        return recipe.declare(pretrained, end_with, name, x, reuse=reuse)
    model = VGG(kind, end_with=end_with, name=name)
    recipe.read(pretrained, model)
    return model


_DOC = """VGG with {n_layers} layers that have weights.

    Parameters
    ----------
    pretrained
        True for the weights of the paper: of a file in the folder `models`, `{file}`
        or `{kind}_weights_tf_dim_ordering_tf_kernels.h5`, which is downloaded (0.5 GB) if there is
        neither. The path of a file, or of another folder. A network or tensor stands for `x`.
    end_with
        The last point: `"conv1_1"`, ..., `"pool5"`, `"flatten"`, `"fc1_relu"`, `"fc2_relu"`,
        `"outputs"` (the logits), or `"fc3_relu"`, what is positive of them.
    mode
        `"dynamic"` for a [`VGG`][tensorlayer.models.VGG], `"static"` for a model over an input of
        224 x 224.
    name
        Of the model, for people; of the scope if there is an `x`.
    x
        The network, tensor or placeholder to stand on, as in TensorLayer 1.x. A network is returned
        whose layers are in the scope `{kind}`.
    reuse
        Whether the layers are those that stand in the scope already.

    Returns
    -------
    Model or Network

    Raises
    ------
    InvalidArgument
        There is no such point or mode.
    DownloadFailed, Corrupt, StructureMismatch
        The weights cannot be had, or do not fit. The network is as it was made.

    Notes
    -----
    Input shape: `(batch, 224, 224, 3)`; with mode `"dynamic"`, or on top of an `x`, any height and
    width if it ends before `flatten`. The values are from 0 to 1, in the order red, green, blue.

    References
    ----------
    Simonyan and Zisserman, *Very deep convolutional networks for large-scale image recognition*,
    2014.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> features = {kind}(end_with="conv2_1")
    >>> features(tf.zeros([1, 32, 32, 3]), is_train=False).shape
    TensorShape([1, 16, 16, 128])
    >>> net = {kind}(tl.layers.Input([None, 96, 96, 3]), end_with="pool1")
    >>> net.shape, list(net.parameters)[:1]
    (TensorShape([None, 48, 48, 64]), ['{kind}/conv1_1/filters'])
    """


def vgg16(  # noqa: D103 - from the shared text
    pretrained: Any = False,
    end_with: str = "outputs",
    mode: Literal["dynamic", "static"] = "dynamic",
    name: str | None = None,
    *,
    x: Any = None,
    reuse: Any = None,
) -> Model | Network:
    return _vgg("vgg16", pretrained, end_with, mode, name, x, reuse)


def vgg19(  # noqa: D103
    pretrained: Any = False,
    end_with: str = "outputs",
    mode: Literal["dynamic", "static"] = "dynamic",
    name: str | None = None,
    *,
    x: Any = None,
    reuse: Any = None,
) -> Model | Network:
    return _vgg("vgg19", pretrained, end_with, mode, name, x, reuse)


vgg16.__doc__ = _DOC.format(kind="vgg16", n_layers=16, file="vgg16_weights.npz")
vgg19.__doc__ = _DOC.format(kind="vgg19", n_layers=19, file="vgg19.npy")
VGG16, VGG19 = vgg16, vgg19
