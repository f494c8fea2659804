"""What a close reports of a commitment's windows: tested, breached, cured, and what follows.

These events are the bank's own words about what it knew at the close of a day. They are never
taken back: a later test of the same window stands instead of the earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import Literal, TypeAlias

from domain.commitment import ConsequenceKind, Metric  # noqa: TC001 - read at run time
from domain.values import Minor, Ppm  # noqa: TC001 - read at run time

# The statuses of an ended window. `void`: the window was reported, and by now there is no such
# window that has ended, for an amendment or a release was told late.
Outcome: TypeAlias = Literal[
    "waived", "met", "in_grace", "unknown", "cured", "in_cure", "breached", "void"
]
Basis: TypeAlias = Literal["outstanding_balance_days", "shortfall_balance_days", "shortfall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """An event for which a window was tested again."""

    position: int
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentTested:
    """A window was tested on the ledger up to position `through`, as of the end of `tested_on`.

    `shortfall` is balance-days for `average`, else minor units; `surplus` was carried in.
    `inputs_sha256` is over lines that tell `inputs_count` facts: see "The inputs of a test" in
    close.md. `restates` is the id of the earlier test of the window that would come out otherwise
    now; `causes` are the first events that explain it, of `causes_count` in all; where it restates
    nothing, the waivers by which it found the window waived.
    """

    customer_id: str
    commitment_id: str
    window_start: date
    window_end: date
    tested_on: date
    metric: Metric
    days: int
    carried_days: int
    unknown_days: int
    balance_days: int
    required_days: int
    surplus: int
    shortfall: int | None
    outcome: Outcome
    cured_on: date | None
    rules_version: int
    inputs_count: int
    inputs_sha256: str
    through: int
    restates: str | None
    causes: tuple[Cause, ...]
    causes_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentBreached:
    """A test found the window short, and no day is left on which it can be cured (违约)."""

    customer_id: str
    commitment_id: str
    window_start: date
    window_end: date
    breached_on: date
    shortfall: int
    test_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentCured:
    """A test found the window short, and cured on a day of its cure days (补足)."""

    customer_id: str
    commitment_id: str
    window_start: date
    window_end: date
    found_on: date
    cured_on: date
    shortfall: int
    test_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsequenceApplied:
    """What a breached window costs: `base` × `rate` ÷ `divisor`, rounded half up, is `amount`.

    It stands instead of what was applied before for the window that begins on the same day; an
    amount of 0 takes that back.
    """

    customer_id: str
    commitment_id: str
    window_start: date
    window_end: date
    applied_on: date
    kind: ConsequenceKind
    basis: Basis
    base: int
    rate: Ppm
    divisor: int
    amount: Minor
    currency: str
    test_id: str


ReportEvent: TypeAlias = (
    CommitmentTested | CommitmentBreached | CommitmentCured | ConsequenceApplied
)
