"""What an entry of a file of rules may hold: it stands in the entry's type.

The edge refuses anything else, and the page of the rules shows it. What entries demand of each
other their dataclass checks by the functions below: the message begins with an entry, and the
docstring, which the page shows, says the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

from domain.checks import AMOUNT_MAX
from domain.values import ONE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

Rising = TypeVar("Rising", int, "date")


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number, both bounds included."""

    low: int
    high: int

    def allows(self, value: object) -> bool:
        """Tell whether a value of the file is such a number; a text of digits is none."""
        return type(value) is int and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Spelled:
    """A text that a pattern matches whole; `words` say which texts those are."""

    words: str
    pattern: str

    def allows(self, value: object) -> bool:
        """Tell whether a value of the file is such a text."""
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None

    def __str__(self) -> str:
        return self.words


Allowed: TypeAlias = Between | Spelled

_LONG, _SHORT = r"(0[13578]|1[02])-(0[1-9]|[12]\d|3[01])", r"(0[469]|11)-(0[1-9]|[12]\d|30)"

Count: TypeAlias = Annotated[int, Between(1, 1_000)]
Days: TypeAlias = Annotated[int, Between(1, 36_500)]  # a hundred years: more is a slip
DaysIfAny: TypeAlias = Annotated[int, Between(0, 36_500)]
DaysAround: TypeAlias = Annotated[int, Between(0, 180)]  # of a day that comes back every year
Months: TypeAlias = Annotated[int, Between(1, 1_200)]
MonthsIfAny: TypeAlias = Annotated[int, Between(0, 1_200)]
Percent: TypeAlias = Annotated[int, Between(1, 100)]
PercentIfAny: TypeAlias = Annotated[int, Between(0, 100)]
AmountIfAny: TypeAlias = Annotated[int, Between(0, AMOUNT_MAX)]  # minor units
RateIfAny: TypeAlias = Annotated[int, Between(0, ONE)]  # parts per million: at most all of it
Version: TypeAlias = Annotated[int, Between(1, 1_000_000)]
NameInOne: TypeAlias = Annotated[str, Spelled("a name without blanks", r"\S+")]
CurrencyCode: TypeAlias = Annotated[str, Spelled("three capital letters", r"[A-Z]{3}")]
PercentOver: TypeAlias = Annotated[int, Between(0, 1_000_000)]  # of what may well be exceeded
CountIfAny: TypeAlias = Annotated[int, Between(0, 1_000_000)]
Name: TypeAlias = Annotated[str, Spelled("a name, no blanks around it", r"\S(.*\S)?")]
MonthDay: TypeAlias = Annotated[
    str,
    Spelled("a day of every year, MM-DD", rf"{_LONG}|{_SHORT}|02-(0[1-9]|1\d|2[0-8])"),
]
LocalTime: TypeAlias = Annotated[str, Spelled("a time, HH:MM", r"([01]\d|2[0-3]):[0-5]\d")]


def require(sound: bool, message: str) -> None:  # noqa: FBT001 - reads as an assertion
    """Refuse entries that do not go together. Raises `ValueError`."""
    if not sound:
        raise ValueError(message)


def require_some(entry: str, items: Sequence[object]) -> None:
    """Refuse an empty list. Raises `ValueError`."""
    require(bool(items), f"{entry}: [] is empty; there is at least one")


def require_once(entry: str, names: Sequence[str]) -> None:
    """Refuse tables of which two have the same name. Raises `ValueError`."""
    for number, name in enumerate(names):
        require(name not in names[:number], f"{entry}: {name!r} is there twice")


def require_rising(entry: str, values: Sequence[Rising]) -> None:
    """Refuse a value that does not lie after the one before. Raises `ValueError`."""
    for before, after in pairwise(values):
        require(
            before < after, f"{entry} {after} follows {before}; they rise from one to the next"
        )
