"""The sums of one window: balance-days (积数), requirement, gaps, as known on a day.

Amounts are minor units, sums of daily amounts balance-days, days proleptic Gregorian ordinals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from domain.counted_balances import CARRIED, UNKNOWN, Counted, count, deposits_counted
from domain.requirement import Debt, Run, requirement
from domain.values import share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.commitment import Metric, Terms
    from domain.counted_balances import Deposit
    from domain.values import Minor
    from domain.windows import Window


@dataclass(slots=True)
class Evidence:
    """Debt and deposits as known on the day `today`, wanted on the days from first to last."""

    today: int
    first: int
    last: int
    debt: Debt
    deposits: Sequence[Deposit]
    _counted: dict[tuple[object, int], Counted] = field(default_factory=dict)

    def counted(self, terms: Terms) -> Counted:
        """Return what the terms count on each day wanted, the last one no later than today."""
        key = (terms.accounts, terms.missing_days)
        counted = self._counted.get(key)
        if counted is None:
            counted = count(terms, self.deposits, self.first, min(self.last, self.today))
            self._counted[key] = counted
        return counted

    def observed(self, terms: Terms) -> bool:
        """Tell whether any counted account has a balance by now."""
        return any(
            balance is not None
            for deposit in deposits_counted(terms, self.deposits)
            for balance in deposit.balances[: max(0, self.today + 1 - deposit.first)]
        )


class Sums(NamedTuple):
    """What a window adds up to; outlook and gaps hold today's total flat on the coming days."""

    carried_days: int
    unknown_days: int
    balance_days: int
    required_days: int
    outlook: int
    widest_gap: Minor
    last_gap: Minor
    last_required: Minor

    def gap(self, metric: Metric, surplus: int) -> int:
        """Return what the window lacks, balances staying as they are: met if not positive."""
        match metric:
            case "average":
                return self.required_days - self.outlook - surplus
            case "minimum":
                return self.widest_gap
            case "ending":
                return self.last_gap


class CountedDay(NamedTuple):
    """A day of a window or of its cure days: what counts of it, and the requirement.

    `balance` is the total after the cap; both are None where the day is unknown.
    """

    on: date
    total: Minor | None
    balance: Minor | None
    carried: bool
    required: Minor
    cure: bool = False


def add_up(window: Window, evidence: Evidence) -> Sums:
    """Return a window's sums; on coming days counts the uncapped total of today, capped anew."""
    carried = unknown = balance_days = required_days = to_come = 0
    held = widest_gap = last_gap = required = 0
    for terms, (first, last, required) in _runs(window, evidence):
        ceiling = None if terms.cap_ppm is None else share(required, terms.cap_ppm)
        days = last + 1 - first
        required_days += required * days
        if last <= evidence.today:
            counted = evidence.counted(terms)
            start, end = first - counted.first, last + 1 - counted.first
            carried += counted.marks.count(CARRIED, start, end)
            unknown += counted.marks.count(UNKNOWN, start, end)
            balances = counted.sums[start:end]
            held = balances[-1]
            if ceiling is not None:
                balances = [b if b < ceiling else ceiling for b in balances]  # noqa: FURB136 - a call takes five times as long
            balance_days += sum(balances)
            lowest, final = min(balances), balances[-1]
        else:
            lowest = final = held if ceiling is None else min(held, ceiling)
            to_come += final * days
        widest_gap = max(widest_gap, required - lowest)
        last_gap = required - final
    outlook = balance_days + to_come
    return Sums(
        carried,
        unknown,
        balance_days,
        required_days,
        outlook,
        widest_gap,
        last_gap,
        required,
    )


def counted_days(window: Window, evidence: Evidence) -> Iterator[CountedDay]:
    """Yield the days of a window up to today, each as it counts."""
    for terms, (first, last, required) in _runs(window, evidence):
        if last > evidence.today:
            return
        counted = evidence.counted(terms)
        for day in range(first, last + 1):
            mark, total = counted.marks[day - counted.first], counted.sums[day - counted.first]
            on, carried = date.fromordinal(day), mark == CARRIED
            if mark == UNKNOWN:
                yield CountedDay(on, None, None, carried, required)
            else:
                ceiling = total if terms.cap_ppm is None else share(required, terms.cap_ppm)
                yield CountedDay(on, total, min(total, ceiling), carried, required)


def cure_days(window: Window, evidence: Evidence, last: date | None) -> Iterator[CountedDay]:
    """Yield the cure days up to today, or to the one on which the window was cured."""
    counted, required = evidence.counted(window.terms), add_up(window, evidence).last_required
    first = window.last + window.terms.grace_days + 1
    end = min(evidence.today, first + window.terms.cure_days - 1)
    if last is not None:
        end = min(end, last.toordinal())
    for day in range(first, end + 1):
        mark, total = counted.marks[day - counted.first], counted.sums[day - counted.first]
        known = None if mark == UNKNOWN else total
        yield CountedDay(date.fromordinal(day), known, known, mark == CARRIED, required, cure=True)


def _runs(window: Window, evidence: Evidence) -> Iterator[tuple[Terms, Run]]:
    """Yield the runs of equal terms and requirement, none on both sides of today."""
    for stretch in window.stretches:
        terms = stretch.terms
        first, last = max(stretch.first, window.first), min(stretch.last, window.last)
        for run in requirement(terms, evidence.debt, first, last):
            if run.first <= evidence.today < run.last:
                yield terms, run._replace(last=evidence.today)
                yield terms, run._replace(first=evidence.today + 1)
            else:
                yield terms, run
