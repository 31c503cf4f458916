"""Two workers, one of which is killed: the program as it is run."""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys

import pytest

from tests.examples.running import EXAMPLES, help_of, run, run_here

sys.path.insert(0, str(EXAMPLES))

import multi_worker
import record


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(330)
def test_a_worker_is_killed_and_training_comes_to_its_end(tmp_path):
    shown = run("multi_worker.py", tmp_path, "--quick", "--kill")

    assert "the last worker is killed now" in shown
    assert shown.count("a worker has ended too early: all are started again") == 1
    epochs = [int(each) for each in re.findall(r"^epoch (\d+):", shown, re.M)]
    assert epochs == list(range(1, 16))  # none of them twice
    assert float(re.search(r"^([\d.]+)% of 599 digits", shown, re.M)[1]) >= 95


def test_help_says_how_it_is_started():
    shown = help_of("multi_worker.py")

    assert "TF_CONFIG" in shown
    assert "--workers" in shown


WORKER = """
import pathlib, sys, time
epoch = pathlib.Path(sys.argv[1], "epoch")
done = int(epoch.read_text())
time.sleep(1)
epoch.write_text(str(max(done, 15)))
sys.exit(int(sys.argv[2]))
"""


def supervise(monkeypatch, folder, *, done, code):
    """Supervise workers that come to epoch 15 and end with this code."""
    (folder / "worker.py").write_text(WORKER)
    (folder / "epoch").write_text(str(done))
    monkeypatch.setattr(sys, "argv", [str(folder / "worker.py"), str(folder), str(code)])
    multi_worker.supervise(argparse.Namespace(workers=2, kill=True, epochs=15, out=folder))


def test_a_run_that_has_come_to_its_end_is_not_killed_again(tmp_path, monkeypatch, capsys):
    supervise(monkeypatch, tmp_path, done=15, code=0)

    assert capsys.readouterr().out == f"on after epoch 15; to begin anew, remove {tmp_path}\n"


def test_a_run_that_has_reached_too_little_is_not_started_again(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        supervise(monkeypatch, tmp_path, done=15, code=1)

    assert ended.value.code == 1
    assert "started again" not in capsys.readouterr().out


def test_a_signal_while_workers_start_leaves_none_of_them_behind(tmp_path, monkeypatch):
    begun, make = [], subprocess.Popen
    (tmp_path / "worker.py").write_text("import time; time.sleep(60)")

    def start(*given, **options):
        begun.append(make(*given, **options))
        if len(begun) == 1:
            signal.raise_signal(signal.SIGTERM)
        return begun[-1]

    monkeypatch.setattr(sys, "argv", [str(tmp_path / "worker.py")])
    monkeypatch.setattr(subprocess, "Popen", start)
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    try:
        with pytest.raises(SystemExit, match="ended"), multi_worker.started(2):
            pytest.fail("the signal was lost")
    finally:
        signal.signal(signal.SIGTERM, before)

    assert [each.returncode for each in begun] == [-signal.SIGKILL] * 2


def test_a_second_run_in_the_same_folder_is_refused_in_a_line(tmp_path):
    with (
        record.alone(tmp_path),
        pytest.raises(SystemExit, match=r"^--out: another run is using the folder"),
    ):
        run_here("multi_worker.py", "--out", str(tmp_path))
