"""What is recorded: events of the kind a bank has most of, and a feed of them."""

from __future__ import annotations

import csv
import random
import uuid
from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgpack

from consumers.event_store import NewRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

FIRST_DAY = date(1993, 1, 1)
FEED_DAYS = 156  # about as many balances an account as the Berka feed has, halved
STREAMS = 100  # accounts that a writer tells of in turn


def balances(writer: str, first: int, count: int) -> Iterator[NewRecord]:
    """Yield end-of-day balances of a writer's own accounts, day after day.

    The versions of their streams are those of the records of one writer told in order.
    """
    for number in range(first, first + count):
        round_, account = divmod(number, STREAMS)
        account_id = f"{writer}-{account:05d}"
        yield balance(account_id, FIRST_DAY + timedelta(round_), number, version=round_)


def balance(account_id: str, day: date, number: int, version: int | None = None) -> NewRecord:
    """Return one end-of-day balance, as a feed tells it."""
    source = "feed:balances:0123456789abcdef"
    data = {
        "account_id": account_id,
        "business_date": day.isoformat(),
        "ledger_balance": 80_000 + number,
        "currency": "CZK",
        "held": None,
    }
    return NewRecord(
        id=str(uuid.uuid4()),
        type="balance-observed",
        version=1,
        stream=f"balances-{account_id}",
        expected_version=version,
        customer_id=f"C{account_id}",
        occurred_on=day.isoformat(),
        occurred_at=None,
        actor="feed",
        source=f"{source}:{number}",
        correlation_id=source,
        causation_id=None,
        data=msgpack.packb(data),
    )


def write_feed(folder: Path, accounts: int, days: int = FEED_DAYS) -> int:
    """Write a feed like Berka's: a customer an account, their balances in date order.

    Return its number of rows.
    """
    folder.mkdir()
    spread = random.Random(accounts)  # noqa: S311  # the same feed in every run
    numbers = range(1, accounts + 1)
    day = FIRST_DAY.isoformat()
    write_rows(
        folder / "relationships.csv",
        ("customer_id", "name", "kind", "segment", "branch", "manager", "opened_on"),
        (
            [f"C{n:05d}", f"Client {n}", "person", "retail", f"D{n % 77}", f"RM-{n % 77}", day]
            for n in numbers
        ),
    )
    write_rows(
        folder / "accounts.csv",
        ("account_id", "customer_id", "kind", "currency", "opened_on"),
        ([f"A{n:05d}", f"C{n:05d}", "current", "CZK", day] for n in numbers),
    )
    write_rows(
        folder / "balances.csv",
        ("account_id", "business_date", "ledger_balance", "currency"),
        (
            [
                f"A{n:05d}",
                (FIRST_DAY + timedelta(d)).isoformat(),
                f"{spread.randrange(10_000_000) / 100:.2f}",
                "CZK",
            ]
            for d in range(days)
            for n in numbers
        ),
    )
    return accounts * (2 + days)


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write a CSV file; return how many rows it holds."""
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            written += 1
    return written
