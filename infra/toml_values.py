"""A value of a TOML file as people read it there, for the message that refuses it."""

from __future__ import annotations

from datetime import date, time

CHARS_MAX = 80  # of a value in a message
INTEGER_BITS_MAX = 64  # of TOML; Python writes no decimal of thousands of digits


def as_told(value: object) -> str:
    """Return a value as a file tells it, cut off after `CHARS_MAX` characters."""
    text = _written(value)
    return text if len(text) <= CHARS_MAX else f"{text[:CHARS_MAX]}…"


def _written(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() if value.bit_length() > INTEGER_BITS_MAX:
            return hex(value)
        case date() | time():  # a date with its time of day is one too
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(map(_written, value))}]"
        case dict():
            entries = (f"{key} = {_written(each)}" for key, each in value.items())
            return f"{{{', '.join(entries)}}}"
        case _:
            return repr(value)
