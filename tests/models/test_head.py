"""Heads of models: tolerant of what is missing until it is needed."""

import pytest

from tensorlayer.errors import Corrupt, NotSerializable, StructureMismatch
from tensorlayer.models.head import SCHEMA, Head, new_head
from tests.models.test_versions import model


def test_a_new_one_comes_back(store):
    document = new_head("mlp", model(), store.now(), store.blobs)
    head = Head.from_document({**document, "unknown": 1})
    assert document["schema"] == SCHEMA
    assert (head.key, head.structure, head.n_versions) == ("mlp", "s1", 1)
    assert head.read_config(store.blobs) == {"layers": ["dense"]}


@pytest.mark.parametrize("name", ["structure", "n_versions", "config"])
@pytest.mark.parametrize("damage", ["missing", "nonsense"])
def test_a_damaged_field_is_named_when_it_is_needed(store, name, damage):
    document = new_head("mlp", model(), store.now(), store.blobs)
    if damage == "missing":
        del document[name]
    else:
        document[name] = [] if name != "config" else "no json"
    head = Head.from_document(document)
    what = "configuration is no JSON" if (name, damage) == ("config", "nonsense") else f"'{name}'"
    with pytest.raises(Corrupt, match=f"Model 'mlp': .*{what}"):
        head.read_config(store.blobs) if name == "config" else head.need(name)


def test_another_structure_is_refused():
    head = Head.from_document({"_id": "mlp", "structure": "d1"})
    head.check_structure("d1")
    with pytest.raises(StructureMismatch, match=r"'mlp' holds versions of structure d1.* d2"):
        head.check_structure("d2")


def test_what_is_not_json_is_refused(store):
    with pytest.raises(NotSerializable, match=r"'mlp' is not JSON"):
        new_head("mlp", model(config={"act": print}), store.now(), store.blobs)
