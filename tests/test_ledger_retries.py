"""Outages, conflicts and concurrent writers: nothing is recorded twice, nothing is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from consumers.event_store import Append, ConflictError, StoreUnavailableError
from domain.account import BalanceCorrected, BalanceObserved
from domain.reward import RewardPaid
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
    REFERRAL,
    RELATIONSHIP,
    events,
    ledger_at,
    make_ledger,
    new_ledger,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from consumers.event_store import StoredRecord
    from infra.event_store.ledger import LedgerStore


FIRST = (
    ("open-relationship", RELATIONSHIP),
    ("open-account", ACCOUNT),
    ("approve-loan", LOAN),
)


class Faulty(SQLiteEventStore):
    """A store whose next appends fail, before anything was recorded or after, or come late.

    `between` happens after a decision's claims were read, and before its streams are.
    """

    faults: list[tuple[str, Exception]]
    meanwhile: Callable[[], object] | None = None
    between: Callable[[], object] | None = None

    def read_streams(
        self, streams: Iterable[str], through: int | None = None
    ) -> Mapping[str, Sequence[StoredRecord]]:
        if self.between is not None:
            between, self.between = self.between, None
            between()
        return super().read_streams(streams, through)

    def append(self, batch: Append) -> range:
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
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


def test_a_command_without_a_key_is_found_when_its_answer_was_lost(faulty: Faulty) -> None:
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    ledger.handle([told(*each) for each in FIRST] + [told("draw-loan", DRAW)])
    faulty.faults = [("after", StoreUnavailableError("lost the answer"))]
    reverse = told("reverse-draw", {"draw_id": "W1", "reversed_on": "2024-02-01"})
    assert ledger.handle([reverse]) == [Unchanged(5)], "not refused as already reversed"


def test_a_command_told_twice_at_once_is_not_refused_by_what_it_did_itself(faulty: Faulty) -> None:
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    ledger.handle([told(*each) for each in FIRST] + [told("draw-loan", DRAW)])
    reverse = told(
        "reverse-draw", {"draw_id": "W1", "reversed_on": "2024-02-01"}, command_id="once"
    )
    faulty.between = lambda: ledger.handle([reverse])
    assert ledger.handle([reverse]) == [Unchanged(5)]


def test_two_that_refer_each_other_at_once_make_no_cycle(faulty: Faulty) -> None:
    """Each writes to the stream of its own prospect: only the read set tells them apart."""
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    ledger.handle(
        [told("open-relationship", RELATIONSHIP, customer_id=each) for each in ("C1", "C2")]
    )
    one = {**REFERRAL, "referral_id": "R1", "referrer_id": "C1", "prospect_id": "C2"}
    other = {**REFERRAL, "referral_id": "R2", "referrer_id": "C2", "prospect_id": "C1"}
    faulty.meanwhile = lambda: ledger.handle([told("introduce-referral", other)])
    [outcome] = ledger.handle([told("introduce-referral", one)])
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "referral-cycle"
    assert faulty.position() == 3


def test_two_that_reverse_a_draw_at_once_reverse_it_once(faulty: Faulty) -> None:
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    ledger.handle([told(*each) for each in FIRST] + [told("draw-loan", DRAW)])
    reverse = {"draw_id": "W1", "reversed_on": "2024-02-01"}
    faulty.meanwhile = lambda: ledger.handle([told("reverse-draw", reverse)])
    [outcome] = ledger.handle([told("reverse-draw", reverse)])
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "already-reversed"


def test_a_row_told_twice_at_once_is_recorded_once(faulty: Faulty) -> None:
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    ledger.handle([told(*each) for each in FIRST])
    faulty.meanwhile = lambda: ledger.handle([told("record-balance", BALANCE)])
    assert ledger.handle([told("record-balance", BALANCE)]) == [Unchanged(4)]


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
    with new_ledger(tmp_path) as ledger:
        ledger.handle([told(*each) for each in FIRST])
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


REWARD = {
    "reward_id": "W1",
    "referral_id": "R1",
    "plan": "friend",
    "plan_version": "1",
    "milestone": "converted",
    "reached_on": "2024-03-01",
    "accrued_on": "2024-03-31",
    "payee_id": "C1",
    "payee_role": "customer",
    "basis": "referral",
    "whole": "100.00",
    "share_ppm": "1000000",
    "amount": "100.00",
    "currency": "CNY",
    "formula": "fixed",
    "by": "RM-1",
}
REFERRED = (("open-relationship", RELATIONSHIP), ("introduce-referral", REFERRAL))
APPROVAL = {"reward_id": "W1", "approved_on": "2024-04-01", "approved_by": "HEAD"}
PAYMENT = {"reward_id": "W1", "paid_on": "2024-04-02", "booked": "yes", "by": "CASH-1"}
TAKEN = {
    "reward_id": "W1",
    "clawed_back_on": "2024-04-02",
    "amount": "100.00",
    "currency": "CNY",
    "reason": "fraud",
    "by": "RM-1",
}


def test_two_payees_at_once_get_no_more_than_the_whole_together(faulty: Faulty) -> None:
    """Neither knows of the other's reward: only the version of the empty stream tells."""
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    ledger.handle([told(*each) for each in REFERRED])
    other = told("accrue-reward", REWARD, reward_id="W2", payee_id="RM-1")
    faulty.meanwhile = lambda: ledger.handle([other])
    [outcome] = ledger.handle([told("accrue-reward", REWARD)])
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "reward-over-whole"


