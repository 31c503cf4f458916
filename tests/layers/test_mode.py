from __future__ import annotations

import threading

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.layers import Dropout, Input
from tensorlayer.layers.mode import current_mode, default_mode, mode


def test_modes_nest_and_none_keeps_what_is_around():
    with mode(True):
        with mode(None):
            assert current_mode() is True
        with mode(False):
            assert current_mode() is False
        assert current_mode() is True
    assert current_mode() is None


def test_what_counts_as_true_is_a_mode():
    with mode(np.bool_(True)):
        assert current_mode() is True
    with mode(0):
        assert current_mode() is False


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


@pytest.mark.parametrize(
    ("around", "declared", "expected"),
    [
        (None, None, None),
        (None, True, True),
        (None, False, False),
        (True, None, True),
        (True, True, True),
        (True, False, False),  # frozen
        (False, None, False),
        (False, True, False),  # nobody trains what is evaluated for inference
        (False, False, False),
    ],
)
def test_what_was_declared_freezes_and_holds_where_nobody_said_a_mode(around, declared, expected):
    with mode(around):
        with default_mode(declared):
            assert current_mode() is expected
        assert current_mode() is around


def test_a_layer_declared_for_inference_is_frozen_in_training():
    x = tf.ones([1, 100])
    free = Dropout(Input([None, 100]), keep=0.5, name="free")
    frozen = Dropout(Input([None, 100]), keep=0.5, name="frozen", is_train=False)

    assert np.any(free(x, is_train=True) == 0)
    assert np.all(frozen(x, is_train=True) == 1)
