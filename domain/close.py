"""The close of a business day (日终): which windows are tested, and what is reported of them.

A window is tested at the close of its last day, and again at each close at which its outcome is
another: a grace that ends, a cure, the end of the cure days, a waiver. Where what was told since
gives it other figures, or would have had the earlier test rest on other inputs, the window is
tested again too, and the new test says which one it restates.

Event ids follow from what was tested and when, so a close that is run again makes the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

from domain import checks
from domain.case import Bearing
from domain.consequence import TAKEN_BACK, consequence_of
from domain.errors import CloseTooLongError, CloseUnfinishedError, PacksDifferError
from domain.inputs import NONE
from domain.reported import (
    Cause,
    CommitmentBreached,
    CommitmentCured,
    CommitmentTested,
    ConsequenceApplied,
)
from domain.windows import stretches, windows

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from domain.case import Case, Change, Finding, Report
    from domain.compliance import Agreed
    from domain.reported import ReportEvent

LEDGER = "ledger"  # the partition key of the ledger's own events (DESIGN section 4)
RULES_VERSION = 1  # of the rules of `domain.compliance`: raised when a figure comes out otherwise
CAUSES_MAX = 100  # named in one test
CLOSE_DAYS_MAX = 1_100  # closed by one call: three years

Balances: TypeAlias = Literal["observed", "carried"]


@dataclass(frozen=True, slots=True)
class PackUsed:
    """A policy pack and the SHA-256 (hex) of its file, and of the rules in use that it names."""

    pack: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseStarted:
    """The day's tests run on what the ledger holds up to this event's own position.

    `balances`: `observed` where every counted account had one of the day, but for those of who
    was forgotten or set aside; `carried` where the close was told to go on without. `packs`
    judge; none where it was to raise no findings.
    """

    customer_id: str
    business_date: date
    balances: Balances
    packs: tuple[PackUsed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDateClosed:
    """All that was due has been reported; `reported` counts the events, findings too.

    Those are left out that a close finished unjudged had raised before.
    """

    customer_id: str
    business_date: date
    through: int
    tested: int
    reported: int


CloseEvent: TypeAlias = CloseStarted | BusinessDateClosed


class Closing(NamedTuple):
    """The close of a day of a ledger, on what that holds up to the position `through`."""

    ledger_id: str
    on: date
    through: int


def event_id(
    ledger_id: str, on: date, kind: str, about: str = "", window_start: date | None = None
) -> str:
    """Return the id of an event of the close of a day: a UUID of version 5.

    `about` is the id of the commitment or finding.
    """
    begins = window_start.isoformat() if window_start else ""
    name = _named(ledger_id, on, kind) + f"{about}:{begins}".encode()
    return _uuid5(sha1(name, usedforsecurity=False).hexdigest())


@lru_cache(maxsize=64)
def _named(ledger_id: str, on: date, kind: str) -> bytes:
    """Return how the names of all events of a kind begin: the name space comes first."""
    return UUID(ledger_id).bytes + f"{on}:{kind}:".encode()


def _uuid5(digest: str) -> str:
    """Return the UUID of a SHA-1, as `uuid.uuid5` in a third of its time."""
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def dates_to_close(
    finished: date | None, started: date | None, first: date, through: date
) -> list[date]:
    """Return the days that a call closes: those asked for, those skipped, one left unfinished.

    `finished` and `started` are the last closes so far. Empty where all is closed. Raises
    `DatesOutOfOrderError`, `CloseUnfinishedError`, `CloseTooLongError`.
    """
    checks.in_order("through", through, "business_date", first)
    if started is not None and started != finished and through < started:
        raise CloseUnfinishedError("business_date", first.isoformat(), f"that of {started}")
    begin = finished + timedelta(days=1) if finished else started or first
    days = (through - begin).days + 1
    if days > CLOSE_DAYS_MAX:
        detail = f"{days:,} days, {CLOSE_DAYS_MAX:,} at most"
        raise CloseTooLongError("business_date", through.isoformat(), detail)
    return [begin + timedelta(days=day) for day in range(days)]


def check_packs(started: CloseStarted, packs: Sequence[PackUsed]) -> None:
    """Refuse to finish a close by other packs than it was begun with. Raises `PacksDifferError`.

    In whatever order they are named. A close that was begun without any is finished without.
    """
    if started.packs and {*started.packs} != {*packs}:
        begun = ", ".join(each.pack for each in started.packs)
        detail = f"that of {started.business_date}, with {begun}"
        raise PacksDifferError("pack", ", ".join(each.pack for each in packs), detail)


def is_due(agreed: Agreed, reported: Container[date], on: date) -> bool:
    """Tell whether the close of a day has to look at a commitment of which nothing changed.

    So it is while the day itself can bring a window another outcome, when something told
    beforehand begins to be known, and when an ended window was never reported.
    """
    if agreed.agreed_on > on:
        return False
    today = on.toordinal()
    for window in windows(stretches(agreed.terms, agreed.released_on, on)):
        if window.last > today:
            break
        settled = window.last + window.terms.grace_days + window.terms.cure_days + 1
        if today <= settled or date.fromordinal(window.first) not in reported:
            return True
    return on in told_on(agreed)


def told_on(agreed: Agreed) -> set[date | None]:
    """Return the days on which something about a commitment begins to be known."""
    days: set[date | None] = {one.told_on for one in agreed.terms}
    return days | {one.told_on for one in agreed.waivers} | {agreed.released_on}


def report(case: Case, closing: Closing) -> Iterator[tuple[str, ReportEvent]]:
    """Yield what the close of a day reports of a commitment, each event with its id, in order."""
    found = case.findings(closing.on)
    for window_start in sorted(found.keys() | case.reports.keys()):
        finding, last = found.get(window_start), case.reports.get(window_start)
        outcome = finding.outcome if finding else "void"
        restated = case.restated(window_start, finding)
        if last is None or restated or last.outcome != outcome:
            yield from _About(case, closing, window_start, finding, last, restated).events()


class _About(NamedTuple):
    """A window that is to be reported; without a finding it is void."""

    case: Case
    closing: Closing
    window_start: date
    finding: Finding | None
    last: Report | None
    restated: bool

    def events(self) -> Iterator[tuple[str, ReportEvent]]:
        tested = self._tested()
        test_id = self._id("commitment-tested")
        yield test_id, tested
        about: dict[str, Any] = {
            "customer_id": tested.customer_id,
            "commitment_id": tested.commitment_id,
            "window_start": tested.window_start,
            "window_end": tested.window_end,
            "test_id": test_id,
        }
        on, short = self.closing.on, tested.shortfall
        if tested.outcome == "breached":
            breached = CommitmentBreached(breached_on=on, shortfall=_int(short), **about)
            yield self._id("commitment-breached"), breached
        elif tested.outcome == "cured" and tested.cured_on is not None:
            cured_on = tested.cured_on
            cured = CommitmentCured(found_on=on, cured_on=cured_on, shortfall=_int(short), **about)
            yield self._id("commitment-cured"), cured
        applied = self._applied(about)
        if applied is not None:
            yield self._id("consequence-applied"), applied

    def _tested(self) -> CommitmentTested:
        causes = self._causes()
        told: dict[str, Any] = {
            "customer_id": self.case.customer_id,
            "commitment_id": self.case.commitment_id,
            "window_start": self.window_start,
            "tested_on": self.closing.on,
            "rules_version": RULES_VERSION,
            "through": self.closing.through,
            "restates": self._restates(),
            "causes": tuple(map(_cause, causes[:CAUSES_MAX])),
            "causes_count": len(causes),
        }
        if self.finding is None:
            assert self.last is not None
            return CommitmentTested(
                window_end=self.last.window_end, metric=self.last.metric, **_VOID, **told
            )
        result = self.finding.test.result
        return CommitmentTested(
            window_end=result.window_end,
            metric=result.metric,
            days=result.days,
            carried_days=result.carried_days,
            unknown_days=result.unknown_days,
            balance_days=result.balance_days,
            required_days=result.required_days,
            surplus=self.finding.test.surplus,
            shortfall=result.shortfall,
            outcome=self.finding.outcome,
            cured_on=result.cured_on,
            inputs_count=self.finding.inputs_count,
            inputs_sha256=self.finding.inputs_sha256,
            **told,
        )

    def _applied(self, about: dict[str, Any]) -> ConsequenceApplied | None:
        """Return what the breach costs, or that what was applied before is taken back."""
        cost, before = TAKEN_BACK, self.last.applied if self.last else None
        currency = self.case.agreed.terms[0].terms.currency
        if self.finding is not None and self.finding.outcome == "breached":
            test = self.finding.test
            cost = consequence_of(test.window, _int(test.result.shortfall), test.evidence.debt)
        if cost.kind == "none" and not before:
            return None
        return ConsequenceApplied(
            applied_on=self.closing.on,
            kind=cost.kind,
            basis=cost.basis,
            base=cost.base,
            rate=cost.rate,
            divisor=cost.divisor,
            amount=cost.amount,
            currency=currency,
            **about,
        )

    def _causes(self) -> Sequence[Change]:
        """Return the changes told since the last test that bear on the window, or took it away.

        Where that test stands all the same, it is a waiver that gives another outcome.
        """
        last, waived = self.last, self.finding is not None and self.finding.outcome == "waived"
        if last is None or not (self.restated or waived):
            return ()
        news = [one for one in self.case.changes if self._is_news(one, last)]
        if not self.restated:
            return [one for one in news if one.of == "waiver" and self._bears(one, (), date.min)]
        end, bearings = last.window_end, list[Bearing]()
        for as_of in (self.closing.on, last.tested_on):  # as of its own day, on others perhaps
            end = max(end, self.case.window_end(as_of, self.window_start) or end)
            bearings += self.case.bearings(as_of, self.window_start)
        if last.outcome == "void":  # what cuts the window, so that there is one, takes effect then
            end += timedelta(days=1)
        return [one for one in news if self._bears(one, bearings, end)]

    def _bears(self, change: Change, on_tests: Sequence[Bearing], end: date) -> bool:
        first, last = change.span
        if change.of == "waiver":
            return first <= self.window_start <= last
        if change.of == "terms":  # those that cut the window hold from the day after it
            return first <= end
        return any(each.is_touched(change) for each in on_tests)

    def _is_news(self, change: Change, last: Report) -> bool:
        """Tell whether a change was told since the last test, or was not known on its day.

        A fact of a later day than that is none: it is what time brought.
        """
        since, later = change.position > last.through, change.on > last.tested_on
        if change.of in {"terms", "waiver"}:
            return (since or later) and change.on <= self.closing.on
        return since and not later

    def _restates(self) -> str | None:
        if not self.restated or self.last is None:
            return None
        return self._id("commitment-tested", self.last.tested_on)

    def _id(self, kind: str, on: date | None = None) -> str:
        ledger_id, commitment_id = self.closing.ledger_id, self.case.commitment_id
        return event_id(ledger_id, on or self.closing.on, kind, commitment_id, self.window_start)


def _cause(change: Change) -> Cause:
    return Cause(position=change.position, event_id=change.event_id)


_VOID: dict[str, Any] = {
    "days": 0,
    "carried_days": 0,
    "unknown_days": 0,
    "balance_days": 0,
    "required_days": 0,
    "surplus": 0,
    "shortfall": None,
    "outcome": "void",
    "cured_on": None,
    "inputs_count": NONE.facts,
    "inputs_sha256": NONE.sha256,
}


def _int(shortfall: int | None) -> int:
    assert shortfall is not None, "a short window has a shortfall"
    return shortfall
