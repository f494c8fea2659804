"""Amounts, dates and sums as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from domain.values import minor_digits

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from domain.values import Minor

NOTHING = "–"
CELLS = {  # at least, at most: a date, the longest word of a status, a bar
    "window": (10, None),
    "status": (8, None),
    "held": (4, 8),
}


def money(amount: Minor, currency: str) -> str:
    """Return an amount as `-1,234.50`, with the decimals of its currency (ISO 4217)."""
    digits = minor_digits(currency)
    whole, part = divmod(abs(amount), 10**digits)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole:,}" + (f".{part:0{digits}}" if digits else "")


def told(value: date | str | int | None) -> str:
    """Return a value as it is written, a dash for none."""
    return NOTHING if value is None or value == "" else str(value)


def pairs(items: Iterable[tuple[str, str | Text]]) -> Table:
    """Return names and what they are, one pair a line."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in items:
        grid.add_row(name, Text(value) if isinstance(value, str) else value)
    return grid


def table(title: str, names: Iterable[str], *, right: frozenset[str] = frozenset()) -> Table:
    """Return an empty table; the columns named in `right` hold figures.

    Where it is narrow, text folds: nothing is cut off.
    """
    made = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    made.show_edge = made.pad_edge = False
    made.padding = (0, 1, 0, 0)
    for name in names:
        least, most = CELLS.get(name, (None, None))
        justify: Literal["right", "left"] = "right" if name in right else "left"
        made.add_column(name, justify=justify, overflow="fold", min_width=least, max_width=most)
    return made
