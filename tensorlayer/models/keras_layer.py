"""The way out to Keras: a model as a Keras layer, over the model's own variables."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer.errors import UnlistedVariable
from tensorlayer.layers import tree
from tensorlayer.layers.losses import regularization_losses
from tensorlayer.layers.mode import mode
from tensorlayer.layers.outputs import main_of
from tensorlayer.layers.recurrent.cudnn import without_cudnn
from tensorlayer.models.keras_config import settle

__all__ = ["TensorLayerModel", "unique_name"]


def unique_name(name: str) -> str:
    """Return a name that no Keras layer has got from here: ``small``, ``small_1``, ``small_2``."""
    name = name.replace("/", ".")  # which Keras does not take
    number = tf.keras.backend.get_uid(f"tensorlayer {name}")
    return name if number == 1 else f"{name}_{number - 1}"


@tf.keras.utils.register_keras_serializable("tensorlayer")
class TensorLayerModel(tf.keras.layers.Layer):
    """A TensorLayer model in a Keras model; ``Model.as_keras()`` makes it.

    Keras's variables are made around the model's, not in their place: both see every change, and
    nothing that held a variable before has to be told. It follows Keras's ``training``. What is
    frozen in the model is frozen for Keras, which as ever has to ``compile`` again to see it; what
    is frozen in Keras is frozen in its ``fit``.

    ``.keras`` files hold the model's structure. A program that loads one needs this class, which is
    there after ``from tensorlayer.models import Model``; the package alone does not load what
    computes.

    Parameters
    ----------
    model
        A [`tensorlayer.models.Model`][].
    options
        Of ``keras.layers.Layer``. Types are the model's business: under a mixed policy its layers
        cast for themselves.
    """

    def __init__(self, model: Any, **options: Any) -> None:
        super().__init__(**{**options, "autocast": False})
        self._tensorlayer_model = [model]  # in a list, which Keras does not look into for layers
        # Keras tells variables apart by names; those of two models in one may be equal. The order
        # in which it saves them follows from `trainable` here, so not from what is frozen now.
        self._adopted = [
            tf.keras.Variable(
                each.variable,
                name=each.name.replace("/", "."),
                trainable=each.variable.trainable,
                dtype=each.variable.dtype.name,
            )
            for each in tree.listing(model)
        ]
        self._known = frozenset(id(each.variable) for each in tree.listing(model))
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Evaluate the model in Keras's mode; frozen by Keras, in inference."""
        model = self._tensorlayer_model[0]
        # Layers of Keras within it that this one does not know keep those of their activities.
        before = regularization_losses(model, require_all=False)
        known = set(map(id, before))
        # Where there is a GPU, Keras lets XLA compile, which has no kernels of cuDNN.
        with mode(bool(training) and self.trainable), without_cudnn():
            outputs = main_of(model.follow(inputs))
        for loss in regularization_losses(model, require_all=False):  # what Keras does not see
            if id(loss) not in known:
                self.add_loss(loss)
        self._require_all(model)
        return outputs

    def _require_all(self, model: Any) -> None:
        """Raise UnlistedVariable if a forward made variables that Keras was not told of."""
        listed = tree.listing(model)
        made = [each.name for each in listed if id(each.variable) not in self._known]
        if made:
            raise UnlistedVariable(
                f"model {model.name!r} made {len(made)} variable(s) after as_keras(), {made[0]!r} "
                "first, which Keras would neither train nor save. Call the model once, then make "
                "the Keras layer with as_keras()."
            )

    # Every list of variables that Keras asks for begins with one of these two.

    @property
    def variables(self) -> list[Any]:
        """The variables of the model, which know whether they are frozen now."""
        self._freeze()
        return super().variables

    @property
    def weights(self) -> list[Any]:
        """As ``variables``."""
        self._freeze()
        return super().weights

    def _freeze(self) -> None:
        """Tell Keras's variables what is frozen in the model now."""
        known = {id(adopted.value): adopted for adopted in getattr(self, "_adopted", ())}
        for each in tree.listing(self._tensorlayer_model[0]) if known else ():
            if id(each.variable) in known:
                is_trained = each.variable.trainable and not each.is_frozen
                known[id(each.variable)].trainable = is_trained and self.trainable

    def load_own_variables(self, store: Any) -> None:
        """Read the variables from a file of Keras."""
        super().load_own_variables(store)
        settle(self._tensorlayer_model[0])

    def get_config(self) -> dict[str, Any]:
        """Return the structure of the model beside Keras's own configuration."""
        return {**super().get_config(), "model": self._tensorlayer_model[0].config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TensorLayerModel:
        """Make the layer with a new model of the structure."""
        from tensorlayer.models.model import Model

        return cls(Model.from_config(config.pop("model")), **config)
