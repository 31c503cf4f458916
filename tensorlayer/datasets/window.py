"""The window of a revision: which batches of samples it shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

__all__ = ["Window", "in_a_row"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """What a revision shows: the batches up to ``last``, but for some.

    Parameters
    ----------
    last
        The last batch that is shown.
    hidden
        Batches before it that are not shown.
    gaps
        First and last of more of those, where they are many in a row.

    Examples
    --------
    >>> Window(last=7, hidden=frozenset({5})).filter
    {'batch': {'$lte': 7, '$nin': [5]}}
    >>> Window(last=7, hidden=frozenset({5})).shows(5)
    False
    """

    last: int
    hidden: frozenset[int] = frozenset()
    gaps: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, last: int, *hidden: Iterable[int | list[int]]) -> Window:
        """Return the window, without what lies outside of it anyway."""
        found = [each for some in hidden for each in some]
        single = frozenset(each for each in found if isinstance(each, int) and each < last)
        gaps = sorted((each[0], each[1]) for each in found if isinstance(each, list))
        return cls(last=last, hidden=single, gaps=tuple(each for each in gaps if each[0] < last))

    @property
    def filter(self) -> dict[str, Any]:
        """The MongoDB filter for the samples that can be seen."""
        bounds: dict[str, Any] = {"$lte": self.last}
        single = {"$nin": sorted(self.hidden)} if self.hidden else {}
        gaps = [{"batch": {"$gte": first, "$lte": last}} for first, last in self.gaps]
        return {"batch": bounds | single, **({"$nor": gaps} if gaps else {})}

    def shows(self, batch: int) -> bool:
        """Tell whether the samples of a batch can be seen."""
        if batch > self.last or batch in self.hidden:
            return False
        return not any(first <= batch <= last for first, last in self.gaps)


def in_a_row(aborted: Iterable[int | list[int]]) -> list[int | list[int]]:
    """Return batches with those that follow each other as first and last.

    Examples
    --------
    >>> in_a_row([9, 3, 1, 2, [4, 6], 9])
    [[1, 6], 9]
    """
    merged: list[list[int]] = []
    for first, last in sorted(each if isinstance(each, list) else [each, each] for each in aborted):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(last, merged[-1][1])
        else:
            merged.append([first, last])
    return [first if first == last else [first, last] for first, last in merged]
