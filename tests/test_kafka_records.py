"""Records read by ourselves: what kafka-python's own reader makes of the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kafka
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka import TopicPartition, codec
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder
from kafka.record.util import calc_crc32c

from infra.codec import canonical
from infra.kafka import records as reader
from infra.kafka.arrivals import as_arrivals
from infra.kafka.records import ArrivalRecords, read_as_arrivals
from infra.kafka.wire import Headers
from tests.deliveries import stored, story

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.merging import Arrival

PARTITION = TopicPartition("guanxi.deposit", 0)
FIRST_OFFSET = 100
CRC_AT, ATTRIBUTES_AT = 17, 21  # in a batch; the checksum is of all from the attributes on
COMPRESSIONS = [0] + [
    number
    for number, has in enumerate((codec.has_gzip, codec.has_snappy, codec.has_lz4), start=1)
    if has()
]
RELAYED = [
    (1_700_000_000_000 + n, b"C%d" % n, canonical(record), Headers("ledger").of(record, n // 2))
    for n, record in enumerate(stored(p, e) for p, e in enumerate(story(3, steps=20), start=1))
]

texts = st.sampled_from(["ce_position", "ce_previous", "ce_specversion", "", "é", "x" * 70])
values = st.none() | st.binary(max_size=200) | st.integers(0, 10**12).map(b"%d".__mod__)
odd = st.tuples(
    st.integers(1_600_000_000_000, 1_700_000_000_000),
    st.none() | st.binary(max_size=5) | st.text(max_size=70).map(str.encode),
    values,
    st.lists(st.tuples(texts, values), max_size=12),
)
relayed = st.sampled_from(RELAYED)


@st.composite
def nearly_relayed(draw: st.DrawFn) -> tuple[Any, ...]:
    """Draw a record of the relay, but for the order, the number or a value of its headers."""
    *record, headers = draw(relayed)
    headers = draw(st.permutations(headers) | st.just([*headers]))
    at = draw(st.integers(0, len(headers) - 1))
    name = headers[at][0]
    headers[at : at + 1] = draw(
        st.sampled_from([[], [(name, None)], [(name, b"7")] * 2, [(name, b"x"), (name, b"")]])
    )
    return (*record, headers)


batches = st.lists(
    st.tuples(
        st.sampled_from(COMPRESSIONS),
        st.lists(st.one_of(relayed, nearly_relayed(), odd), min_size=1, max_size=80),
    ),
    min_size=1,
    max_size=3,
)


def packed(batches_: Sequence[tuple[int, Sequence[Any]]]) -> bytes:
    """Return batches as they lie in a partition."""
    whole, offset = b"", FIRST_OFFSET
    for compression, records in batches_:
        builder = MemoryRecordsBuilder(2, compression, 1 << 30)
        for record in records:
            builder.append(*record)
        builder.close()
        whole += offset.to_bytes(8) + bytes(builder.buffer())[8:]  # as the broker does it
        offset += len(records)
    return whole


def read(cls: type[Fetcher.PartitionRecords], buffer: bytes, offset: int) -> tuple[Any, ...]:
    """Return the arrivals of a fetch, where it goes on, and the error it ended in."""
    part = cls(offset, PARTITION, MemoryRecords(buffer))
    taken: list[Arrival] = []
    try:
        while part and (records := part.take(7)):
            taken += as_arrivals(records)
    except CorruptRecordError:
        return taken, part.next_fetch_offset, "corrupt"
    return taken, part.next_fetch_offset, part.records_read, bool(part)


@settings(max_examples=200)  # it guards what steps into a library
@given(batches, st.integers(0, 100))
def test_whatever_lies_in_a_partition_is_read_as_kafka_python_reads_it(
    written: list[tuple[int, list[Any]]], skipped: int
) -> None:
    buffer, offset = packed(written), FIRST_OFFSET + skipped
    assert read(ArrivalRecords, buffer, offset) == read(Fetcher.PartitionRecords, buffer, offset)


TIME, KEY, VALUE, HEADERS = RELAYED[0]
SPOILT = HEADERS[-2:]  # ce_position, ce_previous
IN_A_VALUE = b"\x18ce_position\x0299\x16ce_previous\x0277"
# A header whose own length, name and value are white space: an integer may be followed by it.
BLANK = (" " * 5, b" " * 16)


@pytest.mark.parametrize(
    "record",
    [
        (TIME, None, VALUE, HEADERS),
        (TIME, KEY, None, HEADERS),
        (TIME, KEY, VALUE + bytes(9_000), HEADERS),
        (TIME, KEY, VALUE + b"".join(name.encode() for name, _ in HEADERS), HEADERS),
        (TIME, KEY, VALUE, [(n, IN_A_VALUE) if n == "ce_subject" else (n, v) for n, v in HEADERS]),
        (TIME, KEY, VALUE, [*HEADERS[:6], *SPOILT, ("ce_subject", IN_A_VALUE)]),
        (TIME, KEY, VALUE, [*HEADERS[:6], *SPOILT, BLANK]),
        (TIME, KEY, VALUE, [*HEADERS[:6], SPOILT[0], BLANK, SPOILT[1]]),
        (TIME, KEY, VALUE, [*HEADERS[:6], *SPOILT, SPOILT[0]]),
        (TIME, KEY, VALUE, [*HEADERS[1:], HEADERS[0]]),
        (TIME, KEY, VALUE, HEADERS[1:]),
    ],
)
def test_what_only_resembles_the_relays_record_is_read_as_kafka_python_reads_it(
    record: tuple[Any, ...],
) -> None:
    buffer = packed([(0, [RELAYED[1], record, RELAYED[2]])])
    theirs = read(Fetcher.PartitionRecords, buffer, FIRST_OFFSET)
    assert read(ArrivalRecords, buffer, FIRST_OFFSET) == theirs
    assert len(theirs[0]) == 3


@given(batches, st.data())
def test_what_is_cut_or_damaged_ends_where_kafka_python_ends_it(
    written: list[tuple[int, list[Any]]], data: st.DataObject
) -> None:
    whole = packed(written)
    at = data.draw(st.integers(17, len(whole) - 1))  # the length before says what is a batch
    damaged = bytearray(whole)
    damaged[at] ^= data.draw(st.integers(1, 255))
    for buffer in (whole[:at], bytes(damaged)):
        try:
            theirs = read(Fetcher.PartitionRecords, buffer, FIRST_OFFSET)
        except Exception as error:  # noqa: BLE001 - of a length that was damaged
            with pytest.raises(type(error)):
                read(ArrivalRecords, buffer, FIRST_OFFSET)
        else:
            assert read(ArrivalRecords, buffer, FIRST_OFFSET) == theirs


@pytest.mark.parametrize(
    "attributes", [0x08, 0x10, 0x30], ids=["log-append-time", "transactional", "control"]
)
def test_a_batch_with_attributes_is_read_as_kafka_python_reads_it(attributes: int) -> None:
    buffer = bytearray(packed([(0, RELAYED[:5])]))
    buffer[ATTRIBUTES_AT + 1] |= attributes
    buffer[CRC_AT:ATTRIBUTES_AT] = calc_crc32c(buffer[ATTRIBUTES_AT:]).to_bytes(4)
    ours, theirs = (
        read(cls, bytes(buffer), FIRST_OFFSET)
        for cls in (ArrivalRecords, Fetcher.PartitionRecords)
    )
    assert ours == theirs
    assert "corrupt" not in ours


def test_a_batch_that_says_another_number_of_records_is_corrupt() -> None:
    buffer = bytearray(packed([(0, RELAYED[:5])]))
    for count in (4, 6):
        buffer[60] = count  # the last byte of the batch's header
        part = ArrivalRecords(FIRST_OFFSET, PARTITION, MemoryRecords(buffer), check_crcs=False)
        assert len(part.take()) == min(count, 5)
        with pytest.raises(CorruptRecordError):
            part.take()


def test_the_relays_records_are_read_without_kafka_pythons_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "arrival", None)  # the way of any other record
    taken, *_ = read(ArrivalRecords, packed([(0, RELAYED)]), FIRST_OFFSET)
    assert [arrival.position for arrival in taken] == list(range(1, len(RELAYED) + 1))
    assert [arrival.value for arrival in taken] == [value for _, _, value, _ in RELAYED]


def test_the_locked_kafka_python_is_known() -> None:
    assert kafka.__version__ in reader.KNOWN_VERSIONS


def test_another_kafka_python_reads_its_records_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "__version__", "3.1.0")
    with structlog.testing.capture_logs() as logs:
        read_as_arrivals(object())
    assert logs == [
        {
            "event": "reading records slowly",
            "kafka_python": "3.1.0",
            "known": sorted(reader.KNOWN_VERSIONS),
            "log_level": "warning",
        }
    ]
