"""The command ``tl models``."""

import json
import types

import numpy as np
import pytest
from typer.testing import CliRunner

from tensorlayer.cli.models import app
from tensorlayer.errors import ModelNotFound, VersionNotFound


@pytest.fixture
def tl(hub, monkeypatch):
    """Run ``tl models`` on the database of this test; return what it prints."""
    for name, value in hub.environment().items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        return CliRunner().invoke(app, arguments, catch_exceptions=False).output

    return run


@pytest.fixture
def _saved(hub):
    model = types.SimpleNamespace(
        config={}, structure_digest="d" * 64, to_arrays=lambda: {"w": np.zeros(4, np.float32)}
    )
    for step in range(3):
        hub.models.save("mlp", model, step=step, values={"accuracy": step / 2})
        hub.models.log("mlp", {"loss": 1.0 - step, "accuracy": step / 2}, step=step)
    hub.models.flush()


@pytest.mark.usefixtures("_saved")
def test_list(tl):
    [row] = json.loads(tl("--json"))
    assert (row["key"], row["versions"], row["step"], row["digest"]) == ("mlp", 3, 2, "d" * 12)
    assert "mlp" in tl()


def test_list_of_nothing(tl):
    assert json.loads(tl("--json")) == []


@pytest.mark.usefixtures("_saved")
def test_versions(tl):
    rows = json.loads(tl("versions", "mlp", "--json"))
    assert [row["version"] for row in rows] == [1, 2, 3]
    assert rows[1]["values"] == {"accuracy": 0.5}
    assert "accuracy" in tl("versions", "mlp")


@pytest.mark.usefixtures("_saved")
def test_events(tl):
    rows = json.loads(tl("events", "mlp", "--name", "loss", "--json"))
    assert [row["value"] for row in rows] == [1.0, 0.0, -1.0]
    assert len(json.loads(tl("events", "mlp", "--last", "4", "--json"))) == 4
    assert len(json.loads(tl("events", "mlp", "--last", "0", "--json"))) == 6
    assert "loss" in tl("events", "mlp")


def test_a_missing_model_is_an_error(tl):
    with pytest.raises(ModelNotFound, match="no model 'mlp'"):
        tl("versions", "mlp")


@pytest.mark.parametrize("arguments", [[], ["versions"], ["events"], ["delete"]])
def test_help_teaches_with_an_example(tl, arguments):
    assert "tl models" in tl(*arguments, "--help")


def test_the_options_reach_the_connection(hub, server_home):
    arguments = ["--home", str(server_home), "--project", hub.store.project, "--json"]
    assert json.loads(CliRunner().invoke(app, arguments).output) == []


@pytest.mark.usefixtures("_saved")
def test_a_damaged_version_hides_nothing_else(hub, tl):
    hub.models.save("other", {"w": np.zeros(2)})
    hub.database["versions"].update_one({"model": "mlp", "number": 3}, {"$unset": {"weights": 1}})
    shown = tl()
    assert "other" in shown
    assert "Model 'mlp' version 3: in its document 'weights' is missing" in shown
    rows = json.loads(tl("versions", "mlp", "--json"))
    assert [row["damaged"] for row in rows] == [None, None, "weights"]


@pytest.mark.usefixtures("_saved")
def test_delete_says_what_and_asks(hub, tl):
    refused = CliRunner().invoke(app, ["delete", "mlp"], input="n\n")
    assert "Delete model 'mlp' with 3 versions" in refused.output
    assert "and 6 events? It cannot be undone." in refused.output
    assert refused.exit_code == 1
    silent = CliRunner().invoke(app, ["delete", "mlp", "--version", "2"])  # nobody answers
    assert silent.exit_code == 1
    assert [each.number for each in hub.models.list("mlp")] == [1, 2, 3]
    agreed = CliRunner().invoke(app, ["delete", "mlp", "--version", "2"], input="y\n")
    assert "version 2 of model 'mlp'" in agreed.output
    assert [each.number for each in hub.models.list("mlp")] == [1, 3]
    assert json.loads(tl("delete", "mlp", "--yes", "--json")) == {"deleted": 2}
    assert hub.models.keys() == []
    assert hub.models.events("mlp") == []


@pytest.mark.usefixtures("_saved")
def test_delete_of_what_is_not_there(tl):
    with pytest.raises(ModelNotFound, match=r"no model 'mlq'.*'mlp'"):
        tl("delete", "mlq")
    with pytest.raises(VersionNotFound, match="has no version 4"):
        tl("delete", "mlp", "--version", "4")


def test_delete_of_events_without_a_model(hub, tl):
    hub.models.log("tried", {"loss": 1.0}, step=1)
    hub.models.flush()
    assert json.loads(tl("delete", "tried", "-y", "--json")) == {"deleted": 0}
    assert hub.models.events("tried") == []


@pytest.mark.usefixtures("_saved")
def test_the_list_counts_what_there_is(hub, tl):
    hub.models.delete("mlp", 1)
    [row] = json.loads(tl("--json"))
    assert row["versions"] == 2
