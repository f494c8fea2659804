"""Checks on loans: draws outside the approval, rates raised after a missed deposit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from projections.policy.rules import Check, Offence, money

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from projections.book import Book
    from projections.facts import Draw, Loan, RateFrom


@dataclass(frozen=True, slots=True)
class Nothing:
    """A check without parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PenalRate:
    """`reasons`: words of which one stands in the reason of a rate raised for a missed deposit."""

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
    """Yield each draw up to a date with all that was drawn by it, reversals of its day taken off.

    A draw reversed on its own day is none.
    """
    made: list[Draw] = []
    for draw in sorted(loan.draws, key=attrgetter("on")):
        if draw.on <= as_of:
            made.append(draw)
            held = [each for each in made if not each.reversed_on or each.reversed_on > draw.on]
            if draw in held:
                yield draw, sum(each.amount for each in held)


def _penal_rate(book: Book, told: PenalRate, as_of: date) -> Iterator[Offence]:
    words = [word.casefold() for word in told.reasons]
    for loan_id, (customer_id, loan) in book.loans.items():
        for number, rate in enumerate(loan.rates):
            before = _rate_before(loan.rates[:number], rate.since)
            for_deposits = any(word in rate.reason.casefold() for word in words)
            if before and for_deposits and rate.since <= as_of and _above(rate, before):
                yield Offence(
                    customer_id,
                    rate.since,
                    (f"rate:{loan_id}:{rate.since}", f"loan:{loan_id}"),
                    f"rate raised from {before.annual_rate} to {rate.annual_rate}: {rate.reason}",
                )


def _rate_before(earlier: tuple[RateFrom, ...], on: date) -> RateFrom | None:
    held = [rate for rate in earlier if rate.since <= on]
    return max(reversed(held), key=attrgetter("since"), default=None)


def _above(rate: RateFrom, before: RateFrom) -> bool:
    return Decimal(rate.annual_rate) > Decimal(before.annual_rate)


CHECKS: dict[str, Check[Any]] = {
    "draw_over_approval": Check(Nothing, _over_approval),
    "draw_before_approval": Check(Nothing, _before_approval),
    "penal_rate": Check(PenalRate, _penal_rate),
}
