"""What a record looks like in Kafka."""

from __future__ import annotations

from datetime import UTC, datetime

import msgpack
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.base import Format
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2

from consumers.event_store import StoredRecord
from consumers.topics import Horizon
from infra.codec import canonical
from infra.kafka.publisher import partition_of
from infra.kafka.wire import Headers, pack_horizon, rfc3339, unpack_horizon

RECORD = StoredRecord(
    position=42,
    id="6f1e5a0e-2f0a-4f57-9d3e-0c8f2a7b1c11",
    type="loan-drawn",
    version=1,
    stream="loan-L05314",
    stream_version=2,
    customer_id="C00576",
    occurred_on="1994-03-31",
    occurred_at=None,
    recorded_at=765_129_600_000_001,
    actor="alice",
    source="cli",
    correlation_id="3d0f9c1e-0000-4000-8000-000000000001",
    causation_id=None,
    data=msgpack.packb({"loan_id": "L05314", "amount": 9_639_600, "currency": "CZK"}),
)


class MessagePack(Format):  # type: ignore[misc]  # the SDK is not seen by the type checker
    """The SDK's hook for a content type that it does not bring itself."""

    def read_data(self, body: bytes, datacontenttype: str | None) -> object:
        assert datacontenttype == "application/msgpack"
        return msgpack.unpackb(body)

    def write_data(self, data: object, datacontenttype: str | None) -> bytes:
        raise NotImplementedError

    def read(self, event_factory: object, data: object) -> object:
        raise NotImplementedError

    def write(self, event: object) -> bytes:
        raise NotImplementedError

    def get_content_type(self) -> str:
        raise NotImplementedError


def test_the_headers_are_those_of_the_contract() -> None:
    assert Headers("L1").of(RECORD, 17) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"6f1e5a0e-2f0a-4f57-9d3e-0c8f2a7b1c11"),
        ("ce_source", b"/ledgers/L1"),
        ("ce_type", b"guanxi.loan.loan-drawn.v1"),
        ("ce_subject", b"loan-L05314"),
        ("ce_time", b"1994-03-31T16:00:00.000001Z"),
        ("content-type", b"application/msgpack"),
        ("ce_position", b"42"),
        ("ce_previous", b"17"),
    ]


def test_the_official_sdk_reads_what_we_write() -> None:
    headers = dict(Headers("L1").of(RECORD, 0))
    message = KafkaMessage(headers, RECORD.customer_id.encode(), canonical(RECORD))
    event = from_binary(message, MessagePack())
    assert event.get_specversion() == "1.0"
    assert event.get_id() == RECORD.id
    assert event.get_source() == "/ledgers/L1"
    assert event.get_type() == "guanxi.loan.loan-drawn.v1"
    assert event.get_subject() == "loan-L05314"
    assert event.get_time() == datetime(1994, 3, 31, 16, 0, 0, 1, tzinfo=UTC)
    assert event.get_datacontenttype() == "application/msgpack"
    assert event.get_extension("position") == "42"
    assert event.get_extension("previous") == "0"
    assert event.get_extension("partitionkey") == "C00576"
    assert event.get_data()["data"]["amount"] == 9_639_600


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001  # made UTC below
def test_a_time_on_the_wire_is_the_instant_to_the_microsecond(moment: datetime) -> None:
    whole = int(moment.replace(microsecond=0, tzinfo=UTC).timestamp())
    text = rfc3339(whole * 1_000_000 + moment.microsecond)
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "hashed"),  # from the tests of Kafka's Java client
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)],
)
def test_the_hash_of_a_key_is_kafkas(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed & 0xFFFFFFFF
    assert partition_of(key.decode(), 12) == (hashed & 0x7FFFFFFF) % 12


def test_a_horizon_comes_back_from_its_bytes() -> None:
    horizon = Horizon(7, {"guanxi.loan.v1": (0, 7), "guanxi.deposit.v1": (3, 0)}, 1_000_001)
    assert unpack_horizon(pack_horizon(horizon)) == horizon
    assert msgpack.unpackb(pack_horizon(horizon)) == {
        "complete_through": 7,
        "last": {"guanxi.loan.v1": [0, 7], "guanxi.deposit.v1": [3, 0]},
        "recorded_at": 1_000_001,
    }
