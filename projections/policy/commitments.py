"""Checks on deposit commitments: tied to a loan, agreed too late, tested on one day alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.commitment import WindowKind  # noqa: TC001 - packs are read by these types
from domain.hold import HoldBasis  # noqa: TC001 - the same
from projections.policy.deposits import secured
from projections.policy.loans import Nothing, draws_made
from projections.policy.rules import Check, Offence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from projections.book import Book
    from projections.facts import Commitment, Loan


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """A commitment for a loan, agreed before or with its approval or a draw.

    Left out where every account that counts is held on an `exempt` basis, under a contract, by
    the day of the draw.
    """

    exempt: tuple[HoldBasis, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OneDay:
    """A commitment tested on the last day of a window of these kinds alone (时点)."""

    windows: tuple[WindowKind, ...]


def _tied(book: Book, told: Tied, as_of: date) -> Iterator[Offence]:
    for commitment_id, customer_id, commitment, loan in _for_loans(book, as_of):
        loan_id = str(commitment.loan_id)
        days = [loan.approved_on, *(draw.on for draw in draws_made(loan, as_of))]
        with_or_after = [day for day in days if commitment.agreed_on <= day <= as_of]
        if not with_or_after:
            continue
        accounts = commitment.terms[0].terms.accounts
        by = max(with_or_after)
        if accounts and all(
            secured(book, a.account_id, loan_id, by, told.exempt) for a in accounts
        ):
            continue
        yield Offence(
            customer_id,
            commitment.agreed_on,
            (f"commitment:{commitment_id}", f"loan:{commitment.loan_id}"),
            f"agreed on {commitment.agreed_on}; the loan was approved or drawn"
            f" on {min(with_or_after)}",
        )


def _too_late(book: Book, _: Nothing, as_of: date) -> Iterator[Offence]:
    for commitment_id, customer_id, commitment, loan in _for_loans(book, as_of):
        first = next(iter(draws_made(loan, as_of)), None)
        if first is not None and first.on < commitment.agreed_on:
            yield Offence(
                customer_id,
                commitment.agreed_on,
                (f"commitment:{commitment_id}", f"draw:{first.draw_id}"),
                f"agreed on {commitment.agreed_on}; first drawn on {first.on}",
            )


def _for_loans(book: Book, as_of: date) -> Iterator[tuple[str, str, Commitment, Loan]]:
    for commitment_id, (customer_id, commitment) in book.commitments.items():
        if commitment.agreed_on <= as_of and commitment.loan_id in book.loans:
            yield commitment_id, customer_id, commitment, book.loans[commitment.loan_id][1]


def _one_day(book: Book, told: OneDay, as_of: date) -> Iterator[Offence]:
    for commitment_id, (customer_id, commitment) in book.commitments.items():
        for each in commitment.terms:
            terms = each.terms
            if each.told_on <= as_of and terms.metric == "ending" and terms.window in told.windows:
                facts = (f"commitment:{commitment_id}",)
                detail = f"tested on the last day of each {terms.window} alone"
                yield Offence(customer_id, each.told_on, facts, detail, once=facts)


CHECKS: dict[str, Check[Any]] = {
    "commitment_tied_to_loan": Check(Tied, _tied),
    "commitment_agreed_after_draw": Check(Nothing, _too_late),
    "point_in_time_target": Check(OneDay, _one_day),
}
