"""A version as a value."""

import dataclasses
import datetime

import pytest
from bson import ObjectId

from tensorlayer.errors import Corrupt
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


def test_what_is_not_needed_takes_its_default():
    document = {**VERSION.to_document(), "_id": ObjectId()}
    for name in ("schema", "step", "run", "task", "values", "created"):
        del document[name]
    version = Version.from_document(document)
    assert version.check() == version
    assert (version.step, version.run, version.task, version.values) == (None, "", None, {})
    assert version.created == document["_id"].generation_time


@pytest.mark.parametrize("name", ["model", "number", "digest", "weights"])
def test_what_is_needed_is_named_when_it_is_missing(name):
    document = VERSION.to_document()
    del document[name]
    version = Version.from_document(document)
    assert version.damaged == (name,)
    with pytest.raises(Corrupt, match=f"version .*: in its document '{name}' is missing"):
        version.check()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "3"),
        ("number", True),
        ("step", 1.5),
        ("run", None),
        ("task", 3),
        ("digest", {}),
        ("weights", {"id": 1}),
        ("weights", None),
        ("values", []),
        ("values", {"loss": "x"}),
        ("created", "yesterday"),
    ],
)
def test_nonsense_is_named_and_the_rest_is_known(name, value):
    version = Version.from_document({**VERSION.to_document(), name: value})
    assert version.damaged == (name,)
    assert version.model == "mlp"
    with pytest.raises(Corrupt, match=rf"Model 'mlp' version (3|None): in its document '{name}'"):
        version.check()
