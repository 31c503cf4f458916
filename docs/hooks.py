"""Pictures for the pages, made while the documentation is built, from the library itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

import tensorlayer as tl

ACTIVATIONS = ("leaky_relu", "leaky_relu6", "ramp", "swish", "hard_tanh", "mish")


def on_pre_build(config: Any) -> None:
    """Write the pictures before the pages are read."""
    folder = Path(config["docs_dir"]) / "pictures"
    folder.mkdir(exist_ok=True)
    draw_transforms(folder / "prepro.png")
    draw_activations(folder / "activation.png")


def draw_transforms(path: Path) -> None:
    """Show one photograph through the transforms of ``tl.prepro``."""
    from sklearn.datasets import load_sample_image

    photograph = tl.prepro.imresize(load_sample_image("china.jpg"), (214, 320))
    shown = {
        "original": photograph,
        "rotation(20)": tl.prepro.rotation(photograph, rg=20),
        "shear(0.3)": tl.prepro.shear(photograph, intensity=0.3),
        "zoom((1.5, 1.5))": tl.prepro.zoom(photograph, zoom_range=(1.5, 1.5)),
        "swirl(strength=4)": tl.prepro.swirl(photograph, strength=4),
        "elastic_transform": tl.prepro.elastic_transform(photograph, 300, 12, seed=0),
        "flip_axis(axis=1)": tl.prepro.flip_axis(photograph, axis=1),
        "brightness(gamma=2)": tl.prepro.brightness(photograph, gamma=2),
    }
    figure, axes = pyplot.subplots(2, 4, figsize=(12, 4.6), layout="constrained")
    for axis, (title, image) in zip(axes.flat, shown.items(), strict=True):
        axis.imshow(image)
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def draw_activations(path: Path) -> None:
    """Plot the activations of this library."""
    import tensorflow as tf

    x = tf.linspace(-4.0, 8.0, 400)
    figure, axis = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name in ACTIVATIONS:
        axis.plot(x, getattr(tl.activation, name)(x), label=name)
    axis.set(ylim=(-1.5, 7), xlabel="x")
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
