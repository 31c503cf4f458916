"""Pictures: read and save images and grids, draw boxes and people, look at weights.

Nothing here needs a screen. What draws with matplotlib writes a PDF and returns its path, or, with
``saveable=False``, shows the figure if there is a screen and returns it in any case.

Pictures need the ``vision`` extra.
"""

from __future__ import annotations

from tensorlayer.visualize.draw import (
    draw_boxes_and_labels_to_image,
    draw_mpii_people_to_image,
    draw_mpii_pose_to_image,
)
from tensorlayer.visualize.figures import (
    CNN2d,
    W,
    draw_weights,
    frame,
    images2d,
    tsne_embedding,
)
from tensorlayer.visualize.pictures import (
    read_image,
    read_images,
    save_image,
    save_images,
    to_uint8,
)

__all__ = [
    "read_image",
    "read_images",
    "save_image",
    "save_images",
    "to_uint8",
    "draw_boxes_and_labels_to_image",
    "draw_mpii_people_to_image",
    "draw_mpii_pose_to_image",
    "draw_weights",
    "W",
    "CNN2d",
    "images2d",
    "frame",
    "tsne_embedding",
]
