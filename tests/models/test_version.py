"""A version as a value."""

import dataclasses
import datetime

import pytest
from bson import ObjectId

from tensorlayer.models.version import Version
from tensorlayer.storage.blobs import Pointer

VERSION = Version(
    model="mlp",
    number=3,
    step=10,
    run="r",
    task=None,
    digest="d",
    weights=Pointer(id=ObjectId(), sha256="a" * 64, length=9),
    values={"accuracy": 0.5},
    created=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
)


def test_it_comes_back_from_its_document():
    assert Version.from_document(VERSION.to_document()) == VERSION


def test_fields_that_a_newer_version_of_the_library_adds_do_no_harm():
    assert Version.from_document({**VERSION.to_document(), "parent": 2}) == VERSION


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        VERSION.number = 4
