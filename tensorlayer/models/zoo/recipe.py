"""How a network of the zoo is declared: as points with names, up to the one that is asked for.

A network is written as a generator of its points. Nothing behind the last point is ever made:

    def points(net, is_train):
        net = Conv2d(net, 64, (3, 3), act="relu", name="conv1")
        yield "conv1", net
        net = MaxPool2d(net, (2, 2), (2, 2), name="pool1")
        yield "pool1", net
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, did_you_mean
from tensorlayer.layers import Input, InputLayer, Network, variable_scope
from tensorlayer.models.model import Model
from tensorlayer.models.zoo.trained import Trained

__all__ = ["Points", "Recipe", "checked_end", "is_start"]

Points = Iterator[tuple[str, Network]]

#: Height and width of the images of ImageNet, as the weights were trained, and their channels.
IMAGE = (224, 224, 3)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A network that can be declared up to any of its points."""

    #: the function's name, for errors
    who: str
    #: what the names of the layers begin with when the network stands on another one, as in 1.x
    scope: str
    #: the names of the points, in order
    ends: tuple[str, ...]
    #: yields them: ``points(net, is_train)``
    points: Callable[[Network, bool | None], Points]
    #: where trained weights are
    trained: Trained
    #: other names of points
    synonyms: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def declare(
        self,
        pretrained: Any,
        end_with: str,
        name: str | None,
        x: Any = None,
        is_train: bool | None = None,
        reuse: Any = None,
    ) -> Model | Network:
        """Return a model over an input of ImageNet's size, or a network on top of ``x``.

        Parameters
        ----------
        pretrained
            Whether to read trained weights, or the file or folder they are in. A network or tensor
            in its place, as 1.x had it, is ``x``.
        end_with
            The last point.
        name
            Of the model; of the scope, for a network on top of ``x``.
        x
            A network, a tensor or a placeholder.
        is_train
            The mode that layers on top of ``x`` are declared with.
        reuse
            Whether layers on top of ``x`` are those that stand in the scope already.

        Raises
        ------
        InvalidArgument
            There is no such point, and nothing was made; or ``pretrained`` is no path.
        """
        if is_start(pretrained):
            x, pretrained = pretrained, False
        end = checked_end(self.who, self.synonyms.get(str(end_with), end_with), self.ends)
        if x is None:
            inputs = Input([None, *IMAGE], name="input")
            made: Any = Model(inputs, self._until(end, inputs, is_train), name=name)
            self.read(pretrained, made)
            return made
        with variable_scope(name or self.scope, reuse=reuse) as scope:
            start = x if isinstance(x, Network) else InputLayer(x, name="input")
            made = self._until(end, start, is_train)
        self.read(pretrained, made, f"{scope.name}/")
        return made

    def _until(self, end: str, net: Network, is_train: bool | None) -> Network:
        return next(point for name, point in self.points(net, is_train) if name == end)

    def read(self, pretrained: Any, made: Model | Network, prefix: str = "") -> None:
        """Give what is below a prefix its trained values, if that is asked for."""
        if pretrained is None or pretrained is False:
            return
        place = None if pretrained is True else pretrained
        if not isinstance(place, (str, os.PathLike, type(None))):
            raise InvalidArgument(
                f"{self.who}: pretrained is True, False, or the path of a file or folder, got "
                f"{pretrained!r}. What the network stands on is given as x=."
            )
        own = {name: v for name, v in made.parameters.items() if name.startswith(prefix)}
        self.trained.read(place, own)


def is_start(value: Any) -> bool:
    """Whether a network can stand on this: it is one, or a tensor."""
    return isinstance(value, Network) or tf.is_tensor(value)


def checked_end(who: str, end_with: Any, ends: tuple[str, ...]) -> str:
    """Return the name of a point, or raise InvalidArgument."""
    if end_with not in ends:
        raise InvalidArgument(
            f"{who}: it cannot end with {end_with!r}. {did_you_mean(str(end_with), ends)}"
        )
    return end_with
