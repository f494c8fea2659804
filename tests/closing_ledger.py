"""A small bank whose days are closed: C1 holds A1, and K1 asks for 100.00 a day in March 2024."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING

from infra.cli.settings import Settings
from infra.closer import Closer
from infra.codec import decode_record
from infra.composition import make_ledger, opened
from infra.ledger import Refused
from infra.policy.packs import DEFAULT, load_packs
from tests.write_side import ACCOUNT, COMMITMENT, RELATIONSHIP, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from domain.catalogue import Event
    from domain.record import Recorded
    from infra.closer import Closed
    from infra.composition import Parts
    from infra.ledger import Told

START = date(2024, 3, 1)
K1 = COMMITMENT | {
    "loan_id": "",
    "starts_on": "2024-03-01",
    "ends_on": "2024-03-04",
    "requirement_kind": "amount",
    "requirement_value": "100.00",
    "consequence_kind": "hold_percent",
    "consequence_value": "50",
}
OF_THE_AGREEMENT = frozenset({"customer_id", "loan_id", "agreed_on"})  # and of no amendment
SHORT = ("120.00", "120.00", "50.00", "90.00", "100.00", "100.00", "100.00", "100.00")


def amending(commitment: dict[str, str]) -> dict[str, str]:
    """Return what an amendment of a commitment tells of its terms, all of them."""
    return {name: commitment[name] for name in commitment if name not in OF_THE_AGREEMENT}


def march(day: int) -> date:
    """Return a day of March 2024."""
    return START + timedelta(day - 1)


def settings_of(folder: Path) -> Settings:
    return Settings(ledger=f"sqlite:{folder / 'ledger.db'}")


@contextmanager
def new_bank(settings: Settings, *commands: Told) -> Iterator[Parts]:
    """Make a ledger with the bank in it, and what else it is told."""
    make_ledger(settings, partitions=12, topic_prefix="guanxi")
    with opened(settings) as parts:
        tell(
            parts,
            told("open-relationship", RELATIONSHIP),
            told("open-account", ACCOUNT),
            told("agree-commitment", K1),
            *commands,
        )
        yield parts


def tell(parts: Parts, *commands: Told) -> None:
    for outcome in parts.ledger().handle(commands):
        assert not isinstance(outcome, Refused), outcome


def balances(*amounts: str, account_id: str = "A1", first: date = START) -> list[Told]:
    """Return the observations of an account's end-of-day balances, a day each."""
    return [
        told(
            "record-balance",
            {
                "account_id": account_id,
                "business_date": str(first + timedelta(n)),
                "ledger_balance": amount,
                "currency": "CNY",
            },
        )
        for n, amount in enumerate(amounts)
    ]


def close(
    parts: Parts,
    first: date,
    through: date | None = None,
    *,
    carry: bool = False,
    packs: Sequence[str] = DEFAULT,
) -> list[Closed]:
    closer = Closer(parts, "operator", load_packs(packs))
    return list(closer.close(first, through or first, carry=carry))


def told_by_closes(parts: Parts) -> list[Recorded]:
    """Return what closes recorded, in ledger order."""
    found: list[Recorded] = []
    after = 0
    while page := parts.store.read(after, 5_000):
        found += [decode_record(record) for record in page if record.source[:6] == "close:"]
        after = page[-1].position
    return found


def identities(parts: Parts) -> list[tuple[str, Event]]:
    """Return the ids and events of closes, in ledger order."""
    return [(record.id, record.event) for record in told_by_closes(parts)]
