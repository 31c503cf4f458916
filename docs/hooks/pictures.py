"""Pictures for the pages, made while the documentation is built, from the library itself."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import patches, pyplot

import tensorlayer as tl

ACTIVATIONS = ("leaky_relu", "leaky_relu6", "ramp", "swish", "hard_tanh", "mish")


def on_pre_build(config: Any) -> None:
    """Write the pictures before the pages are read."""
    folder = Path(config["docs_dir"]) / "pictures"
    folder.mkdir(exist_ok=True)
    draw_transforms(folder / "prepro.png")
    draw_activations(folder / "activation.png")
    draw_names(folder / "names.png")
    results = Path(config["config_file_path"]).parent / "benchmarks" / "results"
    shutil.copy(results / "overhead.png", folder)


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


# -- names: one generator, used twice

#: of the parts of a full name
COLOURS = {"scope": "#5e35b1", "owner": "#1565c0", "layer": "#00796b", "parameter": "#b45309"}
INK, GREY = "#263238", "#78909c"


class Residual(tl.layers.Layer):
    """A block that owns two layers, as on the page of names."""

    def __init__(self, n_units: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.wide = tl.layers.Dense(n_units=4 * n_units, act="relu", name="wide")
        self.narrow = tl.layers.Dense(n_units=n_units, name="narrow")

    def build(self, inputs_shape: Any) -> None:
        """Make the gain."""
        self.gain = self._get_weights("gain", [1], init="ones")

    def forward(self, x: Any) -> Any:
        """Add to the input."""
        return x + self.gain * self.narrow(self.wide(x))


def generator(z: Any, reuse: bool | None = None) -> Any:
    """Return two residual blocks and an output layer over ``z``."""
    with tl.layers.variable_scope("generator", reuse=reuse):
        net = Residual(z, n_units=8, name="block1")
        net = Residual(net, n_units=8, name="block2")
        return tl.layers.Dense(net, n_units=2, name="out")


def draw_names(path: Path) -> None:
    """Draw the calls of two uses of a generator above the layers that both of them share."""
    first = generator(tl.layers.Input([None, 8], name="z"))
    second = generator(tl.layers.Input([None, 8], name="other"), reuse=True)
    figure = pyplot.figure(figsize=(8, 6))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, 800), ylim=(600, 0))
    axis.axis("off")
    columns = {"generator/block1": 258, "generator/block2": 472, "generator/out": 672}
    calls = f"{len(first.all_layers)} calls"
    solid, dashed = {"linestyle": "-"}, {"linestyle": (0, (4, 2))}
    _text(axis, 20, 26, 'generator(Input([None, 8], name="z"))', weight="bold")
    _text(axis, 780, 26, f"{calls}, {len(first.all_layers)} new layers", GREY, ha="right")
    _draw_calls(axis, first, columns, (44, -26), solid)
    says = 'generator(Input([None, 8], name="other"), reuse=True)'
    behind = {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 2}, "zorder": 3}
    _text(axis, 20, 116, says, weight="bold", **behind)
    _text(axis, 780, 116, f"{calls}, no new layer", GREY, ha="right", **behind)
    _draw_calls(axis, second, columns, (134, 26), dashed)
    _draw_scope(axis, first, columns)
    _draw_full_name(axis, list(first.parameters)[3])
    figure.savefig(path, dpi=200)
    pyplot.close(figure)


def _box(axis: Any, at: tuple[float, float, float, float], colour: str, **options: Any) -> None:
    """Draw a rounded box at (left, top, width, height)."""
    left, top, width, height = at
    style = {"facecolor": "white", "linewidth": 1.4, **options}
    shape = "round,pad=0,rounding_size=6"
    box = patches.FancyBboxPatch((left, top), width, height, boxstyle=shape, **style)
    box.set_edgecolor(colour)
    axis.add_patch(box)


def _text(axis: Any, x: float, y: float, text: str, colour: str = INK, **options: Any) -> None:
    options = {"fontsize": 9.5, "family": "DejaVu Sans Mono", "va": "center", **options}
    axis.text(x, y, text, color=colour, **options)


def _arrow(axis: Any, start: tuple[float, float], end: tuple[float, float], **options: Any) -> None:
    options = {"color": INK, "linewidth": 1.2, "mutation_scale": 10, "zorder": 1, **options}
    options = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, **options}
    axis.add_patch(patches.FancyArrowPatch(start, end, **options))


def _draw_calls(
    axis: Any, network: Any, columns: dict[str, int], at: tuple[int, int], style: dict[str, Any]
) -> None:
    """Draw the events of one use, with an arrow to the layer of each."""
    top, shift = at
    (given,) = network.input_nodes
    right = 126 + shift
    _box(axis, (right - 80, top, 80, 34), GREY, zorder=3, **style)
    _text(axis, right - 40, top + 17, given.name, ha="center", zorder=4)
    for node in network.all_layers:
        left = columns[node.layer.name] + shift - 47
        _arrow(axis, (right, top + 17), (left, top + 17))
        _arrow(axis, (left + 47, top + 34), (left + 47, 226), color=GREY, **style)
        _box(axis, (left, top, 94, 34), INK, zorder=3, **style)
        name = node.layer.facts.own_name
        _text(axis, left + 47, top + 17, f"{name}(\u00b7)", ha="center", zorder=4)
        right = left + 94


def _draw_scope(axis: Any, network: Any, columns: dict[str, int]) -> None:
    """Draw the scope with its layers, and the parameters and layers that these own."""
    _box(axis, (20, 198, 760, 316), COLOURS["scope"], facecolor="#f6f3fc", zorder=0)
    _text(axis, 36, 494, 'with variable_scope("generator"):', COLOURS["scope"], weight="bold")
    count = f"{len(network.layer_names) - 1} layers\n{len(network.parameters)} variables"
    _text(axis, 36, 244, count, COLOURS["scope"], va="top", linespacing=1.8)
    owned: dict[str, dict[str, list[str]]] = {}
    for name in network.parameters:
        layer, _, rest = name.removeprefix("generator/").partition("/")
        inner, _, last = rest.rpartition("/")
        owned.setdefault(layer, {}).setdefault(inner, []).append(last)
    for layer, held in owned.items():
        middle, is_owner = columns[f"generator/{layer}"], len(held) > 1
        colour = COLOURS["owner" if is_owner else "layer"]
        height = 42 + sum(22 * len(names) + (44 if inner else 0) for inner, names in held.items())
        _box(axis, (middle - 92, 227, 184, height), colour, zorder=2)
        _text(axis, middle - 78, 245, layer, colour, weight="bold", zorder=4)
        top = 263
        for inner, names in held.items():
            if inner:
                box = (middle - 78, top, 156, 30 + 22 * len(names))
                _box(axis, box, COLOURS["layer"], facecolor="#f1f8f6", zorder=3)
                _text(axis, middle - 66, top + 16, inner, COLOURS["layer"], weight="bold", zorder=4)
            left = middle - (52 if inner else 64)
            for index, name in enumerate(names):
                y = top + (38 if inner else 8) + 22 * index
                _text(axis, left, y, name, COLOURS["parameter"], zorder=4)
            top += 22 * len(names) + (44 if inner else 0)


def _draw_full_name(axis: Any, name: str) -> None:
    """Explain the parts of one full name."""
    _text(axis, 36, 550, "a full name:")
    left = 180.0
    for what, part in zip(COLOURS, name.split("/"), strict=True):
        slash = "" if what == "parameter" else "/"
        _text(axis, left, 550, part, COLOURS[what], fontsize=13, weight="bold")
        _text(axis, left, 574, what, COLOURS[what], fontsize=9)
        left += 10.9 * len(part)
        _text(axis, left + 4, 550, slash, fontsize=13)
        left += 22
