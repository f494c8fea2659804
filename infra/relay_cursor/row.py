"""What the cursor's row says, in either database."""

from __future__ import annotations

import json

from consumers.relay_cursor import Cursor, LeadershipLostError

LEAD = """
UPDATE relay_cursor SET epoch = epoch + 1, leader = {0}
WHERE one = 1 RETURNING epoch, complete_through, last
"""
STORE = """
UPDATE relay_cursor SET complete_through = {0}, last = {0} WHERE one = 1 AND epoch = {0}
"""
READ = "SELECT complete_through, leader FROM relay_cursor"


def load(complete_through: int, last: str) -> Cursor:
    """Return the cursor of a row."""
    positions = {topic: tuple(partitions) for topic, partitions in json.loads(last).items()}
    return Cursor(complete_through, positions)


def dump(cursor: Cursor, epoch: int) -> tuple[int, str, int]:
    """Return what `STORE` takes."""
    return cursor.complete_through, json.dumps(cursor.last), epoch


def require_stored(rows: int) -> None:
    """Raise `LeadershipLostError` where `STORE` has found another epoch."""
    if rows != 1:
        message = "another relay leads now"
        raise LeadershipLostError(message)
