"""The conformance list: every exported layer once, with what is needed to build one.

``test_conformance.py`` and ``test_conformance_worlds.py`` run every property of the library over
this list; the first fails if an exported layer is missing from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tensorlayer import layers
from tensorlayer.models import serializable


@dataclasses.dataclass(frozen=True)
class LayerSpec:
    """One way to build a layer."""

    name: str  #: the exported class
    arguments: dict[str, Any]  #: of its constructor
    shapes: tuple[tuple[int | None, ...], ...]  #: of its inputs, without the batch
    parameters: tuple[str, ...] = ()  #: names and order of its parameters
    depends_on_mode: bool = False  #: training and inference give different outputs
    is_random: bool = False  #: two evaluations in training differ
    #: makes the arguments anew, for a layer of variables that are made before it
    renew: Callable[[], dict[str, Any]] | None = None

    @property
    def makes_its_parameters(self) -> bool:
        """Whether their names and types are the layer's, and not those of what it was given."""
        return self.renew is None

    def fresh(self) -> LayerSpec:
        """Return the spec with arguments that nobody else has."""
        return self if self.renew is None else dataclasses.replace(self, arguments=self.renew())

    @property
    def make(self) -> Callable[..., Any]:
        return getattr(layers, self.name)

    def __str__(self) -> str:
        return self.name

    def for_each_input(self, make: Callable[[int, tuple[int | None, ...]], Any]) -> Any:
        """Return ``make(index, shape)``, or a list of them for a layer that merges."""
        made = [make(index, shape) for index, shape in enumerate(self.shapes)]
        return made if len(made) > 1 else made[0]

    def inputs(self, prefix: str = "x", dtype: str = "float32") -> Any:
        """Declared inputs."""
        return self.for_each_input(
            lambda i, shape: layers.Input([None, *shape], dtype, name=f"{prefix}{i}")
        )

    def values(self, batch: int, seed: int = 0, dtype: str = "float32") -> Any:
        """Random values for the inputs."""
        rng = tf.random.Generator.from_seed(seed)
        return self.for_each_input(lambda _, shape: tf.cast(rng.normal([batch, *shape]), dtype))

    def arrays(self, batch: int) -> Any:
        """The same as arrays of NumPy."""
        values = self.values(batch)
        return [v.numpy() for v in values] if isinstance(values, list) else values.numpy()

    def network(self, name: str = "layer", prefix: str = "x", **facts: Any) -> layers.Network:
        return self.make(self.inputs(prefix), **self.arguments, name=name, **facts)

    def model(self) -> Any:
        """A static model of the layer alone, called ``l``."""
        from tensorlayer.models import Model

        inputs = self.inputs()
        return Model(inputs, self.make(inputs, **self.arguments, name="l"))


@serializable
def affine(x: tf.Tensor, scale: float = 2.0) -> tf.Tensor:
    return scale * x + 1.0


def _with_model() -> dict[str, Any]:
    from tensorlayer.models import Model

    x = layers.Input([None, 4], name="inner_x")
    net = layers.Dense(x, n_units=3, name="inner_dense")
    return {"model": Model(x, net, name="small")}


SPECS = (
    LayerSpec("BatchNorm", {"act": "relu"}, ((5, 5, 3),),
              ("beta", "gamma", "moving_mean", "moving_var"), depends_on_mode=True),
    LayerSpec("Concat", {"concat_dim": -1}, ((3, 4), (3, 2))),
    LayerSpec("Conv2d", {"n_filter": 4, "filter_size": (3, 2), "act": "tanh"}, ((8, 8, 3),),
              ("filters", "biases")),
    LayerSpec("Dense", {"n_units": 5, "act": "relu"}, ((7,),), ("weights", "biases")),
    LayerSpec("Dropout", {"keep": 0.5}, ((20,),), depends_on_mode=True, is_random=True),
    LayerSpec("Elementwise", {"combine_fn": tf.add, "act": tf.nn.relu}, ((3, 4), (3, 4))),
    LayerSpec("Flatten", {}, ((3, 4, 2),)),
    LayerSpec("Lambda", {"fn": affine, "fn_args": {"scale": 3.0}}, ((4,),)),
    LayerSpec("MaxPool2d", {"filter_size": 3, "strides": 2}, ((7, 7, 2),)),
    LayerSpec("MeanPool2d", {"filter_size": (2, 2), "padding": "VALID"}, ((7, 7, 2),)),
    LayerSpec("ModelLayer", _with_model(), ((4,),),
              ("inner_dense/weights", "inner_dense/biases"), renew=_with_model),
    LayerSpec("Part", {"index": 1}, ((3, 4), (3, 2))),
    LayerSpec("Reshape", {"shape": (-1, 6)}, ((3, 2),)),
    LayerSpec("Slice", {"key": (slice(None), slice(0, 2), None)}, ((3, 2),)),
)  # fmt: skip

# Exported names that are no layers to be built in this way.
NOT_LAYERS = frozenset(
    {
        "AUTO_REUSE",
        "Input",
        "InputLayer",
        "Layer",
        "Network",
        "Outputs",
        "isolated",
        "set_name_reuse",
        "variable_scope",
    }
)
# 1.x names, which test_compat.py shows to be the same objects.
ALIASES = {
    "BatchNormLayer": "BatchNorm",
    "ConcatLayer": "Concat",
    "DenseLayer": "Dense",
    "DropoutLayer": "Dropout",
    "ElementwiseLayer": "Elementwise",
    "FlattenLayer": "Flatten",
    "LambdaLayer": "Lambda",
    "ReshapeLayer": "Reshape",
}
