from __future__ import annotations

import pytest

from tensorlayer.models.synonyms import renamed


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (["d/weights", "d/biases"], ["d/W", "d/b"]),
        (["c/filters", "c/biases"], ["c/kernel", "c/bias"]),
        (["c/filters", "c/biases"], ["c/W_conv2d", "c/b_conv2d"]),
        (["c/filters", "c/biases"], ["c/W_deconv2d", "c/b_deconv2d"]),
        (["c/filters"], ["c/W_depthwise2d"]),
        (["bn/beta", "bn/moving_var"], ["bn/beta", "bn/moving_variance"]),
        (["list/l1/weights", "list/l2/weights"], ["l1/weights", "l2/weights"]),
        (["g/h0/lin/weights", "g/h1/lin/weights"], ["g/h0/lin/W", "g/h1/lin/W"]),
        (["a/d/weights", "d/weights"], ["a/d/W", "d/W"]),
        (["scale"], ["scale"]),
    ],
)
def test_the_same_parameter_is_found_in_whatever_order(ours, theirs):
    values = dict(zip(theirs, range(len(theirs)), strict=True))
    expected = dict(zip(ours, range(len(ours)), strict=True))

    assert renamed(dict.fromkeys(ours), values) == expected
    assert renamed(dict.fromkeys(ours), dict(reversed(values.items()))) == expected


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (["d/weights"], ["d/W", "d/b"]),  # one more
        (["d/weights", "d/biases"], ["d/W"]),
        (["d/weights"], ["e/W"]),  # another layer
        (["d/weights"], ["bd/W"]),  # whose name only ends alike
        (["d/weights"], ["d/gamma"]),
        (["d/weights"], ["d/Wide"]),
        (["a/d/weights", "b/d/weights"], ["d/W", "e/W"]),  # one for two
        (["d/weights", "d/filters"], ["d/W", "d/kernel"]),  # which is which?
    ],
)
def test_what_is_not_certain_is_not_guessed(ours, theirs):
    assert renamed(dict.fromkeys(ours), dict.fromkeys(theirs, 1)) is None