def test_a_payment_whose_answer_was_lost_is_found_and_made_once(faulty: Faulty) -> None:
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    earned = [told("accrue-reward", REWARD), told("approve-reward", APPROVAL)]
    ledger.handle([told(*each) for each in REFERRED] + earned)
    faulty.faults = [("after", StoreUnavailableError("lost the answer"))]
    assert ledger.handle([told("pay-reward", PAYMENT)]) == [Unchanged(5)]
    assert ledger.handle([told("pay-reward", PAYMENT)]) == [Unchanged(5)]
    assert faulty.position() == 5


def test_a_reward_is_paid_or_clawed_back_first_and_the_other_knows(faulty: Faulty) -> None:
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    earned = [told("accrue-reward", REWARD), told("approve-reward", APPROVAL)]
    ledger.handle([told(*each) for each in REFERRED] + earned)
    faulty.meanwhile = lambda: ledger.handle([told("claw-back-reward", TAKEN)])
    [outcome] = ledger.handle([told("pay-reward", PAYMENT)])
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "reward-out-of-step"


def test_a_payment_that_meets_a_claw_back_in_part_is_of_what_is_left(faulty: Faulty) -> None:
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    earned = [told("accrue-reward", REWARD), told("approve-reward", APPROVAL)]
    ledger.handle([told(*each) for each in REFERRED] + earned)
    part = told("claw-back-reward", TAKEN, amount="30.00")
    faulty.meanwhile = lambda: ledger.handle([part])
    ledger.handle([told("pay-reward", PAYMENT)])
    assert [each.amount for each in events(ledger) if isinstance(each, RewardPaid)] == [7_000]


def test_a_total_whose_answer_was_lost_is_found_though_a_larger_one_came_since(
    faulty: Faulty,
) -> None:
    ledger = Ledger(faulty, Keyring(faulty.database, MASTER))
    ledger.handle([*(told(*each) for each in REFERRED), told("accrue-reward", REWARD)])
    first, second = (told("claw-back-reward", TAKEN, amount=n) for n in ("30.00", "40.00"))
    faulty.faults = [("after", StoreUnavailableError("lost the answer"))]
    assert ledger.handle([first]) == [Unchanged(4)]
    assert ledger.handle([second, first]) == [Recorded(5), Unchanged(4)]
    same = told("claw-back-reward", TAKEN, amount="40.00", by="RM-2", clawed_back_on="2024-05-01")
    assert ledger.handle([same]) == [Unchanged(5)]
    [less] = ledger.handle([told("claw-back-reward", TAKEN, amount="35.00")])
    assert isinstance(less, Refused)
    assert less.error.code == "clawed-back-less"
