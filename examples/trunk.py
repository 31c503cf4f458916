"""What judges images where no large network is at hand: a small one that learns to tell them apart.

VGG and Inception, whose features the papers compare images by, have to be downloaded. This network
has their parts, convolutions and a mean over all places, and learns its features within seconds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import record  # the file beside this one
import tensorflow as tf

import tensorlayer as tl

BATCH = 64


def network(n_channels: int, n_classes: int) -> tl.models.Model:
    """Return the model from images of any size to feature maps, their means, and logits."""
    x = tl.layers.Input([None, None, None, n_channels], name="images")
    net = tl.layers.Conv2d(x, 32, (3, 3), act="relu", name="conv1")
    net = tl.layers.Conv2d(net, 32, (3, 3), (2, 2), act="relu", name="conv2")
    net = tl.layers.Conv2d(net, 64, (3, 3), act="relu", name="conv3")
    maps = tl.layers.Conv2d(net, 64, (3, 3), (2, 2), act="relu", name="conv4")
    means = tl.layers.GlobalMeanPool2d(maps, name="means")
    return tl.models.Model(x, [maps, means, tl.layers.Dense(means, n_classes, name="logits")])


def vgg(path: Path) -> tl.models.Model:
    """Return VGG19 with the weights of a file, or end the program with a line that says why."""
    if not path.exists():
        raise SystemExit(f"{path} is not there: --vgg is a file of weights of VGG19")
    try:
        return tl.models.vgg19(str(path), end_with="conv5_4")
    except (tl.errors.TensorLayerError, OSError) as error:
        raise SystemExit(f"--vgg {path}: {error}") from error


def learn(
    images: np.ndarray, labels: np.ndarray, n_epoch: int, run: record.Record, seed: int
) -> tl.models.Model:
    """Return the model that has learnt to tell images apart; a run that goes on has the same."""
    model = network(images.shape[-1], int(labels.max()) + 1)
    optimizer = tf.optimizers.Adam(0.003)

    def cost(found: list[tf.Tensor], classes: tf.Tensor) -> tf.Tensor:
        return tl.cost.cross_entropy(found[-1], classes)

    step = tl.train.GradientStep(model, cost, optimizer)
    data = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images), seed)
    saved = run.checkpoint({"model": model, "optimizer": optimizer}, part="trunk")
    tl.train.run(step, data.batch(BATCH), n_epoch=n_epoch, checkpoint=saved, progress=False)
    return model
