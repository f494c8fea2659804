"""The referral network (转介绍) as a page: who brought whom, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from math import log2
from typing import TYPE_CHECKING, NamedTuple

from infra.pages.layout import ringed, side_by_side
from infra.pages.page import NODES_MAX, Link, Node, Page
from infra.rendering.figures import money

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from projections.referral_network import NetworkRow

UNIT_PX = 22.0
MARGIN_PX = 40.0
RADIUS_PX, RADIUS_GROWS_PX, RADIUS_MAX_PX = 6.0, 1.0, 15.0
KINDS = ("Converted", "Referred, not converted", "Not referred")
FIGURES = (
    "Depth",
    "Brought",
    "Below in all",
    "Of those converted",
    "Drawn below",
    "Deposits below",
    "Introduced",
    "Converted",
)


class _Tree(NamedTuple):
    """Ids, each before those it brought, and the place of the one who brought it, -1 for none."""

    ids: list[str]
    parents: list[int]


def network_page(
    rows: Iterable[NetworkRow], as_of: date, currency: str, top: str | None = None
) -> Page:
    """Return the tree of a customer, or without one every tree of two and more.

    `rows` are those of the customer's tree, or of the network with all referrers. The largest
    trees come first. The page says how many are left out: those beyond `NODES_MAX`, and of all
    trees those who stand alone.
    """
    known = {row.customer_id: row for row in rows}
    trees = sorted(_trees(known, top), key=lambda tree: (-len(tree.ids), tree.ids[0]))
    linked = [tree for tree in trees if top or len(tree.ids) > 1]
    shown = list(_within(linked, NODES_MAX))
    pictures = [[(x * UNIT_PX, y * UNIT_PX) for x, y in ringed(tree.parents)] for tree in shown]
    nodes: list[Node] = []
    links: list[Link] = []
    for tree, places in zip(shown, side_by_side(pictures, MARGIN_PX), strict=True):
        first = len(nodes)
        links += [(first + above, first + n, 1, "") for n, above in enumerate(tree.parents) if n]
        nodes += [
            _node(known[id_], place, currency) for id_, place in zip(tree.ids, places, strict=True)
        ]
    left = sum(len(tree.ids) for tree in trees) - len(nodes)
    return Page(
        title=f"Referrals below {top}" if top else "Referral network",
        about=f"as of {as_of}, {currency}" + (f"; {left:,} not shown" if left > 0 else ""),
        kinds=KINDS,
        gauge="",
        figures=FIGURES,
        into="Brought by",
        out_of="Brought",
        arrows=False,
        nodes=nodes,
        links=links,
    )


def _trees(known: Mapping[str, NetworkRow], top: str | None) -> Iterator[_Tree]:
    below = defaultdict[str, list["NetworkRow"]](list)
    tops = []
    for row in known.values():
        if row.referrer_id is None:
            tops.append(row.customer_id)
        else:
            below[row.referrer_id].append(row)
    for start in [top] if top else tops:
        tree = _Tree([start], [-1])
        for place, id_ in enumerate(tree.ids):  # grows while it is walked
            own = sorted(below.get(id_, ()), key=lambda row: (row.introduced_on, row.customer_id))
            tree.ids.extend(row.customer_id for row in own)
            tree.parents.extend([place] * len(own))
        yield tree


def _within(trees: Sequence[_Tree], nodes_max: int) -> Iterator[_Tree]:
    """Yield trees while there is room; of one too large its part nearest to the top."""
    for tree in trees:
        if nodes_max <= 0:
            return
        yield _Tree(tree.ids[:nodes_max], tree.parents[:nodes_max])
        nodes_max -= len(tree.ids)


def _node(row: NetworkRow, place: tuple[float, float], currency: str) -> Node:
    x, y = place
    radius = min(RADIUS_MAX_PX, RADIUS_PX + RADIUS_GROWS_PX * log2(1 + row.descendants))
    kind = 0 if row.converted_on else 1 if row.introduced_on else 2
    figures = [
        str(row.depth),
        str(row.children),
        str(row.descendants),
        str(row.converted_descendants),
        money(row.subtree_drawn, currency),
        money(row.subtree_deposits, currency),
        *(str(on) if on else "" for on in (row.introduced_on, row.converted_on)),
    ]
    return row.customer_id, round(x, 1), round(y, 1), round(radius, 1), kind, -1, figures
