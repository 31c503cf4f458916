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


class _Pair(layers.Seq2Seq):
    """The layer of a list of both sequences."""

    def build(self, inputs_shape: Any) -> None:
        super().build(*inputs_shape)

    def forward(self, inputs: list[tf.Tensor]) -> Any:
        return super().forward(*inputs)


_Pair.__name__, _Pair.__qualname__ = "Seq2Seq", "Pair.Seq2Seq"


def _with_two_cells() -> dict[str, Any]:
    return {"fw_cell": layers.GRUCell(5), "bw_cell": layers.SimpleRNNCell(3)}


_SEQUENCE = ((6, 4),)
_OF_BASIC = {"cell_fn": layers.BasicLSTMCell, "n_hidden": 5}
_BASIC = ("kernel", "bias")
_IMAGES = ((3, 5, 6, 2),)
_FILTERS = ("Matrix", "Bias")


def _below(*paths: str) -> tuple[str, ...]:
    return tuple(f"{path}/{name}" for path in paths for name in _BASIC)


SPECS = (
    *(LayerSpec(name, {"units": 5, "dropout": 0.3, "recurrent_dropout": 0.2},
                ((4,), *((5,),) * n_states), _PARAMETERS, depends_on_mode=True, is_random=True,
                joined=_step(getattr(layers, name)))
      for name, n_states in (("SimpleRNNCell", 1), ("LSTMCell", 2), ("GRUCell", 1))),
    *(LayerSpec(name, {"units": 5, "return_last_state": False}, _SEQUENCE, _PARAMETERS)
      for name in ("SimpleRNN", "LSTMRNN", "GRURNN")),
    LayerSpec("RNN", _with_cells(), _SEQUENCE,
              tuple(f"cell_{i}/{name}" for i in (0, 1) for name in _PARAMETERS),
              renew=_with_cells),
    LayerSpec("BiRNN", _with_two_cells(), _SEQUENCE,
              tuple(f"{end}/{name}" for end in ("fw", "bw") for name in _PARAMETERS),
              renew=_with_two_cells),
    LayerSpec("BasicLSTMCell", {"num_units": 5, "use_peepholes": True}, ((4,), (5,), (5,)),
              (*_BASIC, *(f"w_{gate}_diag" for gate in "ifo")),
              joined=_step(layers.BasicLSTMCell)),
    LayerSpec("RNNLayer", {**_OF_BASIC, "n_steps": 6}, _SEQUENCE, _BASIC),
    LayerSpec("DynamicRNNLayer", {**_OF_BASIC, "n_layer": 2, "dropout": 0.5}, _SEQUENCE,
              _below("cell_0", "cell_1"), depends_on_mode=True, is_random=True),
    LayerSpec("BiRNNLayer", {**_OF_BASIC, "n_steps": 6, "n_layer": 2}, _SEQUENCE,
              _below("fw/cell_0", "fw/cell_1", "bw/cell_0", "bw/cell_1")),
    LayerSpec("BiDynamicRNNLayer", {**_OF_BASIC, "n_layer": 2}, _SEQUENCE,
              _below("fw/cell_0", "bw/cell_0", "fw/cell_1", "bw/cell_1")),
    LayerSpec("Seq2Seq", _OF_BASIC, ((6, 4), (5, 3)), _below("encode", "decode"), joined=_Pair),
    LayerSpec("ConvLSTMCell", {"n_filter": 3}, ((5, 6, 2), (5, 6, 3), (5, 6, 3)), _FILTERS,
              joined=_step(layers.ConvLSTMCell)),
    LayerSpec("BasicConvLSTMCell", {"shape": (5, 6), "filter_size": (2, 3), "num_features": 3},
              ((5, 6, 2), (5, 6, 3), (5, 6, 3)), _FILTERS,
              joined=_step(layers.BasicConvLSTMCell)),
    LayerSpec("ConvLSTMLayer", {"feature_map": 3, "n_steps": 3}, _IMAGES, _FILTERS),
)  # fmt: skip
