"""Accounts, balances, holds, commitments, and what was reported of their windows."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from domain import account, commitment, hold, reported
from domain.commitment import TermsFrom
from domain.telling import told
from projections.facts import Account, BalanceMonth, Commitment, Hold, Report, Tested, Waiver
from projections.folds.rules import changes, makes, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.catalogue import Event
    from projections.folds.rules import Rule

_NO_DAYS: list[int | None] = [None] * 31

Balance: TypeAlias = account.BalanceObserved | account.BalanceCorrected


def _account(event: account.AccountOpened) -> Account:
    return Account(kind=event.kind, currency=event.currency, opened_on=event.opened_on)


def _balance(row: BalanceMonth | None, event: Balance) -> BalanceMonth:
    days = list(row.days) if row else _NO_DAYS.copy()
    days[event.business_date.day - 1] = event.ledger_balance
    return BalanceMonth(tuple(days))


def _month_of(event: Balance) -> str:
    return f"{event.account_id}/{event.business_date.isoformat()[:7]}"


def _hold_released(row: Hold, event: hold.HoldReleased) -> Hold:
    return replace(row, released_on=event.released_on)


def _agreed(event: commitment.CommitmentAgreed) -> Commitment:
    return Commitment(
        loan_id=event.loan_id,
        agreed_on=event.agreed_on,
        terms=(TermsFrom(event.agreed_on, event.terms.starts_on, event.terms),),
    )


def _amended(row: Commitment, event: commitment.CommitmentAmended) -> Commitment:
    terms = TermsFrom(event.amended_on, event.effective_on, event.terms, event.reason)
    return replace(row, terms=(*row.terms, terms))


def _waived(row: Commitment, event: commitment.CommitmentWaived) -> Commitment:
    waiver = Waiver(
        event.waived_on,
        event.windows_from,
        event.windows_to,
        event.waiver_id,
        event.requested_by,
        event.approved_by,
        event.reason,
    )
    return replace(row, waivers=(*row.waivers, waiver))


def _released(row: Commitment, event: commitment.CommitmentReleased) -> Commitment:
    return replace(row, released_on=event.released_on)


def _tested(row: Tested | None, event: reported.CommitmentTested) -> Tested:
    report = Report(
        tested_on=event.tested_on,
        through=event.through,
        window_end=event.window_end,
        metric=event.metric,
        carried_days=event.carried_days,
        unknown_days=event.unknown_days,
        balance_days=event.balance_days,
        required_days=event.required_days,
        surplus=event.surplus,
        shortfall=event.shortfall,
        outcome=event.outcome,
        cured_on=event.cured_on,
        inputs_sha256=event.inputs_sha256,
        applied=row.reports[-1].applied if row else None,
    )
    return Tested((*(row.reports if row else ()), report))


def _applied(row: Tested, event: reported.ConsequenceApplied) -> Tested:
    *earlier, last = row.reports
    return Tested((*earlier, replace(last, applied=event.amount)))


def _window_of(event: reported.ReportEvent) -> str:
    return f"{event.commitment_id}/{event.window_start}"


RULES: Mapping[type[Event], Rule] = {
    **rules("account", attrgetter("account_id"), {account.AccountOpened: makes(_account)}),
    **rules(
        "balances",
        _month_of,
        {account.BalanceObserved: _balance, account.BalanceCorrected: changes(_balance)},
    ),
    **rules(
        "balances",
        _month_of,
        {account.BalanceObserved: _balance, account.BalanceCorrected: changes(_balance)},
    ),
    **rules(
        "hold",
        attrgetter("hold_id"),
        {
            hold.HoldPlaced: makes(lambda event: told(Hold, event)),
            hold.HoldReleased: changes(_hold_released),
        },
    ),
    **rules(
        "commitment",
        attrgetter("commitment_id"),
        {
            commitment.CommitmentAgreed: makes(_agreed),
            commitment.CommitmentAmended: changes(_amended),
            commitment.CommitmentWaived: changes(_waived),
            commitment.CommitmentReleased: changes(_released),
        },
    ),
    **rules(
        "tested",
        _window_of,
        {
            reported.CommitmentTested: _tested,
            reported.ConsequenceApplied: changes(_applied),
        },
    ),
}
