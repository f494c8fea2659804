"""Makes the table of festivals: `make festivals` writes `infra/rules/data/festivals.toml`.

The dates are those of the PyPI package lunar_python, which works the calendar out from the new
moons and solar terms of Beijing time. They change only if astronomers do, so the ledger keeps the
table and not the package, which has no wheel and would have to be built in every setup.
"""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Any

from lunar_python import Lunar

if TYPE_CHECKING:
    from collections.abc import Callable

YEARS = range(1900, 2101)
A_LINE = 8
HEAD = """\
# The days of the festivals, earliest first, by the calendar of Beijing (农历). agenda.toml names
# those on which customers are greeted; a bank may add others, of any calendar.
# Written by `make festivals` from the package lunar_python; tests hold it against known dates.
"""


def in_month(month: int, day: int) -> Callable[[int], date]:
    """Return the date of a day of the lunar calendar, by year."""
    return lambda year: _solar(Lunar.fromYmd(year, month, day).getSolar())


def qingming(year: int) -> date:
    """Return the day of the solar term 清明."""
    return _solar(Lunar.fromYmd(year, 1, 1).getJieQiTable()["清明"])


def _solar(told: Any) -> date:  # noqa: ANN401 - the package is untyped
    return date(told.getYear(), told.getMonth(), told.getDay())


FESTIVALS: dict[str, Callable[[int], date]] = {
    "Spring Festival 春节": in_month(1, 1),
    "Lantern 元宵": in_month(1, 15),
    "Qingming 清明": qingming,
    "Dragon Boat 端午": in_month(5, 5),
    "Mid-Autumn 中秋": in_month(8, 15),
}


def main() -> None:
    """Write the table to stdout."""
    sys.stdout.write(HEAD)
    for name, of_year in FESTIVALS.items():
        days = [str(of_year(year)) for year in YEARS]
        lines = (days[n : n + A_LINE] for n in range(0, len(days), A_LINE))
        listed = "".join(f"  {', '.join(line)},\n" for line in lines)
        sys.stdout.write(f'\n[[festivals]]\nname = "{name}"\ndays = [\n{listed}]\n')


if __name__ == "__main__":
    main()
