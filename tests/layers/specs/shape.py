"""Layers that change the shape or the order of values."""

from tests.layers.spec import LayerSpec

SPECS = (
    LayerSpec("ExpandDims", {"axis": -1}, ((3, 2),)),
    LayerSpec("Flatten", {}, ((3, 4, 2),)),
    LayerSpec("Part", {"index": 1}, ((3, 4), (3, 2))),
    LayerSpec("Reshape", {"shape": (-1, 6)}, ((3, 2),)),
    LayerSpec("Shuffle", {"group": 3}, ((4, 6),)),
    LayerSpec("Slice", {"key": (slice(None), slice(0, 2), None)}, ((3, 2),)),
    LayerSpec("Tile", {"multiples": (1, 2, 3)}, ((3, 2),)),
    LayerSpec("Transpose", {"perm": (0, 2, 1)}, ((3, 2),)),
)
