"""Deposit compliance of the whole Berka feed agrees with the day-by-day reference."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from domain.commitment import Terms, TermsFrom
from projections.book import Book
from projections.deposit_compliance import compliance_rows
from projections.facts import Account, BalanceMonth, Commitment, Draw, Loan
from tests.compliance_reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.commitment import Metric, RequirementKind, WindowKind
    from projections.facts import Key, Row

    Rows = list[tuple[Key, Row]]

FEED = Path(os.environ.get("GUANXI_FEEDS", Path(__file__).parents[2] / "shared/data")) / "berka"


def minor(text: str) -> int:
    return int(Decimal(text) * 100)


def read(name: str) -> Iterator[dict[str, str]]:
    with (FEED / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def berka() -> Rows:
    rows: Rows = []
    owners: dict[str, str] = {}
    for row in read("accounts"):
        owners[row["account_id"]] = row["customer_id"]
        opened_on = date.fromisoformat(row["opened_on"])
        account = Account(kind=row["kind"], currency=row["currency"], opened_on=opened_on)
        rows.append(((row["customer_id"], "account", row["account_id"]), account))
    months: dict[tuple[str, str], list[int | None]] = defaultdict(lambda: [None] * 31)
    for row in read("balances"):
        month, day = row["business_date"][:7], int(row["business_date"][8:])
        months[row["account_id"], month][day - 1] = minor(row["ledger_balance"])
    for (account_id, month), held in months.items():
        key = (owners[account_id], "balances", f"{account_id}/{month}")
        rows.append((key, BalanceMonth(tuple(held))))
    draws: dict[str, list[Draw]] = defaultdict(list)
    for row in read("draws"):
        on = date.fromisoformat(row["drawn_on"])
        draws[row["loan_id"]].append(Draw(row["draw_id"], on, minor(row["amount"])))
    for row in read("loans"):
        loan = Loan(
            approved_on=date.fromisoformat(row["approved_on"]),
            principal=minor(row["principal"]),
            currency=row["currency"],
            draws=tuple(draws[row["loan_id"]]),
        )
        rows.append(((row["customer_id"], "loan", row["loan_id"]), loan))
    for row in read("commitments"):
        key = (row["customer_id"], "commitment", row["commitment_id"])
        rows.append((key, berka_commitment(row)))
    return rows


def berka_commitment(row: dict[str, str]) -> Commitment:
    is_amount = row["requirement_kind"] == "amount"
    value = minor(row["requirement_value"])
    terms = Terms(
        starts_on=date.fromisoformat(row["starts_on"]),
        ends_on=date.fromisoformat(row["ends_on"]),
        metric=cast("Metric", row["metric"]),
        window=cast("WindowKind", row["window"]),
        requirement_kind=cast("RequirementKind", row["requirement_kind"]),
        requirement_value=value if is_amount else value * 100,
        currency=row["currency"],
        cure_days=int(row["cure_days"]),
        consequence_kind="none",
        consequence_value=0,
    )
    agreed_on = date.fromisoformat(row["agreed_on"])
    return Commitment(
        loan_id=row["loan_id"] or None,
        agreed_on=agreed_on,
        terms=(TermsFrom(agreed_on, terms.starts_on, terms),),
    )


@pytest.mark.slow
@pytest.mark.skipif(not FEED.exists(), reason="the Berka feed is not beside the checkout")
def test_the_berka_feed_agrees_with_the_design_day_by_day() -> None:
    rows = berka()
    book = Book.from_rows(rows)
    of_customer: dict[str, Rows] = defaultdict(list)
    for key, row in rows:
        of_customer[key[0]].append((key, row))
    for as_of in (date(1993, 10, 8), date(1993, 12, 31), date(1994, 3, 31)):
        expected = [
            {"commitment_id": commitment_id} | row
            for commitment_id, (customer_id, _) in sorted(book.commitments.items())
            for row in Reference(of_customer[customer_id], commitment_id, as_of).rows()
        ]
        ours = [row._asdict() for row in compliance_rows(book, as_of, "CZK")]
        for told in ours:
            del told["customer_id"], told["loan_id"]
        assert ours == expected
