"""Context variables that hold a value for the time of a block."""

from contextvars import ContextVar

import pytest

from tensorlayer.layers.setting import setting

NUMBER = ContextVar("number", default=0)


def test_the_value_holds_within_the_block_and_blocks_nest():
    with setting(NUMBER, 1) as outer:
        with setting(NUMBER, 2) as inner:
            assert (outer, inner, NUMBER.get()) == (1, 2, 2)
        assert NUMBER.get() == 1
    assert NUMBER.get() == 0


def test_a_block_that_raises_ends_it_too_and_hides_nothing():
    with pytest.raises(KeyError), setting(NUMBER, 1):
        raise KeyError
    assert NUMBER.get() == 0
