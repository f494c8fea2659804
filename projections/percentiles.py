"""Percentiles by nearest rank: always a value that was observed, never one in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest_rank(values: Iterable[int], percent: int) -> int | None:
    """Return the smallest value that at least `percent` (1 to 100) of all do not exceed.

    None where there are none.
    """
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[-(-percent * len(ordered) // 100) - 1]
