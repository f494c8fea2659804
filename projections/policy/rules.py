"""Rules of a policy pack (合规规则), and what comes of judging by them.

A rule says which check looks for its offence, with which parameters, and between which dates it
was the law. Packs are data (see `infra/policy/`); the checks are code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from domain.finding import Severity
    from projections.book import Book

Parameters = TypeVar("Parameters")


class Offence(NamedTuple):
    """What a check found: whose, on which day, and the facts by their keys (`draw:D1`).

    The first fact is what offends. It is the same offence while its `facts` are the same; those of
    its `context` are what it was seen by, and may be others once more is told. `detail` tells the
    figures, never a personal value. Of the offences with the same `once`, one matter, a version of
    a rule judges the first within its dates alone, or the one that was raised before.
    """

    customer_id: str
    on: date
    facts: tuple[str, ...]
    detail: str
    once: tuple[str, ...] = ()
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check(Generic[Parameters]):
    """One way of looking for offences dated up to a day, and the parameters it takes."""

    parameters: type[Parameters]
    offences: Callable[[Book, Parameters, date], Iterator[Offence]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of a rule, in force between two dates, both included."""

    id: str
    version: int
    check: Check[Any]
    parameters: object
    in_force_from: date
    in_force_to: date | None
    severity: Severity
    source: str
    title: str
    title_zh: str
    looks_for: str

    def in_force(self, on: date) -> bool:
        """Tell whether this version was the law on a day."""
        return self.in_force_from <= on <= (self.in_force_to or date.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """The rules of one jurisdiction. Not legal advice.

    `sha256` (hex) is over its file, and over the other rules in use that its rules name.
    """

    sha256: str
    jurisdiction: str
    title: str
    notice: str
    rules: Sequence[Rule]


class Finding(NamedTuple):
    """An offence against the rule that was in force on its day.

    `facts` are those by which it is the same one, then its context.
    """

    finding_id: str
    customer_id: str
    offended_on: date
    pack: str
    rule: str
    rule_version: int
    in_force_from: date
    in_force_to: date | None
    severity: Severity
    facts: tuple[str, ...]
    detail: str
