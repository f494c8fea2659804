"""The contact agenda (联系日程) in the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import table, told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from rich.console import RenderableType

    from projections.contact_agenda import AgendaRow
    from projections.follow_ups import FollowUpRow

ROWS_SHOWN_MAX = 200
OVERDONE = frozenset({"quiet_hours", "too_many_contacts"})


def agenda_view(
    rows: Sequence[AgendaRow], promised: Sequence[FollowUpRow], as_of: date, manager: str | None
) -> RenderableType:
    """Return a day list, in the order of the rows, and how promises were kept."""
    whose = f" of {manager}" if manager else ""
    made = table(f"Agenda{whose} as of {as_of}", ("due", "why", "customer", "manager", "detail"))
    for row in rows[:ROWS_SHOWN_MAX]:
        made.add_row(
            _due(row, as_of),
            row.reason.replace("_", " "),
            Text(row.customer_id),
            Text(told(row.manager)),
            Text(row.detail),
        )
    left = len(rows) - ROWS_SHOWN_MAX
    more = [Text(f"and {left} more: guanxi export agenda", style="dim")] if left > 0 else []
    return Group(made, *more, "", _kept(promised))


def _due(row: AgendaRow, as_of: date) -> Text:
    if row.reason in OVERDONE:
        return Text(f"{row.due_on} overdone", style="magenta")
    if row.due_on < as_of:
        return Text(f"{row.due_on} overdue", style="bold red")
    return Text(str(row.due_on), style="bold yellow" if row.due_on == as_of else "")


def _kept(promised: Sequence[FollowUpRow]) -> Text:
    count = Counter(row.status for row in promised)
    missed = (f"{count['missed']} missed", "bold red" if count["missed"] else "")
    return Text.assemble(
        f"Follow-ups promised: {len(promised)}, {count['kept']} kept, ",
        f"{count['kept_late']} kept late, ",
        missed,
        f", {count['open']} open",
    )
