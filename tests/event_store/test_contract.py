"""What every event store promises; each test runs against SQLite and PostgreSQL."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from consumers.event_store import (
    RECORD_BYTES_MAX,
    Append,
    Claim,
    ConflictError,
    Held,
    RecordTooLargeError,
)
from infra.codec import canonical
from infra.event_store.ledger import open_store
from tests.event_store.records import NOW, Clock, record

if TYPE_CHECKING:
    from consumers.event_store import EventStore
    from infra.event_store.ledger import LedgerStore


def test_a_store_is_the_port(store: LedgerStore) -> None:
    port: EventStore = store
    assert port.position() == 0


def test_positions_are_one_two_three_over_all_streams(store: EventStore) -> None:
    assert store.append(Append(records=[record("loan-L1"), record("loan-L2")])) == range(1, 3)
    assert store.append(Append(records=[record("loan-L1")])) == range(3, 4)
    assert [stored.position for stored in store.read(0, 10)] == [1, 2, 3]
    assert store.position() == 3


def test_an_append_of_nothing_records_nothing(store: EventStore) -> None:
    assert store.append(Append(records=[])) == range(0)
    assert store.position() == 0


def test_what_is_recorded_is_read_back_field_by_field(store: EventStore) -> None:
    new = record("loan-L1", customer_id="客户", data=b"\x81\xa1a\xc4\x01\x00")
    store.append(Append(records=[new]))
    [stored] = store.read(0, 1)
    given_by_the_store = {"position": 1, "stream_version": 1, "recorded_at": NOW}
    for name, value in stored._asdict().items():
        expected = given_by_the_store.get(name, getattr(new, name, None))
        assert value == expected, name


@pytest.mark.parametrize(
    "text", ["", "null", "NULL", 'a"b', "a\\b", "{a,b}", " a ", "a\nb", "\\", '"']
)
def test_any_text_is_read_back_as_it_was(store: EventStore, text: str) -> None:
    new = record(f"loan-{text}")._replace(customer_id=text, source=text, causation_id=text)
    store.append(Append(records=[new], claims=[Claim(f"loan:{text}", b"content", 0)]))
    [stored] = store.read(0, 1)
    told = (stored.stream, stored.customer_id, stored.source, stored.causation_id)
    assert told == (f"loan-{text}", text, text, text)
    assert store.held([f"loan:{text}"]) == {f"loan:{text}": Held(1, b"content")}


def test_a_stream_counts_its_versions_where_none_is_expected(store: EventStore) -> None:
    store.append(Append(records=[record("loan-L1"), record("loan-L2"), record("loan-L1")]))
    store.append(Append(records=[record("loan-L1")]))
    found = store.read_streams(["loan-L1", "loan-L2", "loan-L3"])
    assert [r.stream_version for r in found["loan-L1"]] == [1, 2, 3]
    assert [r.stream_version for r in found["loan-L2"]] == [1]
    assert found["loan-L3"] == []


def test_an_expected_version_is_that_before_the_event(store: EventStore) -> None:
    loan = [record("loan-L1", expected_version=0), record("loan-L1", expected_version=1)]
    store.append(Append(records=loan))
    store.append(Append(records=[record("loan-L1", expected_version=2)]))
    with pytest.raises(ConflictError):
        store.append(Append(records=[record("loan-L1", expected_version=2)]))
    with pytest.raises(ConflictError):
        store.append(Append(records=[record("loan-L1", expected_version=4)]))


def test_a_conflict_records_and_claims_nothing(store: EventStore) -> None:
    store.append(Append(records=[record("loan-L1")]))
    batch = Append(
        records=[record("loan-L2"), record("loan-L1", expected_version=0)],
        claims=[Claim("draw:D1", b"hash", 0)],
    )
    with pytest.raises(ConflictError):
        store.append(batch)
    assert store.position() == 1
    assert store.held(["draw:D1"]) == {}
    assert store.append(Append(records=[record("loan-L2")])) == range(2, 3)


def test_what_the_decision_read_must_not_have_changed(store: EventStore) -> None:
    store.append(Append(records=[record("loan-L1")], reads={"account-A1": 0}))
    store.append(Append(records=[record("account-A1")], reads={"loan-L1": 1}))
    with pytest.raises(ConflictError):
        store.append(Append(records=[record("loan-L1")], reads={"account-A1": 0}))
    assert store.position() == 2


def test_a_key_is_claimed_once(store: EventStore) -> None:
    store.append(Append(records=[record(), record()], claims=[Claim("draw:D1", b"a", 1)]))
    assert store.held(["draw:D1", "draw:D2"]) == {"draw:D1": Held(2, b"a")}
    for content in (b"a", b"b"):
        with pytest.raises(ConflictError):
            store.append(Append(records=[record()], claims=[Claim("draw:D1", content, 0)]))
    assert store.position() == 2


def test_a_correction_replaces_what_the_claim_holds_now(store: EventStore) -> None:
    key = "balance:A1:1994-03-31"
    store.append(Append(records=[record()], claims=[Claim(key, b"first", 0)]))
    correction = Append(records=[record()], claims=[Claim(key, b"second", 0, b"first")])
    store.append(correction)
    assert store.held([key]) == {key: Held(2, b"second")}
    with pytest.raises(ConflictError):
        store.append(correction)
    with pytest.raises(ConflictError):
        store.append(Append(records=[record()], claims=[Claim("free", b"x", 0, b"first")]))
    assert store.position() == 2


def test_a_claim_and_its_correction_may_come_together(store: EventStore) -> None:
    chain = [Claim("draw:D1", b"a", 0), Claim("draw:D1", b"b", 1, b"a")]
    store.append(Append(records=[record(), record()], claims=chain))
    assert store.held(["draw:D1"]) == {"draw:D1": Held(2, b"b")}


def test_one_key_claimed_twice_in_an_append_is_a_conflict(store: EventStore) -> None:
    twice = [Claim("draw:D1", b"a", 0), Claim("draw:D1", b"b", 1)]
    with pytest.raises(ConflictError):
        store.append(Append(records=[record(), record()], claims=twice))
    assert store.position() == 0


def test_recorded_at_rises_with_every_record_whatever_the_clock_says(
    store: EventStore, clock: Clock
) -> None:
    store.append(Append(records=[record(), record(), record()]))
    clock.now -= 5_000_000
    store.append(Append(records=[record(), record()]))
    clock.now = NOW + 100
    store.append(Append(records=[record()]))
    instants = [stored.recorded_at for stored in store.read(0, 10)]
    assert instants == [NOW, NOW + 1, NOW + 2, NOW + 3, NOW + 4, NOW + 100]


def test_an_instant_maps_to_one_position(store: EventStore, clock: Clock) -> None:
    assert store.position_at(NOW) == 0
    store.append(Append(records=[record(), record(), record()]))
    clock.now = NOW + 100
    store.append(Append(records=[record()]))
    asked = (NOW - 1, NOW, NOW + 1, NOW + 2, NOW + 99, NOW + 100, NOW + 101)
    assert [store.position_at(instant) for instant in asked] == [0, 1, 2, 3, 3, 4, 4]


def test_pages_are_bounded_by_limit_and_position(store: EventStore) -> None:
    store.append(Append(records=[record() for _ in range(7)]))
    assert [r.position for r in store.read(2, 3)] == [3, 4, 5]
    assert [r.position for r in store.read(2, 10, through=4)] == [3, 4]
    assert store.read(7, 10) == []


def test_streams_and_customers_are_read_up_to_a_position(store: EventStore) -> None:
    rows = [("loan-L1", "C1"), ("loan-L2", "C2"), ("loan-L1", "C1"), ("loan-L3", "C3")]
    store.append(Append(records=[record(s, customer_id=c) for s, c in rows]))
    store.append(Append(records=[record("loan-L2", customer_id="C2")]))
    streams = store.read_streams(["loan-L2", "loan-L1"], through=4)
    assert {name: [r.position for r in found] for name, found in streams.items()} == {
        "loan-L2": [2],
        "loan-L1": [1, 3],
    }
    assert [r.position for r in store.read_customers(["C2", "C1", "C9"])] == [1, 2, 3, 5]
    assert [r.position for r in store.read_customers(["C2", "C3"], through=4)] == [2, 4]


def test_the_latest_business_date_is_kept(store: EventStore) -> None:
    assert store.latest_occurred_on() is None
    for day in ("1994-03-30", "1994-04-01", "1994-03-31"):
        store.append(Append(records=[record(occurred_on=day)]))
    assert store.latest_occurred_on() == "1994-04-01"


def _data_for(size: int, store: EventStore) -> bytes:
    """Return data with which a record at the present position has `size` canonical bytes."""
    store.append(Append(records=[record("loan-probe", data=b"")]))
    [probe] = store.read(store.position() - 1, 1)
    return bytes(size - len(canonical(probe)))


@pytest.mark.parametrize("before", [0, 130])
def test_canonical_bytes_are_limited_to_the_byte(store: EventStore, before: int) -> None:
    for _ in range(before):
        store.append(Append(records=[record()]))
    data = _data_for(RECORD_BYTES_MAX, store)
    with pytest.raises(RecordTooLargeError):
        store.append(Append(records=[record(), record("loan-large", data=data + b"\x00")]))
    assert store.position() == before + 1
    store.append(Append(records=[record("loan-large", data=data)]))
    [large] = store.read_streams(["loan-large"])["loan-large"]
    excess = len(canonical(large)) - RECORD_BYTES_MAX
    assert excess == 0


def test_a_wait_ends_with_the_next_append(store: LedgerStore, url: str) -> None:
    appended_at: list[float] = []

    def append_soon() -> None:
        with closing(open_store(url)) as other:
            time.sleep(0.1)
            other.append(Append(records=[record()]))
            appended_at.append(time.monotonic())

    writer = threading.Thread(target=append_soon)
    writer.start()
    assert store.wait(0, timeout_seconds=20) == 1
    returned_at = time.monotonic()
    writer.join()
    assert returned_at - appended_at[0] < 0.2


def test_a_wait_ends_when_the_time_is_up(store: EventStore) -> None:
    store.append(Append(records=[record()]))
    assert store.wait(0, timeout_seconds=0) == 1
    assert store.wait(1, timeout_seconds=0.02) == 1
