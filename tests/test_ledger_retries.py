"""Outages, conflicts and concurrent writers: nothing is recorded twice, nothing is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from consumers.event_store import Append, ConflictError, StoreUnavailableError
from domain.account import BalanceCorrected, BalanceObserved
from infra import ledger as ledger_module
from infra.event_store.sqlite import SQLiteEventStore
from infra.keyring import Keyring
from infra.ledger import Ledger, Outcome, Recorded, Refused, Unchanged
from tests.write_side import (
    ACCOUNT,
    BALANCE,
    DRAW,
    LOAN,
    MASTER,
    RELATIONSHIP,
    events,
    ledger_at,
    make_ledger,
    new_ledger,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.event_store.ledger import LedgerStore


class Faulty(SQLiteEventStore):
    """A store whose next appends fail: before anything was recorded, or after."""

    faults: list[tuple[str, Exception]]

    def append(self, batch: Append) -> range:
        when, error = self.faults.pop(0) if self.faults else ("", None)
        if error is not None and when == "before":
            raise error
        positions = super().append(batch)
        if error is not None:
            raise error
        return positions


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Faulty]:
    make_ledger(f"sqlite:{tmp_path / 'ledger.db'}")
    with ledger_at(f"sqlite:{tmp_path / 'ledger.db'}") as ledger:
        ledger.store.__class__ = Faulty
        assert isinstance(ledger.store, Faulty)
        ledger.store.faults = []
        yield ledger.store


def test_an_outage_is_waited_out_and_what_was_recorded_is_found(faulty: Faulty) -> None:
    outages: list[str] = []
    ledger = Ledger(
        faulty,
        Keyring(faulty.database, MASTER),
        on_outage=lambda error, _pause: outages.append(str(error)),
    )
    faulty.faults = [
        ("before", StoreUnavailableError("gone")),
        ("after", StoreUnavailableError("lost the answer")),
    ]
    tier = {"customer_id": "C1", "tier": "gold", "assigned_on": "2024-02-01"}
    batch = [told("open-relationship", RELATIONSHIP), told("assign-tier", tier)]
    assert ledger.handle(batch) == [Unchanged(1), Unchanged(2)]
    assert outages == ["gone", "lost the answer"]
    assert faulty.position() == 2


def test_a_long_outage_is_the_callers(faulty: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "OUTAGE_SECONDS_MAX", 0.2)
    faulty.faults = [("before", StoreUnavailableError("gone"))] * 20
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    with pytest.raises(StoreUnavailableError):
        ledger.handle([told("open-relationship", RELATIONSHIP)])


def test_a_conflict_is_decided_again_and_a_batch_that_keeps_conflicting_halved(
    faulty: Faulty,
) -> None:
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    batch = [told("open-relationship", RELATIONSHIP, customer_id=f"C{n}") for n in range(9)]
    faulty.faults = [("before", ConflictError("changed"))] * 4
    assert ledger.handle(batch) == [Recorded(n) for n in range(1, 10)]


def test_endless_conflicts_are_the_callers(
    faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "CONFLICTS_MAX", 4)
    faulty.faults = [("before", ConflictError("changed"))] * 4
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    with pytest.raises(ConflictError):
        ledger.handle([told("open-relationship", RELATIONSHIP)])


def _write(store: LedgerStore, name: int, start: threading.Barrier) -> list[Outcome]:
    """Tell what all others tell too, in an order of its own, and something of its own."""
    ledger = Ledger(store, Keyring(store.database, MASTER))
    days = [f"2024-02-{1 + (day + name) % 20:02}" for day in range(20)]
    shared = [told("record-balance", BALANCE, business_date=day) for day in days]
    own = [told("draw-loan", DRAW, draw_id=f"W{name}-{n}") for n in range(5)]
    start.wait()
    return [
        outcome for row in zip(shared[::4], own, strict=True) for outcome in ledger.handle(row)
    ]


def test_writers_of_the_same_rows_record_each_once(tmp_path: Path) -> None:
    first = ("open-relationship", RELATIONSHIP), ("open-account", ACCOUNT), ("approve-loan", LOAN)
    with new_ledger(tmp_path) as ledger:
        ledger.handle([told(*each) for each in first])
        start = threading.Barrier(4)
        with ThreadPoolExecutor(4) as pool:
            runs = [pool.submit(_write, ledger.store, name, start) for name in range(4)]
            outcomes = [outcome for run in runs for outcome in run.result()]
        happened = events(ledger)
    assert not any(isinstance(outcome, Refused) for outcome in outcomes)
    days = [event.business_date for event in happened if isinstance(event, BalanceObserved)]
    assert len(days) == len(set(days))
    assert not any(isinstance(event, BalanceCorrected) for event in happened)
    assert len(happened) == 3 + len(days) + 20
