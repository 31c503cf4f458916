"""TensorFlow checkpoints that hold variables by name.

This is the format of ``tf.compat.v1.train.Saver``: what programs of TensorFlow 1 and the
checkpoints of published models hold. (For everything of a running program, optimizer included,
``tf.train.Checkpoint`` takes a network or model as it is.)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.files.session import assign_by_name, under_our_names, variables_of
from tensorlayer.files.weights import parameters_of, tf_variables_to_numpy
from tensorlayer.logging import printed
from tensorlayer.sessions import may_come_first
from tensorlayer.whole import whole_file

if TYPE_CHECKING:
    import tensorflow as tf

    from tensorlayer.models.stored import Stored

__all__ = ["ckpt_to_npz_dict", "load_and_assign_ckpt", "load_ckpt", "save_ckpt"]


Place = str | os.PathLike[str]

#: Names of parameters in other libraries, and here.
_OUR_NAMES = {"kernel": "weights", "w": "weights", "W": "weights", "bias": "biases", "b": "biases"}


@may_come_first
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
        The variables, such as ``net.all_params``. None, with a session, for all of its graph;
        TensorFlow 2 keeps no such list.
    global_step
        A number to append: ``model.ckpt-100``.
    printable
        Whether to log the names.
    sess
        The session, for variables of a TensorFlow 1 graph. It may come first, as in 1.x.

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

    from tensorlayer.models import checkpoint

    named = _named(var_list, "save_ckpt", sess)
    arrays = tf_variables_to_numpy(list(named.values()), sess)
    if printable:
        printed.info("save %s", ", ".join(named))
    name = mode_name if global_step is None else f"{mode_name}-{global_step}"
    prefix = str(Path(save_dir) / name)
    checkpoint.write(prefix, dict(zip(named, arrays, strict=True)))
    # TensorFlow notes a relative path relative to the folder, which can thus be moved in any case.
    noted = name if Path(save_dir).is_absolute() else prefix
    tf.compat.v1.train.update_checkpoint_state(str(save_dir), noted)
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
        The variables; None, with a session, for all of its graph.
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
    named = _named(var_list, "load_ckpt", sess)
    prefix = _latest(save_dir) if is_latest else str(Path(save_dir) / mode_name)
    if printable:
        printed.info("load %s", ", ".join(named))
    with _opened(prefix) as stored:
        stored = under_our_names(named, stored)
        wanted = {name: each for name, each in stored.items() if name in named}
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
        Pass over what does not fit, with a warning: names that only one side has, and arrays of
        another shape. Without it, only what training left there, such as the slots of an
        optimizer, is passed over.
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
        Names or shapes differ, with ``skip`` all of them; nothing was assigned.
    """
    parameters = parameters_of(network, "load_and_assign_ckpt")
    with _opened(_prefix(model_dir)) as stored:
        stored = under_our_names(parameters, stored)
        wanted = {n: each for n, each in stored.items() if n in parameters or _is_parameter(n)}
        assign_by_name(parameters, wanted, sess, skip)
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
    with _opened(_prefix(model_dir)) as stored:
        kept = {name: each.read() for name, each in stored.items() if _is_parameter(name)}
    if rename_key:
        kept = {_renamed(name): array for name, array in kept.items()}
    with whole_file(save_name) as temporary, temporary.open("wb") as file:
        np.savez(file, **{f"{name}:0": array for name, array in kept.items()})


def _is_parameter(name: str) -> bool:
    from tensorlayer.models.checkpoint import is_parameter

    return is_parameter(name)


def _renamed(name: str) -> str:
    scope, slash, last = name.rpartition("/")
    return scope + slash + _OUR_NAMES.get(last, last)


def _named(
    var_list: Sequence[tf.Variable] | None, who: str, sess: Any
) -> Mapping[str, tf.Variable]:
    if not var_list and (found := variables_of(sess)):
        return found
    if not var_list:
        raise InvalidArgument(f"{who}: give the variables, such as var_list=net.all_params.")
    return {variable.name.removesuffix(":0"): variable for variable in var_list}


def _latest(folder: Place) -> str:
    import tensorflow as tf

    prefix = tf.train.latest_checkpoint(str(folder))
    if prefix is None:
        raise FileNotFoundError(f"there is no checkpoint in the folder {str(folder)!r}.")
    return prefix


def _prefix(model_dir: Place) -> str:
    return _latest(model_dir) if Path(model_dir).is_dir() else os.fspath(model_dir)


@contextmanager
def _opened(prefix: str) -> Iterator[dict[str, Stored]]:
    from tensorlayer.models.stored import opened

    with opened(prefix, "ckpt") as pairs:
        yield dict(pairs)
