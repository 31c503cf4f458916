"""Weights in npz archives, by position and by name.

These are the functions that scripts call; ``model.save_weights`` and ``model.load_weights`` do the
same in one call and know more formats ([`tensorlayer.models.weights`][]). Files appear whole or
not at all, reading assigns all or nothing, and nothing is pickled. Archives of TensorLayer 1.x and
2.x, which hold a pickled object array ``params``, are read without unpickling it.

In a TensorFlow 1 graph, give the session as ``sess=``; elsewhere it is accepted and not needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlayer.errors import InvalidArgument, NotSerializable, StructureMismatch
from tensorlayer.files.npz import opened_in_order, read_in_order
from tensorlayer.files.session import assign_by_name, assign_to_graph, under_our_names, values_in
from tensorlayer.sessions import is_session, may_come_first
from tensorlayer.whole import whole_file

if TYPE_CHECKING:
    import tensorflow as tf

    from tensorlayer.models.stored import Stored

__all__ = [
    "assign_params",
    "assign_tf_variable",
    "assign_weights",
    "load_and_assign_npz",
    "load_and_assign_npz_dict",
    "load_npz",
    "parameters_of",
    "save_npz",
    "save_npz_dict",
    "tf_variables_to_numpy",
]

Place = str | os.PathLike[str]
Arrays = Sequence[np.ndarray]


# -- variables and arrays


def tf_variables_to_numpy(variables: Iterable[tf.Variable], sess: Any = None) -> list[np.ndarray]:
    """Return the values of variables.

    Parameters
    ----------
    variables
        One or more.
    sess
        The session, for variables of a TensorFlow 1 graph.

    Examples
    --------
    >>> import tensorflow as tf
    >>> tf_variables_to_numpy([tf.Variable(1.0), tf.Variable([2.0, 3.0])])
    [np.float32(1.0), array([2., 3.], dtype=float32)]
    """
    single = not isinstance(variables, (list, tuple)) and hasattr(variables, "assign")
    listed = [variables] if single else list(variables)
    values = values_in(sess, listed, "tf_variables_to_numpy")
    if values is not None:
        return values
    return [variable.numpy() if hasattr(variable, "numpy") else variable for variable in listed]


def assign_tf_variable(variable: tf.Variable, value: Any) -> None:
    """Give a variable a value, which is cast to its type; StructureMismatch if that would cut."""
    from tensorlayer.models.casting import in_type_of, require_kinds

    array, dtype = np.asarray(value), variable.dtype.base_dtype
    require_kinds({variable.name: (array.dtype, dtype)})
    variable.assign(in_type_of(variable.name, array, dtype))


def assign_weights(weights: Arrays, network: Any, *, sess: Any = None) -> Any:
    """Give the first parameters of a network these values, by position, all or none.

    There may be fewer values than parameters, as when the first layers of a trained network are
    taken over.

    Parameters
    ----------
    weights
        Arrays in the order of ``network.all_params``.
    network
        A network or model.
    sess
        The session, for a network in a TensorFlow 1 graph.

    Returns
    -------
    Network or Model
        The network.

    Raises
    ------
    StructureMismatch
        There are more values than parameters, or shapes differ; nothing was assigned.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Dense(tl.layers.Input([None, 2]), 3, name="dense")
    >>> net = assign_weights([np.ones([2, 3])], net)
    >>> net.all_params[0].numpy().tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    parameters = parameters_of(network, "assign_weights")
    if len(weights) > len(parameters):
        raise StructureMismatch(
            f"assign_weights: there are {len(weights)} arrays and only {len(parameters)} "
            f"parameters in the network: {', '.join(parameters)}. Nothing was assigned."
        )
    arrays = dict(zip(parameters, map(np.asarray, weights), strict=False))
    assign_by_name({name: parameters[name] for name in arrays}, arrays, sess)
    return network


def assign_params(sess: Any, params: Arrays, network: Any) -> Any:
    """Do what [`assign_weights`][] does, with the arguments of TensorLayer 1.x."""
    return assign_weights(params, network, sess=sess)


# -- by position


