"""The dates and instants of the options, read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from infra.cli.failures import BadCallError
from infra.moments import day_of, microseconds, moment_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from domain.values import Instant

Read = TypeVar("Read")

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
    return None if text is None else _read(option, text, day_of)


def instant(option: str, text: str | None) -> Instant | None:
    """Return the instant of an option, in microseconds since 1970 UTC. Raises `BadCallError`."""
    return None if text is None else microseconds(_read(option, text, moment_of))


def _read(option: str, text: str, read: Callable[[str], Read]) -> Read:
    try:
        return read(text)
    except ValueError as error:
        message = f"{option} {error}"
        raise BadCallError(message) from None
