"""How an event of an old version becomes one of the next: a pure function, dict to dict.

Keyed by (stored name, old version). The codec keeps sealed values out of an upcaster's hands:
they are bound to their event and field, so no upcaster could rename or change one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Data: TypeAlias = dict[str, Any]
Upcaster: TypeAlias = Callable[[Data], Data]


def _without_offset(data: Data) -> Data:
    """Return a contact as its second version has it: the first one kept no offset."""
    return {**data, "utc_offset_minutes": None}


def _without_packs(data: Data) -> Data:
    """Return a start of a close as its second version has it: the first one judged nothing."""
    return {**data, "packs": []}


def _told_somehow(data: Data) -> Data:
    """Return an assignment as its second version has it: the first one kept no way of telling."""
    return {**data, "told_by": None}


UPCASTERS: dict[tuple[str, int], Upcaster] = {
    ("contact-recorded", 1): _without_offset,
    ("contact-corrected", 1): _without_offset,
    ("close-started", 1): _without_packs,
    ("manager-assigned", 1): _told_somehow,
}
