"""`docs/policy-packs.md`: the rules of every pack with their sources, for people."""

from __future__ import annotations

from dataclasses import MISSING, fields
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from infra.policy.packs import DATA, LEDGERS_OWN, NAMES, VERSION_MAX, load_pack
from infra.rules.reading import NAMED
from projections.policy.checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from dataclasses import Field

    from projections.policy.rules import Pack, Rule

EXAMPLE = """\
jurisdiction = "ours"
title = "Our own rules"
notice = "Not legal advice."

[[rules]]
id = "OURS-01"
version = 1
check = "deposit_after_draw"
in_force_from = 2023-01-01
in_force_to = 2023-12-31
severity = "review"
source = "Board paper 12/2022"
title = "Loan turned into deposit"
title_zh = "以贷转存"
looks_for = "A tenth of a draw placed in term within a month."
[rules.parameters]
days = 30
percent = 10
placed_kinds = ["term"]

[[rules]]
id = "OURS-01"
version = 2
check = "deposit_after_draw"
in_force_from = 2024-01-01
severity = "medium"
source = "Board paper 7/2023"
title = "Loan turned into deposit"
title_zh = "以贷转存"
looks_for = "As version 1; what is pledged under a contract is left out."
[rules.parameters]
days = 30
percent = 10
placed_kinds = ["term"]
exempt = ["pledge"]
"""

HEAD = f"""\
# Policy packs

Generated from `infra/policy/data/` by `python -m infra.contract --write`; do not edit.

**Not legal advice.** A pack says what to look at, not what is lawful; ask a lawyer.

`guanxi judge --pack cn` judges every fact by the version of each rule that was in force on the
fact's own day, and raises a finding for each offence that was not raised before; so does every
close of a day ([close.md](close.md)). It flags, it never blocks: nothing is refused for a rule of
a pack. `--as-of` and `--known-at` judge any past date, as now known or as known then; `--dry-run`
records nothing. Rules of `none`, the ledger's own flags, go with every pack.

A finding's id is a UUIDv5 over pack, rule, version, customer and the keys of the facts that make
it the offence it is, so judging again raises nothing twice; `raise-finding` takes no such id, for
what is told by hand. The facts that it only refers to follow those: another one told late is no
other finding. They are, of `deposit_after_draw`, the commitment that counts a related party's
account, and on an account of `kept_kinds` the balance of the last day; of
`loan_deposit_pledge_loan` that commitment and the balance; of `commitment_agreed_after_draw` the
draw; of `penal_rate` the rate before; of `referred_without_consent` the referral that stood on
the day.

Each fact is judged under the customer of whom it was told: a merge of two customers joins nothing.
Nothing is recorded of a finding about a customer who was forgotten: see to it before.

What becomes of a finding is recorded by `assign-finding`, `justify-finding` (another person
approves), `remediate-finding` and `report-finding`. Until one of the last three it has to
be dealt with (`--open`, `open_findings`, the metric): its status is `open`, or `assigned` once
somebody was. `guanxi show findings`, `guanxi export findings` and `GET /findings` tell.

## A bank's own pack

A TOML file, named by its path: `guanxi judge --pack cn --pack OUR-RULES.toml`.

```toml
{EXAMPLE}```

| key | what stands there |
| --- | --- |
| `jurisdiction` | the pack's name: small letters, of no built-in pack nor one beside it |
| `title`, `notice` | texts |
| `[[rules]]` | a version of a rule; the next one begins after it has ended |
| `id` | capital letters, a hyphen, two digits; in no built-in pack nor one beside it |
| `version` | a whole number from 1 to {VERSION_MAX}, upwards |
| `check` | one of those below |
| `in_force_from`, `in_force_to` | dates, both included; still in force without the second |
| `severity` | `review`, `low`, `medium` or `high` |
| `source`, `title`, `title_zh`, `looks_for` | the law, the name in two languages, what to see |
| `[rules.parameters]` | what the check takes, of those below; left out where it takes nothing |

The checks, and what each takes: whole numbers within bounds, or lists with at least one entry,
none blank. What has nothing in it by default may be left out.

Where a check is about other rules in use, such as the reward plans, its parameter names them, as
`plans = "rewards"` does: `rewards.toml` of `infra/rules/data/`, or the bank's own in
`GUANXI_RULES`. The SHA-256 of a pack is over its file
and then, in the order of their names, the SHA-256 (32 bytes) of each file of rules that it names.
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
    hints = get_type_hints(parameters, include_extras=True)
    taken = [_parameter(field, hints[field.name]) for field in fields(parameters)]
    meaning = " ".join(cleandoc(parameters.__doc__ or "").split())
    return "\n  * ".join((f"* `{name}`: {meaning}" if taken else f"* `{name}`", *taken))


def _parameter(field: Field[Any], hint: Any) -> str:  # noqa: ANN401 - a type
    """Return a parameter's name, its bounds or the values of its list, and its default."""
    for bounds in getattr(hint, "__metadata__", ()):
        return f"`{field.name}`: {bounds}"
    values = [value for member in get_args(hint) for value in get_args(member)]
    of = f": of {', '.join(values)}" if values else ""
    return f"`{field.name}`{of}" + ("" if field.default is MISSING else "; nothing by default")


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
        value = getattr(rule.parameters, field.name)
        if value != ():
            yield f"* `{field.name}`: {_told(value)}"
    yield ""


def _told(value: object) -> str:
    """Return a parameter as a pack tells it: other rules by their name."""
    if type(value) in _NAMES:
        return f"`{_NAMES[type(value)]}`"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
