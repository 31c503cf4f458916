"""What the conformance tests have to know of a layer."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer import layers


@dataclasses.dataclass(frozen=True)
class LayerSpec:
    """One way to build a layer."""

    name: str  #: the exported class
    arguments: dict[str, Any]  #: of its constructor
    shapes: tuple[tuple[int | None, ...], ...]  #: of its inputs, without the batch
    parameters: tuple[str, ...] = ()  #: names and order of its parameters
    depends_on_mode: bool = False  #: training and inference give different outputs
    is_random: bool = False  #: two evaluations in training differ
    #: of inputs that are ids: they are integers below it, which say nothing about types
    n_ids: int | None = None
    #: for a layer of several outputs: a subclass of the same name that makes one of them
    joined: type[layers.Layer] | None = None
    #: its arguments tell all shapes, so that its parameters are there before any input has a type
    builds_at_once: bool = False
    compiles: bool = True  #: XLA has kernels for what it computes with
    spread: float = 1.0  #: of the random inputs, where 1 is too little to matter, or too much
    #: makes the arguments anew, for a layer of variables that are made before it
    renew: Callable[[], dict[str, Any]] | None = None

    @property
    def follows_its_input(self) -> bool:
        """Whether the types of its parameters are those of its inputs."""
        return self.makes_its_parameters and not self.builds_at_once and self.n_ids is None

    @property
    def makes_its_parameters(self) -> bool:
        """Whether their names and types are the layer's, and not those of what it was given."""
        return self.renew is None

    def fresh(self) -> LayerSpec:
        """Return the spec with arguments that nobody else has."""
        return self if self.renew is None else dataclasses.replace(self, arguments=self.renew())

    @property
    def make(self) -> Callable[..., Any]:
        return self.joined or getattr(layers, self.name)

    @property
    def dtype(self) -> str:
        """Of the inputs."""
        return "float32" if self.n_ids is None else "int64"

    def __str__(self) -> str:
        return self.name

    def for_each_input(self, make: Callable[[int, tuple[int | None, ...]], Any]) -> Any:
        """Return ``make(index, shape)``, or a list of them for a layer that merges."""
        made = [make(index, shape) for index, shape in enumerate(self.shapes)]
        return made if len(made) > 1 else made[0]

    def inputs(self, prefix: str = "x", dtype: str | None = None) -> Any:
        """Declared inputs."""
        return self.for_each_input(
            lambda i, shape: layers.Input([None, *shape], dtype or self.dtype, name=f"{prefix}{i}")
        )

    def values(self, batch: int, seed: int = 0, dtype: str = "float32") -> Any:
        """Random values for the inputs."""
        arrays = self.arrays(batch, seed)
        dtype = dtype if self.n_ids is None else self.dtype
        return tf.nest.map_structure(lambda array: tf.cast(array, dtype), arrays)

    def arrays(self, batch: int, seed: int = 0) -> Any:
        """The same as arrays of NumPy."""
        rng = np.random.default_rng(seed)
        if self.n_ids is not None:
            return self.for_each_input(
                lambda _, shape: rng.integers(self.n_ids, size=(batch, *shape))
            )
        return self.for_each_input(
            lambda _, shape: rng.normal(scale=self.spread, size=(batch, *shape)).astype("float32")
        )

    def network(self, name: str = "layer", prefix: str = "x", **facts: Any) -> layers.Network:
        return self.make(self.inputs(prefix), **self.arguments, name=name, **facts)

    @functools.cached_property
    def untouched(self) -> layers.Network:
        """A network for all tests that change nothing of it: declaring one takes a while."""
        return self.network()

    @staticmethod
    def layer_of(net: layers.Network) -> Any:
        """The layer that a network applies; what has sides is a part of what its layer gave."""
        return net.parents[0].layer if net.sides else net.layer

    def model(self) -> Any:
        """A static model of the layer alone, called ``l``."""
        from tensorlayer.models import Model

        inputs = self.inputs()
        return Model(inputs, self.make(inputs, **self.arguments, name="l"))
