"""Any function, module or foreign layer as a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.layers.foreign import Foreign

__all__ = ["Lambda", "LambdaLayer"]


class Lambda(Foreign):
    """A function of tensors as a layer; its variables become the network's.

    Parameters
    ----------
    fn
        A function of the inputs (or of a list of inputs), a ``tf.Module``, or a Keras layer or
        model. If it takes ``is_train``, ``training`` or ``is_training``, it is told the mode.
    fn_weights
        Variables that the function uses but does not make. One that is used and neither made nor
        listed here is an error.
    fn_args
        More keyword arguments of the function. Those given when the layer is called come after.
    name
        Unique in the network.

    Notes
    -----
    Output shape: that of the function, found by tracing it. Parameters: the variables that the
    function made in its first run, those of the module, and ``fn_weights``. Moving averages that
    the function updates are updated in training only, as far as it follows the mode.

    A function that asks for variables with ``tf.compat.v1.get_variable``, as those of TF-Slim
    ([`tensorlayer.layers.slim`][]) and TFLearn ([`tensorlayer.layers.tflearn`][]) do, runs in a
    graph of its own where a network is computed eagerly ([`tensorlayer.layers.in_graph`][]). It
    gets them by the rules of TensorFlow 1 in a scope of the layer's name, as in TensorLayer 1.x
    ([`tensorlayer.layers.get_variable`][]); what their regularizers cost is in
    ``net.regularization_losses`` ([`tensorlayer.layers.losses`][]).

    A model that is to be saved needs a function that can be found again by its name: see
    [`tensorlayer.models.serializable`][]. Keras layers and models are saved with their
    configuration: see [`tensorlayer.models.keras_config`][].

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 4])
    >>> Lambda(net, lambda x: 2 * x, name="double")(tf.ones([1, 4])).numpy().tolist()
    [[2.0, 2.0, 2.0, 2.0]]
    >>> Lambda(net, tf.keras.layers.Dense(3), name="keras").count_params()
    15
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        fn_weights: Sequence[tf.Variable] | None = None,
        fn_args: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.adopt("fn", fn, fn_args)
        self.fn_weights = list(fn_weights or [])


LambdaLayer = Lambda
