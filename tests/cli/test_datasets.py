"""The command ``tl datasets``."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tensorlayer.cli.datasets import app
from tensorlayer.errors import DatasetNotFound


@pytest.fixture
def tl(hub, monkeypatch):
    """Run ``tl datasets`` on the database of this test; return what it prints."""
    for name, value in hub.environment().items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        return CliRunner().invoke(app, arguments, catch_exceptions=False).output

    return run


def test_list(tl, hub):
    hub.datasets.create("digits", indexes=["split"]).append(np.eye(3))
    hub.datasets.create("empty")
    rows = json.loads(tl("--json"))
    assert [(row["key"], row["samples"], row["revision"]) for row in rows] == [
        ("digits", 3, 1),
        ("empty", 0, 0),
    ]
    assert "digits" in tl()


def test_show(tl, hub):
    hub.datasets.create("digits").append(
        np.zeros((3, 28, 28), np.uint8), labels=["a", "b", "c"], tags={"split": "train"}
    )
    row = json.loads(tl("show", "digits", "--json"))
    assert (row["samples"], row["sample"], row["label"]) == (3, "uint8[28, 28]", "str")
    assert row["tags"] == ["split"]
    assert "uint8" in tl("show", "digits")


def test_show_an_empty_one_and_one_without_labels(tl, hub):
    dataset = hub.datasets.create("digits")
    assert json.loads(tl("show", "digits", "--json"))["sample"] is None
    dataset.append(["text"])
    row = json.loads(tl("show", "digits", "--json"))
    assert (row["sample"], row["label"], row["tags"]) == ("str", None, [])


def test_verify(hub, tl):
    hub.datasets.create("digits").append(np.eye(3), labels=[0, 1, 2], keys=list("abc"))
    assert json.loads(tl("verify", "digits", "--json")) == {
        "n_samples": 3,
        "n_missing": 0,
        "damaged": {},
    }
    hub.database["samples"].update_one({"key": "b"}, {"$set": {"label": 7}})
    found = CliRunner().invoke(app, ["verify", "digits", "--json"])
    assert found.exit_code == 1
    assert list(json.loads(found.output)["damaged"]) == ["b"]


def test_a_missing_dataset_is_an_error(tl):
    with pytest.raises(DatasetNotFound, match="no dataset 'digits'"):
        tl("show", "digits")


@pytest.mark.parametrize("arguments", [[], ["show"]])
def test_help_teaches_with_an_example(tl, arguments):
    assert "tl datasets show mnist" in tl(*arguments, "--help")


def test_delete_says_what_and_asks(hub, tl):
    hub.datasets.create("mnist").append([1.0, 2.0, 3.0])
    refused = CliRunner().invoke(app, ["delete", "mnist"], input="n\n")
    assert refused.exit_code == 1
    assert "Delete dataset 'mnist' with 3 samples? It cannot be undone." in refused.output
    assert len(hub.datasets["mnist"]) == 3
    assert json.loads(tl("delete", "mnist", "--yes", "--json")) == {"deleted": 3}
    assert hub.datasets.keys() == []
    with pytest.raises(DatasetNotFound, match="no dataset 'mnist'"):
        tl("delete", "mnist", "--yes")


def test_a_damaged_dataset_can_be_deleted(hub, tl):
    hub.datasets.create("mnist").append([1.0, 2.0, 3.0])
    hub.database["datasets"].update_one({}, {"$set": {"n_samples": None}})
    refused = CliRunner().invoke(app, ["delete", "mnist"], input="n\n")
    assert "with an unknown number of samples" in refused.output
    tl("delete", "mnist", "-y")
    assert hub.datasets.keys() == []
