"""The server of files of the download tests, and images."""

import numpy as np
import pytest

from tests.files.conftest import _this_machine_only, server  # noqa: F401


@pytest.fixture
def images():
    """Return a function that gives random images of values from 0 to 1."""
    rng = np.random.default_rng(3)
    return lambda size: rng.random([2, size, size, 3], np.float32)
