from __future__ import annotations

import sys

import numpy as np
import pytest

from tensorlayer import prepro
from tensorlayer.prepro import tables
from tensorlayer.prepro.tables import lookup

LEVELS = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)


@pytest.fixture(params=["with what is installed", "without StringZilla"])
def vectors(request, monkeypatch):
    tables._vectors.cache_clear()
    if request.param.startswith("without"):
        monkeypatch.setitem(sys.modules, "stringzilla", None)  # as if it were not installed
    yield
    tables._vectors.cache_clear()


@pytest.mark.usefixtures("vectors")
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize(
    "levels",
    [
        LEVELS,
        LEVELS[::2, ::-1],
        np.asfortranarray(LEVELS),
        LEVELS[0, 0],
        LEVELS[0, 0, 0],
        LEVELS[:0],
        np.tile(LEVELS, (1, 1, 300)),
        LEVELS[None],
    ],
)
def test_a_lookup_is_an_index(levels, dtype):
    table = (np.random.default_rng(1).random(256) * 255).astype(dtype)
    before = levels.copy()

    found = lookup(table, levels)

    assert found.dtype == dtype
    np.testing.assert_array_equal(found, table[levels])
    np.testing.assert_array_equal(levels, before)


@pytest.mark.usefixtures("vectors")
def test_a_table_and_levels_may_be_locked():
    locked, table = LEVELS.copy(), np.arange(255, -1, -1, np.uint8)
    locked.flags.writeable = table.flags.writeable = False

    found = lookup(table, locked)

    np.testing.assert_array_equal(found, 255 - LEVELS)
    found[:] = 0  # a new array, to be written to
    np.testing.assert_array_equal(prepro.brightness(locked), LEVELS)
