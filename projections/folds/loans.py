"""Loans, their draws and repayments, and the guarantees given for them."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from domain import guarantee, loan
from domain.windows import months_later
from projections.facts import Draw, Guarantee, Loan, MaturesFrom, Paid, RateFrom
from projections.folds.rules import cannot, changes, makes, rules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from domain.catalogue import Event
    from projections.folds.rules import Rule


def _loan(event: loan.LoanApproved) -> Loan:
    return Loan(
        approved_on=event.approved_on,
        principal=event.principal,
        currency=event.currency,
        rates=(RateFrom(event.approved_on, event.annual_rate),),
        maturities=(_maturity(event.approved_on, event.term_months),),
    )


def _maturity(since: date, term_months: int) -> MaturesFrom:
    return MaturesFrom(since, months_later(since, term_months))


def _drawn(row: Loan, event: loan.LoanDrawn) -> Loan:
    return replace(row, draws=(*row.draws, Draw(event.draw_id, event.drawn_on, event.amount)))


def _draw_reversed(row: Loan, event: loan.DrawReversed) -> Loan:
    if event.draw_id not in {draw.draw_id for draw in row.draws}:
        cannot(event, f"draw {event.draw_id} is not there")
    draws = (
        replace(draw, reversed_on=event.reversed_on) if draw.draw_id == event.draw_id else draw
        for draw in row.draws
    )
    return replace(row, draws=tuple(draws))


def _repaid(row: Loan, event: loan.LoanRepaid) -> Loan:
    paid = Paid(event.repayment_id, event.paid_on, event.principal, event.interest)
    return replace(row, repayments=(*row.repayments, paid))


def _repayment_reversed(row: Loan, event: loan.RepaymentReversed) -> Loan:
    if event.repayment_id not in {paid.repayment_id for paid in row.repayments}:
        cannot(event, f"repayment {event.repayment_id} is not there")
    repayments = (
        replace(paid, reversed_on=event.reversed_on)
        if paid.repayment_id == event.repayment_id
        else paid
        for paid in row.repayments
    )
    return replace(row, repayments=tuple(repayments))


def _rate_changed(row: Loan, event: loan.RateChanged) -> Loan:
    rate = RateFrom(event.changed_on, event.annual_rate, event.reason)
    return replace(row, rates=(*row.rates, rate))


def _renewed(row: Loan, event: loan.LoanRenewed) -> Loan:
    return replace(
        row,
        rates=(*row.rates, RateFrom(event.renewed_on, event.annual_rate)),
        maturities=(*row.maturities, _maturity(event.renewed_on, event.term_months)),
    )


def _settled(row: Loan, event: loan.LoanSettled) -> Loan:
    return replace(row, settled_on=event.settled_on)


def _given(event: guarantee.GuaranteeGiven) -> Guarantee:
    return Guarantee(
        loan_id=event.loan_id,
        guarantor_id=event.guarantor_id,
        amount=event.amount,
        currency=event.currency,
        given_on=event.given_on,
    )


def _guarantee_released(row: Guarantee, event: guarantee.GuaranteeReleased) -> Guarantee:
    return replace(row, released_on=event.released_on)


RULES: Mapping[type[Event], Rule] = {
    **rules(
        "loan",
        attrgetter("loan_id"),
        {
            loan.LoanApproved: makes(_loan),
            loan.LoanDrawn: changes(_drawn),
            loan.DrawReversed: changes(_draw_reversed),
            loan.LoanRepaid: changes(_repaid),
            loan.RepaymentReversed: changes(_repayment_reversed),
            loan.RateChanged: changes(_rate_changed),
            loan.LoanSettled: changes(_settled),
            loan.LoanRenewed: changes(_renewed),
        },
    ),
    **rules(
        "guarantee",
        attrgetter("guarantee_id"),
        {
            guarantee.GuaranteeGiven: makes(_given),
            guarantee.GuaranteeReleased: changes(_guarantee_released),
        },
    ),
}
