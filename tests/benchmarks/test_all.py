"""All benchmarks at once: which there are, and how they end."""

from __future__ import annotations

import importlib
import io
from pathlib import Path

import pytest
from rich.console import Console

import benchmarks.__main__ as everything

FOLDER = Path(everything.__file__).parent


def test_whatever_measures_is_among_them():
    paths = [each for each in FOLDER.glob("*.py") if not each.stem.startswith("__")]
    measuring = {each.stem for each in paths if "harness.report(" in each.read_text("utf-8")}

    assert measuring <= set(everything.NAMES)
    assert {f"{name}.py" for name in everything.NAMES} <= {each.name for each in paths}


@pytest.mark.parametrize("name", everything.NAMES)
def test_each_takes_the_same_options(name, capsys):
    module = pytest.importorskip(f"benchmarks.{name}", exc_type=ImportError)

    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module.__name__).main(["--help"])

    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--quick", "--check", "--output"))


def test_each_runs_by_itself_and_a_missed_bar_is_an_error(tmp_path, monkeypatch, capfd):
    (tmp_path / "benchmarks").mkdir()
    for name, status in {"good": 0, "missed": 1}.items():
        path = tmp_path / "benchmarks" / f"{name}.py"
        path.write_text(f"import sys; print(sys.argv[1:]); sys.exit({status})")
    monkeypatch.setattr(everything, "NAMES", ("good", "missed"))
    monkeypatch.chdir(tmp_path)

    assert everything.main(["--quick", "--check", "--output", "there"]) == 1
    assert everything.main(["--quick", "--only", "good"]) == 0

    shown = capfd.readouterr().out
    assert shown.count("['--quick', '--check', '--output', 'there']") == 2
    assert "failed with 1" in shown


def test_the_table_says_how_each_ended():
    console = Console(width=60, record=True, file=io.StringIO())

    console.print(everything.summary({"text": (0, 12.3), "soak": (1, 600.0)}))

    shown = console.export_text()
    assert "text" in shown
    assert "done" in shown
    assert "failed with 1" in shown
    assert "600" in shown
