"""What one command of `guanxi record` takes: its fields, their form and unit, and an example."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

    from infra.commands import Form

_DATE = "date, YYYY-MM-DD"
# Of the columns whose schema does not say enough.
_WORDS: Mapping[str, str] = {
    "annual_rate": "rate a year, a plain decimal number: 0.045 is 4.5 %",
    "consequence_value": "basis points where consequence_kind ends in _bp, else percent",
    "currency": "currency, ISO 4217",
    "ends_on": f"{_DATE}; 9999-12-31 for no end",
    "figure": "whole number that the rules hold against a threshold",
    "requirement_value": "in units of currency where requirement_kind is amount, else percent",
    "windows_to": f"{_DATE}; 9999-12-31 for no end",
}
_UNITS: Mapping[str, str] = {  # by the last word of a column's name
    "days": "calendar days",
    "months": "months",
    "ppm": "parts per million",
    "seconds": "seconds",
}
_EXAMPLES: Mapping[str, str] = {
    "annual_rate": "0.045",
    "approved_by": "HEAD-1",
    "assigned_to": "RM-2",
    "branch": "B1",
    "by": "RM-1",
    "consequence_value": "0",
    "currency": "CNY",
    "events": "3f0e6c1a-52f4-4c0e-9d5b-6a1f0b7c2d11",
    "facts": "draw:draw-1",
    "happened_at": "1994-03-31T09:30:00+01:00",
    "items": "power bill\ntax return",
    "manager": "RM-1",
    "name": "Wang Xiaoming",
    "pack": "cn",
    "segment": "retail",
    "to_manager": "RM-2",
}


def command_help(form: Form) -> RenderableType:
    """Return what a person needs to tell a command."""
    schema = form.model.model_json_schema()
    title = " ".join(schema["description"].split())
    made = table(f"{title}\n", ("field", "", "what it holds"))
    made.columns[0].no_wrap = made.columns[1].no_wrap = True
    for name in (*form.required, *form.optional):
        needed = "required" if name in form.required else "optional"
        made.add_row(
            Text(f"--{name}"), Text(needed), Text(_held(name, schema["properties"][name]))
        )
    return Group(
        Text(f"guanxi record {form.name} --FIELD VALUE …, or the fields as one JSON object\n"),
        made,
        Text("\nFor example:\n"),
        Text(" \\\n    ".join(_lines(form)), no_wrap=True, overflow="ignore"),
    )


def example(form: Form) -> dict[str, str]:
    """Return a value for each field that a command must have."""
    columns = form.model.model_json_schema()["properties"]
    return {name: _example(name, columns[name]) for name in form.required}


def _lines(form: Form) -> Iterator[str]:
    yield f"guanxi record {form.name}"
    for name, value in example(form).items():
        told = json.dumps(value.splitlines()) if name in form.lists else value
        yield f"--{name} {shlex.quote(told)}"


def _held(  # noqa: PLR0911 - one a case
    name: str, schema: Mapping[str, Any]
) -> str:
    """Return the form of a column in words, with its unit."""
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if name in _WORDS:
        return _WORDS[name]
    match schema:
        case {"format": "date"}:
            return _DATE
        case {"format": "date-time"}:
            return "instant with its offset, such as 1994-03-31T09:30:00+01:00"
        case {"type": "integer"}:
            unit = _UNITS.get(name.rpartition("_")[2])
            return f"whole number of {unit}" if unit else "whole number"
        case {"type": "array"}:
            return f"up to {schema['maxItems']} texts: a JSON list, or the option for each"
        case {"description": told}:
            return str(told)
        case {"pattern": _}:
            return f"id: up to {schema['maxLength']} printable characters without spaces"
        case _:
            return f"text of up to {schema['maxLength']:,} characters"


def _example(  # noqa: PLR0911 - one a case
    name: str, schema: Mapping[str, Any]
) -> str:
    if name in _EXAMPLES and "enum" not in schema:
        return _EXAMPLES[name]
    match schema:
        case {"enum": [first, *_]}:
            return str(first)
        case {"format": "date"}:
            return "1994-03-31"
        case {"type": "integer"}:
            return "1"
        case {"description": _}:
            return "1234.50"
        case {"pattern": _}:
            return f"{name.removesuffix('_id').replace('_', '-')}-1"
        case _:
            return f"{name} in words".replace("_", " ")
