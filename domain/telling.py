"""From a command to the event that says it happened, and what held on a day."""

from __future__ import annotations

from dataclasses import fields
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

Told = TypeVar("Told")
Value = TypeVar("Value")


def told(event: type[Told], by: object, **rest: Any) -> Told:  # noqa: ANN401 - any field's value
    """Return the event with the fields that `by` has under the same name, and the rest."""
    names = (f.name for f in fields(event))  # type: ignore[arg-type]  # events are dataclasses
    same = {name: getattr(by, name) for name in names if name not in rest and hasattr(by, name)}
    return event(**same, **rest)


def told_for(day: date, history: Iterable[tuple[date, Value]]) -> Value | None:
    """Return what was last told to hold from this very day on, None where nothing was.

    To tell it again changes nothing. What holds already since another day is no repetition: a
    fact told later, of a date between the two, may change it up to this day.
    """
    return next((value for on, value in reversed([*history]) if on == day), None)


def latest_on(day: date, history: Iterable[tuple[date, Value]]) -> Value | None:
    """Return what held on a day: the latest dated up to it, the last told of one date.

    `history` is in ledger order: business order is (occurred on, position).
    """
    begun = [entry for entry in history if entry[0] <= day]
    latest = max(reversed(begun), key=itemgetter(0), default=None)
    return None if latest is None else latest[1]
