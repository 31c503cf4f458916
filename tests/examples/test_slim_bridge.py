"""Inception V3 as the trunk of a classifier."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from PIL import Image

from tests.examples.running import EXAMPLES, help_of, run

sys.path.insert(0, str(EXAMPLES))

import handwritten
import slim_bridge


def test_digits_are_enlarged_as_pillow_does():
    train, _ = handwritten.read(None)

    found = slim_bridge.enlarged(train, 3)

    assert found.images.shape == (3, 75, 75, 1)
    assert found.images.min() >= 0
    assert found.images.max() <= 1
    np.testing.assert_array_equal(found.labels, train.labels[:3])
    for image, digit in zip(found.images, train.images, strict=False):
        wanted = Image.fromarray(digit[..., 0]).resize((75, 75), Image.Resampling.BICUBIC)
        np.testing.assert_allclose(image[..., 0], np.clip(wanted, 0, 1), atol=1e-3)


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(400)
def test_a_trunk_of_tf_slim_learns(tmp_path):
    shown = run("slim_bridge.py", tmp_path, "--quick")

    reached = re.search(r"held-out digits ([\d.]+)%", shown)[1]
    assert float(reached) >= 100 * slim_bridge.BAR
    with np.load(tmp_path / "slim_bridge" / "weights.npz") as weights:
        assert "InceptionV3/Conv2d_1a_3x3/weights" in weights
        assert "InceptionV3/Mixed_6a/Branch_0/Conv2d_1a_1x1/BatchNorm/moving_mean" in weights


def test_help_teaches():
    shown = help_of("slim_bridge.py")

    assert "SlimNetsLayer" in shown
    assert "--quick" in shown
