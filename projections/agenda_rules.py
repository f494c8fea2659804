"""The rules of the contact agenda (联系日程): which figures a bank sets, in days and counts.

They are data: `infra/rules/agenda.toml` holds the ones in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Literal, TypeAlias, get_args

Reason: TypeAlias = Literal[
    "commitment_at_risk",
    "follow_up",
    "first_draw",
    "interest_date",
    "no_owner",
    "key_customer",
    "festival",
    "birthday",
    "cold",
    "quiet_hours",
    "too_many_contacts",
]
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstDraw:
    """So many contacts within so many days after a loan's first draw (首两周)."""

    contacts: int
    within_days: int
    overdue_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestDate:
    """The days on which interest is settled (结息日), `MM-DD`, and the days around them."""

    dates: tuple[str, ...]
    around_days: int

    def __post_init__(self) -> None:
        for month_day in self.dates:
            date.fromisoformat(f"2001-{month_day}")  # raises ValueError, for 29 February too


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUps:
    """How early a promise is shown, and how late it still counts as kept in time."""

    ahead_days: int
    late_after_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCustomer:
    """Customers of these tiers are seen at least every so many days."""

    tiers: tuple[str, ...]
    every_days: int
    ahead_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FestivalDay:
    """A festival of one year."""

    name: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Festival:
    """Key customers are greeted before a festival (逢年过节)."""

    before_days: int
    days: tuple[FestivalDay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Birthday:
    """Customers of these tiers, all where there are none, are greeted before their birthday."""

    tiers: tuple[str, ...]
    before_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cold:
    """Days without any contact."""

    after_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Local times, `HH:MM`, between which the bank stays away on these channels.

    `from_time` itself is quiet, `to_time` is not; the hours may reach over midnight.
    """

    from_time: str
    to_time: str
    channels: tuple[str, ...]
    told_days: int

    def __post_init__(self) -> None:
        for told in (self.from_time, self.to_time):
            time.fromisoformat(told)  # raises ValueError

    def covers(self, local_minute: int) -> bool:
        """Tell whether a minute of the day is quiet."""
        first, end = _minute(self.from_time), _minute(self.to_time)
        if first <= end:
            return first <= local_minute < end
        return local_minute >= first or local_minute < end


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyContacts:
    """More contacts by the bank than this within so many days (轰炸)."""

    contacts_max: int
    within_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaRules:
    """All of them. `reasons` has each reason once, the most urgent first."""

    reasons: tuple[Reason, ...]
    first_draw: FirstDraw
    interest_date: InterestDate
    follow_up: FollowUps
    key_customer: KeyCustomer
    festival: Festival
    birthday: Birthday
    cold: Cold
    quiet_hours: QuietHours
    too_many_contacts: TooManyContacts

    def __post_init__(self) -> None:
        if sorted(self.reasons) != sorted(REASONS):
            message = f"reasons are these, each once: {', '.join(REASONS)}"
            raise ValueError(message)


def _minute(told: str) -> int:
    moment = time.fromisoformat(told)
    return 60 * moment.hour + moment.minute
