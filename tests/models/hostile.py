"""Configs as a stranger might write them, and what shows that reading one did nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

import tensorlayer as tl
from tensorlayer.models import Model, serializable

#: values that `spy` was given to compute with: more than shapes
COMPUTED: list[Any] = []


@serializable
def spy(x: Any, scale: float = 2.0) -> Any:
    """A function of tensors that notes when it is run on values and not on a trace."""
    if not tf.is_symbolic_tensor(x):
        COMPUTED.append(x)
    return x * scale


def small() -> Model:
    """A model with a bit of everything: a function, an initializer, a shared layer, an option."""
    x = tl.layers.Input([None, 4], name="x")
    dense = tl.layers.Dense(
        n_units=4, act="relu", W_init=tf.keras.initializers.HeNormal(seed=1), name="twice"
    )
    net = tl.layers.Lambda(dense(dense(x)), spy, fn_args={"scale": 3.0}, name="spy")
    return Model(x, {"out": tl.layers.Concat([net, x[:, :2]], name="out")}, name="small")


def nested(depth: int = 1) -> Model:
    """A model within a model, as deep as wanted."""
    x = tl.layers.Input([None, 4], name="x")
    model = Model(x, tl.layers.Dense(x, 4, b_init=None, name="dense"), name="inner")
    for _ in range(depth):
        x = tl.layers.Input([None, 4], name="x")
        model = Model(x, model.as_layer()(x), name="outer")
    return model


def shared() -> Model:
    """A model that is two layers, with one of its layers beside it, and parts that are frozen."""
    with tl.layers.isolated():
        x, y = tl.layers.Input([None, 4], name="x"), tl.layers.Input([None, 4], name="y")
        dense = tl.layers.Dense(4, dtype="float32", name="d")
        inner = Model(x, dense(x), name="inner")
        inner.eval()
        dense.trainable = False
        net = inner.as_layer(name="q")(inner.as_layer(name="p")(y))
        holder = Own(4)
        holder.dense.trainable = False
        return Model(y, dense(holder.as_layer(name="own")(net)), name="shared")


class Own(Model):
    """A model of one's own, described by its arguments."""

    def __init__(self, n_units: int, shape: Any = (1, 2), name: str = "own") -> None:
        super().__init__(name=name)
        self.dense = tl.layers.Dense(n_units, in_channels=4)

    def forward(self, inputs: Any) -> Any:
        """Compute the outputs."""
        return self.dense(inputs)


def own(n_units: int) -> Model:
    """Return a model of one's own."""
    return Own(n_units)


def layers(config: Any) -> dict[str, Any]:
    """Return the nodes that describe layers, by name."""
    return {n["layer"]: n for n in config["model_architecture"] if "class" in n or "is" in n}


def structure(config: Any) -> dict[str, Any]:
    """Return a config without the note who wrote it and when."""
    return {key: value for key, value in config.items() if key != "version_info"}


def mutations(config: Any) -> Iterator[tuple[str, Any]]:
    """Yield copies of the config with one part of it deleted or replaced, and say which."""
    for path in _paths(config):
        for new in ("delete", None, -1, 10**12, "text", [], {}):
            changed = copy.deepcopy(config)
            *above, last = path
            holder = changed
            for key in above:
                holder = holder[key]
            if new == "delete":
                del holder[last]
            else:
                holder[last] = new
            yield f"{'/'.join(map(str, path))} -> {new!r}", changed


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        yield (*path, key)
        if isinstance(part, (dict, list)):
            yield from _paths(part, (*path, key))
