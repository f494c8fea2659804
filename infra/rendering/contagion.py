"""Acquisition value beside contagion risk, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from infra.rendering.figures import money, table, told

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from rich.console import RenderableType

    from projections.contagion import ContagionRow


def contagion_view(rows: Iterable[ContagionRow], as_of: date, currency: str) -> RenderableType:
    """Return a table: on the left what somebody brought, on the right what their default costs."""
    brought = ("converted", "deposits", "drawn")
    risk = ("given", "received", "fall", "lost")
    title = f"What they brought, and what their default would cost, as of {as_of}, {currency}"
    made = table(title, ("who", *brought, *risk, "circle"), right=frozenset(brought + risk))
    for row in rows:
        made.add_row(
            Text(row.customer_id),
            f"{row.converted_descendants} of {row.descendants}",
            money(row.subtree_deposits, currency),
            money(row.subtree_drawn, currency),
            money(row.given, currency),
            money(row.received, currency),
            f"{row.defaults} of {row.group_size}",
            Text(money(row.lost or 0, currency), style="bold red"),
            Text(told(row.circle_id)),
        )
    return made
