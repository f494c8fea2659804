"""What a test of a window rests on, as lines of text that anybody can hash again.

Of the window: its terms, what was carried into it, the accounts that count, their balances
from the days that may be carried on to the last day that mattered, each change of the debt. The
lines are sorted, joined by line feeds, and hashed as UTF-8 with SHA-256. The page on the close
(docs/close.md) tells them with an example, for who checks a hash without this program.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from domain.counted_balances import deposits_counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.commitment import CountedAccount, Terms
    from domain.compliance import Test
    from domain.counted_balances import Deposit
    from domain.requirement import Flow

DATES_CACHED_MAX = 65_536


class Inputs(NamedTuple):
    """The lines of a test, sorted, and how many facts they tell: of balances each observed one."""

    facts: int
    lines: list[str]

    @property
    def sha256(self) -> str:
        """The SHA-256 of the lines, in hex."""
        return sha256("\n".join(self.lines).encode()).hexdigest()


NONE = Inputs(0, [])


def inputs_of(test: Test, deposits: Sequence[Deposit], flows: Sequence[Flow]) -> Inputs:
    """Return what a test of an ended window rests on."""
    window, result = test.window, test.result
    lines = [f"window {_iso(window.first)} {_iso(window.last)}", f"surplus {test.surplus}"]
    if result.status == "waived":
        lines.append("waived")
    counted: dict[str, Deposit] = {}
    missing_days, by_debt = 0, False
    for stretch in window.stretches:
        terms = stretch.terms
        lines.append(f"terms from {_iso(max(stretch.first, window.first))} {_told(terms)}")
        counted |= {one.account_id: one for one in deposits_counted(terms, deposits)}
        missing_days = max(missing_days, terms.missing_days)
        by_debt = by_debt or rests_on_debt(terms)
    first, last = window.first - missing_days, last_day_that_mattered(test)
    more = 0
    for deposit in counted.values():
        if deposit.opened <= last:  # one opened later counts on none of the days
            lines.append(f"account {deposit.account_id} opened {_iso(deposit.opened)}")
            observed, line = _balances(deposit, first, last)
            if observed:
                lines.append(line)
                more += observed - 1
    if by_debt:
        end = result.window_end
        lines += [f"debt {f.on} drawn {f.drawn} repaid {f.repaid}" for f in flows if f.on <= end]
    return Inputs(len(lines) + more, sorted(lines))


def last_day_that_mattered(test: Test) -> int:
    """Return the window's last day, or where it was short the last cure day looked at."""
    window, result = test.window, test.result
    if result.cured_on is not None:
        return result.cured_on.toordinal()
    if result.status not in {"in_cure", "breached"}:
        return window.last
    return min(test.evidence.today, window.last + window.terms.grace_days + window.terms.cure_days)


def _balances(deposit: Deposit, first: int, last: int) -> tuple[int, str]:
    """Return how many balances were observed on some days, and them from the first one on."""
    first = max(first, deposit.first)
    seen = deposit.seen(first, last) if deposit.balances else []
    while seen and seen[0] is None:
        del seen[0]
        first += 1
    told = " ".join(["-" if balance is None else str(balance) for balance in seen])
    return len(seen) - seen.count(None), f"balances {deposit.account_id} {_iso(first)} {told}"


def rests_on_debt(terms: Terms) -> bool:
    """Tell whether draws and repayments are inputs of a test by these terms."""
    return terms.requirement_kind != "amount" or terms.consequence_kind == "rate_surcharge_bp"


def _told(terms: Terms) -> str:
    """Return every field of the terms; written out, for this is done at each test."""
    cap = "" if terms.cap_ppm is None else terms.cap_ppm
    return (
        f"starts_on={_on(terms.starts_on)} ends_on={_on(terms.ends_on)}"
        f" metric={terms.metric} window={terms.window}"
        f" requirement_kind={terms.requirement_kind}"
        f" requirement_value={terms.requirement_value} currency={terms.currency}"
        f" cure_days={terms.cure_days} consequence_kind={terms.consequence_kind}"
        f" consequence_value={terms.consequence_value}"
        f" accounts=[{','.join(map(_account, terms.accounts))}]"
        f" seasonal_profile=[{','.join(map(str, terms.seasonal_profile))}] cap_ppm={cap}"
        f" grace_days={terms.grace_days} netting={terms.netting}"
        f" missing_days={terms.missing_days}"
    )


def _account(counted: CountedAccount) -> str:
    return f"{counted.account_id}@{_on(counted.counted_from)}/{_on(counted.counted_to)}"


@lru_cache(maxsize=DATES_CACHED_MAX)
def _on(day: date | None) -> str:
    return "" if day is None else day.isoformat()


@lru_cache(maxsize=DATES_CACHED_MAX)
def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()
