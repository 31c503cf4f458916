"""What a pickle may consist of."""

import pickle  # noqa: TID251 - to make what is to be looked through
import pickletools
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer.errors import Corrupt
from tensorlayer.files import pickled
from tensorlayer.files.opcodes import check

RECURSIVE = []
RECURSIVE.append((RECURSIVE,))
VALUES = [
    np.eye(3),
    np.asfortranarray(np.eye(3, dtype=">f4")),
    np.array([[1, None], ["é", b"\xff"]], object),
    {
        "a": [1, 2.5, True, None, -1, 2**40, -(2**2000), 10**3000],
        3: (1, 2, 3, 4),
        "e": [(), {}, []],
    },
    ["x" * n for n in (0, 255, 256, 70_000)] + [b"x" * n for n in (0, 255, 256, 70_000)],
    [[n] for n in range(1000)],
    np.float32(1),
    RECURSIVE,
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_everything_that_the_pickler_writes_for_arrays_and_values_is_admitted(value, protocol):
    data = pickle.dumps(value, protocol)
    check(data)
    check(data + b"what follows is not looked at")
    check(pickletools.optimize(data))


def test_writable_bytes_of_protocol_5_are_admitted():
    check(pickle.dumps(bytearray(b"abc"), 5))


@settings(max_examples=100)
@given(st.data())
def test_a_pickle_that_is_cut_anywhere_is_refused(data):
    whole = pickle.dumps(VALUES[3], data.draw(st.integers(0, 5)))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError, match=r"."):
        check(whole[:cut])


@pytest.mark.parametrize(
    "name",
    [
        "INST",
        "OBJ",
        "NEWOBJ",
        "NEWOBJ_EX",
        "EXT1",
        "EXT2",
        "EXT4",
        "PERSID",
        "BINPERSID",
        "EMPTY_SET",
        "ADDITEMS",
        "FROZENSET",
        "NEXT_BUFFER",
        "READONLY_BUFFER",
        "DUP",
    ],
)
def test_operations_that_make_no_array_are_refused(name):
    code = {op.name: op.code.encode("latin-1") for op in pickletools.opcodes}[name]
    with pytest.raises(ValueError, match=r"the operation .* at byte 1"):
        check(b"N" + code + b"\x00\x00\x00\x00\n\n.")


HUGE = [
    (b"Nr\xff\xff\xff\x0f.", "place 268435455 is filled, after 1 bytes"),
    (b"Np268435455\n.", "place 268435455 is filled"),
    (b"Np-1\n.", "place -1 is filled"),
    (b"NNNNNNNp55", "invalid literal"),
    (b"NNNNNNNp5", "invalid literal"),
    (b"X\xff\xff\xff\x7fabc.", "2147483647 bytes are to follow byte 0"),
    (b"T\xff\xff\xff\xffabc.", "4294967295 bytes are to follow"),
    (b"\x96\x00\x00\x00\x00\x04\x00\x00\x00abc.", "17179869184 bytes are to follow"),
    (b"\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc.", "bytes are to follow"),
    (b"\x8b\xff\xff\xff\x7f\x01.", "bytes are to follow"),
    (b"U\x05abc.", "5 bytes are to follow"),
    (b"", "it has no end"),
    (b"N" * 5000, "it has no end"),
    (b"J\x01\x02", "the operation b'J' at byte 0"),
]


@pytest.mark.parametrize(("data", "message"), HUGE)
def test_numbers_that_cannot_be_are_refused_before_any_memory_is_taken(data, message):
    with pytest.raises(ValueError, match=message):
        check(data)
    tracemalloc.start()
    try:
        with pytest.raises(Corrupt, match="The pickle is damaged"):
            pickled.loads(data)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_the_time_is_proportional_to_the_length():
    data = pickle.dumps(list(range(10**6)), 2)
    started = time.perf_counter()
    check(data)
    assert time.perf_counter() - started < 5  # 0.05 s; quadratic would take hours
