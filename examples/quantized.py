"""What the networks with rounded weights share: training, a report, and a file of few bits.

A layer such as ``tl.layers.BinaryConv2d`` is trained with exact weights and computes with rounded
ones. Once it is trained only the latter are needed: which values there are, and for each weight the
number of its value, in as few bits as that takes.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import arguments  # the files beside this one
import handwritten
import numpy as np
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers.quantized.base import Quantized


def pack(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that occur, and bytes: the numbers of the values, bit after bit."""
    values, numbers = np.unique(weights, return_inverse=True)
    bits = numbers.reshape(-1, 1) >> np.arange(n_bits(values)) & 1
    return values, np.packbits(bits.astype(np.uint8))


def unpack(values: np.ndarray, packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the weights again."""
    n = n_bits(values)
    bits = np.unpackbits(packed, count=n * math.prod(shape)).reshape(-1, n)
    return values[bits @ (1 << np.arange(n))].reshape(shape)


def n_bits(values: np.ndarray) -> int:
    """Return how many bits tell so many values apart."""
    return max(1, (len(values) - 1).bit_length())


def rounding(model: tl.models.Model) -> Iterator[Quantized]:
    """Return the layers of a model that round their weights."""
    return (layer for layer in model.all_layers if isinstance(layer, Quantized))


def rounded(layer: Quantized) -> np.ndarray:
    """Return the weights that a layer computes with."""
    return layer.quantize_weights(layer.W).numpy()


def save(model: tl.models.Model, path: Path) -> int:
    """Write all parameters, those that are rounded in few bits; return how many bytes they have."""
    arrays = {name: variable.numpy() for name, variable in model.parameters.items()}
    names = {id(variable): name for name, variable in model.parameters.items()}
    for layer in rounding(model):
        name = names[id(layer.W)]
        del arrays[name]
        arrays[f"{name}:values"], arrays[f"{name}:bits"] = pack(rounded(layer))
    np.savez(path, **arrays)
    return sum(each.nbytes for each in arrays.values())


def load(model: tl.models.Model, path: Path) -> None:
    """Give a model the parameters of a file: the rounded ones, and those that were left exact."""
    with np.load(path) as arrays:
        for name, variable in model.parameters.items():
            if name in arrays:
                variable.assign(arrays[name])
            else:
                parts = arrays[f"{name}:values"], arrays[f"{name}:bits"]
                variable.assign(unpack(*parts, tuple(variable.shape)))


def report(model: tl.models.Model) -> None:
    """Print which values the weights have, as the forward pass uses them."""
    for layer in rounding(model):
        weights = rounded(layer)
        values, packed = pack(weights)
        shown = [f"{value + 0.0:.3g}" for value in values]  # 0, not -0
        text = ", ".join(shown if len(shown) < 5 else [*shown[:2], "...", shown[-1]])
        print(
            f"{layer.name:>8}: {weights.size:7,} weights, {len(values)} values ({text}), "
            f"{packed.nbytes:6,} bytes instead of {weights.nbytes:,}"
        )


def parser(description: str, name: str) -> argparse.ArgumentParser:
    """Return the options of these programs."""
    return handwritten.parser(description, name, n_epoch=20)


@arguments.program
def run(options: argparse.Namespace, network: Callable[[int], tl.models.Model], bar: float) -> None:
    """Train the network that is made for a side of images; report, pack, and measure it."""
    started = time.perf_counter()
    tf.random.set_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    train, test = handwritten.read(options.data)
    side = train.images.shape[1]
    model = network(side)
    handwritten.learn(model, train, options.epochs, print_freq=5)
    report(model)

    path = options.out / "packed.npz"
    size = save(model, path)
    exact = sum(each.numpy().nbytes for each in model.parameters.values())
    print(f"all parameters: {size:,} bytes in {path}, exact {exact:,}: {exact / size:.1f} times")
    again = network(side)
    load(again, path)
    logits = (tl.utils.predict(each, test.images, batch_size=500) for each in (model, again))
    difference = float(np.abs(np.subtract(*logits)).max())
    reached = handwritten.accuracy(again, test)
    print(
        f"accuracy {reached:.1%} on digits held out, from the packed file (logits differ by "
        f"{difference:.1g}); {time.perf_counter() - started:.0f} s"
    )
    if options.data is None and reached < bar:
        raise SystemExit(f"the accuracy should be {bar:.0%}")
