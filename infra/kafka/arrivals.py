"""A record of kafka-python as the merge takes it: only two headers are read, no value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumers.merging import Arrival
from infra.kafka.wire import POSITION_HEADER, PREVIOUS_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def as_arrivals(records: Sequence[Any]) -> Iterable[Arrival]:
    """Return records of one partition as arrivals, which they are where we read them ourselves."""
    return records if isinstance(records[0], Arrival) else map(arrival, records)


def arrival(record: Any) -> Arrival:  # noqa: ANN401  # kafka-python is not typed
    """Return a record as it arrived; one that no relay has written fits nowhere."""
    try:
        named = dict(record.headers)
        position, previous = int(named[POSITION_HEADER]), int(named[PREVIOUS_HEADER])
        key, value = record.key.decode(), memoryview(record.value).tobytes()
    except (LookupError, TypeError, ValueError, AttributeError):
        return Arrival(0, 0, record.offset, "", b"")
    return Arrival(position, previous, record.offset, key, value)
