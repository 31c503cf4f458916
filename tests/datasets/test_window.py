"""Windows: which batches are shown, as a filter and as an answer."""

import pytest

from tensorlayer.datasets.window import Window, in_a_row


def test_a_window_is_a_filter():
    assert Window(last=3).filter == {"batch": {"$lte": 3}}
    window = Window.of(4, [2, 5], [3])
    assert window == Window(last=4, hidden=frozenset({2, 3}))
    assert window.filter == {"batch": {"$lte": 4, "$nin": [2, 3]}}
    assert [window.shows(batch) for batch in range(1, 6)] == [True, False, False, True, False]


def test_batches_in_a_row_are_hidden_as_first_and_last(hub):
    window = Window.of(20, [2, 19], [[4, 9], 12, [15, 18]], [30, [31, 40]])
    shown = [n for n in range(1, 45) if window.shows(n)]
    assert shown == [1, 3, 10, 11, 13, 14, 20]
    batches = hub.database["batches"]
    batches.insert_many([{"batch": n} for n in range(1, 45)])
    found = [each["batch"] for each in batches.find(window.filter).sort("batch")]
    assert found == shown


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([], []),
        ([3], [3]),
        ([3, 1, 2], [[1, 3]]),
        ([[1, 5], 6, 8], [[1, 6], 8]),
        ([[1, 9], [2, 3], 4, 10, 10], [[1, 10]]),
        ([5, [1, 3]], [[1, 3], 5]),
    ],
)
def test_what_follows_each_other_is_joined(listed, expected):
    assert in_a_row(listed) == expected
