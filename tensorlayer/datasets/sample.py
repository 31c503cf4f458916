"""One sample and its document: what goes in comes out, and MongoDB can search in it.

The document of a sample:

    {_id, dataset, key, batch, ordinal, digest,
     sample, label, label_dtype?, tags: {name: value}, blobs?: [ids]}

``sample`` is packed by `tensorlayer.storage.codec`. A label that is a number or a short string is
stored as itself, so that a query compares it; ``label_dtype`` remembers which NumPy type it had.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import bson
import numpy as np
from bson import Int64

from tensorlayer.datasets.query import check_tag, unfit
from tensorlayer.errors import InvalidArgument
from tensorlayer.storage.blobs import Blobs
from tensorlayer.storage.codec import pack, unpack

__all__ = ["MAX_TAGS_BYTES", "OWNER", "check_tags", "decode_label", "encode", "size"]

#: The collection whose documents point at the blobs of samples.
OWNER = "samples"

#: All tags of a sample together: they are what queries and indexes are made of, not a place for
#: data.
MAX_TAGS_BYTES = 64 * 1024

#: A longer label is packed like a sample: nobody compares it, and it may need a blob.
MAX_PLAIN_LABEL = 1024

_TAG_VALUES = (str, bool, int, float, type(None), datetime.datetime)


def check_tags(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags as they are stored: checked names, plain values.

    Raises
    ------
    InvalidName
        A name must not reach a query.
    InvalidArgument
        A value is no string, number, boolean, None, time or list of those; or they are too large.

    Examples
    --------
    >>> check_tags({"split": "train", "size": np.int64(28)})
    {'split': 'train', 'size': 28}
    """
    if not isinstance(tags, Mapping):
        raise InvalidArgument(f"Tags are a dict of name to value, got {type(tags).__name__}.")
    checked = {check_tag(name): _tag(name, value) for name, value in tags.items()}
    if size(checked) > MAX_TAGS_BYTES:
        raise InvalidArgument(
            f"The tags of one sample take {size(checked)} bytes; {MAX_TAGS_BYTES} are allowed. "
            "Put data into the sample; a sample may be a dict."
        )
    return checked


def encode(sample: Any, label: Any, tags: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Return a sample's document without its place in a dataset; large values are uploaded.

    The uploaded blobs belong to nobody until the document is inserted: it holds their ids in
    ``blobs``.
    """
    packed, ids = pack(sample, blobs, OWNER)
    fields, label_ids = _encode_label(label, blobs)
    document = {"sample": packed, **fields, "tags": tags}
    if ids or label_ids:
        document["blobs"] = [*ids, *label_ids]
    return document


def decode_label(document: Mapping[str, Any], blobs: Blobs) -> Any:
    """Return the label that `encode` stored, with the NumPy type it had."""
    label = document["label"]
    if "label_dtype" in document:
        return np.dtype(document["label_dtype"]).type(label)
    return unpack(label, blobs) if isinstance(label, Mapping | list | Int64) else label


def size(document: Mapping[str, Any]) -> int:
    """Return how many bytes a document takes in the database.

    Examples
    --------
    >>> size({"a": b"1234"})
    17
    """
    return len(bson.encode(document))


def _encode_label(label: Any, blobs: Blobs) -> tuple[dict[str, Any], list[Any]]:
    if isinstance(label, np.generic) and label.dtype.isbuiltin and label.dtype.kind in "biuf":
        number = label.item()
        # What BSON has no word for is packed: a long double, and what is larger than its integers.
        if isinstance(number, float) or (isinstance(number, int) and number < 2**63):
            return {"label": number, "label_dtype": label.dtype.str}, []
    if _is_plain(label):
        return {"label": label}, []
    packed, ids = pack(label, blobs, OWNER)
    return {"label": packed}, ids


def _is_plain(label: Any) -> bool:
    if isinstance(label, str):
        return len(label) <= MAX_PLAIN_LABEL
    if isinstance(label, int):
        return -(2**63) <= label < 2**63
    return label is None or isinstance(label, float)


def _tag(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, list | tuple | np.ndarray):
        return [_tag_scalar(name, each) for each in value]
    return _tag_scalar(name, value)


def _tag_scalar(name: str, value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        raise InvalidArgument(
            f"Tag {name!r}: a time needs a time zone, got {value!r}. "
            "Add tzinfo=datetime.timezone.utc."
        )
    if isinstance(value, datetime.datetime) and value.microsecond % 1000:
        raise InvalidArgument(
            f"Tag {name!r}: the database knows times in whole milliseconds, got {value!r}. Round "
            "it: time.replace(microsecond=time.microsecond // 1000 * 1000). A time in the sample "
            "or in the label keeps its microseconds."
        )
    if not isinstance(value, _TAG_VALUES):
        raise InvalidArgument(
            f"Tag {name!r}: a value is a string, number, boolean, None, time or a list of those, "
            f"got {type(value).__name__}. Put data into the sample; a sample may be a dict."
        )
    if (reason := unfit(value)) is not None:
        raise InvalidArgument(f"Tag {name!r}: {reason}")
    return value
