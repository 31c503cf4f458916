"""Damage: what an error while reading a file says about the file, and what about this machine."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tensorlayer.errors import Corrupt, TensorLayerError

__all__ = ["check_array_size", "check_unpacked_size", "damage_as_corrupt", "is_damage", "reason"]

#: What any archive may unpack to.
ALWAYS_ALLOWED_BYTES = 2**30

#: And more than that, if it is this many times its own length at the most. Data sets and weights
#: reach 10; only what consists of one value comes near the 1,000 that zip can do.
ALLOWED_RATIO = 100


def is_damage(error: BaseException) -> bool:
    """Tell whether an error that was raised while a file was read says that the file is damaged.

    A decoder that meets damage raises nearly anything. A full disk, a lack of memory or of rights,
    or a file that is not there are no damage.

    Examples
    --------
    >>> is_damage(ValueError("bad header")), is_damage(OSError("not a gzipped file"))
    (True, True)
    >>> is_damage(OSError(28, "No space left on device")), is_damage(MemoryError())
    (False, False)
    """
    if isinstance(error, OSError):
        # Decoders raise it too, without a number; and nonsense as a position is an argument.
        return error.errno in (None, errno.EINVAL)
    return isinstance(error, Exception) and not isinstance(error, (TensorLayerError, MemoryError))


def reason(error: BaseException) -> str:
    """Return what an error says, in words also where it says next to nothing.

    Examples
    --------
    >>> reason(ValueError("bad header")), reason(EOFError()), reason(KeyError("X"))
    ('bad header', 'EOFError', "there is no 'X' in it")
    """
    if isinstance(error, KeyError):
        return f"there is no {error} in it"
    return str(error) or type(error).__name__


@contextmanager
def damage_as_corrupt(path: str | os.PathLike[str], how: str, remedy: str) -> Iterator[None]:
    """Raise damage that shows inside of the block as ``Corrupt``; other errors as they are.

    Parameters
    ----------
    path
        The file.
    how
        The verb of the message: ``"cannot be read as an npz archive"``.
    remedy
        What to do then, as a sentence.

    Examples
    --------
    >>> with damage_as_corrupt("a.npz", "cannot be read", "Get it again."):
    ...     raise ValueError("bad header")
    Traceback (most recent call last):
    tensorlayer.errors.Corrupt: 'a.npz' cannot be read: bad header. Get it again.
    """
    try:
        yield
    except Exception as error:
        if not is_damage(error):
            raise
        raise Corrupt(f"{os.fspath(path)!r} {how}: {reason(error)}. {remedy}") from error


def check_array_size(shape: tuple[int, ...], dtype: np.dtype, n_bytes: int) -> None:
    """Refuse an array whose header claims another size than there is, before memory is taken.

    Parameters
    ----------
    shape, dtype
        What the header says.
    n_bytes
        What follows the header.

    Raises
    ------
    ValueError
        They differ.

    Examples
    --------
    >>> check_array_size((2, 3), np.dtype("float32"), 24)
    >>> check_array_size((10**12,), np.dtype("float32"), 24)
    Traceback (most recent call last):
    ValueError: its header says 4000000000000 bytes, and there are 24
    """
    claimed = dtype.itemsize
    for length in shape:
        claimed *= int(length)
    if claimed != n_bytes:
        raise ValueError(f"its header says {claimed} bytes, and there are {n_bytes}")


def check_unpacked_size(path: str | os.PathLike[str], n_packed: int, n_unpacked: int) -> None:
    """Refuse an archive that unpacks to so much that it is more likely a trap than data.

    Parameters
    ----------
    path
        The archive.
    n_packed, n_unpacked
        Its length, and how much it says that it holds, in bytes.

    Raises
    ------
    Corrupt
        It is more than 1 GiB, and more than 100 times its length.

    Examples
    --------
    >>> check_unpacked_size("data.zip", 2**20, 2**30)
    >>> check_unpacked_size("bomb.zip", 2**20, 2**31)
    Traceback (most recent call last):
    tensorlayer.errors.Corrupt: 'bomb.zip' has 1048576 bytes and would unpack to 2147483648, ...
    """
    if n_unpacked > max(ALWAYS_ALLOWED_BYTES, ALLOWED_RATIO * n_packed):
        raise Corrupt(
            f"{os.fspath(path)!r} has {n_packed} bytes and would unpack to {n_unpacked}, which is "
            f"more than {ALLOWED_RATIO} times as many and more than 1 GiB: a trap, or one value "
            "over and over. If you trust it, unpack it yourself with the tools of your system."
        )
