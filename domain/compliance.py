"""The compliance test (履约测试): a commitment's requirement against the balances of its windows.

Everything is in integers: amounts in minor units, sums of daily amounts in balance-days (积数).
As of a date means at the end of it, knowing nothing dated later. The rules are those of the
design, "Deposit compliance"; how amendments cut windows is told in `domain.windows`.

Cure days are counted under the terms of the window's last day, whatever holds on them.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

from domain.counted_balances import OBSERVED, UNKNOWN
from domain.requirement import Debt
from domain.window_sums import Evidence, add_up, counted_days, cure_days
from domain.windows import stretches, windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from domain.commitment import Metric, WindowKind
    from domain.counted_balances import Deposit
    from domain.requirement import Flow
    from domain.values import Minor
    from domain.window_sums import CountedDay, Sums
    from domain.windows import Stretch, TermsTold, Window

Status: TypeAlias = Literal[
    "waived",
    "not_due",
    "unknown",
    "at_risk",
    "on_track",
    "met",
    "in_grace",
    "cured",
    "in_cure",
    "breached",
]


SHORT = frozenset({"in_cure", "cured", "breached"})  # statuses for which cure days are looked at


class WaiverTold(Protocol):
    """From `told_on` on, the windows that begin within the dates are waived."""

    @property
    def told_on(self) -> date: ...  # noqa: D102 - a field
    @property
    def windows_from(self) -> date: ...  # noqa: D102 - a field
    @property
    def windows_to(self) -> date: ...  # noqa: D102 - a field


class Agreed(Protocol):
    """A commitment's history: terms (those agreed first) and waivers in ledger order."""

    @property
    def agreed_on(self) -> date: ...  # noqa: D102 - a field
    @property
    def terms(self) -> Sequence[TermsTold]: ...  # noqa: D102 - a field
    @property
    def waivers(self) -> Sequence[WaiverTold]: ...  # noqa: D102 - a field
    @property
    def released_on(self) -> date | None: ...  # noqa: D102 - a field


class WindowResult(NamedTuple):
    """One window as of a date, in the order of the export's columns.

    A tuple because a whole book makes them by the ten thousand. `days` so far, the date
    included; `balance_days` of those; `required_days` of the whole window; the shortfall in
    balance-days for `average`, else in minor units.
    """

    metric: Metric
    window_start: date
    window_end: date
    days: int
    carried_days: int
    unknown_days: int
    balance_days: int
    required_days: int
    shortfall: int | None
    needed_run_rate: Minor | None
    status: Status
    cured_on: date | None


class Test(NamedTuple):
    """A window's result, and what it came from: the surplus carried in, and the evidence."""

    result: WindowResult
    window: Window
    surplus: int
    evidence: Evidence


def tests(
    commitment: Agreed, deposits: Sequence[Deposit], flows: Iterable[Flow], as_of: date
) -> Iterator[Test]:
    """Test each window of a commitment as of a date, earliest first, those to come included.

    `deposits` are the accounts that any of its terms may count, `flows` those of the loan, or
    without one of all the customer's loans in the currency.
    """
    if commitment.agreed_on > as_of:
        return
    days = stretches(commitment.terms, commitment.released_on, as_of)
    evidence = _evidence(days, deposits, flows, as_of)
    waivers = [
        (one.windows_from, one.windows_to) for one in commitment.waivers if one.told_on <= as_of
    ]
    spare: dict[WindowKind, int] = {}  # of the last window of each kind: only averages have one
    for window in windows(days):
        terms = window.terms
        surplus = spare[terms.window] if is_carried_into(window) else 0
        result = evaluate(window, evidence, surplus)
        if waivers and any(first <= result.window_start <= last for first, last in waivers):
            result = result._replace(status="waived", cured_on=None)
        yield Test(result, window, surplus, evidence)
        if result.metric == "average":
            left = result.balance_days + surplus - result.required_days
            spare[terms.window] = max(0, left) if not result.unknown_days else 0


def is_carried_into(window: Window) -> bool:
    """Tell whether a window takes over what the last one of its metric and kind had to spare."""
    terms = window.terms
    return window.follows and terms.netting == "carry_surplus" and terms.metric == "average"


