"""TensorFlow checkpoints of arrays by name: the format of ``tf.compat.v1.train.Saver``."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Container, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import tensorflow as tf

from tensorlayer.whole import local_path

__all__ = ["is_parameter", "without_training", "write"]

T = TypeVar("T")

#: The end of names in a checkpoint of `tf.train.Checkpoint`, behind the path of the object.
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"

# What training leaves in a checkpoint beside the parameters: slots of optimizers, counters.
_NOT_A_PARAMETER = re.compile(
    r"(^|/)(Adam(_\d+)?|Momentum|RMSProp(_\d+)?|Adagrad|Ftrl(_\d+)?|ExponentialMovingAverage|"
    r"beta[12]_power|global_step|save_counter|_CHECKPOINTABLE_OBJECT_GRAPH)$"
)


def is_parameter(name: str) -> bool:
    """Whether the name is not one of those that training leaves in a checkpoint.

    Examples
    --------
    >>> is_parameter("dense/weights"), is_parameter("dense/weights/Adam_1")
    (True, False)
    """
    own = name.removesuffix(_VALUE)
    is_of_optimizer = own != name and own.startswith("optimizer/")
    is_slot = "/.OPTIMIZER_SLOT/" in own
    return not (is_of_optimizer or is_slot or _NOT_A_PARAMETER.search(own))


def without_training(found: Mapping[str, T], wanted: Container[str]) -> dict[str, T]:
    """Return what is a parameter, or wanted, by the paths of the objects.

    Examples
    --------
    >>> found = {"d/w/.ATTRIBUTES/VARIABLE_VALUE": 1, "d/b": 2, "d/b/Adam": 3, "global_step": 4}
    >>> without_training(found, {"global_step"})
    {'d/w': 1, 'd/b': 2, 'global_step': 4}
    """
    own = {name: name.removesuffix(_VALUE) for name in found}
    return {own[n]: each for n, each in found.items() if own[n] in wanted or is_parameter(n)}


def write(prefix: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a checkpoint that ``tf.train.load_checkpoint(prefix)`` reads.

    It consists of two files. A reader finds those of before, those of now or, for a moment, none,
    but never one of each.

    Examples
    --------
    >>> write("model.ckpt", {"dense/weights": np.eye(2)})
    >>> tf.train.list_variables("model.ckpt")
    [('dense/weights', [2, 2])]
    """
    prefix = local_path(prefix)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=prefix.parent, prefix=f".{prefix.name}.") as folder:
        _save(os.path.join(folder, "new"), arrays)
        Path(f"{prefix}.index").unlink(missing_ok=True)  # without it there is no checkpoint
        for part in ("data-00000-of-00001", "index"):
            os.replace(os.path.join(folder, f"new.{part}"), f"{prefix}.{part}")


def _save(prefix: str, arrays: Mapping[str, np.ndarray]) -> None:
    # In a graph and session of its own: the caller may be inside a TensorFlow 1 graph.
    values = [np.asarray(array) for array in arrays.values()]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        fed = [tf.compat.v1.placeholder(value.dtype, value.shape) for value in values]
        save = tf.raw_ops.SaveV2(
            prefix=prefix,
            tensor_names=list(arrays),
            shape_and_slices=[""] * len(fed),
            tensors=fed,
        )
        session.run(save, dict(zip(fed, values, strict=True)))
