"""What the numbers and strings of an event are measured in, and what an event means in words."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from domain.commitment import Terms

if TYPE_CHECKING:
    from domain.catalogue import EventType
    from infra.fields import Column

BY_TYPE = {
    "date": "business date",
    "Instant": "microseconds since 1970 UTC",
    "Minor": "minor units of `currency`",
    "Ppm": "parts per million (1 % is 10,000)",
}
BY_NAME = {
    "annual_rate": "plain decimal without trailing zeros",
    "cure_days": "calendar days",
    "currency": "ISO 4217 code",
    "duration_seconds": "seconds",
    "grace_days": "calendar days",
    "missing_days": "calendar days",
    "requirement_value": "minor units of `currency` where the kind is `amount`, else ppm",
    "term_months": "months",
    "utc_offset_minutes": "minutes east of UTC",
}


def unit_of(column: Column) -> str:
    """Return the unit of a field, empty where there is none to tell."""
    words = re.findall(r"\w+", column.written)
    by_type = [BY_TYPE[word] for word in words if word in BY_TYPE]
    return BY_NAME.get(column.name) or "".join(by_type)


def meaning_of(event_type: EventType) -> str:
    """Return the event's docstring as one paragraph, with that of the terms where it has any."""
    own = _paragraph(event_type.cls)
    has_terms = any(written == "Terms" for written in event_type.cls.__annotations__.values())
    return f"{own} Terms: {_paragraph(Terms)}" if has_terms else own


def _paragraph(cls: type) -> str:
    return " ".join((inspect.getdoc(cls) or "").split())
