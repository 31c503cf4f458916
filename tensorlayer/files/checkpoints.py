"""TensorFlow checkpoints that hold variables by name.

This is the format of ``tf.compat.v1.train.Saver``: what programs of TensorFlow 1 and the
checkpoints of published models hold. (For everything of a running program, optimizer included,
``tf.train.Checkpoint`` takes a network or model as it is.)
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.files.weights import assign_by_name, parameters_of, tf_variables_to_numpy
from tensorlayer.whole import whole_file

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["ckpt_to_npz_dict", "load_and_assign_ckpt", "load_ckpt", "save_ckpt"]

_log = logging.getLogger(__name__)

Place = str | os.PathLike[str]

# What training leaves in a checkpoint beside the parameters: slots of optimizers, counters.
_NOT_A_PARAMETER = re.compile(
    r"(^|/)(Adam(_\d+)?|Momentum|RMSProp(_\d+)?|Adagrad|Ftrl(_\d+)?|ExponentialMovingAverage|"
    r"beta[12]_power|global_step|save_counter|_CHECKPOINTABLE_OBJECT_GRAPH)$"
)
#: Names of parameters in other libraries, and here.
_OUR_NAMES = {"kernel": "weights", "w": "weights", "W": "weights", "bias": "biases", "b": "biases"}


def save_ckpt(
    mode_name: str = "model.ckpt",
    save_dir: Place = "checkpoint",
    var_list: Sequence[tf.Variable] | None = None,
    global_step: int | None = None,
    printable: bool = False,
    *,
    sess: Any = None,
) -> str:
    """Write variables by name as a checkpoint and note it as the latest of its folder.

    Parameters
    ----------
    mode_name
        The name of the checkpoint.
    save_dir
        The folder, made if it is not there.
    var_list
        The variables, such as ``net.all_params``. (TensorLayer 1.x took all of the graph if none
        were given; TensorFlow 2 keeps no such list.)
    global_step
        A number to append: ``model.ckpt-100``.
    printable
        Whether to log the names.
    sess
        The session, for variables of a TensorFlow 1 graph.

    Returns
    -------
    str
        The path of the checkpoint, for ``tf.train.load_checkpoint``.

    Raises
    ------
    InvalidArgument
        There are no variables.
    """
    import tensorflow as tf

    named = _named(var_list, "save_ckpt")
    arrays = tf_variables_to_numpy(list(named.values()), sess)
    if printable:
        _log.info("save %s", ", ".join(named))
    name = mode_name if global_step is None else f"{mode_name}-{global_step}"
    prefix = str(Path(save_dir) / name)
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    # In a graph and session of its own: the caller may be inside a TensorFlow 1 graph.
    with tf.Graph().as_default(), tf.compat.v1.Session() as own:
        fed = [tf.compat.v1.placeholder(array.dtype, array.shape) for array in arrays]
        slices = [""] * len(fed)
        save = tf.raw_ops.SaveV2(
            prefix=prefix, tensor_names=list(named), shape_and_slices=slices, tensors=fed
        )
        own.run(save, dict(zip(fed, arrays, strict=True)))
    tf.compat.v1.train.update_checkpoint_state(str(save_dir), name)
    return prefix


def load_ckpt(
    sess: Any = None,
    mode_name: str = "model.ckpt",
    save_dir: Place = "checkpoint",
    var_list: Sequence[tf.Variable] | None = None,
    is_latest: bool = True,
    printable: bool = False,
) -> None:
    """Give variables the values that a checkpoint holds under their names, all or none.

    Parameters
    ----------
    sess
        The session, for variables of a TensorFlow 1 graph.
    mode_name
        The name of the checkpoint, for ``is_latest=False``.
    save_dir
        The folder.
    var_list
        The variables.
    is_latest
        Take the one that was saved last.
    printable
        Whether to log the names.

    Raises
    ------
    FileNotFoundError
        There is no such checkpoint. (TensorLayer 1.x and 2.x only logged it.)
    StructureMismatch
        The checkpoint lacks a variable, or shapes differ; nothing was assigned.
    """
    named = _named(var_list, "load_ckpt")
    prefix = _latest(save_dir) if is_latest else str(Path(save_dir) / mode_name)
    arrays = _read(prefix)
    if printable:
        _log.info("load %s", ", ".join(named))
    wanted = {name: array for name, array in arrays.items() if name in named}
    assign_by_name(named, wanted, sess)


def load_and_assign_ckpt(
    model_dir: Place, network: Any = None, skip: bool = True, *, sess: Any = None
) -> Any:
    """Give the parameters of a network the values that a checkpoint holds under their names.

    Parameters
    ----------
    model_dir
        The checkpoint, or a folder, of which the latest is taken.
    network
        A network or model.
    skip
        Pass over names that only one side has; without it, only what training left there, such as
        the slots of an optimizer, is passed over.
    sess
        The session, for a network in a TensorFlow 1 graph.

    Returns
    -------
    Network or Model
        The network.

    Raises
    ------
    FileNotFoundError
        There is no checkpoint.
    StructureMismatch
        Names or shapes differ; nothing was assigned.
    """
    parameters = parameters_of(network, "load_and_assign_ckpt")
    arrays = _read(_latest(model_dir) if Path(model_dir).is_dir() else os.fspath(model_dir))
    if not skip:
        arrays = {name: array for name, array in arrays.items() if _is_parameter(name)}
    assign_by_name(parameters, arrays, sess, skip)
    return network


def ckpt_to_npz_dict(
    model_dir: Place, save_name: Place = "model.npz", rename_key: bool = False
) -> None:
    """Write the parameters of a checkpoint into an archive for ``load_and_assign_npz_dict``.

    Parameters
    ----------
    model_dir
        The checkpoint, or a folder, of which the latest is taken.
    save_name
        The path of the archive.
    rename_key
        Call ``kernel`` ``weights`` and ``bias`` ``biases``, as this library does.

    Raises
    ------
    FileNotFoundError
        There is no checkpoint.
    """
    arrays = _read(_latest(model_dir) if Path(model_dir).is_dir() else os.fspath(model_dir))
    kept = {name: array for name, array in arrays.items() if _is_parameter(name)}
    if rename_key:
        kept = {_renamed(name): array for name, array in kept.items()}
    with whole_file(save_name) as temporary, temporary.open("wb") as file:
        np.savez(file, **{f"{name}:0": array for name, array in kept.items()})


def _is_parameter(name: str) -> bool:
    return not _NOT_A_PARAMETER.search(name)


def _renamed(name: str) -> str:
    scope, slash, last = name.rpartition("/")
    return scope + slash + _OUR_NAMES.get(last, last)


def _named(var_list: Sequence[tf.Variable] | None, who: str) -> Mapping[str, tf.Variable]:
    if not var_list:
        raise InvalidArgument(f"{who}: give the variables, such as var_list=net.all_params.")
    return {variable.name.removesuffix(":0"): variable for variable in var_list}


def _latest(folder: Place) -> str:
    import tensorflow as tf

    prefix = tf.train.latest_checkpoint(str(folder))
    if prefix is None:
        raise FileNotFoundError(f"there is no checkpoint in the folder {str(folder)!r}.")
    return prefix


def _read(prefix: str) -> dict[str, np.ndarray]:
    import tensorflow as tf

    if not Path(prefix + ".index").is_file():
        raise FileNotFoundError(f"there is no checkpoint {prefix!r}.")
    try:
        reader = tf.train.load_checkpoint(prefix)
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, RuntimeError, ValueError, LookupError) as error:
        raise Corrupt(
            f"the checkpoint {prefix!r} is damaged: {error}. Take an older one or get it again."
        ) from error
