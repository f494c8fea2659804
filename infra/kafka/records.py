"""A fetched partition read as arrivals: of a record's headers only two are wanted.

kafka-python unpacks every header of every record in Python, one by one; more than half of a
rebuild went there. Here a record that ends as the relay's do is read by what its lengths say, and
any other is left to kafka-python. See docs/adr/0007-records-are-read-by-ourselves.md.
"""
# ruff: noqa: SLF001 - kafka-python has no other way in; `KNOWN_VERSIONS` guards what is its own

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kafka
import structlog
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch

from consumers.merging import Arrival
from infra.kafka.arrivals import arrival
from infra.kafka.wire import POSITION_HEADER, PREVIOUS_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kafka import KafkaConsumer

KNOWN_VERSIONS = frozenset({"3.0.12"})  # of kafka-python: this module uses what is its own

# How the headers of a record begin that the relay wrote, nine with ce_specversion the first, and
# how the names of the last two stand among them. A length comes before each, doubled.
_BEGIN = b"\x12\x1cce_specversion"
_POSITION = bytes([2 * len(POSITION_HEADER)]) + POSITION_HEADER.encode()
_PREVIOUS = bytes([2 * len(PREVIOUS_HEADER)]) + PREVIOUS_HEADER.encode()
_POSITION_VALUE, _PREVIOUS_VALUE = len(_POSITION) + 1, len(_PREVIOUS) + 1  # from the name on
_BYTE_MAX = 0x7F  # of a number's last byte; the others are larger
_UNUSUAL = (IndexError, ValueError)  # what reading another record as the relay's ends in


def read_as_arrivals(consumer: KafkaConsumer) -> None:
    """Let the consumer, not yet polled, return arrivals in the place of its records.

    With another kafka-python than those known it is left as it is, and the log says so.
    """
    if kafka.__version__ in KNOWN_VERSIONS:
        consumer._fetcher.PartitionRecords = ArrivalRecords
    else:
        structlog.get_logger().warning(
            "reading records slowly",
            kafka_python=kafka.__version__,
            known=sorted(KNOWN_VERSIONS),
        )


class ArrivalRecords(Fetcher.PartitionRecords):  # type: ignore[misc]  # kafka-python is not typed
    """What a fetch brought of one partition, unpacked into arrivals while it is taken.

    Checksums, offsets and errors are as in the class it replaces; transactions are not looked at,
    for the relay uses none.
    """

    def _unpack_records(
        self,
        tp: object,
        records: Any,  # noqa: ANN401 - as above
        *_deserializers: object,
    ) -> Iterator[Arrival]:
        batch = None
        for batch in records:
            if self.check_crcs and not batch.validate_crc():
                message = f"{tp}: the batch at offset {batch.base_offset} failed its crc check"
                raise CorruptRecordError(message)
            self.bytes_read += batch.size_in_bytes
            if not isinstance(batch, DefaultRecordBatch):
                yield from self._counted(map(arrival, batch))
                continue
            self.leader_epoch = batch.leader_epoch
            if not batch.is_control_batch:
                yield from self._counted(arrivals(batch))
            self.next_fetch_offset = batch.next_offset  # records may be compacted away
        self.drain()

    def _counted(self, found: Iterator[Arrival]) -> Iterator[Arrival]:
        for each in found:
            self.next_fetch_offset = each.offset + 1
            self.records_read += 1
            yield each


def arrivals(batch: Any) -> Iterator[Arrival]:  # noqa: ANN401 - as above
    """Yield the records of a `DefaultRecordBatch`. Raises `CorruptRecordError`."""
    iter(batch)  # decompresses it
    buffer, base = bytes(batch._buffer), batch.base_offset
    at = batch._pos
    for index in range(batch.records_count):
        try:
            found, at = _usual(buffer, at, base)
        except _UNUSUAL:
            batch._pos, batch._next_record_index = at, index
            found, at = arrival(next(batch)), batch._pos
        yield found
    batch._pos, batch._next_record_index = at, batch.records_count
    next(batch, None)  # raises where bytes are left over


def _usual(buffer: bytes, at: int, base: int) -> tuple[Arrival, int]:
    """Return the relay's record at a place of a batch, and the place after it."""
    size, at = _length(buffer, at)
    end = at + size
    if buffer[at]:  # attributes, of which there are none
        raise ValueError
    while buffer[at + 1] > _BYTE_MAX:  # the bytes of the timestamp
        at += 1
    offset, at = _length(buffer, at + 2)
    size, at = _length(buffer, at)
    key, at = buffer[at : at + size], at + size
    size, at = _length(buffer, at)
    value, at = buffer[at : at + size], at + size
    previous_at = buffer.rindex(_PREVIOUS, at, end)
    position_at = buffer.rindex(_POSITION, at, previous_at)
    position = buffer[position_at + _POSITION_VALUE : previous_at]
    previous = buffer[previous_at + _PREVIOUS_VALUE : end]
    if (
        buffer[position_at + _POSITION_VALUE - 1] != 2 * len(position)
        or buffer[previous_at + _PREVIOUS_VALUE - 1] != 2 * len(previous)
        or not buffer.startswith(_BEGIN, at)
    ):
        raise ValueError
    return Arrival(int(position), int(previous), base + offset, key.decode(), value), end


def _length(buffer: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place, of one or two bytes and not negative, and the place after."""
    low = buffer[at]
    if not low & 0x81:
        return low >> 1, at + 1
    high = buffer[at + 1]
    if low & 1 or high > _BYTE_MAX:
        raise ValueError
    return (low & 0x7F | high << 7) >> 1, at + 2
