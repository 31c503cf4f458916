from __future__ import annotations

import threading

import pytest

from tensorlayer.layers.mode import current_mode, mode


def test_modes_nest_and_none_keeps_what_is_around():
    with mode(True):
        with mode(None):
            assert current_mode() is True
        with mode(False):
            assert current_mode() is False
        assert current_mode() is True
    assert current_mode() is None


def test_a_mode_ends_with_an_error():
    with pytest.raises(ZeroDivisionError), mode(True):
        1 / 0  # noqa: B018

    assert current_mode() is None


def test_threads_do_not_share_modes():
    seen = []
    with mode(True):
        thread = threading.Thread(target=lambda: seen.append(current_mode()))
        thread.start()
        thread.join()

    assert seen == [None]
