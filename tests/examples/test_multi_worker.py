"""Two workers, one of which is killed: the program as it is run."""

from __future__ import annotations

import re

import pytest

from tests.examples.running import help_of, run


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
