from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.codec import UnreadableEventError
from consumers.event_store import StoredRecord
from domain.catalogue import BY_NAME, EVENT_TYPES, Event, EventType
from domain.loan import LoanSettled
from domain.record import Recorded
from domain.relationship import RelationshipOpened
from domain.values import Sealed
from infra.codec import CODEC, ENVELOPE, Codec, canonical, decode, decode_record, pack_data
from infra.upcasters import UPCASTERS
from tests.samples import envelopes, instances_of, stored, typed_events
from tests.test_codec_golden import sample

if TYPE_CHECKING:
    from infra.upcasters import Data


def seal(field: str, plaintext: str) -> bytes:
    return f"{field}={plaintext}".encode()


def unseal(event_id: str, field: str, box: bytes) -> str:
    assert event_id
    return box.decode().removeprefix(f"{field}=")


def envelope_of(record: StoredRecord) -> dict[str, Any]:
    return record._asdict()


@pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda each: each.name)
@settings(max_examples=10)  # of each of many types
@given(st.data())
def test_every_event_survives_the_round_trip(event_type: EventType, data: st.DataObject) -> None:
    event = replace(data.draw(instances_of(event_type.cls)), customer_id="C1")
    record = stored(event_type, pack_data(event, seal), **data.draw(envelopes))
    decoded = decode(canonical(record), unseal)
    assert decoded.event == event
    assert decode_record(record, unseal) == decoded
    told = envelope_of(record)
    assert decoded.occurred_on.isoformat() == told.pop("occurred_on")
    assert {name: getattr(decoded, name) for name in told if name != "data"} == {
        name: value for name, value in told.items() if name != "data"
    }


@given(typed_events, envelopes)
def test_canonical_bytes_are_msgpack_of_the_fifteen_fields(
    typed: tuple[EventType, Event], envelope: dict[str, Any]
) -> None:
    event_type, event = typed
    record = stored(event_type, pack_data(event, seal), **envelope)
    whole = envelope_of(record) | {"data": msgpack.unpackb(record.data)}
    assert canonical(record) == msgpack.packb(whole)


def test_a_recorded_event_has_the_envelope_with_the_event_for_its_data() -> None:
    assert (*Recorded._fields[:-1], "data") == tuple(ENVELOPE) == StoredRecord._fields


def test_data_holds_every_field_but_the_customer_with_terms_inlined() -> None:
    names = {each.name: CODEC.layout_of(each.cls).names for each in EVENT_TYPES}
    assert names["commitment-amended"][:4] == (
        "commitment_id",
        "amended_on",
        "effective_on",
        "starts_on",
    )
    assert names["commitment-amended"][-2:] == ("missing_days", "reason")
    for each in EVENT_TYPES:
        own = [field.name for field in fields(each.cls)]
        if "terms" not in own:
            assert list(names[each.name]) == [name for name in own if name != "customer_id"]


def test_a_personal_field_stays_sealed_without_the_key() -> None:
    event = RelationshipOpened(
        customer_id="C1",
        name="Ada",
        kind="person",
        segment="retail",
        branch="b",
        manager="m",
        opened_on=decode(settled()).occurred_on,
    )
    record = stored(BY_NAME["relationship-opened"], pack_data(event, seal))
    assert decode(canonical(record)).event == replace(event, name=Sealed(b"name=Ada"))
    assert b"Ada" not in canonical(record._replace(data=pack_data(event, lambda _f, _p: b"?")))


