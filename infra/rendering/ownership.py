"""Who looks after a relationship (管户) in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import NOTHING, table, told

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from rich.console import RenderableType

    from projections.ownership import HandoverState, OwnershipRow

STYLES = {"unowned": "bold red", "overlap": "bold yellow"}


def ownership_view(
    customer_id: str, rows: Iterable[OwnershipRow], states: Iterable[HandoverState], as_of: date
) -> RenderableType:
    """Return the periods of a relationship, and its handovers with what goes over."""
    title = f"Ownership of {customer_id} as of {as_of}"
    periods = table(title, ("since", "until", "role", "manager"))
    for row in rows:
        role = Text(row.role, style=STYLES.get(row.role, ""))
        periods.add_row(str(row.since), told(row.until), role, Text(told(row.manager)))
    names = ("handover", "from", "to", "state", "open follow-ups", "at risk")
    handed = table("Handovers", names)
    for state in states:
        one = state.handover
        on = state.answered_on or one.proposed_on
        handed.add_row(
            Text(one.handover_id),
            Text(one.from_manager),
            Text(one.to_manager),
            f"{state.answer} {on}",
            " ".join(map(str, state.follow_ups)) or NOTHING,
            Text(" ".join(state.commitments) or NOTHING),
        )
    return Group(periods, "", handed) if handed.row_count else periods
