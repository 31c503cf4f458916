"""Checksums: what they are, for one and for many, and which damage they find."""

import zlib

import numpy as np
import pytest

from tensorlayer.storage.checksums import LARGE_BYTES, checksum, checksums

LENGTHS = [1, 7, 128, LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 13, 12_288, 150_528]


def data_of(length, seed=0):
    return np.random.default_rng(seed).bytes(length)


def by_hand(data):
    """Return the checksum as its description says, without NumPy."""
    if len(data) < LARGE_BYTES:
        found = zlib.crc32(data)
    else:
        height = len(data) // 1024
        words = [int.from_bytes(data[n : n + 8], "little") for n in range(0, height * 1024, 8)]
        rows = [words[n : n + 128] for n in range(0, len(words), 128)]
        columns = [sum(each) % 2**64 for each in zip(*rows, strict=True)]
        sums = [*columns, *(sum(each) % 2**64 for each in rows)]
        found = zlib.crc32(b"".join(each.to_bytes(8, "little") for each in sums))
        found = zlib.crc32(data[height * 1024 :], found)
    return int.from_bytes(found.to_bytes(4, "little"), "little", signed=True)


@pytest.mark.parametrize("length", LENGTHS)
def test_one_and_many(length):
    found = [data_of(length, seed) for seed in range(3)]
    expected = [by_hand(each) for each in found]
    assert list(map(checksum, found)) == expected
    wide = np.frombuffer(b"".join(b"abc" + each + b"de" for each in found), np.uint8).reshape(3, -1)
    assert checksums(wide[:, 3:-2]) == expected  # also of what is not aligned
    assert checksums(wide[:0, 3:-2]) == []


@pytest.mark.parametrize("length", LENGTHS)
def test_each_flipped_bit_is_found(length):
    data = data_of(length)
    expected = checksum(data)
    rng = np.random.default_rng(1)
    for _ in range(200):
        damaged = bytearray(data)
        damaged[rng.integers(length)] ^= 1 << rng.integers(8)
        assert checksum(bytes(damaged)) != expected


@pytest.mark.parametrize("n", [2, 3])
def test_some_flips_of_the_same_bit_do_not_cancel_each_other(n):
    data = data_of(20_000)
    expected = checksum(data)
    rng = np.random.default_rng(2)
    for _ in range(200):
        damaged = bytearray(data)
        for place in rng.choice(2_400, n, replace=False):
            damaged[8 * place + 7] ^= 128  # the highest bit of a word, which a sum forgets first
        assert checksum(bytes(damaged)) != expected


def test_words_in_another_order_are_found():
    data = data_of(20_000)
    for first, second in [(0, 1), (0, 128), (5, 2_000)]:
        words = [data[n : n + 8] for n in range(0, len(data), 8)]
        words[first], words[second] = words[second], words[first]
        assert checksum(b"".join(words)) != checksum(data)


def test_zeros_where_data_was_are_found():
    data = data_of(20_000)
    assert checksum(data[:8_192] + bytes(4_096) + data[12_288:]) != checksum(data)