def explain(
    commitment: Agreed,
    deposits: Sequence[Deposit],
    flows: Iterable[Flow],
    as_of: date,
    window_start: date,
) -> Iterator[CountedDay]:
    """Yield the days so far of the window that begins on a day; none if there is no such one.

    Where it was short, the cure days that were looked at follow.
    """
    for test in tests(commitment, deposits, flows, as_of):
        if test.result.window_start == window_start:
            yield from counted_days(test.window, test.evidence)
            if test.result.status in SHORT:
                yield from cure_days(test.window, test.evidence, test.result.cured_on)


def evaluate(window: Window, evidence: Evidence, surplus: int) -> WindowResult:
    """Test one window on the evidence's day with the surplus carried into it, waivers apart."""
    today, metric = evidence.today, window.terms.metric
    sums = add_up(window, evidence)
    gap = sums.gap(metric, surplus)
    shortfall = rate = cured_on = None
    status: Status
    if today < window.first:
        status = "not_due"
    elif today < window.last:
        status = _running(window, evidence, sums, gap)
        if metric == "average":
            lacking = sums.required_days - sums.balance_days - surplus
            rate = max(0, -(-lacking // (window.last - today)))
    else:
        if _known(window, evidence, sums):
            shortfall = max(0, gap)
            cured_on = _cured_on(window, evidence, shortfall, sums.last_required)
        status = _ended(window, today, shortfall, cured_on)
    return WindowResult(
        metric,
        date.fromordinal(window.first),
        date.fromordinal(window.last),
        max(0, min(today, window.last) + 1 - window.first),
        sums.carried_days,
        sums.unknown_days,
        sums.balance_days,
        sums.required_days,
        shortfall,
        rate,
        status,
        cured_on,
    )


def _evidence(
    days: Sequence[Stretch], deposits: Sequence[Deposit], flows: Iterable[Flow], as_of: date
) -> Evidence:
    """Return what is known on a date, to the end of the last cure days."""
    first = days[0].first if days else 0
    last = max([one.last + one.terms.grace_days + one.terms.cure_days for one in days], default=0)
    return Evidence(as_of.toordinal(), first, last, Debt.of(flows, as_of), deposits)


def _running(window: Window, evidence: Evidence, sums: Sums, gap: int) -> Status:
    if sums.unknown_days:
        return "unknown"
    if gap > 0 or not evidence.observed(window.terms):
        return "at_risk"
    return "on_track"


def _known(window: Window, evidence: Evidence, sums: Sums) -> bool:
    """Tell whether an ended window can be judged: an `ending` needs its last day observed."""
    if sums.unknown_days or window.terms.metric != "ending":
        return not sums.unknown_days
    counted = evidence.counted(window.terms)
    return counted.marks[window.last - counted.first] == OBSERVED


def _ended(window: Window, today: int, shortfall: int | None, cured_on: date | None) -> Status:
    """Return the status from the last day on; a shortfall of None is not known.

    The last day itself is a grace day, or without any a cure day, where there are any.
    """
    grace, cure = window.terms.grace_days, window.terms.cure_days
    late = today - window.last
    if shortfall == 0:
        return "met"
    if grace and late <= grace:
        return "in_grace"
    if shortfall is None:
        return "unknown"
    if cured_on is not None:
        return "cured"
    return "in_cure" if cure and late <= grace + cure else "breached"


def _cured_on(window: Window, evidence: Evidence, shortfall: int, required: Minor) -> date | None:
    """Return the first cure day so far on which what was missing is made up for, uncapped."""
    if shortfall == 0:
        return None
    terms, counted = window.terms, evidence.counted(window.terms)
    first = window.last + terms.grace_days + 1
    covered = 0
    for day in range(first, min(evidence.today + 1, first + terms.cure_days)):
        mark = counted.marks[day - counted.first]
        spare = counted.sums[day - counted.first] - required
        if terms.metric != "average":
            cured = mark == OBSERVED and spare >= 0
        else:
            covered += 0 if mark == UNKNOWN else spare
            cured = covered >= shortfall
        if cured:
            return date.fromordinal(day)
    return None
