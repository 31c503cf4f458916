"""Pickles: arrays and plain values come out, everything else is refused before it exists."""

import builtins
import collections
import contextlib
import copyreg
import os
import pickle  # noqa: TID251 - to make what is to be read
import struct
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tensorlayer.errors import Corrupt
from tensorlayer.files import pickled

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
KINDS = ["?", "i1", ">u2", "<i4", ">i8", "<f2", "f4", ">f8", "c8", "S3", "U4"]


def equal(a, b):
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        if a.dtype == object:
            for x, y in zip(a.ravel(), b.ravel(), strict=True):
                equal(x, y)
        else:
            np.testing.assert_array_equal(a, b)
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            equal(x, y)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            equal(a[key], b[key])
    else:
        assert a == b or a != a


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_every_kind_come_back(kind, protocol):
    array = np.arange(6).reshape(2, 3).astype(kind)
    for each in (array, array.T, array[:0], array[:, ::2], array[0, 0]):
        equal(pickled.loads(pickle.dumps(each, protocol)), each)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_object_arrays_and_what_is_around_them_come_back(protocol):
    objects = np.empty((2, 2), object)
    objects.ravel()[:] = 0
    objects[0, 0], objects[0, 1], objects[1, 0] = np.eye(3), [1, 2], {"a": (None, True)}
    value = {"params": objects, "list": [objects, b"\x00\xff", "é", 1.5, 10**30], 3: ()}
    equal(pickled.loads(pickle.dumps(value, protocol)), value)
    equal(pickled.loads(pickle.dumps(np.array(value, object), protocol)), np.array(value, object))


@settings(max_examples=50)
@given(hnp.arrays(st.sampled_from(["f4", ">i8", "U2"]), hnp.array_shapes(min_dims=0, min_side=0)))
def test_any_shape_comes_back(array):
    equal(pickled.loads(pickle.dumps(array, 2)), array)


def test_a_shared_array_stays_shared():
    array = np.eye(2)
    first, second = pickled.loads(pickle.dumps([array, array]))
    assert first is second


def test_the_result_can_be_written_to():
    array = pickled.loads(pickle.dumps(np.zeros(3)))
    array[0] = 1
    assert array[0] == 1


def test_an_array_as_python_2_wrote_it():
    data = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85"
        b"U\x01b\x87Rq\x03(K\x01K\x02\x85cnumpy\ndtype\nq\x04U\x02f4K\x00K\x01\x87R(K\x03U\x01<"
        b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08"
        + struct.pack("<2f", 1.5, -2)
        + b"tb."
    )
    for encoding in ("latin1", "bytes"):
        equal(pickled.loads(data, encoding), np.array([1.5, -2], "<f4"))


# -- what is refused


def _calls(function, *args):
    class Hostile:
        def __reduce__(self):
            return function, args

    return Hostile()


