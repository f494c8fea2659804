"""What a policy pack finds in a history: events in, findings out."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from domain.account import AccountKind, AccountOpened, BalanceObserved
from domain.commitment import CommitmentAgreed, CountedAccount, Terms
from domain.contact import ContactRecorded
from domain.dealing import Product, ProductSold
from domain.finding import FindingRaised
from domain.hold import HoldBasis, HoldPlaced
from domain.loan import DrawReversed, LoanApproved, LoanDrawn
from domain.relationship import RelationshipOpened
from infra.policy.packs import load_packs
from projections.book import Book
from projections.folding import fold, key_of
from projections.policy.judging import findings_of
from tests.deliveries import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.catalogue import Event
    from domain.values import CustomerKind
    from projections.facts import Key, Row
    from projections.policy.rules import Finding

AS_OF = "2026-06-30"


def on(text: str) -> date:
    return date.fromisoformat(text)


def book_of(*events: Event) -> Book:
    """Return the facts of a history, by the views' own folds."""
    rows: dict[Key, Row] = {}
    for event in events:
        told = recorded(event)
        key = key_of(told)
        if key is not None:
            rows[key] = fold(rows.get(key), told)
    return Book.from_rows(rows.items())


def found(*events: Event, pack: str, rule: str, as_of: str = AS_OF) -> Sequence[Finding]:
    """Return what a rule of a pack finds in a history."""
    findings = findings_of(book_of(*events), load_packs([pack]), on(as_of))
    return [finding for finding in findings if finding.rule == rule]


def raised(finding: Finding, day: str) -> FindingRaised:
    """Return a finding as it was raised on a day."""
    return FindingRaised(raised_on=on(day), events=(), **finding._asdict())


def facts_and_day(
    *events: Event, pack: str, rule: str, as_of: str = AS_OF
) -> list[tuple[str, str]]:
    """Return what offends by its first fact, and the day."""
    findings = found(*events, pack=pack, rule=rule, as_of=as_of)
    return [(each.facts[0], str(each.offended_on)) for each in findings]


def approved(
    day: str, loan_id: str = "L1", principal: int = 100_000, currency: str = "CNY"
) -> LoanApproved:
    return LoanApproved(
        customer_id="C1",
        loan_id=loan_id,
        approved_on=on(day),
        principal=principal,
        currency=currency,
        term_months=12,
        annual_rate="4.35",
        repayment="bullet",
        purpose="stock",
    )


def drawn(
    day: str,
    amount: int = 100_000,
    draw_id: str = "D1",
    loan_id: str = "L1",
    currency: str = "CNY",
) -> LoanDrawn:
    return LoanDrawn(
        customer_id="C1",
        loan_id=loan_id,
        draw_id=draw_id,
        drawn_on=on(day),
        amount=amount,
        currency=currency,
    )


def opened(day: str, kind: AccountKind = "term", account_id: str = "A1") -> AccountOpened:
    return AccountOpened(
        customer_id="C1", account_id=account_id, kind=kind, currency="CNY", opened_on=on(day)
    )


def balance(day: str, amount: int, account_id: str = "A1") -> BalanceObserved:
    return BalanceObserved(
        customer_id="C1",
        account_id=account_id,
        business_date=on(day),
        ledger_balance=amount,
        currency="CNY",
    )


def held(
    day: str,
    basis: HoldBasis = "pledge",
    contract_id: str | None = "P-1",
    loan_id: str | None = None,
    *,
    hold_id: str = "H1",
    amount: int = 90_000,
) -> HoldPlaced:
    return HoldPlaced(
        customer_id="C1",
        hold_id=hold_id,
        account_id="A1",
        placed_on=on(day),
        amount=amount,
        currency="CNY",
        basis=basis,
        loan_id=loan_id,
        contract_id=contract_id,
    )


def committed(day: str, terms: Terms, loan_id: str | None = "L1") -> CommitmentAgreed:
    return CommitmentAgreed(
        customer_id="C1", commitment_id="K1", loan_id=loan_id, agreed_on=on(day), terms=terms
    )


def contact(
    day: str, purpose: str = "review", outcome: str = "fine", contact_id: str = "T1"
) -> ContactRecorded:
    return ContactRecorded(
        customer_id="C1",
        contact_id=contact_id,
        happened_at=0,
        happened_on=on(day),
        channel="phone",
        direction="outbound",
        purpose=purpose,
        outcome=outcome,
        duration_seconds=60,
        by="RM-1",
        note="sealed",
    )


def customer(segment: str = "retail", kind: CustomerKind = "enterprise") -> RelationshipOpened:
    return RelationshipOpened(
        customer_id="C1",
        name="Kim",
        kind=kind,
        segment=segment,
        branch="B1",
        manager="RM-1",
        opened_on=on("2010-01-01"),
    )


def sale(
    day: str,
    product: Product = "deposit",
    monthly: int = 0,
    loan_id: str | None = "L1",
    currency: str = "CNY",
) -> ProductSold:
    return ProductSold(
        customer_id="C1",
        sale_id="S1",
        sold_on=on(day),
        product=product,
        monthly_payment=monthly,
        currency=currency,
        loan_id=loan_id,
        by="RM-1",
    )


def taken_back(day: str, amount: int = 100_000) -> DrawReversed:
    return DrawReversed(
        customer_id="C1",
        loan_id="L1",
        draw_id="D1",
        reversed_on=on(day),
        amount=amount,
        currency="CNY",
    )


AVERAGE = Terms(
    starts_on=on("2016-01-01"),
    ends_on=on("2026-12-31"),
    metric="average",
    window="month",
    requirement_kind="amount",
    requirement_value=100,
    currency="CNY",
    cure_days=0,
    consequence_kind="none",
    consequence_value=0,
    accounts=(CountedAccount(account_id="A1"),),
)
