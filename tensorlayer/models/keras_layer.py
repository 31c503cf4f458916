"""The way out to Keras: a model as a Keras layer, with Keras's own variables behind both."""

from __future__ import annotations

from typing import Any, Protocol

import tensorflow as tf

from tensorlayer.layers.base import Layer

__all__ = ["keras_layer"]


class _ModelLike(Protocol):
    """What a model has to offer."""

    name: str
    all_layers: list[Layer]
    parameters: dict[str, tf.Variable]

    def __call__(self, inputs: Any, *, is_train: bool) -> Any: ...


def keras_layer(model: _ModelLike) -> tf.keras.layers.Layer:
    """Return the model as a Keras layer; ``Model.as_keras()`` calls it.

    Keras only trains and saves variables that it made. So it makes one for each parameter, with its
    value, and the model's layers use that one from now on: both see every change.
    """

    class TensorLayerModel(tf.keras.layers.Layer):
        """A TensorLayer model in a Keras model; it follows Keras's ``training``."""

        def __init__(self) -> None:
            super().__init__(name=model.name)
            adopted = {}
            for name, variable in model.parameters.items():
                made = self.add_weight(
                    name=name.replace("/", "."),
                    shape=variable.shape,
                    dtype=variable.dtype.name,
                    initializer=lambda shape, dtype, value=variable: tf.cast(value, dtype),
                    trainable=variable.trainable,
                )
                adopted[variable.ref()] = made.value
            for layer in model.all_layers:
                layer.replace_variables(adopted)
            self.built = True

        def call(self, inputs: Any, training: bool = False) -> Any:
            """Evaluate the model in Keras's mode."""
            return model(inputs, is_train=bool(training))

    return TensorLayerModel()
