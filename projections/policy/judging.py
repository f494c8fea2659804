"""Judging a book of facts by policy packs: each fact by the law of its own day."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from domain.finding import finding_id
from projections.policy.rules import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from projections.book import Book
    from projections.policy.rules import Offence, Pack, Rule


def findings_of(book: Book, packs: Iterable[Pack], as_of: date) -> Sequence[Finding]:
    """Return what the packs find in the book as of a date, in order of day, rule and id.

    Deterministic: the same facts and packs, and the same findings raised before, give the same
    ones with the same ids. What was raised before is among them; a fact that no longer stands is
    not. Of one matter that offends on several days it is what was raised of it, else the first.
    """
    found = {
        finding.finding_id: finding
        for pack in packs
        for rule in pack.rules
        for finding in _judged(book, pack, rule, as_of)
    }
    return sorted(found.values(), key=attrgetter("offended_on", "rule", "finding_id"))


def _judged(book: Book, pack: Pack, rule: Rule, as_of: date) -> Iterator[Finding]:
    if rule.in_force_from > as_of:
        return
    offences = rule.check.offences(book, rule.parameters, as_of)
    judged = sorted((each for each in offences if rule.in_force(each.on)), key=attrgetter("on"))
    matters: defaultdict[tuple[str, ...] | int, list[Finding]] = defaultdict(list)
    for number, offence in enumerate(judged):
        matters[offence.once or number].append(_finding(pack, rule, offence))
    for first, *others in matters.values():
        known = (each for each in (first, *others) if each.finding_id in book.findings)
        yield next(known, first)


def _finding(pack: Pack, rule: Rule, offence: Offence) -> Finding:
    return Finding(
        finding_id=finding_id(
            pack.jurisdiction, rule.id, rule.version, offence.customer_id, offence.facts
        ),
        customer_id=offence.customer_id,
        offended_on=offence.on,
        pack=pack.jurisdiction,
        rule=rule.id,
        rule_version=rule.version,
        in_force_from=rule.in_force_from,
        in_force_to=rule.in_force_to,
        severity=rule.severity,
        facts=(*offence.facts, *offence.context),
        detail=offence.detail,
    )