HOSTILE = {
    "posix.system": _calls(os.system, "touch hostile"),
    "builtins.eval": _calls(eval, "open('hostile', 'w')"),
    "builtins.exec": _calls(exec, "open('hostile', 'w')"),
    "builtins.getattr": _calls(getattr, "a", "join"),
    "subprocess.Popen": _calls(subprocess.Popen, ["touch", "hostile"]),
    "numpy.load": _calls(np.load, "hostile"),
    "numpy.memmap": _calls(np.memmap, "hostile", "u1", "w+", 0, (8,)),
    "collections.OrderedDict": collections.OrderedDict(a=1),
    "builtins.set": {1, 2},
    "copyreg._reconstructor": _calls(copyreg._reconstructor, object, object, None),
    "numpy.fromfile": _calls(np.fromfile, "hostile"),
    "builtins.print": builtins.print,
}


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_pickles_are_refused_and_nothing_happens(what, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in (HOSTILE[what], [np.eye(2), {"a": HOSTILE[what]}]):
        with pytest.raises(Corrupt, match="The pickle"):
            pickled.loads(pickle.dumps(value, protocol))
    assert os.listdir(tmp_path) == []


def test_the_message_names_what_was_refused_and_the_remedy():
    with pytest.raises(Corrupt, match=r"'posix.system'.*nothing was executed.*numpy.savez"):
        pickled.loads(pickle.dumps(HOSTILE["posix.system"]))


GLOBALS = [
    b"cnumpy\ndtype.__init__\n.",
    b"\x80\x04\x8c\x05numpy\x8c\x0ddtype.__class__\x93.",
    b"cnumpy.core.multiarray\n_reconstruct.__new__\n.",
    b"ctensorlayer.files.pickled\n_Array\n.",
    b"(S'touch hostile'\nios\nsystem\n.",  # INST
    b"(cos\nsystem\nS'touch hostile'\no.",  # OBJ
    b"\x80\x02\x82\x01.",  # EXT1
    b"P1\n.",  # a persistent id
    b"\x80\x05\x97.",  # an out-of-band buffer
]

RECORDS = [
    b"cnumpy\nndarray\n.",  # the stand-ins themselves
    b"cnumpy\ndtype\n.",
    b"cnumpy\nndarray\n}S'a'\nI1\nsb.",  # setting attributes of a stand-in
    b"cnumpy\nndarray\n(N}S'state'\nI1\nstb.",
    b"c_codecs\nencode\n(N}S'__new__'\nI1\nstb.",
    b"cnumpy\nndarray\n)R.",  # an array without a state
    b"cnumpy\nndarray\n)R(I1\nI2\nI3\ntb.",
    b"cnumpy\nndarray\n)R(lb.",
    b"cnumpy\ndtype\n(S'O'\ntR.",
    b"c_codecs\nencode\n(S'a'\nS'rot13'\ntR.",
    b"c_codecs\nencode\n(I1\nS'latin1'\ntR.",
    b"cnumpy.core.multiarray\n_reconstruct\n(I1\ntR.",
    b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'f4'\ntRS'abc'\ntR.",  # three bytes
    b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'M8'\ntRS'abcdefgh'\ntR.",
    b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'V4'\ntRS'abcd'\ntR.",
    b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'f4,O'\ntRS'abcd'\ntR.",
    b"cnumpy.core.multiarray\nscalar\n(I1\nS'abcd'\ntR.",
    b"(dcnumpy\nndarray\n)RI1\ns.",  # a stand-in as a key
    b"cnumpy\nndarray\n)Rp0\n(I1\n(I1\ntcnumpy\ndtype\n(S'O8'\ntRI00\n(lg0\natb0g0\n.",  # in itself
]

NONSENSE = [
    b"",
    b".",
    b"\x80\x09.",
    b"no pickle at all",
    b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"X\xff\xff\xff\x7fabc.",
    b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
    b"(lp0\ng0\na.",  # a list in itself
    b"(" * 100 + b"t" * 100 + b".",
    b"]" * 100_000 + b"a" * 99_999 + b".",
    b"I1" + b"0" * 10_000 + b"\n.",
    pickle.dumps(np.eye(3))[:-20],
]


@pytest.mark.parametrize("data", GLOBALS + RECORDS + NONSENSE)
def test_crafted_pickles_are_refused(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Corrupt, match="The pickle"):
        pickled.loads(data)
    assert os.listdir(tmp_path) == []
    equal(pickled.loads(pickle.dumps(np.eye(2))), np.eye(2))  # nothing was changed either


@pytest.mark.parametrize(
    "shape", [b"(I-1\nt", b"(I3\nt", b"(I01\nI2\nt", b"I2\n", b"(F2.0\nt", b"(I4294967296\nI9\nt"]
)
def test_shapes_that_do_not_fit_are_refused(shape):
    head = b"cnumpy\nndarray\n)R(I1\n" + shape
    data = head + b"cnumpy\ndtype\n(S'f4'\ntRI00\nS'abcdefgh'\ntb."
    with pytest.raises(Corrupt, match="The pickle is damaged"):
        pickled.loads(data)
    whole = data.replace(shape, b"(I2\nt")
    assert pickled.loads(whole).shape == (2,)


def test_a_tree_that_is_small_in_the_file_and_large_when_spread_is_read_once():
    bomb = [np.zeros(1)]
    for _ in range(25):
        bomb = [bomb, bomb]
    assert len(pickled.loads(pickle.dumps(bomb))) == 2


SAMPLE = pickle.dumps({"w": np.eye(2), "o": np.array([[1], "a"], object)}, 2)


@settings(max_examples=300)
@given(st.integers(0, len(SAMPLE) - 1), st.binary(min_size=1, max_size=3))
def test_a_damaged_pickle_is_a_value_or_corrupt_and_nothing_else(place, noise):
    with contextlib.suppress(Corrupt):
        pickled.loads(SAMPLE[:place] + noise + SAMPLE[place + len(noise) :])


@settings(max_examples=300)
@given(st.binary(max_size=40))
def test_any_bytes_are_a_value_or_corrupt_and_nothing_else(data):
    with contextlib.suppress(Corrupt):
        pickled.loads(data)
