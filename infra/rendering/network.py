"""The referral network (转介绍) in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from infra.rendering.figures import money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from rich.console import RenderableType

    from projections.referral_network import NetworkRow

TREE_NODES_MAX = 200


def network_view(found: Sequence[NetworkRow], as_of: date, currency: str) -> RenderableType:
    """Return the tree of a node, as `projections.referral_network.tree` gives it, not empty."""
    top = found[0]
    title = Text(f"Referrals below {top.customer_id} as of {as_of}, {currency}", style="bold")
    nodes = {top.customer_id: Tree(_label(top, currency))}
    for row in found[1:TREE_NODES_MAX]:
        above = nodes[row.referrer_id or ""]
        nodes[row.customer_id] = above.add(_label(row, currency))
    left = len(found) - TREE_NODES_MAX
    more = [Text(f"and {left} more", style="dim")] if left > 0 else []
    return Group(title, nodes[top.customer_id], *more)


def _label(row: NetworkRow, currency: str) -> Text:
    label = Text(row.customer_id, style="bold")
    if row.converted_on:
        label.append(f"  converted {row.converted_on}", style="not bold green")
    elif row.introduced_on:
        label.append(f"  introduced {row.introduced_on}", style="not bold yellow")
    if row.descendants:
        deposits = money(row.subtree_deposits, currency)
        drawn = money(row.subtree_drawn, currency)
        label.append(
            f"  {row.descendants} below, {row.converted_descendants} converted,"
            f" deposits {deposits}, drawn {drawn}",
            style="not bold",
        )
    return label
