"""The windows of a deposit commitment: on which days which terms hold, and how they are cut.

A day belongs to a commitment when it lies between the start and the end of the terms in force
on it, before any release. The terms in force on a day are, of those told by the date of the
question, the ones with the latest day of effect up to it (of one day's, the last told); before
the first amendment takes effect they are those agreed.

Calendar windows are clipped to the commitment's days. An amendment that changes the metric or
the kind of window ends the running window the day before and begins another. Days that belong to
no terms part a window too: those from an end to a later day of effect, or from a day of effect to
a later start. Any other amendment holds from its day on within the window. Days are proleptic
Gregorian ordinals here.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.commitment import Metric, Terms, WindowKind

MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
LONGER = {"month": "quarter", "quarter": "half_year", "half_year": "year"}


class TermsTold(Protocol):
    """Terms with the day they were told and the day from which they hold."""

    @property
    def told_on(self) -> date: ...  # noqa: D102 - a field
    @property
    def effective_on(self) -> date: ...  # noqa: D102 - a field
    @property
    def terms(self) -> Terms: ...  # noqa: D102 - a field


AnyTerms = TypeVar("AnyTerms", bound=TermsTold)


class Stretch(NamedTuple):
    """Days, both ends included, on which the same terms are in force."""

    first: int
    last: int
    terms: Terms


class Window(NamedTuple):
    """The days of one test, in stretches of equal terms, in order.

    `terms` are those in force on the last day: they say grace, cure and netting. `follows`: the
    last window before it of the same metric and kind, whatever lies between, is in the same longer
    period (month in quarter, quarter in half year, half year in year), so a surplus may be
    carried over.
    """

    first: int
    last: int
    stretches: Sequence[Stretch]
    terms: Terms
    follows: bool


def stretches(
    told: Sequence[TermsTold], released_on: date | None, as_of: date
) -> Sequence[Stretch]:
    """Return the commitment's days in order, as known on a date; `told` in ledger order."""
    terms = told[0].terms
    if len(told) == 1 and released_on is None:  # most commitments: nothing has to be sorted out
        return [Stretch(terms.starts_on.toordinal(), terms.ends_on.toordinal(), terms)]
    known = [(date.min, terms)]
    known += [(one.effective_on, one.terms) for one in told_by(told, as_of)[1:]]
    released = released_on if released_on and released_on <= as_of else None
    return in_force(known, released)


def told_by(told: Sequence[AnyTerms], as_of: date) -> Sequence[AnyTerms]:
    """Return the terms agreed, then those told by a date by day of effect, of one day as told."""
    amended = [one for one in told[1:] if one.told_on <= as_of]
    amended.sort(key=lambda one: (one.effective_on, one.told_on))
    return [told[0], *amended]


def in_force(known: Sequence[tuple[date, Terms]], released_on: date | None) -> Sequence[Stretch]:
    """Return the days on which each of the terms is in force; `known` by their day of effect."""
    over = date.max.toordinal() + 1
    found = []
    ends = [effective.toordinal() for effective, _ in known[1:]] + [over]
    released = released_on.toordinal() if released_on else over
    for (effective, terms), end in zip(known, ends, strict=True):
        first = max(effective.toordinal(), terms.starts_on.toordinal())
        last = min(end - 1, released - 1, terms.ends_on.toordinal())
        if first <= last:
            found.append(Stretch(first, last, terms))
    return found


def terms_at(days: Sequence[Stretch], on: date) -> Terms | None:
    """Return the terms in force on a day, None where it belongs to none."""
    day = on.toordinal()
    return next((each.terms for each in days if each.first <= day <= each.last), None)


def windows(days: Sequence[Stretch]) -> Iterator[Window]:
    """Cut a commitment's days into windows, earliest first."""
    run: list[Stretch] = []
    periods: dict[tuple[Metric, WindowKind], int] = {}
    for stretch in days:
        if run and not _goes_on(run[-1], stretch):
            yield from _cut(run, periods)
            run = []
        run.append(stretch)
    if run:
        yield from _cut(run, periods)


def _goes_on(before: Stretch, after: Stretch) -> bool:
    old, new = before.terms, after.terms
    adjacent = before.last + 1 == after.first
    return adjacent and (old.metric, old.window) == (new.metric, new.window)


def _cut(
    run: Sequence[Stretch], periods: dict[tuple[Metric, WindowKind], int]
) -> Iterator[Window]:
    """Cut days without a gap, of one metric and kind of window.

    `periods` holds the last day of the longer period of the last window of each such pair.
    """
    metric, kind = run[0].terms.metric, run[0].terms.window
    longer = LONGER.get(kind)
    first, end = run[0].first, run[-1].last
    period = periods.get((metric, kind), 0)
    while first <= end:
        last = end if kind == "term" else min(end, period_last(kind, first))
        within = [one for one in run if one.first <= last and first <= one.last]
        now = period_last(longer, first) if longer else 0
        follows = longer is not None and period == now
        yield Window(first, last, within, within[-1].terms, follows)
        first, period = last + 1, now
    periods[metric, kind] = period


@lru_cache(maxsize=4096)
def period_last(kind: str, day: int) -> int:
    """Return the last day of the calendar period of a kind (not `term`) that a day lies in."""
    on = date.fromordinal(day)
    months = MONTHS[kind]
    month = (on.month + months - 1) // months * months
    return date(on.year, month, monthrange(on.year, month)[1]).toordinal()


def period_first(kind: str, day: int) -> int:
    """Return the first day of the calendar period of a kind (not `term`) that a day lies in."""
    on = date.fromordinal(day)
    return date(on.year, on.month - (on.month - 1) % MONTHS[kind], 1).toordinal()


def months_later(day: date, months: int) -> date:
    """Return the same day some months later or earlier, the last one of a shorter month.

    Beyond the calendar, its first or last day.
    """
    years, month = divmod(day.month - 1 + months, MONTHS["year"])
    year = day.year + years
    if not date.min.year <= year <= date.max.year:
        return date.max if months > 0 else date.min
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
