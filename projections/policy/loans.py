"""Checks on loans: draws outside the approval, rates raised after a missed deposit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from domain.checks import folded
from domain.values import money
from projections.policy.rules import Check, Offence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import date

    from projections.book import Book
    from projections.facts import Draw, Loan, RateFrom

_LATIN = "0-9a-z\u00df-\u024f"  # letters and digits of the Latin script, as folded


@dataclass(frozen=True, slots=True)
class Nothing:
    """A check without parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PenalRate:
    """`reasons`: words of which one stands in the reason of a rate raised for a missed deposit.

    In any case; in Latin letters as a whole word.
    """

    reasons: tuple[str, ...]


def _over_approval(book: Book, _: Nothing, as_of: date) -> Iterator[Offence]:
    for loan_id, (customer_id, loan) in book.loans.items():
        for draw, drawn in _draws(loan, as_of):
            if drawn > loan.principal:
                told = money(drawn, loan.currency), money(loan.principal, loan.currency)
                yield Offence(
                    customer_id,
                    draw.on,
                    (f"draw:{draw.draw_id}", f"loan:{loan_id}"),
                    f"drawn {told[0]} in all, approved {told[1]}",
                )


def _before_approval(book: Book, _: Nothing, as_of: date) -> Iterator[Offence]:
    for loan_id, (customer_id, loan) in book.loans.items():
        for draw, _drawn in _draws(loan, as_of):
            if draw.on < loan.approved_on:
                yield Offence(
                    customer_id,
                    draw.on,
                    (f"draw:{draw.draw_id}", f"loan:{loan_id}"),
                    f"drawn on {draw.on}, approved on {loan.approved_on}",
                )


def _draws(loan: Loan, as_of: date) -> Iterator[tuple[Draw, int]]:
    """Yield each draw up to a date with all that was drawn by it, less what was reversed by it."""
    made: list[Draw] = []
    for draw in draws_made(loan, as_of):
        made.append(draw)
        held = [each for each in made if not each.reversed_on or each.reversed_on > draw.on]
        yield draw, sum(each.amount for each in held)


def draws_made(loan: Loan, as_of: date) -> Sequence[Draw]:
    """Return the draws up to a date, by day.

    One that was reversed on its own day is none; one that was reversed later was a draw.
    """
    made = (each for each in loan.draws if not each.reversed_on or each.reversed_on > each.on)
    return sorted((each for each in made if each.on <= as_of), key=attrgetter("on"))


def _penal_rate(book: Book, told: PenalRate, as_of: date) -> Iterator[Offence]:
    named = _any_of(told.reasons)
    for loan_id, (customer_id, loan) in book.loans.items():
        for before, rate in _rates(loan):
            if rate.since <= as_of and _above(rate, before) and named.search(folded(rate.reason)):
                of_before = () if before is loan.rates[0] else (f"rate:{loan_id}:{before.since}",)
                yield Offence(
                    customer_id,
                    rate.since,
                    (f"rate:{loan_id}:{rate.since}", f"loan:{loan_id}"),
                    f"rate raised from {before.annual_rate} to {rate.annual_rate}: {rate.reason}",
                    context=of_before,
                )


def changes_of(loan: Loan) -> Collection[RateFrom]:
    """Return the changes of a loan's rate, of one day's the last told."""
    return {change.since: change for change in loan.rates[1:]}.values()


def _rates(loan: Loan) -> Iterator[tuple[RateFrom, RateFrom]]:
    """Yield each change after the rate before it, by day."""
    return pairwise(sorted([loan.rates[0], *changes_of(loan)], key=attrgetter("since")))


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Return what finds one of the words: in Latin letters it stands alone, else anywhere.

    A text in Chinese characters has no breaks between its words.
    """
    alone = rf"(?:(?<![{_LATIN}])|(?![{_LATIN}])){{}}(?:(?![{_LATIN}])|(?<![{_LATIN}]))"
    return re.compile("|".join(alone.format(re.escape(folded(word))) for word in words))


def _above(rate: RateFrom, before: RateFrom) -> bool:
    return Decimal(rate.annual_rate) > Decimal(before.annual_rate)


CHECKS: dict[str, Check[Any]] = {
    "draw_over_approval": Check(Nothing, _over_approval),
    "draw_before_approval": Check(Nothing, _before_approval),
    "penal_rate": Check(PenalRate, _penal_rate),
}
