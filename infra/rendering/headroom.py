"""Headroom by month as a heat strip (头寸余量): a row a year, a cell a month."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import RenderableType

    from projections.headroom import MonthHeadroom

# A cell says how far what was held, with a surplus carried in, lies from what was required, in
# percent of that, at least: its sign and heat where it lies above, and where it lies below.
CELLS: tuple[tuple[int, tuple[str, str], tuple[str, str]], ...] = (
    (50, ("+++", "black on green"), ("---", "white on red3")),
    (10, (" ++", "black on dark_sea_green4"), (" --", "black on orange1")),
    (0, ("  +", "black on dark_sea_green2"), ("  -", "black on khaki1")),
)
UNKNOWN = ("  ?", "white on magenta")
NOTHING_REQUIRED = ("  .", "")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LEGEND = "held or carried in to required: + ++ from 10 % +++ from 50 %, ? unknown, . none"


def headroom_view(strips: Mapping[str, Iterable[MonthHeadroom]]) -> RenderableType:
    """Return the strips of commitments by their ids; months without a tested day stay empty."""
    made = table("Headroom by month", ("commitment", "year", *MONTHS))
    for commitment_id, months in strips.items():
        for year, own in groupby(months, key=lambda found: found.month.year):
            cells = {found.month.month: _cell(found) for found in own}
            made.add_row(
                Text(commitment_id), str(year), *(cells.get(month, "") for month in range(1, 13))
            )
    return Group(made, Text(LEGEND, style="dim"))


def _cell(found: MonthHeadroom) -> Text:
    return Text(*_sign(found))


def _sign(found: MonthHeadroom) -> tuple[str, str]:
    if found.unknown_days:
        return UNKNOWN
    if found.required == 0:
        return NOTHING_REQUIRED
    spare = 100 * (found.held + found.surplus - found.required)
    return next(
        above if spare >= 0 else below
        for least, above, below in CELLS
        if abs(spare) >= least * found.required
    )
