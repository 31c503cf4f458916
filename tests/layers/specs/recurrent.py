"""Recurrent layers and cells."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import layers
from tests.layers.spec import LayerSpec

_PARAMETERS = ("kernel", "recurrent_kernel", "bias")


def _step(cell: type[layers.Layer]) -> type[layers.Layer]:
    """The cell as a layer of a list of inputs, the input of the step and the state."""

    class Step(cell):
        def build(self, inputs_shape: Any) -> None:
            super().build(inputs_shape[0])

        def forward(self, inputs: list[tf.Tensor]) -> tf.Tensor:
            return super().forward(inputs[0], list(inputs[1:]))[0]

    Step.__name__, Step.__qualname__ = cell.__name__, f"Step.{cell.__name__}"
    return Step


def _with_cells() -> dict[str, Any]:
    return {"cell": [layers.LSTMCell(5), layers.GRUCell(3)], "return_last_state": False}


_SEQUENCE = ((6, 4),)
SPECS = (
    *(LayerSpec(name, {"units": 5, "dropout": 0.3, "recurrent_dropout": 0.2},
                ((4,), *((5,),) * n_states), _PARAMETERS, depends_on_mode=True, is_random=True,
                joined=_step(getattr(layers, name)))
      for name, n_states in (("SimpleRNNCell", 1), ("LSTMCell", 2), ("GRUCell", 1))),
    *(LayerSpec(name, {"units": 5, "return_last_state": False}, _SEQUENCE, _PARAMETERS)
      for name in ("SimpleRNN", "LSTMRNN", "GRURNN")),
    LayerSpec("RNN", _with_cells(), _SEQUENCE,
              tuple(f"{cell}/{name}" for cell in (0, 1) for name in _PARAMETERS),
              renew=_with_cells),
)  # fmt: skip
