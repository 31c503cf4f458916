"""Layouts: which documents have one, what is read from it, and what does not fit."""

import bson
import numpy as np
import pytest

from tensorlayer.datasets.layout import Layout, elements
from tensorlayer.datasets.sample import decode_label


def stored(hub, samples, labels=None, **options):
    """Return the documents of samples, as bytes of one length."""
    dataset = hub.datasets.create("d")
    dataset.append(samples, labels, progress=False, **options)
    return [bson.encode(each) for each in hub.database["samples"].find().sort("ordinal")]


def layout_of(hub, document):
    return Layout.of(document, hub.database.codec_options)


def table(documents):
    return np.frombuffer(b"".join(documents), np.uint8).reshape(len(documents), -1)


LABELS = {
    "none": None,
    "int": [1, 2, 3],
    "large": [2**40, 2**50, -(2**41)],
    "float": [0.5, float("inf"), -0.0],
    "bool": [True, False, True],
    "int8": np.array([-128, 0, 127], np.int8),
    "uint64": np.array([0, 1, 2], np.uint64),
    "float16": np.array([0.5, np.nan, 3], np.float16),
    "big endian": np.array([1, 2, 3], ">i4"),
    "np.bool": np.array([True, False, True]),
}


@pytest.mark.parametrize("name", LABELS)
def test_what_is_read_is_what_was_stored(hub, name):
    samples = np.random.default_rng(0).random((3, 2, 2))
    documents = stored(hub, samples, LABELS[name], keys=["a1", "b2", "c3"])
    layout, rows = layout_of(hub, documents[0]), table(documents)
    assert layout.fits(rows).all()
    assert layout.texts("key", rows) == ["a1", "b2", "c3"]
    content = np.ascontiguousarray(rows[:, layout.spans["bytes"]]).view(layout.dtype)
    np.testing.assert_array_equal(content.reshape(3, *layout.shape), samples)
    expected = [decode_label(each, None) for each in layout.documents(rows, bson.CodecOptions())]
    labels = layout.labels(rows)
    if LABELS[name] is None:
        assert labels is None
    else:
        np.testing.assert_array_equal(labels, expected)
        assert labels.dtype == np.stack(expected).dtype


def test_keys_of_any_language(hub):
    documents = stored(hub, np.eye(3), keys=["日a", "日b", "本c"])
    layout = layout_of(hub, documents[0])
    assert layout.texts("key", table(documents)) == ["日a", "日b", "本c"]


@pytest.mark.parametrize(
    ("samples", "labels"),
    [
        (["text"], None),
        ([b"bytes"], None),
        ([1], None),
        ([{"a": np.eye(2)}], None),
        ([np.zeros(5000)], None),  # compressed
        ([np.zeros((0, 3))], None),
        ([np.arange(3, dtype=">f4")], None),
        ([np.zeros(100_000)], None),  # a blob
        ([np.eye(2)], ["text"]),
        ([np.eye(2)], [np.eye(2)]),
        ([np.eye(2)], [{"a": 1}]),
        ([np.eye(2)], [2**70]),
    ],
    ids=lambda value: type(value[0]).__name__ if value else "",
)
def test_what_has_no_layout(hub, samples, labels):
    assert layout_of(hub, stored(hub, samples, labels)[0]) is None


def changed(document, place, bit=1):
    other = bytearray(document)
    other[place] ^= bit
    return bytes(other)


def test_every_flipped_bit_is_noticed_or_in_a_value(hub):
    """Outside of the values any change is another layout; the values have their own checks."""
    (document,) = stored(hub, np.eye(2)[:1], [7], tags={"split": "train"})
    layout = layout_of(hub, document)
    values = {n for each in layout.spans.values() for n in range(each.start, each.stop)}
    for place in range(len(document)):
        fits = layout.fits(table([document, changed(document, place, 1 << place % 8)]))
        assert fits.tolist() == [True, place in values]


@pytest.mark.parametrize("label", [300, -1])
def test_a_label_that_is_none_of_its_type(hub, label):
    documents = stored(hub, np.eye(2), np.array([3, 4], np.uint8))
    layout, rows = layout_of(hub, documents[0]), table(documents).copy()
    rows[1, layout.spans["label"]] = np.frombuffer(np.int32(label).tobytes(), np.uint8)
    with pytest.raises(ValueError, match="a label is no uint8"):
        layout.labels(rows)


def test_no_bytes_of_chance_are_anything_but_none(hub):
    (document,) = stored(hub, np.eye(2)[:1], [7])
    rng = np.random.default_rng(0)
    for _ in range(500):
        other = bytearray(document)
        for place in rng.integers(0, len(document), 4):
            other[place] = rng.integers(256)
        found = layout_of(hub, bytes(other))
        assert found is None or found.shape == (2,)
    for length in range(0, len(document), 7):
        assert layout_of(hub, document[:length]) is None


NOT_DOCUMENTS = [
    b"\x05\0\0\0",
    b"\xff\xff\xff\x7f\0",
    b"\x09\0\0\0\x63a\0\0\0",
    b"\x0e\0\0\0\x02a\0\x64\0\0\0x\0\0",
    b"\x0e\0\0\0\x02a\0\x9c\xff\xff\xffx\0\0",
]


@pytest.mark.parametrize("data", NOT_DOCUMENTS)
def test_what_is_no_document(data):
    with pytest.raises(ValueError, match=r"reaches out|of type 99"):
        list(elements(data, 0))
