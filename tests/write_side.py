"""A ledger of its own for a test, and what is in it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.codec import decode_record
from infra.commands import FORMS
from infra.event_store.ledger import initialise, open_store
from infra.feeds import files_taken
from infra.keyring import POSTGRESQL_DDL, SQLITE_DDL, Keyring
from infra.ledger import Ledger, Told
from infra.personal_index import DDL as PERSONAL_DDL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from consumers.event_store import StoredRecord
    from domain.catalogue import Event
    from domain.record import Recorded

MASTER = bytes(range(32))

RELATIONSHIP = {
    "customer_id": "C1",
    "name": "王小明",
    "kind": "person",
    "segment": "retail",
    "branch": "D1",
    "manager": "RM-1",
    "opened_on": "2024-01-02",
}
ACCOUNT = {
    "account_id": "A1",
    "customer_id": "C1",
    "kind": "current",
    "currency": "CNY",
    "opened_on": "2024-01-02",
}
LOAN = {
    "loan_id": "L1",
    "customer_id": "C1",
    "approved_on": "2024-01-03",
    "principal": "1000.00",
    "currency": "CNY",
    "term_months": "12",
    "annual_rate": "4.3500",
    "repayment": "bullet",
    "purpose": "stock",
}
COMMITMENT = {
    "commitment_id": "K1",
    "customer_id": "C1",
    "loan_id": "L1",
    "agreed_on": "2024-01-03",
    "starts_on": "2024-01-03",
    "ends_on": "2024-12-31",
    "metric": "average",
    "window": "month",
    "requirement_kind": "percent_of_drawn",
    "requirement_value": "20",
    "currency": "CNY",
    "cure_days": "3",
    "consequence_kind": "rate_surcharge_bp",
    "consequence_value": "50",
}
DRAW = {
    "draw_id": "W1",
    "loan_id": "L1",
    "drawn_on": "2024-01-04",
    "amount": "1000.00",
    "currency": "CNY",
}
REPAYMENT = {
    "repayment_id": "P1",
    "loan_id": "L1",
    "paid_on": "2024-02-04",
    "principal": "100.00",
    "interest": "3.20",
    "currency": "CNY",
}
GUARANTEE = {
    "guarantee_id": "G1",
    "loan_id": "L1",
    "guarantor_id": "C2",
    "amount": "500.00",
    "currency": "CNY",
    "given_on": "2024-01-03",
}
BALANCE = {
    "account_id": "A1",
    "business_date": "2024-01-05",
    "ledger_balance": "12.50",
    "currency": "CNY",
}
REFERRAL = {
    "referral_id": "R1",
    "referrer_id": "C1",
    "prospect_id": "C9",
    "introduced_on": "2024-02-01",
    "via": "customer",
    "by": "RM-1",
    "branch": "D1",
}
CONTACT = {
    "contact_id": "T1",
    "customer_id": "C1",
    "happened_at": "2024-03-01T23:30:00+08:00",
    "channel": "visit",
    "direction": "outbound",
    "purpose": "first visit",
    "outcome": "will come",
    "duration_seconds": "900",
    "by": "RM-1",
}
# The rows of a small, sound feed, by kind of file, in the order in which files are taken.
FEED = {
    "relationships": RELATIONSHIP,
    "accounts": ACCOUNT,
    "loans": LOAN,
    "commitments": COMMITMENT,
    "draws": DRAW,
    "repayments": REPAYMENT,
    "balances": BALANCE,
    "referrals": REFERRAL,
    "contacts": CONTACT,
}
COMMANDS = {
    "relationships": "open-relationship",
    "accounts": "open-account",
    "loans": "approve-loan",
    "commitments": "agree-commitment",
    "draws": "draw-loan",
    "repayments": "repay-loan",
    "balances": "record-balance",
    "referrals": "introduce-referral",
    "contacts": "record-contact",
}


def make_ledger(url: str) -> None:
    """Make the tables of a ledger."""
    initialise(
        url,
        ddl_sqlite=(SQLITE_DDL, *files_taken.DDL, *PERSONAL_DDL),
        ddl_postgresql=(POSTGRESQL_DDL, *files_taken.DDL, *PERSONAL_DDL),
    )


@contextmanager
def ledger_at(url: str, business_date: date | None = None) -> Iterator[Ledger]:
    """Open a ledger's write side."""
    store = open_store(url)
    try:
        keyring = Keyring(store.database, MASTER)
        yield Ledger(store, keyring, business_date=business_date)
    finally:
        store.close()


@contextmanager
def new_ledger(folder: Path) -> Iterator[Ledger]:
    """Make a ledger in a folder and open its write side."""
    url = f"sqlite:{folder / 'ledger.db'}"
    make_ledger(url)
    with ledger_at(url) as ledger:
        yield ledger


def told(
    name: str,
    columns: dict[str, str],
    command_id: str | None = None,
    source: str = "api",
    retold_after: int | None = None,
    **changes: str,
) -> Told:
    """Return a command as the edge would tell it."""
    command = FORMS[name].command({**columns, **changes})
    return Told(command, "tester", source, "test", command_id, retold_after)


def recorded(ledger: Ledger) -> list[Recorded]:
    """Return every event with its envelope, personal fields open where they can be."""
    records: list[StoredRecord] = []
    while page := ledger.store.read(len(records), 5_000):
        records += page
    keyring = Keyring(ledger.store.database, MASTER)
    keys = keyring.keys_for({record.customer_id for record in records}, create=False)
    unseals = {i: None if key.destroyed else key.unseal for i, key in keys.items()}
    return [decode_record(record, unseals.get(record.customer_id)) for record in records]


def events(ledger: Ledger) -> list[Event]:
    """Return every event, in ledger order."""
    return [record.event for record in recorded(ledger)]
