"""A commitment at a close: its tests, what was reported of them, and what was told since."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias, cast

from domain.compliance import is_carried_into, tests
from domain.consequence import consequence_of
from domain.counted_balances import deposits_counted
from domain.inputs import inputs_of, last_day_that_mattered, rests_on_debt
from domain.windows import stretches, windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from domain.commitment import Metric
    from domain.compliance import Agreed, Test, WindowResult
    from domain.counted_balances import Deposit
    from domain.reported import Outcome
    from domain.requirement import Flow
    from domain.values import Minor

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
    def carried_days(self) -> int: ...  # noqa: D102 - a field
    @property
    def unknown_days(self) -> int: ...  # noqa: D102 - a field
    @property
    def balance_days(self) -> int: ...  # noqa: D102 - a field
    @property
    def required_days(self) -> int: ...  # noqa: D102 - a field
    @property
    def surplus(self) -> int: ...  # noqa: D102 - a field
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
    """The accounts that a test rests on, the days of their balances, and those of the debt.

    Up to `last` and `debt_last`; the latter lies before all days where it rests on no debt.
    """

    accounts: frozenset[str]
    first: int
    last: int
    debt_last: int

    @classmethod
    def of(cls, test: Test, deposits: Sequence[Deposit]) -> Bearing:
        """Return what a test rests on, of these accounts, the surplus carried into it apart."""
        every = [stretch.terms for stretch in test.window.stretches]
        return cls(
            frozenset(d.account_id for terms in every for d in deposits_counted(terms, deposits)),
            test.window.first - max(terms.missing_days for terms in every),
            last_day_that_mattered(test),
            test.window.last if any(map(rests_on_debt, every)) else 0,
        )

    @classmethod
    def of_surplus(cls, test: Test, deposits: Sequence[Deposit]) -> Bearing:
        """Return what rests on a test's window alone: what it has to spare, whatever it costs."""
        window = test.window
        asked = any(stretch.terms.requirement_kind != "amount" for stretch in window.stretches)
        return cls.of(test, deposits)._replace(
            last=window.last, debt_last=window.last if asked else 0
        )

    def is_touched(self, change: Change) -> bool:
        """Tell whether an account, a balance or a change of the debt is among them."""
        on = change.on.toordinal()
        if change.of == "debt":
            return on <= self.debt_last
        first = self.first if change.of == "balance" else 0
        return change.account_id in self.accounts and first <= on <= self.last


class Finding(NamedTuple):
    """A test of an ended window, its outcome, and what it rests on."""

    test: Test
    outcome: Outcome
    inputs_count: int
    inputs_sha256: str


@dataclass(slots=True)
class Case:
    """A commitment with all that its tests rest on, what was reported, and what changed since.

    `reports` are the last ones, by the start of their windows. `doubted`: what they rest on may
    have changed unseen, for some of it was set aside once.
    """

    customer_id: str
    commitment_id: str
    agreed: Agreed
    deposits: Sequence[Deposit]
    flows: Sequence[Flow]
    reports: Mapping[date, Report]
    changes: Sequence[Change] = ()
    doubted: bool = False
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

    def window_end(self, as_of: date, window_start: date) -> date | None:
        """Return the last day of the window that begins on a day, ended or not; None without."""
        days = stretches(self.agreed.terms, self.agreed.released_on, as_of)
        ends = (each.last for each in windows(days) if each.first == window_start.toordinal())
        return next(map(date.fromordinal, ends), None)

    def bearings(self, as_of: date, window_start: date) -> Iterator[Bearing]:
        """Yield what the test of an ended window rests on, then what may spare for it."""
        found = self.findings(as_of)
        if window_start not in found:
            return
        test = found[window_start].test
        yield Bearing.of(test, self.deposits)
        before = [each.test for start, each in found.items() if start < window_start]
        while is_carried_into(test.window):
            kind = "average", test.window.terms.window
            test = before.pop()
            while (test.result.metric, test.window.terms.window) != kind:
                test = before.pop()
            yield Bearing.of_surplus(test, self.deposits)

    def restated(self, window_start: date, found: Finding | None) -> bool:
        """Tell whether the report of a window does not stand any more, time that passed apart.

        Either its figures are others now, or made again on its own day it would be another.
        """
        report = self.reports.get(window_start)
        if report is None or (report.outcome == "void" and found is None):
            return False
        if report.outcome == "void":  # of a window that ends on another day, nothing was said
            return window_start in self.findings(report.tested_on)
        if found is None or _figures(found.test.result, found.test) != _figures(report, report):
            return True
        if found.outcome == report.outcome == "breached" and _cost(found.test) != report.applied:
            return True
        if not self.changes and not self.doubted:
            return False
        then = self.findings(report.tested_on).get(window_start)
        told = (report.outcome, report.inputs_sha256)
        return then is None or (then.outcome, then.inputs_sha256) != told

    def restated_after(self, as_of: date) -> int | None:
        """Return the first position on which a report rests that does not stand, None without."""
        found = self.findings(as_of)
        return min(
            (
                report.through
                for start, report in self.reports.items()
                if self.restated(start, found.get(start))
            ),
            default=None,
        )


def _cost(test: Test) -> Minor | None:
    """Return what a breach costs, None where nothing is to be applied."""
    shortfall = test.result.shortfall
    assert shortfall is not None, "a breach has a shortfall"
    cost = consequence_of(test.window, shortfall, test.evidence.debt)
    return None if cost.kind == "none" else cost.amount


def _figures(of: Report | WindowResult, carried_into: Report | Test) -> tuple[object, ...]:
    """Return what a window came to, but for what time alone changes."""
    return (
        of.window_end,
        of.metric,
        of.carried_days,
        of.unknown_days,
        of.balance_days,
        of.required_days,
        carried_into.surplus,
        of.shortfall,
    )
