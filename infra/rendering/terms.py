"""The terms of a commitment in the terminal: compactly, and what amendments changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from domain.commitment import MISSING_DAYS
from domain.values import BASIS_POINT, PERCENT, counted_in
from domain.windows import LONGER
from infra.rendering.figures import NOTHING, money, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from rich.table import Table

    from domain.commitment import CountedAccount, Terms, TermsFrom
    from projections.facts import Commitment
    from projections.terms_in_force import Amendment


def terms_lines(
    commitment: Commitment, held: TermsFrom, released_on: date | None
) -> Iterator[tuple[str, str]]:
    """Yield what was agreed and what is in force, a name and its words each."""
    agreed = commitment.terms[0].terms
    words = described(agreed)
    if held.terms == agreed:
        yield "agreed", f"on {commitment.agreed_on}, for {words.pop('for')}"
    else:
        then = "; ".join(f"{name} {value}" for name, value in words.items())
        yield "agreed", f"on {commitment.agreed_on}: {then}"
        words = described(held.terms)
        since = f"from {held.effective_on} on, told {held.told_on}"
        yield "in force", f"{since}, for {words.pop('for')}"
    if released_on is not None:
        yield "released", f"on {released_on}: in force until the day before"
    yield from words.items()


def described(terms: Terms) -> dict[str, str]:
    """Return the parts of terms in words by their names, but for what is as by default."""
    found = {
        "for": f"{terms.starts_on} to {terms.ends_on}",
        "requires": _required(terms),
        "tested": _tested(terms),
    }
    if terms.accounts:
        found["counts"] = " ".join(map(_account, terms.accounts))
    if terms.seasonal_profile:
        found["seasonal"] = " ".join(map(_percent, terms.seasonal_profile)) + " %"
    if terms.cap_ppm is not None:
        found["capped"] = f"each day at {_percent(terms.cap_ppm)} % of what it requires"
    if terms.netting == "carry_surplus":
        found["surplus"] = f"carried over within the {_spaced(LONGER.get(terms.window, ''))}"
    if terms.missing_days != MISSING_DAYS:
        carried = _days(terms.missing_days) if terms.missing_days else "no day"
        found["missing"] = f"a balance is carried for {carried}"
    if terms.consequence_kind != "none":
        found["at breach"] = _consequence(terms)
    return found


def amendments_view(amended: Iterable[Amendment]) -> Table:
    """Return when each amendment was told and takes effect, what it changed, and why."""
    made = table("Amendments", ("told", "effective", "changed", "reason"))
    for one in amended:
        made.add_row(
            str(one.told.told_on),
            str(one.told.effective_on),
            Text("\n".join(_changes(one))),
            Text(one.told.reason),
        )
    return made


def _changes(one: Amendment) -> Iterator[str]:
    before, after = described(one.before), described(one.told.terms)
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, NOTHING)} → {after.get(name, NOTHING)}"


def _required(terms: Terms) -> str:
    by_amount = terms.requirement_kind == "amount"
    value = terms.requirement_value
    required = money(value, terms.currency) if by_amount else f"{_percent(value)} %"
    return f"{terms.metric} {required} ({terms.requirement_kind}), {terms.currency}"


def _tested(terms: Terms) -> str:
    parts = ["over the whole term" if terms.window == "term" else f"each {_spaced(terms.window)}"]
    if terms.grace_days:
        parts.append(f"{_days(terms.grace_days)} of grace")
    if terms.cure_days:
        parts.append(f"{_days(terms.cure_days)} to cure")
    return ", ".join(parts)


def _account(account: CountedAccount) -> str:
    if account.counted_from is None and account.counted_to is None:
        return account.account_id
    return f"{account.account_id}@{account.counted_from or ''}/{account.counted_to or ''}"


def _consequence(terms: Terms) -> str:
    kind, value = terms.consequence_kind, terms.consequence_value
    if kind.endswith("_bp"):
        return (
            f"{_spaced(kind.removesuffix('_bp'))} of {counted_in(BASIS_POINT, value)} basis points"
        )
    return f"hold of {_percent(value)} %"


def _percent(ratio: int) -> str:
    return counted_in(PERCENT, ratio)


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _spaced(word: str) -> str:
    return word.replace("_", " ")
