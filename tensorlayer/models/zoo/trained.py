"""Trained weights: where they are, and how files of others become the parameters of a network.

Read are, without executing anything:

- HDF5 files of Keras, one group for each layer, ``block1_conv1/kernel``;
- ``vgg16_weights.npz``, arrays called ``conv1_1_W`` and ``conv1_1_b``;
- ``vgg19.npy``, a pickled dictionary ``{"conv1_1": [weights, biases]}``;
- archives of TensorLayer 1.x and 2.x, arrays by position;
- what ``model.save_weights`` has written, in every format.

A network that ends early takes what it needs. Everything is compared before anything is assigned.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import Corrupt, StructureMismatch
from tensorlayer.files.anything import load_npy_to_any
from tensorlayer.files.download import download
from tensorlayer.files.npz import read_in_order
from tensorlayer.models import weights
from tensorlayer.models.stored import Pairs, Stored, opened

__all__ = ["FOLDER", "Trained"]

#: Where files are looked for and downloaded to, as in TensorLayer 2.x.
FOLDER = "models"

#: A name in a file of others: ``fc8_W``, ``conv1/kernel``, ``bn_conv1_running_std_1``.
_FOREIGN = re.compile(r"(?P<layer>.+?)(/.+|_(W|b|gamma|beta|running_mean|running_std)(_\d+)?)")
#: The order in which Keras, and all others, list the parameters of a layer.
_ORDER = ("filters", "weights", "biases", "gamma", "beta", "moving_mean", "moving_var")


@dataclasses.dataclass(frozen=True)
class Trained:
    """The trained weights of one network.

    Parameters
    ----------
    files
        Names that the file may have in the folder. The last one is downloaded if there is none.
    url
        The address of that, with its last slash and without the name.
    checksum
        Of that; None where none is published. Its shapes are compared in any case.
    synonyms
        What others call a layer.
    turned
        The filters that take the red, green and blue of images here, and blue, green and red in
        files of Keras and in ``vgg19.npy``: they are turned around while they are read.
    """

    files: tuple[str, ...]
    url: str
    checksum: str | None = None
    synonyms: Callable[[str], Sequence[str]] = lambda layer: ()
    turned: str | None = None
    #: a layer that keeps its new weights, since it has another number of outputs
    head: str | None = None

    def read(
        self, place: str | os.PathLike[str] | None, parameters: Mapping[str, tf.Variable]
    ) -> None:
        """Give parameters their trained values, all or none.

        Parameters
        ----------
        place
            The file, or the folder that it is in or downloaded to; without it [`FOLDER`][].
        parameters
            The variables of a network by name.

        Raises
        ------
        DownloadFailed
            The file is not there, and the server cannot be reached.
        Corrupt
            The file is damaged, or not the one that was published.
        StructureMismatch
            It lacks layers of the network, or has them in other shapes. Nothing was assigned.
        """
        path = self._file(Path(FOLDER if place is None else place))
        parameters = {n: v for n, v in parameters.items() if _layer(n) != self.head}
        with _contents(path) as pairs:
            weights.assign(parameters, self._fitting(path, parameters, pairs))

    def _file(self, place: Path) -> Path:
        if place.is_file():
            return place
        if place.suffix and not place.is_dir():
            raise FileNotFoundError(
                f"there is no file {str(place)!r}. pretrained=True downloads {self.files[-1]}."
            )
        there = (place / name for name in self.files if (place / name).is_file())
        wanted = place / self.files[-1]
        return next(there, None) or download(self.url + self.files[-1], wanted, self.checksum)

    def _fitting(
        self, path: Path, parameters: Mapping[str, tf.Variable], pairs: Pairs
    ) -> dict[str, Any]:
        """Return what there is for each of the parameters."""
        found = dict(pairs)
        own = {name: f"{_layer(name)}/{name.rpartition('/')[2]}" for name in parameters}
        if set(found) == {f"arr_{index}" for index in range(len(found))}:
            return _first(path, parameters, pairs)
        if set(own.values()) <= set(found):
            return {name: found[short] for name, short in own.items()}
        fitting = self._by_layers(parameters, pairs)
        if path.suffix == ".npz":
            return fitting
        return {
            name: _turned(stored) if own.get(name) == self.turned else stored
            for name, stored in fitting.items()
        }

    def _by_layers(self, parameters: Iterable[str], pairs: Pairs) -> dict[str, Stored]:
        """Return what the layers have under the names of others."""
        layers: dict[str, list[str]] = {}
        for name in parameters:
            layers.setdefault(_layer(name), []).append(name)
        ours = {each: layer for layer in layers for each in (layer, *self.synonyms(layer))}
        fitting: dict[str, Stored] = {}
        for name, stored in pairs:
            match = _FOREIGN.fullmatch(name)
            layer = ours.get(match["layer"]) if match else None
            if layer is not None:
                free = [each for each in sorted(layers[layer], key=_place) if each not in fitting]
                fitting[free[0] if free else f"{name} once more"] = stored
        return fitting


def _layer(name: str) -> str:
    """Return the layer of a parameter, without the scope around it."""
    return name.split("/")[-2]


def _place(name: str) -> int:
    return _ORDER.index(name.rpartition("/")[2])


def _first(path: Path, parameters: Mapping[str, tf.Variable], pairs: Pairs) -> dict[str, Stored]:
    if len(pairs) < len(parameters):
        raise StructureMismatch(
            f"{str(path)!r} holds {len(pairs)} arrays and the network has {len(parameters)} "
            "parameters. Nothing was assigned."
        )
    return dict(zip(parameters, (stored for _, stored in pairs), strict=False))


def _turned(stored: Stored) -> Stored:
    return dataclasses.replace(stored, read=lambda: stored.read()[:, :, ::-1])


# -- files


@contextmanager
def _contents(path: Path) -> Iterator[Pairs]:
    """Give names and arrays of a file in their order; ``arr_0``, ... where it has no names."""
    if path.suffix == ".npy":
        yield _dictionary(path)
    elif path.suffix == ".npz" and _is_pickled(path):
        yield [(f"arr_{i}", _in_memory(array)) for i, array in enumerate(read_in_order(path))]
    else:
        with opened(path, weights.format_of(path)) as pairs:
            yield pairs


def _is_pickled(path: Path) -> bool:
    """Whether TensorLayer 1.x or 2.x wrote this archive by position."""
    try:
        with opened(path, "npz"):
            return False
    except Corrupt:  # or it is damaged, and reading it says so
        return True


def _dictionary(path: Path) -> Pairs:
    layers = load_npy_to_any(name=os.fspath(path))
    if not isinstance(layers, dict):
        raise Corrupt(f"{str(path)!r} is no dictionary of layers. Get it again.")
    return [
        (f"{layer}/{index}", _in_memory(np.asarray(array)))
        for layer, arrays in layers.items()
        for index, array in enumerate(arrays)
    ]


def _in_memory(array: np.ndarray) -> Stored:
    return Stored(array.shape, array.dtype, functools.partial(np.asarray, array))
