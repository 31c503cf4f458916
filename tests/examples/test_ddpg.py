"""Deep deterministic policy gradient as it is run; its parts are in test_control.py."""

from __future__ import annotations

import pytest

from tests.examples.running import help_of, run
from tests.examples.test_dqn import returns_of


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_pendulum_is_swung_up(tmp_path):
    shown = run("ddpg.py", tmp_path, "--quick", "--no-hub")

    reached, at_random = returns_of(shown)
    assert reached >= -400 > at_random + 500


def test_help_teaches():
    assert "Lillicrap" in help_of("ddpg.py")
