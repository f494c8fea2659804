"""Checks on deposit commitments: tied to a loan, agreed too late, tested on one day alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.commitment import WindowKind  # noqa: TC001 - packs are read by these types
from domain.hold import HoldBasis  # noqa: TC001 - the same
from domain.requirement import Debt, requirement
from domain.windows import stretches
from projections.deposit_compliance import counted_on, flows_of
from projections.policy.deposits import secured
from projections.policy.loans import Nothing, draws_made
from projections.policy.rules import Check, Offence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from domain.commitment import Terms
    from projections.book import Book
    from projections.facts import Commitment, Loan


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """A commitment for a loan, in force on the day of its approval or of a draw.

    The first of these days that offends is the finding's. One is left out where every account
    that counts on it, and there is one, is held on an `exempt` basis, under a contract and not for
    another loan, and all that is so held is together at least what the commitment requires on it,
    or, of terms to come, on their first day; for the approval, on the day of the first draw, if
    that is later. A share of what is drawn or outstanding that names no loan is promised for each
    of the customer's loans in the currency.
    """

    exempt: tuple[HoldBasis, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OneDay:
    """A commitment tested on the last day of a window of these kinds alone (时点)."""

    windows: tuple[WindowKind, ...]


def _tied(book: Book, told: Tied, as_of: date) -> Iterator[Offence]:
    for commitment_id, (customer_id, commitment) in book.commitments.items():
        for loan_id in _loans(book, customer_id, commitment):
            loan = book.loans[loan_id][1]
            for on, by, how, draw in _completing(loan, as_of):
                terms = _promised(commitment, on)
                if terms is None or not _is_for(terms, commitment, loan):
                    continue
                accounts = counted_on(book, commitment_id, terms, by)
                held = [secured(book, id_, loan_id, by, told.exempt) for id_ in accounts]
                required = _required(book, commitment_id, terms, by)
                if held and all(held) and sum(held) >= required:
                    continue
                tied = f"commitment:{commitment_id}", f"loan:{loan_id}"
                detail = f"agreed on {commitment.agreed_on}; the loan was {how} on {on}"
                yield Offence(customer_id, on, (*tied, *draw), detail, once=tied)


def _required(book: Book, commitment_id: str, terms: Terms, on: date) -> int:
    """Return what some terms of a commitment require on a day, of terms to come their first."""
    debt = Debt.of(flows_of(book, *book.commitments[commitment_id]), on)
    day = max(on, terms.starts_on).toordinal()
    [run] = requirement(terms, debt, day, day)
    return run.required


def _loans(book: Book, customer_id: str, commitment: Commitment) -> Iterable[str]:
    """Return the loan that a commitment names, else all of the customer's."""
    if commitment.loan_id is None:
        return book.loans_of.get(customer_id, ())
    return {commitment.loan_id} & book.loans.keys()


def _is_for(terms: Terms, commitment: Commitment, loan: Loan) -> bool:
    """Tell whether what is promised hangs on a loan of the customer."""
    share = terms.requirement_kind != "amount" and terms.currency == loan.currency
    return commitment.loan_id is not None or share


def _completing(loan: Loan, as_of: date) -> Iterator[tuple[date, date, str, tuple[str, ...]]]:
    """Yield what completes a tie up to a date: the approval, and each draw as a fact.

    With its day, and the day by which deposits have to be pledged: that of the draw, for an
    approval that of the first draw.
    """
    draws = draws_made(loan, as_of)
    first = draws[0].on if draws else as_of
    if loan.approved_on <= as_of:
        yield loan.approved_on, max(loan.approved_on, first), "approved", ()
    for draw in draws:
        yield draw.on, draw.on, "drawn", (f"draw:{draw.draw_id}",)


def _promised(commitment: Commitment, on: date) -> Terms | None:
    """Return the terms in force on a day, or the next to come; None before and after them all."""
    if commitment.agreed_on > on:
        return None
    known = stretches(commitment.terms, commitment.released_on, on)
    return next((each.terms for each in known if on.toordinal() <= each.last), None)


def _too_late(book: Book, _: Nothing, as_of: date) -> Iterator[Offence]:
    for commitment_id, customer_id, commitment, loan in _for_loans(book, as_of):
        first = next(iter(draws_made(loan, as_of)), None)
        if first is not None and first.on < commitment.agreed_on:
            yield Offence(
                customer_id,
                commitment.agreed_on,
                (f"commitment:{commitment_id}", f"loan:{commitment.loan_id}"),
                f"agreed on {commitment.agreed_on}; first drawn on {first.on}",
                context=(f"draw:{first.draw_id}",),
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
