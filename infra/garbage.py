"""Python's search for reference cycles, set for what this program does.

Records and rows live for a batch, by the ten thousand, and form no cycles. Python would look
through them after every 700 new objects; a third of the time of a rebuild went there.
"""

from __future__ import annotations

import gc

NEW_OBJECTS_MIN = 50_000  # between two searches among the new ones
YOUNGER_SEARCHES_MIN = (20, 100)  # before the next older ones are searched


def collect_rarely() -> None:
    """Set it for this process."""
    gc.set_threshold(NEW_OBJECTS_MIN, *YOUNGER_SEARCHES_MIN)
