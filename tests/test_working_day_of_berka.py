"""The working day of a real bank: the answers agree with each other and with plain loops."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from infra.rules.reading import agenda_rules, value_rules
from projections.book import Book
from projections.contact_agenda import agenda_rows
from projections.customer_value import top_share, value_rows
from projections.deposit_compliance import compliance_rows
from projections.facts import Contact
from projections.ownership import attribution_rows, ownership_rows
from projections.relationship_state import relationship_rows
from tests.berka import FEED, berka, needs_berka
from tests.books import customer

if TYPE_CHECKING:
    from projections.facts import Key, Row

AS_OF = date(1993, 12, 20)
CURRENCY = "CZK"
CONTACTS = FEED.parent / "bank-marketing" / "contacts.csv"


@needs_berka
@pytest.mark.slow
def test_each_reason_of_a_real_agenda_is_what_the_facts_say() -> None:
    book = berka()
    found = Counter(row.reason for row in agenda_rows(book, AS_OF, agenda_rules()))
    windows = compliance_rows(book, AS_OF, CURRENCY)
    short = sum(row.status in {"at_risk", "in_grace", "in_cure"} for row in windows)
    first_draws = [min(draw.on for draw in loan.draws) for _, loan in book.loans.values()]
    cold_since = AS_OF - timedelta(90)
    assert found == {
        "commitment_at_risk": short,
        "first_draw": sum(0 <= (AS_OF - on).days <= 28 for on in first_draws),
        "interest_date": sum(on <= AS_OF for on in first_draws),
        "cold": sum(each.opened_on <= cold_since for each in book.customers.values()),
    }


@needs_berka
@pytest.mark.slow
def test_the_sums_of_a_real_bank_belong_once_to_branches_and_once_to_managers() -> None:
    rows = list(attribution_rows(berka(), AS_OF, CURRENCY))
    state = list(relationship_rows(berka(), AS_OF, CURRENCY))
    for dimension in ("branch", "manager"):
        mine = [row for row in rows if row.dimension == dimension]
        assert sum(row.customers for row in mine) == len(state)
        assert sum(row.deposits for row in mine) == sum(row.deposits for row in state)
        assert sum(row.outstanding for row in mine) == sum(row.outstanding for row in state)
    assert len(list(ownership_rows(berka(), AS_OF))) == len(state)


@needs_berka
@pytest.mark.slow
def test_the_best_fifth_of_a_real_bank_gives_more_than_a_fifth() -> None:
    rules = value_rules()
    rows = list(value_rows(berka(), date(1994, 3, 31), CURRENCY, rules))
    top = top_share(rows, rules)
    assert (len(rows), top.of, top.customers) == (774, 774, 155)
    assert 200_000 < top.share_ppm < 1_000_000
    assert Counter(row.suggested_tier for row in rows)["platinum"] == 774 * 5 // 100


@pytest.mark.skipif(not CONTACTS.exists(), reason="the bank-marketing feed is not beside us")
def test_a_real_campaign_leaves_its_customers_cold_ninety_days_later() -> None:
    rows: list[tuple[Key, Row]] = []
    with CONTACTS.open(encoding="utf-8", newline="") as lines:
        for told in list(csv.DictReader(lines))[:2000]:
            who, on = told["customer_id"], date.fromisoformat(told["happened_at"][:10])
            met = Contact(
                happened_on=on,
                happened_at=0,
                local_minute=600,
                channel=told["channel"],
                direction=told["direction"],
                by=told["by"],
                follow_up_on=None,
            )
            rows.append(((who, "customer", ""), customer(date(2008, 1, 1))))
            rows.append(((who, "contact", told["contact_id"]), met))
    book = Book.from_rows(rows)
    as_of = date(2008, 8, 5)
    last = {who: max(c.happened_on for c in met) for who, met in book.contacts_of.items()}
    found = {row.customer_id: row.due_on for row in agenda_rows(book, as_of, agenda_rules())}
    assert found == {
        who: on + timedelta(90) for who, on in last.items() if (as_of - on).days >= 90
    }
    assert found
