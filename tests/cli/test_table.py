from __future__ import annotations

import datetime
import json

from tensorlayer.cli.table import show, show_one

WHEN = datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
ROWS = [{"key": "a", "n": 1, "when": WHEN, "more": "x"}, {"key": "b"}]


def test_json_holds_the_columns_and_null_for_what_is_missing(capsys):
    show(ROWS, ["key", "n", "when"], as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"key": "a", "n": 1, "when": "2024-01-02T03:04:05+00:00"},
        {"key": "b", "n": None, "when": None},
    ]


def test_no_rows_are_an_empty_list(capsys):
    show([], ["key"], as_json=True)
    assert json.loads(capsys.readouterr().out) == []


def test_a_table_shows_what_users_chose_as_it_is(capsys):
    show([{"key": "[red]x[/red]", "is_set": True, "loss": 1 / 3}], ["key", "is_set", "loss"])
    shown = capsys.readouterr().out
    assert "[red]x[/red]" in shown
    assert "yes" in shown
    assert "0.333333" in shown


def test_long_values_are_folded_and_never_cut(capsys):
    show_one({"path": "x" * 500})
    assert capsys.readouterr().out.count("x") == 500