def settled(**changes: object) -> bytes:
    data = msgpack.packb({"loan_id": "L1", "settled_on": "1994-03-31"})
    return canonical(stored(BY_NAME["loan-settled"], **{"data": data} | changes))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"type": "loan-vanished"}, "loan-vanished version 1 is not known"),
        ({"version": 2}, "loan-settled version 2 is not known"),
        ({"version": 0}, "loan-settled version 0 is not known"),
        ({"occurred_on": "19940331"}, "not a date"),
        ({"occurred_on": "1994-02-30"}, "out of range"),
        ({"position": "1"}, "not of its type"),
        ({"position": True}, "not of its type"),
        ({"actor": None}, "not of its type"),
        ({"data": msgpack.packb({"loan_id": "L1"})}, "fields are not"),
        ({"data": msgpack.packb({"settled_on": "1994-03-31", "loan_id": "L1"})}, "fields are not"),
        ({"data": msgpack.packb({"loan_id": 1, "settled_on": "1994-03-31"})}, "not of its type"),
        ({"data": msgpack.packb({"loan_id": "L1", "settled_on": "1994-W13-4"})}, "not a date"),
        ({"data": msgpack.packb([])}, "not of its type"),
        ({"data": b""}, "incomplete"),
        ({"data": b"\x80\x00"}, "extra"),
    ],
)
def test_bytes_that_are_no_known_event_are_unreadable(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UnreadableEventError, match=told):
        decode(settled(**changes))


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("account-opened", "kind", "overdraft"),
        ("commitment-agreed", "metric", "median"),
        ("commitment-agreed", "seasonal_profile", [1, "2"]),
        ("commitment-agreed", "accounts", [["A1", None, None]]),
        ("commitment-agreed", "accounts", [{"account_id": "A1"}]),
        ("cross-check-recorded", "items", [b"bill"]),
        ("relationship-opened", "name", "Ada"),
        ("relationship-opened", "name", None),
    ],
)
def test_a_value_that_its_field_cannot_hold_is_unreadable(
    name: str, field: str, value: object
) -> None:
    _, good = sample(f"{name}.v1")
    fields = msgpack.unpackb(good)
    assert decode(msgpack.packb(fields)) == decode(good)
    fields["data"][field] = value
    with pytest.raises(UnreadableEventError):
        decode(msgpack.packb(fields))


@pytest.mark.parametrize("data", [["loan_id", "settled_on"], 5, None, b"", {"on": 1}])
def test_stored_data_that_is_no_event_is_unreadable(data: object) -> None:
    second = replace(BY_NAME["loan-settled"], version=2)
    codec = Codec([second], {("loan-settled", 1): _settled_v1})
    for version in (1, 2):
        record = stored(second, msgpack.packb(data), version=version)
        with pytest.raises(UnreadableEventError):
            codec.decode_record(record)


@given(typed_events, st.data())
def test_damaged_bytes_are_unreadable_and_nothing_worse(
    typed: tuple[EventType, Event], data: st.DataObject
) -> None:
    event_type, event = typed
    damaged = bytearray(canonical(stored(event_type, pack_data(event, seal))))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    for some in (bytes(damaged), bytes(damaged[:cut]), bytes(damaged[cut:])):
        with suppress(UnreadableEventError):
            decode(some)


@given(st.recursive(st.none() | st.integers(0, 9) | st.text(max_size=3), st.lists) | st.binary())
def test_any_other_bytes_are_unreadable(something: object) -> None:
    some = something if isinstance(something, bytes) else msgpack.packb(something)
    with pytest.raises(UnreadableEventError):
        decode(some)


@pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda each: each.name)
def test_every_old_version_has_an_upcaster(event_type: EventType) -> None:
    assert all((event_type.name, old) in UPCASTERS for old in range(1, event_type.version))


def _settled_v1(data: Data) -> Data:
    """v2 joined branch and number to one id."""
    return {"settled_on": data["on"], "loan_id": data["branch"] + data["number"]}


def _settled_v2(data: Data) -> Data:
    """v3 writes the loan's id with an L."""
    return data | {"loan_id": "L" + data["loan_id"]}


def test_old_versions_are_upcast_step_by_step_after_decoding() -> None:
    third = replace(BY_NAME["loan-settled"], version=3)
    codec = Codec([third], {("loan-settled", 1): _settled_v1, ("loan-settled", 2): _settled_v2})
    old = msgpack.packb({"branch": "7", "number": "42", "on": "1994-03-31"})
    record = stored(third, old, version=1)
    decoded = codec.decode(canonical(record))
    assert isinstance(decoded.event, LoanSettled)
    assert decoded.event.loan_id == "L742"
    assert decoded.version == 1
    assert codec.decode_record(record) == decoded
    assert msgpack.unpackb(canonical(record))["data"] == msgpack.unpackb(old)


def test_an_upcaster_never_sees_a_sealed_value() -> None:
    seen: list[Data] = []

    def add_note_to_nothing(data: Data) -> Data:
        seen.append(data)
        return {**data, "subject": data["subject"].lower()}

    second = replace(BY_NAME["complaint-recorded"], version=2)
    codec = Codec([second], {("complaint-recorded", 1): add_note_to_nothing})
    data = {"complaint_id": "P1", "complained_on": "1994-03-31", "subject": "FEES", "by": "m"}
    record = stored(second, msgpack.packb(data | {"note": b"box"}), version=1)
    event: Any = codec.decode(canonical(record)).event
    assert seen == [data]
    assert (event.subject, event.note) == ("fees", Sealed(b"box"))
