"""How a fold is written down: which row an event touches, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.catalogue import Event
    from projections.facts import Row

Fold: TypeAlias = Callable[[Any, Any], "Row"]


class CannotApplyError(Exception):
    """The event does not fit the facts: what it changes is missing, or what it makes is there."""

    code: ClassVar[str] = "event-inapplicable"


@dataclass(frozen=True, slots=True)
class Rule:
    """The kind of row an event touches, its id, and the row after the event."""

    kind: str
    id_of: Callable[[Any], str]
    fold: Fold


def rules(
    kind: str, id_of: Callable[[Any], str], folds: Mapping[type[Event], Fold]
) -> dict[type[Event], Rule]:
    """Return the rules of one kind of row."""
    return {event_class: Rule(kind, id_of, fold) for event_class, fold in folds.items()}


def makes(make: Callable[[Any], Row]) -> Fold:
    """Return the fold of an event that makes a row: it must not be there yet."""

    def fold(row: Row | None, event: Event) -> Row:
        if row is not None:
            cannot(event, "its row is there already")
        return make(event)

    return fold


def changes(change: Callable[[Any, Any], Row]) -> Fold:
    """Return the fold of an event that changes a row: it must be there."""

    def fold(row: Row | None, event: Event) -> Row:
        if row is None:
            cannot(event, "its row is missing")
        return change(row, event)

    return fold


def cannot(event: Event, why: str) -> NoReturn:
    """Raise `CannotApplyError`."""
    message = f"{type(event).__name__} of {event.customer_id} cannot be applied: {why}"
    raise CannotApplyError(message)
