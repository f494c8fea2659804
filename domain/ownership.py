"""Who looks after a relationship on a day (管户): the one rule of decisions and of views.

The opening names who owns first. What else is told of managers stands in business order, (day,
position), however late it was told; what is dated before the opening counts from the opening on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date  # noqa: TC003 - the view codec reads the field types at run time
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

ManagerRole: TypeAlias = Literal["owner", "joint"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """From a business date on, the one that was told, a manager has a role, or no longer."""

    since: date
    manager: str
    role: ManagerRole
    released: bool = False


def owner_changes(told: Sequence[Assignment]) -> list[tuple[date, str | None]]:
    """Return who owns the relationship from which day on, in order; None is nobody (无管户).

    `told` is in ledger order, the opening first. A release ends the ownership of the one who owns
    on that day; of anybody else it ends nothing. Each entry has another owner than the one before.
    """
    owner: str | None = None
    by_day: dict[date, str | None] = {}
    for each in _in_business_order(told):
        if each.role == "owner" and (not each.released or each.manager == owner):
            owner = None if each.released else each.manager
            by_day[each.since] = owner
    return [next(same) for _, same in groupby(by_day.items(), key=itemgetter(1))]


def owned_on(told: Sequence[Assignment], day: date) -> tuple[date, str | None]:
    """Return since when the one owns who does so on a day; before all, the first one."""
    changes = owner_changes(told)
    return next((change for change in reversed(changes) if change[0] <= day), changes[0])


def joint_on(told: Sequence[Assignment], day: date) -> frozenset[str]:
    """Return who helps to maintain the relationship on a day (双线维护), the owner perhaps too."""
    helps: dict[str, bool] = {}
    for each in _in_business_order(told):
        if each.role == "joint" and each.since <= day:
            helps[each.manager] = not each.released
    return frozenset(manager for manager, does in helps.items() if does)


def _in_business_order(told: Sequence[Assignment]) -> list[Assignment]:
    opening, *others = told
    in_order = sorted(others, key=attrgetter("since"))  # stable: of one day in ledger order
    # Moved only now: by the opening day, those of different days before it would be of one day.
    return [opening, *(replace(each, since=max(each.since, opening.since)) for each in in_order)]
