"""Regular expressions: right where MongoDB is right, an error where it gives up."""

import re

import pytest

from tensorlayer.datasets.patterns import checked
from tensorlayer.errors import InvalidArgument

NAMES = ["train/a1", "train/b22", "test/a333", "a" * 30 + "b", "", "x\ny", "(a+)"]


@pytest.fixture
def named(hub):
    dataset = hub.datasets.create("named", indexes=["name"])
    tags = [{"name": name, "all": [name, "other"], "n": i} for i, name in enumerate(NAMES)]
    dataset.append(list(range(len(NAMES))), tags=tags, keys=[f"k{i}" for i in range(len(NAMES))])
    dataset.append([99], tags={"n": 99}, keys=["none"])
    dataset.append([100], tags={"name": 5, "all": [3], "n": 100}, keys=["number"])
    return dataset


@pytest.mark.parametrize(
    "pattern", ["^train/", "a", "", r"\d{2,}", "^(train|test)/.*3$", "[ab]+b$", r"\(a\+\)", "^x.y"]
)
def test_the_same_texts_match_as_in_python(named, pattern):
    expected = [name for name in NAMES if re.search(pattern, name)]
    view = named.where(name={"$regex": pattern})
    assert [each.tags["name"] for each in view] == expected
    assert len(view) == len(expected)
    inside = named.where(all={"$regex": pattern})
    assert {each.tags["name"] for each in inside} >= set(expected)


@pytest.mark.parametrize("pattern", ["^train/", r"\d{2,}"])
def test_negated_it_selects_all_others(named, pattern):
    matching = {each.key for each in named.where(name={"$regex": pattern})}
    others = {each.key for each in named.where(name={"$not": {"$regex": pattern}})}
    assert others == {each.key for each in named} - matching


def test_it_stands_beside_other_conditions(named):
    view = named.where(name={"$regex": "^t(rain|est)", "$ne": "train/a1"}, n={"$lt": 2})
    assert [each.key for each in view] == ["k1"]
    either = named.where(any=[{"name": {"$regex": "3+$"}}, {"n": 0}], all={"$regex": "[t]"})
    assert [each.key for each in either] == ["k0", "k2"]


@pytest.mark.parametrize("pattern", [r"^(([a-z])+.)+[A-Z]([a-z])+$", "^(a?){60}a{60}$"])
@pytest.mark.parametrize("negated", [False, True])
def test_what_takes_too_long_is_an_error_and_not_silently_less(hub, pattern, negated):
    dataset = hub.datasets.create("hard")
    dataset.append([1], tags={"name": "a" * 60})
    condition = {"$regex": pattern}
    view = dataset.where(name={"$not": condition} if negated else condition)
    for ask in (
        lambda: len(view),
        lambda: list(view.batches(2)),
        lambda: list(view.batches(2, shuffle=True)),
        lambda: view[0:1],
        view.arrays,
    ):
        with pytest.raises(InvalidArgument, match="takes more steps on some sample"):
            ask()


def test_plain_text_uses_an_index(hub, named):
    view = named.where(name={"$regex": "^train/"})
    stats = hub.database["samples"].find(view.filter).explain()["executionStats"]
    assert stats["totalDocsExamined"] == 2


def test_clauses_are_gathered():
    first = checked("tags.a", {"$regex": "a+"})
    both = first | checked("tags.b", {"$regex": "b+"}, first)
    assert len(both["$and"]) == 2
    assert checked("tags.c", {"$eq": 1}, both) == {"tags.c": {"$eq": 1}, "$and": both["$and"]}