def save_npz(save_list: Any = None, name: Place = "model.npz", sess: Any = None) -> None:
    """Write arrays by position.

    Parameters
    ----------
    save_list
        Variables or arrays, such as ``net.all_params`` or ``net.all_weights``.
    name
        The path.
    sess
        The session, for variables of a TensorFlow 1 graph.

    Notes
    -----
    The archive holds one plain array for each, ``arr_0``, ``arr_1``, ...; ``model.load_weights``
    reads it too. TensorLayer 1.x and 2.x wrote one pickled array ``params``, which failed for
    arrays of different rank and mixed up some of equal first dimensions.

    Examples
    --------
    >>> save_npz([np.ones([2, 3]), np.zeros(3)], "model.npz")
    >>> [array.shape for array in load_npz(name="model.npz")]
    [(2, 3), (3,)]
    """
    from tensorlayer.models.casting import in_types_of_numpy

    values = list(map(_plain, tf_variables_to_numpy(_required(save_list, "save_npz"), sess)))
    arrays = in_types_of_numpy({f"arr_{index}": value for index, value in enumerate(values)})
    with whole_file(name) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def load_npz(path: Place = "", name: str = "model.npz") -> list[np.ndarray]:
    """Return the arrays of an archive in their order.

    Parameters
    ----------
    path
        The folder.
    name
        The file in it: of [`save_npz`][], here or in TensorLayer 1.x and 2.x, or any npz archive.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    Corrupt
        It is damaged, or pickles more than arrays.
    """
    return read_in_order(Path(path) / name)


@may_come_first
def load_and_assign_npz(name: Any = None, network: Any = None, sess: Any = None) -> Any:
    """Read an archive and give its arrays to a network by position, all or none.

    Parameters
    ----------
    name
        The file.
    network
        A network or model with as many parameters.
    sess
        The session, for a network in a TensorFlow 1 graph. The order of TensorLayer 1.x,
        ``(sess, name, network)``, is understood.

    Returns
    -------
    Network, Model or False
        The network; False if there is no such file.

    Raises
    ------
    StructureMismatch
        Number or shapes differ; nothing was assigned.

    Notes
    -----
    The order is that of ``all_params``. If the shapes say so, it is that of ``all_weights``, where
    the trainable parameters come first. Archives by name ([`save_npz_dict`][]) do not depend on
    an order.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Dense(tl.layers.Input([None, 2]), 3, name="dense")
    >>> load_and_assign_npz("missing.npz", net)
    False
    """
    if isinstance(network, (str, os.PathLike)):  # in place of the session there was None
        sess, name, network = name, network, sess
    parameters = parameters_of(network, "load_and_assign_npz")
    if not _is_there(name, "load_and_assign_npz"):
        return False
    with opened_in_order(name) as arrays:
        if len(arrays) != len(parameters):
            raise StructureMismatch(
                f"{os.fspath(name)!r} holds {len(arrays)} arrays and the network has "
                f"{len(parameters)} parameters: {', '.join(parameters)}. Nothing was assigned. "
                "Give the first of them with assign_weights(load_npz(name=...)[:n], network)."
            )
        order = _order_that_fits(parameters, arrays)
        assign_by_name(parameters, dict(zip(order, arrays, strict=True)), sess)
    return network


def _order_that_fits(
    parameters: Mapping[str, tf.Variable], arrays: Sequence[np.ndarray | Stored]
) -> list[str]:
    created = list(parameters)
    trainable_first = sorted(created, key=lambda name: not parameters[name].trainable)
    shapes = [array.shape for array in arrays]
    for order in (created, trainable_first):
        if [tuple(parameters[name].shape) for name in order] == shapes:
            return order
    return created


# -- by name


