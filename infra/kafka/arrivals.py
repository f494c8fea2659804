"""A record of kafka-python as the merge takes it: only two headers are read, no value."""

from __future__ import annotations

from typing import Any

from consumers.merging import Arrival
from infra.kafka.wire import POSITION_HEADER, PREVIOUS_HEADER


def arrival(record: Any) -> Arrival:  # noqa: ANN401  # kafka-python is not typed
    """Return a record as it arrived. The relay writes these two headers last."""
    headers = record.headers
    if not headers or headers[-1][0] != PREVIOUS_HEADER or headers[-2][0] != POSITION_HEADER:
        return _arrival_by_name(record)
    position, previous = int(headers[-2][1]), int(headers[-1][1])
    return Arrival(position, previous, record.offset, record.key.decode(), record.value)


def _arrival_by_name(record: Any) -> Arrival:  # noqa: ANN401  # as above
    """Read the headers in any order; a record without them is no event, and fits nowhere."""
    named = dict(record.headers)
    if POSITION_HEADER not in named or PREVIOUS_HEADER not in named:
        return Arrival(0, 0, record.offset, "", b"")
    position, previous = int(named[POSITION_HEADER]), int(named[PREVIOUS_HEADER])
    return Arrival(position, previous, record.offset, record.key.decode(), record.value)
