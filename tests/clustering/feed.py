"""The Berka feed as the events it is recorded as, day by day."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from domain.account import AccountOpened, BalanceObserved
from domain.catalogue import occurred_on
from domain.commitment import CommitmentAgreed
from domain.loan import LoanApproved, LoanDrawn
from domain.referral import ReferralIntroduced
from domain.relationship import RelationshipOpened
from tests.berka import day_of, facts, minor, records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from domain.catalogue import Event


def berka_events(before: date | None = None) -> list[Event]:
    """Return the events before a day, else all 165,848, by their day: topics and keys mixed."""
    events = chain(_relationships(), _accounts(), _loans(), _commitments(), _referrals())
    found = (e for e in chain(events, _balances()) if before is None or occurred_on(e) < before)
    return sorted(found, key=occurred_on)


def _relationships() -> Iterator[Event]:
    for r in records("relationships"):
        yield RelationshipOpened(**{**r, "opened_on": day_of(r["opened_on"])})  # type: ignore[arg-type]  # rows of a known feed


def _accounts() -> Iterator[Event]:
    for r in records("accounts"):
        yield AccountOpened(**{**r, "opened_on": day_of(r["opened_on"])})  # type: ignore[arg-type]  # as above


def _loans() -> Iterator[Event]:
    owners = {}
    for r in records("loans"):
        owners[r["loan_id"]] = r["customer_id"]
        terms = {"principal": minor(r["principal"]), "term_months": int(r["term_months"])}
        yield LoanApproved(**{**r, **terms, "approved_on": day_of(r["approved_on"])})  # type: ignore[arg-type]  # as above
    for r in records("draws"):
        money = {"amount": minor(r["amount"]), "drawn_on": day_of(r["drawn_on"])}
        yield LoanDrawn(**{**r, **money, "customer_id": owners[r["loan_id"]]})  # type: ignore[arg-type]  # as above


def _commitments() -> Iterator[Event]:
    for (customer_id, kind, id_), row in facts():
        if kind == "commitment":
            yield CommitmentAgreed(
                customer_id=customer_id,
                commitment_id=id_,
                loan_id=row.loan_id,  # type: ignore[union-attr]  # the kind tells
                agreed_on=row.agreed_on,  # type: ignore[union-attr]  # as above
                terms=row.terms[0].terms,  # type: ignore[union-attr]  # as above
            )


def _referrals() -> Iterator[Event]:
    for r in records("referrals"):
        introduced = {"introduced_on": day_of(r["introduced_on"])}
        prospect = {"customer_id": r.pop("prospect_id")}
        yield ReferralIntroduced(**{**r, **prospect, **introduced})  # type: ignore[arg-type]  # as above


def _balances() -> Iterator[Event]:
    owners = {r["account_id"]: r["customer_id"] for r in records("accounts")}
    for r in records("balances"):
        yield BalanceObserved(
            customer_id=owners[r["account_id"]],
            account_id=r["account_id"],
            business_date=day_of(r["business_date"]),
            ledger_balance=minor(r["ledger_balance"]),
            currency=r["currency"],
        )
