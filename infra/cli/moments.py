"""The dates and instants of the options, read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.failures import BadCallError

if TYPE_CHECKING:
    from domain.values import Instant

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="Business date, YYYY-MM-DD. Default: the last one closed, else the latest recorded.",
    ),
]
KnownAt = Annotated[
    str | None,
    typer.Option(
        "--known-at", help="Instant with offset, ISO 8601: as known then. Default: as now known."
    ),
]
BusinessDate = Annotated[
    str | None,
    typer.Option(
        "--business-date",
        help="The day the books are on, YYYY-MM-DD."
        " Default: the day after the last close, else the latest date recorded.",
    ),
]


def day(option: str, text: str | None) -> date | None:
    """Return the date of an option. Raises `BadCallError`."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{option} {text!r} is no date: write YYYY-MM-DD"
        raise BadCallError(message) from None


def instant(option: str, text: str | None) -> Instant | None:
    """Return the instant of an option, in microseconds since 1970 UTC. Raises `BadCallError`."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"{option} {text!r} is no instant: write 2026-01-31T18:00:00+08:00"
        raise BadCallError(message)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
