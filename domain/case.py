"""A commitment at a close: its tests, what was reported of them, and what was told since."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from domain.compliance import tests
from domain.inputs import hash_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from domain.commitment import Metric
    from domain.compliance import Agreed, Test, WindowResult
    from domain.counted_balances import Deposit
    from domain.reported import Outcome
    from domain.requirement import Flow
    from domain.values import Minor


class Report(Protocol):
    """What was reported of a window last; `applied` is the amount of its consequence, if any."""

    @property
    def tested_on(self) -> date: ...  # noqa: D102 - a field
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
    def inputs_sha256(self) -> str: ...  # noqa: D102 - a field
    @property
    def applied(self) -> Minor | None: ...  # noqa: D102 - a field


class Change(NamedTuple):
    """An event told since the last close that bears on tests of days gone by.

    `account_id`: a balance, of the day `on`; else something about the commitment or its loan.
    """

    position: int
    event_id: str
    on: date
    account_id: str | None = None


class Finding(NamedTuple):
    """A test of an ended window, its outcome, and what it rests on."""

    test: Test
    outcome: Outcome
    inputs_count: int
    inputs_sha256: str


@dataclass(frozen=True, slots=True)
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
        lines = lines_of(test, self.deposits, self.flows)
        return Finding(test, cast("Outcome", test.result.status), len(lines), hash_of(lines))

    def restated(self, window_start: date, found: Finding | None) -> bool:
        """Tell whether the report of a window does not stand any more, time that passed apart.

        Either its figures are others now, or made again on its own day it would be another.
        """
        report = self.reports.get(window_start)
        if report is None:
            return False
        if found is None:
            return report.outcome != "void"
        if _figures(found.test.result) != _figures(report):
            return True
        if not self.changes:
            return False
        then = self.findings(report.tested_on).get(window_start)
        if then is None:
            return True
        told = (report.outcome, report.inputs_sha256)
        return (then.outcome, then.inputs_sha256) != told


def _figures(of: Report | WindowResult) -> tuple[object, ...]:
    return of.window_end, of.metric, of.balance_days, of.required_days, of.shortfall
