"""`docs/rules.md`: every entry of the files of rules, what it may hold and holds, for people."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, fields
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, get_origin

from infra.fields import optional
from infra.rules.entries import entries_of, may_hold, table_in
from infra.rules.reading import DATA, FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """\
# Rules

Generated from `infra/rules/data/` by `python -m infra.contract --write`; do not edit.

The figures behind the agenda, judgement, customer value, networks, referrals and partners are
data: TOML files of the names below. `GUANXI_RULES` may name a folder with a bank's own, each of
which replaces the one of its name whole. Nothing else may lie in that folder, save what begins
with a dot. A folder that is none, a file or an entry that is not listed here, an entry that is
missing and a value that an entry may not hold are refused (`bad-rules`), with the file, the entry,
the value and what is allowed. `guanxi serve` reads all of them before it starts, and again for
each answer: one that cannot be used any more is told in the answers that need it.

A list may be empty where its table does not say otherwise. The tables of a list (`[[…]]`) have
nothing in the last column: see the file that is built in.
"""


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
    for name, hint in entries_of(cls).items():
        entry, inner = prefix + name, table_in(hint)
        if inner is None:
            holds = may_hold(hint).replace("'", "`") + _left_out(cls, name)
            yield f"`{entry}`", holds, _shown(built_in.get(name))
            continue
        listed = get_origin(optional(hint)[0]) is tuple
        yield (
            f"**`{'[[' if listed else '['}{entry}{']]' if listed else ']'}`**",
            _meaning(inner),
            "",
        )
        within = built_in.get(name)
        yield from _entries(inner, within if isinstance(within, dict) else {}, f"{entry}.")


def _left_out(cls: Any, name: str) -> str:  # noqa: ANN401 - a dataclass
    """Return what counts where the entry is left out, nothing where it must be there."""
    [default] = (field.default for field in fields(cls) if field.name == name)
    if default is MISSING:
        return ""
    if default is None:
        return ", or left out"
    return f"; left out: {_shown([*default] if isinstance(default, tuple) else default)}"


def _shown(value: Any) -> str:  # noqa: ANN401 - any TOML value
    if isinstance(value, dict):
        return ", ".join(f"`{name} = {each}`" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(f"`{each}`" for each in value) or "none"
    return "" if value is None else f"`{value}`"


def _meaning(cls: type) -> str:
    return " ".join(cleandoc(cls.__doc__ or "").split())
