"""Pictures: read and save images and grids, draw boxes and people, look at weights.

Nothing here needs a screen. What draws with matplotlib writes a PDF and returns its path, or, with
``saveable=False``, shows the figure if there is a screen and returns it in any case.

Pictures need the ``vision`` extra.
"""

from __future__ import annotations

from tensorlayer.visualize import draw, figures, pictures
from tensorlayer.visualize.draw import *
from tensorlayer.visualize.figures import *
from tensorlayer.visualize.pictures import *

__all__ = [
    *draw.__all__,
    *figures.__all__,
    *pictures.__all__,
]
