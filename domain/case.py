"""A commitment at a close: its tests, what was reported of them, and what was told since."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias, cast

from domain.compliance import SHORT, tests
from domain.counted_balances import deposits_counted
from domain.inputs import inputs_of, last_day_that_mattered, rests_on_debt
from domain.windows import LONGER, period_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.commitment import Metric
    from domain.compliance import Agreed, Test, WindowResult
    from domain.counted_balances import Deposit
    from domain.reported import Outcome
    from domain.requirement import Flow
    from domain.values import Minor
    from domain.windows import Window


Touched: TypeAlias = Literal["account", "balance", "debt", "terms", "waiver"]


class Report(Protocol):
    """What was reported of a window last, on the ledger up to position `through`.

    `applied` is the amount of its consequence, if any.
    """

    @property
    def tested_on(self) -> date: ...  # noqa: D102 - a field
    @property
    def through(self) -> int: ...  # noqa: D102 - a field
    @property
    def window_end(self) -> date: ...  # noqa: D102 - a field
    @property
    def metric(self) -> Metric: ...  # noqa: D102 - a field
    @property
    def balance_days(self) -> int: ...  # noqa: D102 - a field
    @property
    def required_days(self) -> int: ...  # noqa: D102 - a field
    @property
    def shortfall(self) -> int | None: ...  # noqa: D102 - a field
    @property
    def outcome(self) -> Outcome: ...  # noqa: D102 - a field
    @property
    def cured_on(self) -> date | None: ...  # noqa: D102 - a field
    @property
    def inputs_sha256(self) -> str: ...  # noqa: D102 - a field
    @property
    def applied(self) -> Minor | None: ...  # noqa: D102 - a field


class Change(NamedTuple):
    """An event that may make a test of days gone by another one.

    `on` is the day of a balance, of what changed a debt, or of a release, else that of the
    telling. `account_id` is there for an account and its balances. `span` holds the first and last
    day that terms are about: of a waiver, on which windows begin.
    """

    position: int
    event_id: str
    on: date
    of: Touched
    account_id: str = ""
    span: tuple[date, date] = (date.min, date.max)


class Bearing(NamedTuple):
    """What a test of a window rests on: accounts, the days of their balances, and debt or not.

    `reported_end` is the last day that its window had in the last report.
    """

    window: Window
    today: int
    accounts: frozenset[str]
    first: int
    last: int
    rests_on_debt: bool
    reported_end: int

    @classmethod
    def of(cls, test: Test, deposits: Sequence[Deposit], last: Report) -> Bearing:
        """Return what a test and the last report of its window rest on, of these accounts.

        Where a surplus is carried in, the windows before it are among it.
        """
        window, first = test.window, test.window.first
        every = [stretch.terms for stretch in window.stretches]
        counted = {d.account_id for terms in every for d in deposits_counted(terms, deposits)}
        if window.follows and window.terms.netting == "carry_surplus":
            first = period_first(LONGER[window.terms.window], first)
            counted = {deposit.account_id for deposit in deposits}
        return cls(
            window,
            test.evidence.today,
            frozenset(counted),
            first - max(terms.missing_days for terms in every),
            max(last_day_that_mattered(test), _last_day_of(last, window)),
            any(map(rests_on_debt, every)),
            last.window_end.toordinal(),
        )

    def is_touched(self, change: Change) -> bool:
        """Tell whether the test may come out otherwise for a change."""
        on = change.on.toordinal()
        if on > self.today:
            return False
        first, last = (day.toordinal() for day in change.span)
        match change.of:
            case "terms":  # those that cut the window hold from the day after it
                return first <= max(self.window.last, self.reported_end)
            case "waiver":
                return first <= self.window.first <= last
            case "debt":
                return self.rests_on_debt and on <= self.window.last
            case "account":
                return change.account_id in self.accounts and on <= self.last
            case "balance":
                return change.account_id in self.accounts and self.first <= on <= self.last


def _last_day_of(report: Report, window: Window) -> int:
    """Return the last day that mattered to the last report of a window."""
    if report.cured_on is not None:
        return report.cured_on.toordinal()
    if report.outcome not in SHORT:
        return report.window_end.toordinal()
    cure_days = window.terms.grace_days + window.terms.cure_days
    return min(report.tested_on.toordinal(), report.window_end.toordinal() + cure_days)


class Finding(NamedTuple):
    """A test of an ended window, its outcome, and what it rests on."""

    test: Test
    outcome: Outcome
    inputs_count: int
    inputs_sha256: str


@dataclass(slots=True)
class Case:
    """A commitment with all that its tests rest on, what was reported, and what changed since.

    `reports` are the last ones, by the start of their windows.
    """

    customer_id: str
    commitment_id: str
    agreed: Agreed
    deposits: Sequence[Deposit]
    flows: Sequence[Flow]
    reports: Mapping[date, Report]
    changes: Sequence[Change] = ()
    _findings: dict[date, dict[date, Finding]] = field(default_factory=dict)

    def findings(self, as_of: date) -> dict[date, Finding]:
        """Return what there is to report of each window ended by a date, by its start."""
        found = self._findings.get(as_of)
        if found is None:
            found = self._findings[as_of] = {}
            for test in tests(self.agreed, self.deposits, self.flows, as_of):
                if test.result.window_end > as_of:
                    break
                found[test.result.window_start] = self._finding(test)
        return found

    def _finding(self, test: Test) -> Finding:
        inputs = inputs_of(test, self.deposits, self.flows)
        return Finding(test, cast("Outcome", test.result.status), inputs.facts, inputs.sha256)

    def restated(self, window_start: date, found: Finding | None) -> bool:
        """Tell whether the report of a window does not stand any more, time that passed apart.

        Either its figures are others now, or made again on its own day it would be another.
        """
        report = self.reports.get(window_start)
        if report is None or (report.outcome == "void" and found is None):
            return False
        if report.outcome == "void":  # of a window that ends on another day, nothing was said
            return window_start in self.findings(report.tested_on)
        if found is None or _figures(found.test.result) != _figures(report):
            return True
        if not self.changes:
            return False
        then = self.findings(report.tested_on).get(window_start)
        told = (report.outcome, report.inputs_sha256)
        return then is None or (then.outcome, then.inputs_sha256) != told

    def restated_by_terms(self, as_of: date) -> bool:
        """Tell whether a report does not stand any more, and terms were told.

        They may have another rest on what was told long before, and bore on nothing then.
        """
        if all(change.of != "terms" for change in self.changes):
            return False
        found = self.findings(as_of)
        return any(self.restated(start, found.get(start)) for start in self.reports)


def _figures(of: Report | WindowResult) -> tuple[object, ...]:
    return of.window_end, of.metric, of.balance_days, of.required_days, of.shortfall
