from __future__ import annotations

import dataclasses
import datetime

import pytest

from tensorlayer.errors import Corrupt
from tensorlayer.workflow import documents
from tensorlayer.workflow.documents import checked, optional, printable


@dataclasses.dataclass
class Point:
    x: int
    name: str = "nobody"


NOW = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc)

RULES = {"x": documents.WHOLE, "name": documents.TEXT}


def test_unknown_fields_are_ignored_and_null_is_missing():
    assert checked({"x": 1, "name": None, "later": 2}, Point, RULES, "p") == {"x": 1}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "p: 'x' is missing"),
        ({"x": None}, "p: 'x' must be a whole number from 0 to 2[*][*]53, got None"),
        ({"x": 1, "name": b"n"}, "p: 'name' must be a text, got b'n'"),
        ([("x", 1)], "p: must be a document, got"),
        ({"x": "a" * 10_000}, r"got 'a+[.]{3}a+'[.]$"),
    ],
)
def test_what_breaks_a_rule_is_said(document, message):
    with pytest.raises(Corrupt, match=message):
        checked(document, Point, RULES, "p")


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (documents.WHOLE, [0, 2**52], [-1, 2**53, True, 1.0, "1", None]),
        (documents.POSITIVE, [1], [0, True]),
        (documents.SECONDS, [0.1, 3], [0, -1, float("nan"), float("inf"), 1e300, 2**63, True]),
        (documents.SHARE, [0, 0.5, 1.0], [-0.1, 1.1, float("nan"), False]),
        (documents.FLAG, [True, False], [0, 1, "true"]),
        (
            documents.TIME,
            [NOW],
            [0, "2024-05-01"],
        ),
        (documents.MAPPINGS, [[], [{}], ({},)], [{}, "", [1]]),
        (optional(documents.TEXT), [None, ""], [3]),
    ],
    ids=lambda value: getattr(value, "words", None),
)
def test_rules(rule, good, bad):
    assert [value for value in good if not rule.holds(value)] == []
    assert [value for value in bad if rule.holds(value)] == []


def test_every_text_becomes_printable():
    text = bytes(range(256)).decode("utf-8", "surrogateescape")

    assert printable(text).encode()
    assert printable("größe") == "größe"
