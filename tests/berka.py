"""The facts of the Berka feed (774 customers of a Czech bank), straight from its CSV files."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from domain.commitment import Metric, RequirementKind, Terms, TermsFrom, WindowKind
from domain.ownership import Assignment
from domain.values import PERCENT
from projections.book import Book
from projections.facts import (
    Account,
    BalanceMonth,
    Commitment,
    Customer,
    Draw,
    Loan,
    Profile,
    Referral,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.facts import Key, Row

FEED = Path(__file__).parents[1] / ".." / "shared" / "data" / "berka"

needs_berka = pytest.mark.skipif(not FEED.exists(), reason="the Berka feed is not beside us")


@cache
def berka() -> Book:
    """Assemble the whole feed."""
    return Book.from_rows(facts())


def records(kind: str) -> Iterator[dict[str, str]]:
    with (FEED / f"{kind}.csv").open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def facts() -> Iterator[tuple[Key, Row]]:
    for r in records("relationships"):
        yield (r["customer_id"], "customer", ""), _customer(r)
    owner = {}
    for r in records("accounts"):
        owner[r["account_id"]] = r["customer_id"]
        yield (r["customer_id"], "account", r["account_id"]), _account(r)
    months: dict[str, list[int | None]] = defaultdict(lambda: [None] * 31)
    for r in records("balances"):
        year, month, day = r["business_date"].split("-")
        months[f"{r['account_id']}/{year}-{month}"][int(day) - 1] = minor(r["ledger_balance"])
    for id_, days in months.items():
        yield (owner[id_[:-8]], "balances", id_), BalanceMonth(tuple(days))
    draws = defaultdict(list)
    for r in records("draws"):
        draws[r["loan_id"]].append(Draw(r["draw_id"], day_of(r["drawn_on"]), minor(r["amount"])))
    for r in records("loans"):
        loan = Loan(
            approved_on=day_of(r["approved_on"]),
            principal=minor(r["principal"]),
            currency=r["currency"],
            draws=tuple(draws[r["loan_id"]]),
        )
        yield (r["customer_id"], "loan", r["loan_id"]), loan
    for r in records("commitments"):
        yield (r["customer_id"], "commitment", r["commitment_id"]), _commitment(r)
    for r in records("referrals"):
        yield (r["prospect_id"], "referral", r["referral_id"]), _referral(r)


def day_of(text: str) -> date:
    return date.fromisoformat(text)


def minor(text: str) -> int:
    """Take `12.30` for 1230; every amount of the feed has two decimals."""
    return int(text.replace(".", ""))


def _customer(r: dict[str, str]) -> Customer:
    opened_on = day_of(r["opened_on"])
    return Customer(
        kind=r["kind"],
        opened_on=opened_on,
        profiles=(Profile(opened_on, r["segment"], r["branch"]),),
        assignments=(Assignment(opened_on, r["manager"], "owner"),),
    )


def _account(r: dict[str, str]) -> Account:
    return Account(kind=r["kind"], currency=r["currency"], opened_on=day_of(r["opened_on"]))


def _commitment(r: dict[str, str]) -> Commitment:
    percent = r["requirement_kind"] != "amount"
    value = r["requirement_value"]
    terms = Terms(
        starts_on=day_of(r["starts_on"]),
        ends_on=day_of(r["ends_on"]),
        metric=cast("Metric", r["metric"]),
        window=cast("WindowKind", r["window"]),
        requirement_kind=cast("RequirementKind", r["requirement_kind"]),
        requirement_value=int(value) * PERCENT if percent else minor(value),
        currency=r["currency"],
        cure_days=int(r["cure_days"]),
        consequence_kind="none",
        consequence_value=0,
    )
    agreed_on = day_of(r["agreed_on"])
    return Commitment(
        loan_id=r["loan_id"] or None,
        agreed_on=agreed_on,
        terms=(TermsFrom(agreed_on, terms.starts_on, terms),),
    )


def _referral(r: dict[str, str]) -> Referral:
    return Referral(
        referrer_id=r["referrer_id"],
        introduced_on=day_of(r["introduced_on"]),
        via=r["via"],
        branch=r["branch"],
    )
