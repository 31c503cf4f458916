"""Weights and structure in HDF5 files, of plain arrays and JSON.

Written by name, as ``model.save_weights("model.h5")`` does. Files of TensorLayer 2.x, one group for
each layer, are read as well; their structure is not, since it is a Python expression that would
have to be evaluated.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tensorlayer.errors import InvalidArgument

if TYPE_CHECKING:
    from tensorlayer.models import Model

__all__ = [
    "load_hdf5_graph",
    "load_hdf5_to_weights",
    "load_hdf5_to_weights_in_order",
    "save_hdf5_graph",
    "save_weights_to_hdf5",
    "static_graph2net",
]

Place = str | os.PathLike[str]


def save_weights_to_hdf5(filepath: Place, network: Any) -> None:
    """Write the weights of a network or model, which appear whole or not at all.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Dense(tl.layers.Input([None, 2]), 3, name="dense")
    >>> save_weights_to_hdf5("model.h5", net)
    >>> load_hdf5_to_weights("model.h5", net)
    """
    from tensorlayer.models import weights

    weights.save(filepath, weights.values_of(network.parameters), "hdf5")


def load_hdf5_to_weights(filepath: Place, network: Any, skip: bool = False) -> None:
    """Give the parameters of a network the arrays of their names, all or none.

    Parameters
    ----------
    filepath
        Of [`save_weights_to_hdf5`][], of ``model.save_weights``, or of TensorLayer 2.x.
    network
        A network or model.
    skip
        Pass over what does not fit, with a warning: names that only one side has, and arrays of
        another shape.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    Corrupt
        It is no HDF5 file with weights.
    StructureMismatch
        Names or shapes differ, with ``skip`` all of them; nothing was assigned.
    """
    from tensorlayer.models import weights

    weights.restore(network.parameters, filepath, "hdf5", skip)


def load_hdf5_to_weights_in_order(filepath: Place, network: Any) -> None:
    """Give the parameters of a network the arrays in their order, whatever their names.

    Raises
    ------
    FileNotFoundError, Corrupt, StructureMismatch
        As for [`load_hdf5_to_weights`][].
    """
    from tensorlayer.models import weights
    from tensorlayer.models.stored import opened

    with opened(filepath, "hdf5") as pairs:
        stored = {str(place): each for place, (_, each) in enumerate(pairs)}
        weights.assign(network.parameters, weights.by_position(network.parameters, stored))


def save_hdf5_graph(
    network: Model,
    filepath: Place = "model.hdf5",
    save_weights: bool = False,
    customized_data: Any = None,
) -> None:
    """Write the structure of a model as JSON, perhaps with its weights.

    Parameters
    ----------
    network
        A model; its ``config`` is written.
    filepath
        The path.
    save_weights
        Whether to write the weights too.
    customized_data
        Data of your own that JSON can hold; the loaded model has it as `customized_data`.
    """
    from tensorlayer.models import archive

    archive.save_hdf5(filepath, network, save_weights, customized_data)


def load_hdf5_graph(filepath: Place = "model.hdf5", load_weights: bool = False) -> Model:
    """Return a new model of the structure that [`save_hdf5_graph`][] or TensorLayer 2.x wrote.

    Classes of your own have to be imported before; nothing in the file is executed.

    Parameters
    ----------
    filepath
        The path.
    load_weights
        Give it the weights of the file; otherwise they are new.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    Corrupt
        It is damaged, or there is no structure in it.
    BrokenConfig
        The structure names what this program does not have or allow.
    """
    from tensorlayer.models import Model

    return Model.load(filepath, load_weights)


def static_graph2net(model_config: dict[str, Any]) -> Model:
    """Return a new model of a structure, the ``config`` of another.

    Raises
    ------
    InvalidArgument
        It is not the config of a model.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 2], name="x")
    >>> model = tl.models.Model(x, tl.layers.Dense(x, 3, name="dense"), name="small")
    >>> static_graph2net(model.config)
    <Model 'small' of 2 layers>
    """
    from tensorlayer.models import Model

    if not isinstance(model_config, dict) or "class" not in model_config:
        raise InvalidArgument(
            "static_graph2net: model_config is the config of a tl.models.Model, "
            f"got {model_config!r:.80}."
        )
    return Model.from_config(model_config)
