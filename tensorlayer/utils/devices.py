"""How much of a GPU to use."""

from __future__ import annotations

import shutil
import subprocess

from tensorlayer.errors import InvalidArgument, TensorLayerError

__all__ = ["clear_all_placeholder_variables", "set_gpu_fraction"]


def set_gpu_fraction(gpu_fraction: float = 0.3) -> list[int]:
    """Let TensorFlow take only a share of the memory of each GPU.

    Call it before anything is computed. Without a GPU it does nothing.

    Parameters
    ----------
    gpu_fraction
        The share, in (0, 1]. 0.3 lets three programs share a GPU.

    Returns
    -------
    list of int
        The limit of each GPU in MiB.

    Raises
    ------
    InvalidArgument
        It is not a share, or TensorFlow has begun to use the GPUs.
    TensorLayerError
        The size of the GPUs cannot be found out, for which ``nvidia-smi`` is needed.

    Examples
    --------
    >>> isinstance(set_gpu_fraction(0.5), list)
    True
    """
    import tensorflow as tf

    if not 0 < gpu_fraction <= 1:
        raise InvalidArgument(
            f"set_gpu_fraction: gpu_fraction is a share in (0, 1], got {gpu_fraction!r}."
        )
    gpus = tf.config.list_physical_devices("GPU")
    limits = [int(size * gpu_fraction) for size in _sizes(len(gpus))]
    for gpu, limit in zip(gpus, limits, strict=True):
        try:
            tf.config.set_logical_device_configuration(
                gpu, [tf.config.LogicalDeviceConfiguration(memory_limit=limit)]
            )
        except RuntimeError as error:
            raise InvalidArgument(
                f"set_gpu_fraction: TensorFlow uses the GPUs already ({error}). Call it first."
            ) from error
    return limits


def _sizes(n_gpus: int) -> list[int]:
    """Return the memory of each GPU in MiB."""
    if not n_gpus:
        return []
    program = shutil.which("nvidia-smi")
    if program is None:
        raise TensorLayerError(
            "set_gpu_fraction: nvidia-smi is not there to tell the size of the GPUs. Set the limit "
            "with tf.config.set_logical_device_configuration."
        )
    query = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    sizes = [int(line) for line in answer.stdout.split() if line.isdigit()]
    if len(sizes) < n_gpus:
        raise TensorLayerError(
            f"set_gpu_fraction: nvidia-smi tells the size of {len(sizes)} of {n_gpus} GPUs: "
            f"{(answer.stdout + answer.stderr).strip()[:200]}"
        )
    return sizes[:n_gpus]


def clear_all_placeholder_variables(printable: bool = True) -> None:
    """Do nothing: accepted for scripts of TensorLayer 1.x.

    There, dropout kept its placeholders in a module. Here nothing outlives the network it is in.
    """
