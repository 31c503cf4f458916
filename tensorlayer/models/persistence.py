"""What a model does with files: its weights alone, all of it, and what computes without us."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tensorlayer.layers.parameters import HasParameters
from tensorlayer.models import archive, matching, weights
from tensorlayer.models.export import export
from tensorlayer.models.keras_config import settle
from tensorlayer.models.signature import Signature

if TYPE_CHECKING:
    from tensorlayer.models.model import Model

__all__ = ["Persistent"]


class Persistent(HasParameters):
    """The base of models: values of all weights, and files of them."""

    #: what [`save`][] was given with the model
    customized_data: Any = None

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the values of all variables by name."""
        return weights.values_of(self.parameters)

    def assign_arrays(
        self, arrays: Mapping[str, np.ndarray], skip: bool = False
    ) -> matching.Skipped:
        """Give the variables these values, all or none; see [`tensorlayer.models.weights`][]."""
        skipped = weights.assign(self.parameters, arrays, skip)
        settle(self)
        return skipped

    def save_weights(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the weights, in the format of the extension; see ``tensorlayer.models.weights``."""
        weights.save(path, self.to_arrays(), weights.format_of(path, format))

    def load_weights(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        in_order: bool | None = None,
        skip: bool = False,
        names: matching.Names | None = None,
    ) -> matching.Skipped:
        """Read weights of the same structure, by name; those of an npz without names by position.

        With `in_order` places count and not names, which 2.x did for HDF5; names are as well those
        that TensorLayer 1.x and 2.x gave to the same parameters
        ([`synonyms`][tensorlayer.models.synonyms]).

        With ``skip``, what does not fit is passed over: names that only one side has, and arrays of
        another shape. A warning says what, and so does what is returned.

        For files of others `names` says what a parameter is called there: a dictionary from names
        here to names in the file, or a function ([`matching`][tensorlayer.models.matching]).

        Raises
        ------
        FileNotFoundError, Corrupt
            There is no such file, or it is damaged.
        StructureMismatch
            The weights do not fit, with ``skip`` none of them. Nothing was assigned.
        InvalidArgument
            `names` fit neither the parameters nor each other, or the format is unknown.
        """
        format = weights.format_of(path, format)
        skipped = weights.restore(self.parameters, path, format, skip, in_order, names)
        settle(self)
        return skipped

    def save(
        self,
        filepath: str | os.PathLike[str],
        save_weights: bool = True,
        customized_data: Any = None,
    ) -> None:
        """Write the model into one file; see [`archive`][tensorlayer.models.archive].

        Parameters
        ----------
        filepath
            With the extension `.safetensors` a safetensors file, with every other one HDF5.
        save_weights
            Whether to write the weights beside the structure.
        customized_data
            Data of your own that JSON can hold; the loaded model has it as `customized_data`.
        """
        archive.save(filepath, self, save_weights, customized_data)

    @staticmethod
    def load(
        filepath: str | os.PathLike[str],
        load_weights: bool = True,
        functions: Mapping[str, Callable[..., Any]] | None = None,
    ) -> Model:
        """Return the model in a file of [`save`][], or of TensorLayer 2.x.

        Classes and functions of your own have to be imported before. The file may come from a
        stranger: what it says is neither imported nor computed. A damaged one is `Corrupt`,
        `BrokenConfig` or `StructureMismatch`.

        Parameters
        ----------
        filepath
            The file; its content says which kind it is.
        load_weights
            Whether the model gets the weights of the file; otherwise they are new.
        functions
            By the name of their layer, for a file of 2.x that holds pickled code, which is not
            executed: `Model.load(path, functions={"lambda_1": my_function})`.
        """
        from tensorlayer.models.model import Model

        return archive.load(Model, filepath, load_weights, functions)

    def export(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        inputs: Mapping[str, tf.TensorSpec] | Sequence[tf.TensorSpec] | None = None,
        preprocess: Callable[..., Any] | None = None,
        postprocess: Callable[..., Any] | None = None,
        signatures: Signature | Sequence[Signature] = (),
    ) -> None:
        """Write what computes without this library: a SavedModel, or by suffix another format.

        It infers, for any batch size. Inputs are called after their layers, outputs after theirs.

        Parameters
        ----------
        path
            A folder for a SavedModel, a file `.tflite` or `.onnx`. An export that is there is
            replaced.
        format
            `"savedmodel"`, `"tflite"` or `"onnx"`; without it, that of the suffix.
        inputs, preprocess, postprocess
            Of the signature `serving_default`: see
            [`Signature`][tensorlayer.models.signature.Signature].
        signatures
            More of them, with names of their own.

        Raises
        ------
        InvalidArgument, NotBuilt, NotSerializable, LibraryMissing
            See [`tensorlayer.models.export.export`][]. Nothing was written.
        """
        first = Signature(inputs=inputs, preprocess=preprocess, postprocess=postprocess)
        more = [signatures] if isinstance(signatures, Signature) else signatures
        export(self, path, format, [first, *more])
