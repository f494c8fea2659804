"""Who brings customers, and how the network grows, in the terminal."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import NOTHING, money, table, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from rich.console import RenderableType

    from projections.bursts import BurstRow
    from projections.leaders import LeaderRow
    from projections.network_figures import FigureRow

ROWS_MAX = 50  # of any one table
PPM = 1_000_000
PPB = 1_000_000_000


def leaders_view(rows: Iterable[LeaderRow], as_of: date, currency: str) -> RenderableType:
    """Return the best referrers as a table."""
    names = ("referrer", "converted", "deposits", "drawn", "influence", "days", "")
    title = f"Best referrers as of {as_of}, {currency}; days to convert as p50/p90"
    made = table(title, names, right=frozenset(names[1:-1]))
    for row in rows:
        made.add_row(
            Text(row.customer_id),
            f"{row.converted_descendants} of {row.descendants}",
            money(row.subtree_deposits, currency),
            money(row.subtree_drawn, currency),
            f"{row.influence_ppb / PPB:.3f}",
            NOTHING if row.days_p50 is None else f"{row.days_p50}/{row.days_p90}",
            ", ".join(_marks(row)),
        )
    return made


def _marks(row: LeaderRow) -> Iterable[str]:
    if row.opinion_leader == "yes":
        yield "opinion leader"
    if row.burst_on:
        yield f"burst of {row.burst_referrals} to {row.burst_on}"


def figures_view(
    rows: Sequence[FigureRow], bursts: Sequence[BurstRow], as_of: date
) -> RenderableType:
    """Return the observed K and the days to convert of each group, and the latest bursts."""
    names = ("group", "customers", "referrals", "K", "brought", "days p50", "p90")
    right = frozenset(names[1:])
    made = table(f"Observed K as of {as_of}", ("by", *names), right=right)
    for row in rows[:ROWS_MAX]:
        made.add_row(
            row.grouped_by,
            Text(told(row.group)),
            str(row.converted_customers),
            str(row.converted_referrals),
            f"{row.k_ppm / PPM:.3f}",
            str(row.brought),
            told(row.days_p50),
            told(row.days_p90),
        )
    return Group(made, *_left(len(rows), "network-figures"), *_bursts(bursts))


def _bursts(rows: Sequence[BurstRow]) -> Iterable[RenderableType]:
    if not rows:
        return
    names = ("referrer", "from", "to", "referrals", "converted")
    made = table("Bursts, the latest first", names, right=frozenset(names[3:]))
    latest = sorted(rows, key=lambda row: row.last_on, reverse=True)
    for row in islice(latest, ROWS_MAX):
        days = (str(row.first_on), str(row.last_on))
        made.add_row(Text(row.customer_id), *days, str(row.referrals), str(row.converted))
    yield made
    yield from _left(len(rows), "bursts")


def _left(rows: int, view: str) -> Iterable[RenderableType]:
    if rows > ROWS_MAX:
        yield Text(f"and {rows - ROWS_MAX} more: guanxi export {view}", style="dim")
