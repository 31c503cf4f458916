"""Images with drawn markers, and where the markers are found again: the oracle of geometry.

A marker is a Gaussian blob; its centre of mass is found without knowing any matrix.
"""

from __future__ import annotations

import numpy as np

WIDTH = 2.0  # the standard deviation of a blob, in pixels: wide enough to be interpolated well


def blob(height, width, x, y, sigma=WIDTH):
    """Return an image with one blob at (x, y)."""
    rows, cols = np.mgrid[:height, :width]
    return np.exp(-((cols - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)).astype(np.float32)


def blobs(height, width, points, sigma=WIDTH):
    """Return an image with a channel for each point."""
    return np.stack([blob(height, width, x, y, sigma) for x, y in points], axis=-1)


def centres(image):
    """Return the centre of mass (x, y) of each channel."""
    rows, cols = np.mgrid[: image.shape[0], : image.shape[1]]
    weights = image.astype(np.float64)
    total = weights.sum((0, 1))
    return (
        np.stack(
            [(weights * cols[..., None]).sum((0, 1)), (weights * rows[..., None]).sum((0, 1))], -1
        )
        / total[:, None]
    )


def rectangle(height, width, box):
    """Return an image whose pixels say how much of them a box [x1, y1, x2, y2] covers."""
    x1, y1, x2, y2 = box
    cols, rows = np.arange(width), np.arange(height)
    across = np.clip(np.minimum(cols + 1, x2) - np.maximum(cols, x1), 0, 1)
    down = np.clip(np.minimum(rows + 1, y2) - np.maximum(rows, y1), 0, 1)
    return np.outer(down, across).astype(np.float32)


def extent(image, level=0.5):
    """Return the box [x1, y1, x2, y2] of what is at least half covered."""
    rows, cols = np.nonzero(image >= level)
    return [cols.min(), rows.min(), cols.max() + 1, rows.max() + 1]
