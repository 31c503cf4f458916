"""The way out to Keras: a model as a Keras layer, over the model's own variables."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer.layers import tree

__all__ = ["TensorLayerModel"]


@tf.keras.utils.register_keras_serializable("tensorlayer")
class TensorLayerModel(tf.keras.layers.Layer):
    """A TensorLayer model in a Keras model; ``Model.as_keras()`` makes it.

    Keras's variables are made around the model's, not in their place: both see every change, and
    nothing that held a variable before has to be told. It follows Keras's ``training``, and
    ``.keras`` files hold the model's structure, for a program that imported ``tensorlayer.models``.

    Parameters
    ----------
    model
        A :class:`~tensorlayer.models.Model`.
    options
        Of ``keras.layers.Layer``. Types are the model's business: under a mixed policy its layers
        cast for themselves.
    """

    def __init__(self, model: Any, **options: Any) -> None:
        options = {"name": model.name.replace("/", "."), **options, "autocast": False}
        super().__init__(**options)
        self._tensorlayer_model = [model]  # in a list, which Keras does not look into for layers
        # Keras tells variables apart by names; those of two models in one may be equal.
        self._adopted = [
            tf.keras.Variable(
                variable,
                name=name.replace("/", "."),
                trainable=variable.trainable and not is_frozen,
                dtype=variable.dtype.name,
            )
            for name, variable, is_frozen in tree.listing(model)
        ]
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Evaluate the model in Keras's mode."""
        return self._tensorlayer_model[0](inputs, is_train=bool(training))

    def get_config(self) -> dict[str, Any]:
        """Return the structure of the model beside Keras's own configuration."""
        return {**super().get_config(), "model": self._tensorlayer_model[0].config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TensorLayerModel:
        """Make the layer with a new model of the structure."""
        from tensorlayer.models.model import Model

        return cls(Model.from_config(config.pop("model")), **config)
