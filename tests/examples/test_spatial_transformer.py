"""The spatial transformer: distortions against SciPy, and what it gains."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import tensorlayer as tl
from tests.examples.running import EXAMPLES, help_of, run

sys.path.insert(0, str(EXAMPLES))

import handwritten
import spatial_transformer


def test_digits_are_enlarged_rotated_and_moved():
    train, _ = handwritten.read(None)
    part = handwritten.Part(train.images[:3], train.labels[:3])

    found = spatial_transformer.distorted(part, n_times=2, seed=5)

    assert found.images.shape == (6, 32, 32, 1)
    np.testing.assert_array_equal(found.labels, [*part.labels, *part.labels])
    rng = np.random.default_rng(5)
    for image, canvas in zip(np.concatenate([part.images] * 2), found.images, strict=True):
        angle = np.radians(rng.uniform(-60, 60))
        x, y = (rng.uniform(-0.2, 0.2) * 32 for _ in range(2))
        # Rows before columns, and from the canvas to the image, as SciPy has it.
        back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / 2
        start = 3.5 - back @ np.array([15.5 + y, 15.5 + x])
        wanted = ndimage.affine_transform(
            np.pad(image[..., 0], 8), back, start + 8, output_shape=(32, 32), order=1
        )
        np.testing.assert_allclose(canvas[..., 0], wanted, atol=1e-4)


def test_larger_digits_are_not_enlarged():
    part = handwritten.Part(np.ones([1, 28, 28, 1], np.float32), np.array([3]))

    (canvas,) = spatial_transformer.distorted(part, n_times=1, seed=0).images

    assert canvas.shape == (56, 56, 1)
    assert canvas.sum() == pytest.approx(28**2, rel=0.03)


def test_an_untrained_transformer_looks_at_the_middle():
    canvases = np.random.default_rng(0).uniform(size=[2, 32, 32, 1]).astype("float32")
    x = tl.layers.Input([None, 32, 32, 1], name="canvas")

    found = tl.models.Model(x, spatial_transformer.transformer(x))(canvases, is_train=False)

    steps = (np.tanh(1) * np.linspace(-1, 1, 16) + 1) * 16
    rows, columns = np.meshgrid(steps, steps, indexing="ij")
    for image, seen in zip(canvases, found, strict=True):
        wanted = ndimage.map_coordinates(image[..., 0], [rows, columns], order=1)
        np.testing.assert_allclose(seen[..., 0], wanted, atol=1e-4)


@pytest.mark.slow
@pytest.mark.examples
@pytest.mark.timeout(300)
def test_who_looks_at_the_right_place_tells_more_digits(tmp_path):
    shown = run("spatial_transformer.py", tmp_path)

    found = dict(re.findall(r"(with|without) the transformer: accuracy ([\d.]+)%", shown))
    assert float(found["with"]) >= float(found["without"]) + 100 * spatial_transformer.BAR
    pixels = np.asarray(Image.open(tmp_path / "spatial_transformer" / "seen.png"))
    assert pixels.shape == (4 * 64, 10 * 64)
    # What the transformer makes of a canvas has more of the digit in it.
    assert pixels[64:128].mean() > 1.5 * pixels[:64].mean()


def test_help_teaches():
    shown = help_of("spatial_transformer.py")

    assert "affine map" in shown
    assert "--data" in shown
