"""Partners (合作单位) in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import NOTHING, money, table, told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from rich.console import RenderableType

    from projections.partners import PartnerRow

ROWS_MAX = 50
PPM_A_PERCENT = 10_000


def partners_view(rows: Sequence[PartnerRow], as_of: date, currency: str) -> RenderableType:
    """Return what each partner brought and is worth, and below it who was not soundly checked."""
    names = ("leads", "converted", "%", "drawn", "deposits", "missed", "late")
    title = f"Partners as of {as_of}, {currency}"
    made = table(title, ("partner", "agreement", "to", *names), right=frozenset(names))
    for row in rows[:ROWS_MAX]:
        made.add_row(
            Text(row.partner_id),
            row.agreement,
            told(row.ends_on),
            str(row.leads),
            str(row.converted),
            NOTHING if row.conversion_ppm is None else f"{row.conversion_ppm / PPM_A_PERCENT:.1f}",
            money(row.drawn, currency),
            money(row.deposits, currency),
            f"{row.commitments_missed} of {row.commitments}",
            f"{row.loans_late} of {row.loans}",
        )
    left = len(rows) - ROWS_MAX
    more = [Text(f"and {left} more: guanxi export partners", style="dim")] if left > 0 else []
    flags = [flag for row in rows[:ROWS_MAX] if (flag := _flag(row))]
    return Group(made, *more, *flags)


def _flag(row: PartnerRow) -> Text | None:
    words = []
    if row.lacks:
        words.append(f"not soundly checked: {row.lacks}")
    if row.lacked:
        words.append(f"agreed on {row.agreed_on} without: {row.lacked}")
    if row.unagreed_leads:
        words.append(f"{row.unagreed_leads} leads without an agreement")
    return Text(f"{row.partner_id}: {'; '.join(words)}", style="yellow") if words else None
