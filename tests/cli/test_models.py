"""The command ``tl models``."""

import json
import types

import numpy as np
import pytest
from typer.testing import CliRunner

from tensorlayer.cli.models import app
from tensorlayer.errors import ModelNotFound


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


@pytest.mark.parametrize("arguments", [[], ["versions"], ["events"]])
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
