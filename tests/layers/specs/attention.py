"""Attention, the blocks of transformers and encodings of positions.

With weights of 0.02 the scores, and their gradients, would vanish beside rounding errors; and keys
that are not turned have biases that make no difference at all.
"""

import numpy as np

from tensorlayer import initializers
from tensorlayer.layers import RotaryEncoding
from tests.layers.spec import LayerSpec

_WIDE = {"W_init": initializers.RandomNormal(stddev=0.4), "rotary": RotaryEncoding()}


def _affine(*layers: str) -> tuple[str, ...]:
    return tuple(f"{layer}/{name}" for layer in layers for name in ("weights", "biases"))


def _attention(prefix: str = "") -> tuple[str, ...]:
    return _affine(*(f"{prefix}{name}" for name in ("query", "key", "value", "out")))


def _norm(name: str) -> tuple[str, ...]:
    return (f"{name}/beta", f"{name}/gamma")


_BLOCK = (*_attention("attention/"), *_norm("attention_norm"), *_affine("mlp/1", "mlp/2"),
          *_norm("mlp_norm"))  # fmt: skip
_MEMORY = (*_attention("memory_attention/"), *_norm("memory_norm"))

SPECS = (
    LayerSpec("MultiheadAttention", {"n_heads": 2, "n_units": 4, "is_causal": True, **_WIDE},
              ((5, 3),), _attention()),
    LayerSpec("MultiheadAttention",
              {"n_heads": 4, "n_units": 8, "n_kv_heads": 2, "keep": 0.5, **_WIDE},
              ((5, 3), (4, 6)), _attention(), depends_on_mode=True, is_random=True),
    LayerSpec("PositionEmbedding", {"n_positions": 5}, ((5, 3),), ("embeddings",)),
    LayerSpec("RotaryEncoding", {}, ((5, 4),)),
    LayerSpec("RotaryEncoding", {"is_interleaved": False}, ((5, 2, 4),)),
    LayerSpec("SinusoidalEncoding", {}, ((5, 4),)),
    LayerSpec("TransformerEncoder",
              {"n_heads": 2, "n_units": 4, "n_hidden": 7,
               "mask": np.tri(5, dtype=bool), **_WIDE},
              ((5, 4),), _BLOCK, depends_on_mode=True, is_random=True),
    LayerSpec("TransformerDecoder",
              {"n_heads": 2, "n_units": 4, "is_prenorm": False, "keep": 1.0, **_WIDE},
              ((5, 4), (6, 3)), (*_BLOCK, *_MEMORY)),
)  # fmt: skip
