"""What TensorFlow's errors mean for a training, and what helps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.replicas import NO_SAMPLE

__all__ = ["explained"]

_ONE_DEVICE = (
    "training: jit_compile=True compiles a step for one device, and this one runs on the replicas "
    "of a strategy. Leave it out."
)
#: What is in the text of an error, and what it means.
_MEANINGS = {
    NO_SAMPLE: NO_SAMPLE,
    "collective instance": (
        "training: replicas or workers added up values of different shapes. Either workers train "
        "different networks, or two strategies over the same devices were made in this process, of "
        "which TensorFlow takes one for the other. Make one strategy for all trainings, or give "
        "each cross_device_ops=tf.distribute.ReductionToOneDevice(); and start the process again."
    ),
    "xla/known_issues#tfvariable_on_a_different_device": _ONE_DEVICE,
    "Collectives are not yet implemented": _ONE_DEVICE,
}


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Raise InvalidArgument instead of errors of TensorFlow that do not say what helps.

    Examples
    --------
    >>> with explained():
    ...     raise tf.errors.InvalidArgumentError(None, None, "in collective instance 1")
    Traceback (most recent call last):
    ...
    tensorlayer.errors.InvalidArgument: training: replicas or workers added up values of ...
    """
    try:
        yield
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
        for sign, meaning in _MEANINGS.items():
            if sign in str(error):
                raise InvalidArgument(meaning) from error
        raise
