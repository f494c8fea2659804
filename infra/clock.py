"""The clock: the only place that asks the machine what time it is in business terms."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.values import Instant


def wall_clock() -> Instant:
    """Return the microseconds since 1970 UTC."""
    return time.time_ns() // 1_000
