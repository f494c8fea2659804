"""A finding (合规发现): a rule of a policy pack that something offends, and its disposition.

It flags, it never blocks. The law that judged is that of the day of the offence.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias
from uuid import UUID, uuid5

from domain import checks
from domain.errors import (
    FindingIdReservedError,
    JustifiedAloneError,
    KeyConflictError,
    UnknownCustomerError,
    UnknownFindingError,
)
from domain.prospect_rules import brought
from domain.telling import latest_on, told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.world import World

FINDINGS = UUID("6f0a4f0e-7c1e-5a55-9d0c-0d3a0f6b8e21")  # the name space of what packs find
PACKS_UUID_VERSION = 5

Severity: TypeAlias = Literal["review", "low", "medium", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRaised:
    """A rule was found offended, as of `raised_on`.

    `pack` and `rule` in `rule_version`, in force on `offended_on`, judged. `facts` are keys such
    as `draw:D05314-1`, `events` the ids of the events that told them. `customer_id` is `ledger`
    for what the whole bank offends.
    """

    customer_id: str
    finding_id: str
    raised_on: date
    offended_on: date
    pack: str
    rule: str
    rule_version: int
    in_force_from: date
    in_force_to: date | None
    severity: Severity
    facts: tuple[str, ...]
    events: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingAssigned:
    """Somebody has to deal with the finding."""

    customer_id: str
    finding_id: str
    assigned_on: date
    assigned_to: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingJustified:
    """What was found is in order, for the reason given; another person agreed (four eyes)."""

    customer_id: str
    finding_id: str
    justified_on: date
    reason: str
    justified_by: str
    approved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRemediated:
    """What was found was put right."""

    customer_id: str
    finding_id: str
    remediated_on: date
    measure: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingReported:
    """The finding was reported, such as to the supervisor."""

    customer_id: str
    finding_id: str
    reported_on: date
    reported_to: str
    by: str


Disposition: TypeAlias = FindingAssigned | FindingJustified | FindingRemediated | FindingReported
FindingEvent: TypeAlias = FindingRaised | Disposition

# State.


@dataclass(frozen=True, slots=True)
class Finding:
    """What was raised, the assignments in the order told, and the disposition last told."""

    raised: FindingRaised
    assigned: tuple[FindingAssigned, ...] = ()
    last: Disposition | None = None

    def assigned_to(self, on: date) -> str | None:
        """Return who has to deal with it on a day; of one day's assignments the last told."""
        return latest_on(on, ((each.assigned_on, each.assigned_to) for each in self.assigned))


def evolve(finding: Finding | None, event: FindingEvent) -> Finding | None:
    """Return the finding after the event. Total: history is never refused."""
    if isinstance(event, FindingRaised):
        return Finding(event)
    if finding is None:
        return None
    if isinstance(event, FindingAssigned):
        return replace(finding, assigned=(*finding.assigned, event), last=event)
    return replace(finding, last=event)


# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseFinding:
    """Record what somebody found by a rule of a pack; raised once, and never changed."""

    finding_id: str
    customer_id: str
    raised_on: date
    offended_on: date
    pack: str
    rule: str
    rule_version: int
    in_force_from: date
    in_force_to: date | None = None
    severity: Severity
    facts: tuple[str, ...]
    events: tuple[str, ...] = ()
    detail: str


class RaiseFound(RaiseFinding):
    """Record what a pack found when it judged, under an id of its own. Nobody tells it by hand."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignFinding:
    """Say who has to deal with a finding."""

    finding_id: str
    assigned_on: date
    assigned_to: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JustifyFinding:
    """Say why what was found is in order, and who agreed."""

    finding_id: str
    justified_on: date
    reason: str
    justified_by: str
    approved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediateFinding:
    """Say how what was found was put right."""

    finding_id: str
    remediated_on: date
    measure: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFinding:
    """Say to whom the finding was reported."""

    finding_id: str
    reported_on: date
    reported_to: str
    by: str


DisposeCommand: TypeAlias = AssignFinding | JustifyFinding | RemediateFinding | ReportFinding
FindingCommand: TypeAlias = RaiseFinding | RaiseFound | DisposeCommand


def decide(command: FindingCommand, world: World) -> tuple[FindingEvent, ...]:
    """Return the events a command about findings causes, or raise the rule it breaks."""
    finding = world.finding(command.finding_id)
    if isinstance(command, RaiseFinding):
        return _raise(command, finding, world)
    if finding is None:
        raise UnknownFindingError("finding_id", command.finding_id)
    checks.not_forgotten(world, finding.raised.customer_id)
    disposed = _disposed(command, finding)
    return () if disposed == finding.last else (disposed,)


def _raise(
    command: RaiseFinding, finding: Finding | None, world: World
) -> tuple[FindingRaised, ...]:
    raised = told(FindingRaised, command)
    if finding is not None:
        if raised != finding.raised:
            raise KeyConflictError("finding_id", command.finding_id)
        return ()
    _check_customer(command.customer_id, world)
    _check_id(command)
    checks.positive("rule_version", command.rule_version)
    offended = command.offended_on
    checks.in_order("raised_on", command.raised_on, "offended_on", offended)
    checks.in_order("offended_on", offended, "in_force_from", command.in_force_from)
    if command.in_force_to is not None:
        checks.in_order("in_force_to", command.in_force_to, "in_force_from", command.in_force_from)
        checks.in_order("in_force_to", command.in_force_to, "offended_on", offended)
    return (raised,)


def finding_id(pack: str, rule: str, version: int, customer_id: str, facts: Iterable[str]) -> str:
    """Return the id of what a pack finds: a UUIDv5 over these, each parted by a space.

    `facts` are the keys of those that make it the offence it is. None of the names, ids and keys
    holds a space, so no two run together.
    """
    return str(uuid5(FINDINGS, " ".join((pack, rule, str(version), customer_id, *facts))))


def _check_id(command: RaiseFinding) -> None:
    """Refuse the id of what packs find for anything else: that would not be raised any more."""
    if isinstance(command, RaiseFound):
        return
    with suppress(ValueError):
        if UUID(command.finding_id).version == PACKS_UUID_VERSION:
            raise FindingIdReservedError("finding_id", command.finding_id)


def _check_customer(customer_id: str, world: World) -> None:
    """Refuse who is neither a customer nor a prospect, nor the ledger itself."""
    checks.not_forgotten(world, customer_id)
    known = customer_id == checks.LEDGER or world.standing(customer_id) == "known"
    if not known and brought(customer_id, world) is None:
        raise UnknownCustomerError("customer_id", customer_id, "nor was anybody with it referred")


def _disposed(command: DisposeCommand, finding: Finding) -> Disposition:
    raised = finding.raised
    match command:
        case AssignFinding():
            _not_before("assigned_on", command.assigned_on, raised)
            return told(FindingAssigned, command, customer_id=raised.customer_id)
        case JustifyFinding():
            _not_before("justified_on", command.justified_on, raised)
            checks.somebody_else(
                JustifiedAloneError,
                "approved_by",
                command.approved_by,
                command.justified_by,
                finding.assigned_to(command.justified_on),
            )
            return told(FindingJustified, command, customer_id=raised.customer_id)
        case RemediateFinding():
            _not_before("remediated_on", command.remediated_on, raised)
            return told(FindingRemediated, command, customer_id=raised.customer_id)
        case ReportFinding():
            _not_before("reported_on", command.reported_on, raised)
            return told(FindingReported, command, customer_id=raised.customer_id)


def _not_before(field: str, day: date, raised: FindingRaised) -> None:
    checks.in_order(field, day, "raised_on", raised.raised_on)
