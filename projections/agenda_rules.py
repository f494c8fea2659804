"""The rules of the contact agenda (联系日程): which figures a bank sets, in days and counts.

They are data: `infra/rules/data/agenda.toml` holds the ones in use.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias, get_args

from domain.contact import Channel  # noqa: TC001 - the reader of the file needs the type
from projections.allowed import (
    Count,
    Days,
    DaysAround,
    DaysIfAny,
    LocalTime,
    MonthDay,
    Name,
    require,
    require_once,
    require_rising,
    require_some,
)

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
    """So many contacts within so many days after a loan's first draw (首两周).

    Fewer stay on the list for `overdue_days` more.
    """

    contacts: Count
    within_days: Days
    overdue_days: DaysIfAny


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestDate:
    """The days on which interest is settled (结息日), `MM-DD`, and the days around them."""

    dates: tuple[MonthDay, ...]
    around_days: DaysAround


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUps:
    """How early a promise is shown, and how late it still counts as kept in time."""

    ahead_days: DaysIfAny
    late_after_days: DaysIfAny


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCustomer:
    """Customers of these tiers are seen at least every so many days, and listed a while ahead.

    `ahead_days` is below `every_days`: else they would be listed again on the day of a contact.
    Here and below a tier counts while it holds, by `tier.valid_days` of value.toml.
    """

    tiers: tuple[Name, ...]
    every_days: Days
    ahead_days: DaysIfAny

    def __post_init__(self) -> None:
        ahead, every = self.ahead_days, self.every_days
        require(ahead < every, f"ahead_days: {ahead} is not below every_days {every}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Festival:
    """Key customers are greeted before these festivals of festivals.toml (逢年过节)."""

    before_days: DaysAround
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FestivalDays:
    """A festival and its days of all years that are known: at least one, the earliest first.

    No other festival has its name.
    """

    name: Name
    days: tuple[date, ...]

    def __post_init__(self) -> None:
        require_some("days", self.days)
        require_rising("days:", self.days)

    def next_on(self, day: date) -> date | None:
        """Return its first day from a day on, None after the last one known."""
        place = bisect_left(self.days, day)
        return self.days[place] if place < len(self.days) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Festivals:
    """The festivals that agenda.toml may name, with their days."""

    festivals: tuple[FestivalDays, ...]

    def __post_init__(self) -> None:
        require_once("festivals", [festival.name for festival in self.festivals])


@dataclass(frozen=True, slots=True, kw_only=True)
class Birthday:
    """Customers of these tiers, all where there are none, are greeted before their birthday."""

    tiers: tuple[Name, ...]
    before_days: DaysAround


@dataclass(frozen=True, slots=True, kw_only=True)
class Cold:
    """Days without any contact."""

    after_days: Days


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Local times, `HH:MM`, between which the bank stays away on these channels.

    `from_time` itself is quiet, `to_time` is not, and the two differ; the hours may reach over
    midnight. A contact in them is told for `told_days`, its own day among them.
    """

    from_time: LocalTime
    to_time: LocalTime
    channels: tuple[Channel, ...]
    told_days: Days

    def __post_init__(self) -> None:
        differ = self.from_time != self.to_time
        require(differ, f"from_time: {self.from_time!r} is to_time too; nothing lies between them")

    def covers(self, local_minute: int) -> bool:
        """Tell whether a minute of the day is quiet."""
        first, end = _minute(self.from_time), _minute(self.to_time)
        if first <= end:
            return first <= local_minute < end
        return local_minute >= first or local_minute < end


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyContacts:
    """More contacts by the bank than this within so many days (轰炸).

    They are told for `told_days`, the day on which it was one too many among them.
    """

    contacts_max: Count
    within_days: Days
    told_days: Days


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaFile:
    """The rules of the contact agenda. `reasons` has every reason once, the most urgent first."""

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
        missing = ", ".join(reason for reason in REASONS if reason not in self.reasons)
        require(not missing, f"reasons: without {missing}; every reason is there, once")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaRules(AgendaFile):
    """The entries of the file, and what others say: a tier's days, the days of its festivals."""

    tier_valid_days: Days
    greeted: tuple[FestivalDays, ...]

    @property
    def festival_years(self) -> range:
        """The years in which all the festivals are known, every year where there are none."""
        first = max((each.days[0].year for each in self.greeted), default=date.min.year)
        last = min((each.days[-1].year for each in self.greeted), default=date.max.year)
        return range(first, last + 1)


def _minute(told: str) -> int:
    return 60 * int(told[:2]) + int(told[3:])
