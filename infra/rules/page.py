"""`docs/rules.md`: every entry of the files of rules, what it may hold and holds, for people."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, fields
from datetime import date
from inspect import cleandoc
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from infra.fields import optional
from infra.rules.reading import DATA, FILES, table_in
from projections.allowed import Allowed

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """\
# Rules

Generated from `infra/rules/data/` by `python -m infra.contract --write`; do not edit.

The figures behind the agenda, judgement, customer value, networks, referrals and partners are
data: TOML files of the names below. `GUANXI_RULES` may name a folder with a bank's own, each of
which replaces the one of its name whole. Nothing else may lie in that folder, save what begins
with a dot. A folder that is none, a file or an entry that is not listed here, and a value that an
entry may not hold are refused (`bad-rules`), with the file, the entry, the value and what is
allowed. `guanxi serve` reads all of them before it starts, and again for each answer: one that
cannot be used any more is told in the answers that need it.

The tables of a list (`[[…]]`) have nothing in the last column: see the file that is built in.
"""
_PLAIN = {str: "a text", int: "a whole number", date: "a date"}


def rules_page() -> str:
    """Return the page, a section a file."""
    return "\n".join((HEAD, *(_file(name) for name in FILES)))


def _file(name: str) -> str:
    built_in = tomllib.loads((DATA / name).read_text("utf-8"))
    rows = "".join(f"| {' | '.join(row)} |\n" for row in _entries(FILES[name], built_in))
    head = "| entry | what it may hold | built in |\n| --- | --- | --- |\n"
    file = f"[`infra/rules/data/{name}`](../infra/rules/data/{name})"
    return f"## {name}\n\n{_meaning(FILES[name])} Built in: {file}.\n\n{head}{rows}"


def _entries(cls: type, built_in: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, ...]]:
    """Yield the entries of a table and of those in it; of a list of tables, none is shown."""
    for name, hint in get_type_hints(cls, include_extras=True).items():
        entry, inner = prefix + name, table_in(hint)
        if inner is None:
            yield f"`{entry}`", _allowed(hint) + _left_out(cls, name), _shown(built_in.get(name))
            continue
        listed = get_origin(optional(hint)[0]) is tuple
        yield (
            f"**`{'[[' if listed else '['}{entry}{']]' if listed else ']'}`**",
            _meaning(inner),
            "",
        )
        within = built_in.get(name)
        yield from _entries(inner, within if isinstance(within, dict) else {}, f"{entry}.")


def _allowed(hint: Any) -> str:  # noqa: ANN401 - a type as `get_type_hints` gives it
    rest, nullable = optional(hint)
    if nullable:
        return f"{_allowed(rest)}, or left out"
    for allowed in getattr(hint, "__metadata__", ()):
        if isinstance(allowed, Allowed):
            return str(allowed)
    members = [member for member in get_args(hint) if member not in {..., NoneType}]
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(f"`{member}`" for member in members)
    if get_origin(hint) is tuple:
        return f"a list, of each: {_allowed(members[0])}"
    if members:
        return f"a table, for each name: {_allowed(members[-1])}"
    return _PLAIN[hint]


def _left_out(cls: Any, name: str) -> str:  # noqa: ANN401 - a dataclass
    """Return what counts where the entry is left out, nothing where it must be there."""
    [default] = (field.default for field in fields(cls) if field.name == name)
    if default is MISSING or default is None:  # what may be None says that it may be left out
        return ""
    return f"; left out: {_shown([*default] if isinstance(default, tuple) else default)}"


def _shown(value: Any) -> str:  # noqa: ANN401 - any TOML value
    if isinstance(value, dict):
        return ", ".join(f"`{name} = {each}`" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(f"`{each}`" for each in value) or "none"
    return "" if value is None else f"`{value}`"


def _meaning(cls: type) -> str:
    return " ".join(cleandoc(cls.__doc__ or "").split())