def save_npz_dict(save_list: Any = None, name: Place = "model.npz", sess: Any = None) -> None:
    """Write arrays by the names of their variables, such as ``dense/weights:0``.

    Parameters
    ----------
    save_list
        Variables, such as ``net.all_params``.
    name
        The path.
    sess
        The session, for variables of a TensorFlow 1 graph.

    Raises
    ------
    InvalidArgument
        There are no variables, or two with one name, of which a reader would find only one.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Dense(tl.layers.Input([None, 2]), 3, name="dense")
    >>> save_npz_dict(net.all_params, "model.npz")
    >>> list(np.load("model.npz"))
    ['dense/weights:0', 'dense/biases:0']
    """
    from tensorlayer.models.casting import in_types_of_numpy

    variables = list(_required(save_list, "save_npz_dict"))
    names = [variable.name for variable in variables]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise InvalidArgument(
            f"save_npz_dict: several variables are named {', '.join(twice)}. Give the layers names "
            "of their own, or save the networks in files of their own."
        )
    values = tf_variables_to_numpy(variables, sess)
    arrays = in_types_of_numpy(dict(zip(names, values, strict=True)))
    with whole_file(name) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def load_and_assign_npz_dict(
    name: Place = "model.npz", network: Any = None, skip: bool = False, *, sess: Any = None
) -> Any:
    """Read an archive and give its arrays to the parameters of the same name, all or none.

    Parameters
    ----------
    name
        The file.
    network
        A network or model. None, with a session, for every variable of its graph, as in TensorLayer
        1.x: those that the archive has get its values. There the session may come second.
    skip
        Pass over what does not fit, with a warning: names that only one side has, and arrays of
        another shape.
    sess
        The session, for a network in a TensorFlow 1 graph.

    Returns
    -------
    Network, Model, True or False
        The network, True without one; False if there is no such file.

    Raises
    ------
    Corrupt
        The file is damaged; nothing was assigned.
    StructureMismatch
        Names or shapes differ, with ``skip`` all of them; nothing was assigned.
    """
    network, sess = (None, network) if is_session(network) else (network, sess)
    is_of_graph = network is None and is_session(sess)
    parameters = {} if is_of_graph else parameters_of(network, "load_and_assign_npz_dict")
    if not _is_there(name, "load_and_assign_npz_dict"):
        return False
    if is_of_graph:
        assign_to_graph(name, sess)
        return True
    from tensorlayer.models.stored import by_name, opened

    with opened(name, "npz_dict") as pairs:
        stored = by_name(pairs)
        parameters = _as_called(parameters, stored)
        assign_by_name(parameters, under_our_names(parameters, stored), sess, skip)
    return network


def _as_called(parameters: Mapping[str, tf.Variable], names: Iterable[str]) -> Mapping[str, Any]:
    """Return the parameters as an archive calls them: by their keys, or as variables are called.

    The names of variables are what [`save_npz_dict`][] writes, which is given a list of them.
    """
    called = {variable.name.partition(":")[0]: variable for variable in parameters.values()}
    is_better = len(set(names) & set(called)) > len(set(names) & set(parameters))
    return called if is_better and len(called) == len(parameters) else parameters


# -- what all of them need


def _required(save_list: Any, who: str) -> Any:
    if save_list is None or (isinstance(save_list, (list, tuple)) and not save_list):
        raise InvalidArgument(f"{who}: there is nothing to save. Give net.all_params.")
    if isinstance(save_list, (Mapping, str)):
        raise InvalidArgument(
            f"{who}: save_list is a list of variables or arrays, got a {type(save_list).__name__}. "
            "Save a dictionary with np.savez(path, **dictionary), or with tl.files.save_any_to_npy."
        )
    return save_list


def _plain(value: Any) -> np.ndarray:
    """Return an array that is not pickled when it is saved."""
    array = np.asanyarray(value)
    if array.dtype.hasobject:
        raise NotSerializable(
            f"save_npz: a {type(value).__name__} is no array of numbers. Save variables or arrays; "
            "nested values with tl.files.save_any_to_npy."
        )
    return array


def _is_there(name: Any, who: str) -> bool:
    if not isinstance(name, (str, os.PathLike)):
        raise InvalidArgument(
            f"{who}: name is the path of a file, got a {type(name).__name__}. In TensorLayer 1.x "
            "the session came first; give it by keyword: sess=sess."
        )
    return Path(name).is_file()


def parameters_of(network: Any, who: str) -> dict[str, tf.Variable]:
    """Return the parameters of a network or model by name, or raise for ``who``."""
    parameters = getattr(network, "parameters", None)
    if not isinstance(parameters, Mapping):
        raise InvalidArgument(
            f"{who}: network is a tl.layers network or a tl.models.Model, got {network!r}. "
            "Give it by keyword: network=net."
        )
    return dict(parameters)
