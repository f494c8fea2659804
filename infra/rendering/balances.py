"""The daily balances of a window against its requirement, as bars."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import money

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from domain.values import Minor
    from projections.explained_window import ExplainedDay

COLUMNS_MAX = 56  # leaves 24 of 80 for the scale
ROWS = 8
EIGHTHS = " ▁▂▃▄▅▆▇█"
KEPT, BELOW, UNKNOWN = "━", "╌", "?"
STYLES = {KEPT: "green", BELOW: "yellow", UNKNOWN: "magenta"}
LEGEND = f"{KEPT} required and held, {BELOW} less held; under it: ? unknown, c carried, + cure day"


class _Column(NamedTuple):
    """One day, or the worst of several."""

    counted: Minor | None
    required: Minor
    mark: str

    @property
    def line(self) -> str:
        """The sign that the requirement's line has here."""
        if self.counted is None:
            return UNKNOWN
        return KEPT if self.counted >= self.required else BELOW


def balances_view(days: Sequence[ExplainedDay], currency: str) -> RenderableType:
    """Return what counted on each day, the requirement a line across; no day, no picture.

    Exact in its line, whose sign tells a day held from one on which less was; the bars are rounded
    down to eighths of a row. Where there are more days than columns, one is the worst of several.
    """
    if not days:
        return Group()
    each = -(-len(days) // COLUMNS_MAX)
    columns = [_worst(days[first : first + each]) for first in range(0, len(days), each)]
    top = max(1, *(max(column.required, column.counted or 0) for column in columns))
    told = [money(top * row // ROWS, currency) for row in range(ROWS, -1, -1)]
    scale = ["" if one == below else one for one, below in pairwise(told)]
    width = max(map(len, told))
    lines = [
        Text.assemble((f"{one:>{width}} ", "dim"), "│", *_row(columns, ROWS - 1 - place, top))
        for place, one in enumerate(scale)
    ]
    marks = Text("".join(column.mark for column in columns), style="magenta")
    last = max(day.on for day in days if not day.cure)
    ends = f"{days[0].on} to {last}" + (f"; cure to {days[-1].on}" if days[-1].cure else "")
    what = "Counted each day" if each == 1 else f"Counted, the worst of each {each} days"
    return Group(
        Text(f"{what}, {ends}, {currency}", style="bold"),
        *lines,
        Text.assemble((f"{told[-1]:>{width}} ", "dim"), "└", marks),
        Text(LEGEND, style="dim"),
    )


def _worst(days: Sequence[ExplainedDay]) -> _Column:
    unknown = [day for day in days if day.counted is None]
    worst = unknown[0] if unknown else min(days, key=lambda day: (day.counted or 0) - day.required)
    mark = "c" if any(day.carried for day in days) else "+" if worst.cure else " "
    return _Column(worst.counted, worst.required, UNKNOWN if unknown else mark)


def _row(columns: Sequence[_Column], row: int, top: Minor) -> Iterator[tuple[str, str]]:
    """Yield the characters of a row, the lowest being 0, with their colours."""
    for column in columns:
        style = STYLES[column.line]
        if row == max(0, -(-column.required * ROWS // top) - 1):
            yield column.line, f"bold {style}"
        else:
            filled = 8 * ROWS * max(0, column.counted or 0) // top - 8 * row
            yield EIGHTHS[max(0, min(8, filled))], style
