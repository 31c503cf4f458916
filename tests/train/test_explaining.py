"""What TensorFlow's errors mean; those of two devices are in test_devices.py."""

from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.explaining import explained


def refuse(kind, text):
    with explained():
        raise kind(None, None, text)


@pytest.mark.parametrize(
    ("kind", "text", "meaning"),
    [
        (
            tf.errors.InvalidArgumentError,
            "Collective ops is aborted by: Shape mismatch in the collective instance 100.",
            "Make one strategy for all trainings",
        ),
        (
            tf.errors.UnimplementedError,
            "Collectives are not yet implemented for CPU devices when compiling with XLA.",
            "jit_compile=True compiles a step for one device",
        ),
    ],
)
def test_what_is_known_says_what_helps(kind, text, meaning):
    with pytest.raises(InvalidArgument, match=meaning) as found:
        refuse(kind, text)

    assert text in str(found.value.__cause__)


@pytest.mark.parametrize("kind", [tf.errors.InvalidArgumentError, tf.errors.UnavailableError])
def test_what_is_not_known_stays_as_it_is(kind):
    with pytest.raises(kind, match="something else"):
        refuse(kind, "something else")
