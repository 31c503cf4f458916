"""Checksums of stored bytes: that a bit was flipped is noticed before anybody trains on it.

They are no digests: they find damage, not forgery. The checksum of few bytes is their CRC-32. That
of many is the CRC-32 of their sums: the bytes are laid out as a table of 64-bit words, of which all
rows and all columns are added up. That is read five times as fast as a CRC, for many samples in one
go, and a change of up to three words cannot cancel itself out in both.
"""

from __future__ import annotations

import zlib

import numpy as np

__all__ = ["LARGE_BYTES", "checksum", "checksums"]

#: From here on the sums are faster than the CRC of the bytes themselves.
LARGE_BYTES = 8 * 1024

#: Columns of the table, as narrow as keeps the speed: so few sums are left to be hashed.
_WORDS = 128
_ROW_BYTES = 8 * _WORDS


def checksum(data: bytes | memoryview) -> int:
    """Return the checksum of some bytes: an integer of 32 bits with a sign, as BSON has it.

    Examples
    --------
    >>> checksum(b"123456789")
    -873187034
    >>> checksum(bytes(10_000)) == checksum(bytes(9_999) + b"1")
    False
    """
    if len(data) < LARGE_BYTES:
        return _signed(zlib.crc32(data))
    return checksums(np.frombuffer(data, np.uint8)[None])[0]


def checksums(rows: np.ndarray) -> list[int]:
    """Return the checksum of each row of a table of bytes.

    Parameters
    ----------
    rows
        Two axes of type ``uint8``; the bytes of a row lie side by side.

    Examples
    --------
    >>> rows = np.arange(20_000).astype(np.uint8).reshape(2, -1)
    >>> checksums(rows) == [checksum(row.tobytes()) for row in rows]
    True
    """
    n, length = rows.shape
    if length < LARGE_BYTES:
        return [_signed(zlib.crc32(row)) for row in rows]
    height = length // _ROW_BYTES
    table = rows[:, : height * _ROW_BYTES].view("<u8").reshape(n, height, _WORDS)
    sums = [np.add.reduce(table, axis=axis, dtype="<u8") for axis in (1, 2)]
    hashed = map(zlib.crc32, np.concatenate(sums, axis=1).astype("<u8", copy=False))
    rest = rows[:, height * _ROW_BYTES :]
    return [_signed(zlib.crc32(row, start)) for row, start in zip(rest, hashed, strict=True)]


def _signed(crc: int) -> int:
    """Return 32 bits as a number that BSON always stores in four bytes."""
    return crc - 2**32 if crc >= 2**31 else crc
