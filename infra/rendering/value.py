"""What customers are worth (客户价值) in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import NOTHING, money, pairs, table, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from rich.console import RenderableType

    from projections.customer_value import TopShare, ValueRow

ROWS_SHOWN_MAX = 50
PPM_A_PERCENT = 10_000
STYLES = {"falling": "bold red", "rising": "green", "lapsed": "bold red", "review_due": "yellow"}


def values_view(
    rows: Sequence[ValueRow], top: TopShare, as_of: date, currency: str
) -> RenderableType:
    """Return the best customers, by rank, and their share."""
    names = ("rank", "customer", "manager", "contribution", "share", "tier", "fits", "ADB")
    right = frozenset({"rank", "contribution", "share"})
    made = table(f"Customer value as of {as_of}, {currency}", names, right=right)
    for row in rows[:ROWS_SHOWN_MAX]:
        made.add_row(
            str(row.rank),
            Text(row.customer_id),
            Text(told(row.manager)),
            money(row.contribution, currency),
            _percent(row.share_ppm),
            _tier(row),
            row.suggested_tier,
            Text(row.drift or NOTHING, style=STYLES.get(row.drift or "", "")),
        )
    left = len(rows) - ROWS_SHOWN_MAX
    more = [Text(f"and {left} more: guanxi export value", style="dim")] if left > 0 else []
    share = f"The best {top.customers} of {top.of} give {_percent(top.share_ppm)}"
    return Group(made, *more, "", Text(share))


def value_view(row: ValueRow, as_of: date, currency: str) -> RenderableType:
    """Return what one customer contributes, their tier, and the course of their deposits."""
    title = Text(f"Value of {row.customer_id} as of {as_of}, {currency}", style="bold")
    return Group(title, pairs(tuple(_card(row, currency))))


def _card(row: ValueRow, currency: str) -> Iterator[tuple[str, str | Text]]:
    parts = f"interest {money(row.interest, currency)}"
    parts += f" + deposits {money(row.deposit_value, currency)}"
    parts += f" + brought {money(row.brought, currency)}"
    yield "contribution", f"{money(row.contribution, currency)} = {parts}"
    shares = f"own part {_percent(row.share_ppm)} of all"
    yield "rank", f"{row.rank}, {shares}, up to here {_percent(row.cumulative_share_ppm)}"
    yield "potential", f"{row.potential}, for segment {row.segment}"
    yield "tier", _tier(row)
    if row.tier:
        yield "holds", f"to {row.tier_valid_to}, reviewed {row.review_on}"
    yield "fits", row.suggested_tier
    yield "ADB", Text(row.drift or NOTHING, style=STYLES.get(row.drift or "", ""))
    yield "busy months", told(row.busy_months)
    yield "idle months", told(row.idle_months)
    own = NOTHING if row.own_funds is None else money(row.own_funds, currency)
    yield "own funds then", own
    settled = NOTHING if row.settlement_ppm is None else _percent(row.settlement_ppm)
    yield "settled with us", settled


def _tier(row: ValueRow) -> Text:
    if row.tier is None:
        return Text(NOTHING)
    status = "" if row.tier_status == "valid" else f" {row.tier_status.replace('_', ' ')}"
    return Text(row.tier + status, style=STYLES.get(row.tier_status, ""))


def _percent(ppm: int) -> str:
    return f"{ppm / PPM_A_PERCENT:.1f} %"
