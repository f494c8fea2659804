"""`docs/policy-packs.md`: the rules of every pack with their sources, for people."""

from __future__ import annotations

from dataclasses import fields
from inspect import cleandoc
from typing import TYPE_CHECKING

from infra.policy.packs import DATA, LEDGERS_OWN, NAMES, load_pack
from infra.rules.reading import NAMED
from projections.policy.checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.policy.rules import Pack, Rule

HEAD = """\
# Policy packs

Generated from `infra/policy/data/` by `python -m infra.contract --write`; do not edit.

**Not legal advice.** A pack says what to look at, not what is lawful; ask a lawyer.

`guanxi judge --pack cn` judges every fact by the version of each rule that was in force on the
fact's own day, and raises a finding for each offence that was not raised before; so does every
close of a day ([close.md](close.md)). It flags, it never blocks: nothing is refused for a rule of
a pack. `--as-of` and `--known-at` judge any past date, as now known or as known then; `--dry-run`
records nothing. Rules of `none`, the ledger's own flags, go with every pack.

A finding's id is a UUIDv5 over rule, version and the keys of its facts, so judging again raises
nothing twice. What becomes of it is recorded by `assign-finding`, `justify-finding` (another
person approves), `remediate-finding` and `report-finding`; it is **open** until one of the last
three. `guanxi show findings`, `guanxi export findings` and `GET /findings` tell.

A bank's own pack is a TOML file of the same form: `guanxi judge --pack OUR-RULES.toml`. A rule
names a check, its parameters and its dates, both included; another version of a rule begins after
the one before has ended. Where a check is about other rules in use, such as the reward plans, its
parameter names their file in `infra/rules/data/`, or the bank's own in `GUANXI_RULES`. The SHA-256
of a pack is over its file and then, in the order of their names, the SHA-256 (32 bytes) of each
file of rules that it names. The checks, and what each takes:
"""
_NAMES = {form: name for name, form in NAMED.items()}


def packs_page() -> str:
    """Return the page: the checks there are, then the rules of each pack."""
    names = (LEDGERS_OWN, *(name for name in NAMES if name != LEDGERS_OWN))
    packs = [load_pack(DATA / f"{name}.toml") for name in names]
    lines = (line for pack in packs for line in _pack(pack))
    return "\n".join((HEAD, *map(_check, sorted(CHECKS)), "", *lines))


def _check(name: str) -> str:
    parameters = CHECKS[name].parameters
    names = ", ".join(f"`{field.name}`" for field in fields(parameters))
    meaning = " ".join(cleandoc(parameters.__doc__ or "").split())
    return f"* `{name}`" + (f" ({names}): {meaning}" if names else "")


def _pack(pack: Pack) -> Iterator[str]:
    yield f"## `{pack.jurisdiction}`: {pack.title}\n\n{pack.notice}\n"
    for rule in pack.rules:
        yield "\n".join(_rule(rule))


def _rule(rule: Rule) -> Iterator[str]:
    until = f" to {rule.in_force_to}" if rule.in_force_to else ""
    yield f"### {rule.id} version {rule.version}: {rule.title} {rule.title_zh}\n"
    yield f"* in force from {rule.in_force_from}{until}"
    yield f"* severity {rule.severity}"
    yield f"* source: {rule.source}"
    yield f"* looks for: {rule.looks_for}"
    for field in fields(rule.parameters):  # type: ignore[arg-type]  # of the check's dataclass
        yield f"* `{field.name}`: {_told(getattr(rule.parameters, field.name))}"
    yield ""


def _told(value: object) -> str:
    """Return a parameter as a pack tells it: rules by the name of their file."""
    if type(value) in _NAMES:
        return f"`{_NAMES[type(value)]}.toml`"
    told = ", ".join(value) if isinstance(value, tuple) else str(value)
    return told or "none"
