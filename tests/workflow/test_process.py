from __future__ import annotations

import pytest

from tensorlayer.workflow.process import describe_death


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (-9, "killed by SIGKILL"), (-200, "killed by signal 200")],
)
def test_deaths_are_described(code, words):
    assert describe_death(code) == words
