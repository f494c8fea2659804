"""Pages for a browser, as files: what stands in them, where nodes are put, that nothing leaks."""

from __future__ import annotations

import json
import random
import re
from itertools import chain, pairwise
from math import atan2, dist, hypot
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.pages import Page, circles_page, network_page, page, write_page
from infra.pages.layout import BREADTH, linked, ringed, side_by_side
from infra.pages.network import KINDS
from infra.pages.page import html
from projections.book import Book
from projections.referral_network import network_rows
from tests.books import CURRENCY, account, balances, customer, day, guarantee, referral

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from projections.facts import Key, Row

ODD = "</script><script>window.broken = 1</script>\u2028"


def family(*, odd: str = "P2") -> Book:
    """C1 brought P1 (converted) and another, who brought P3; C9 is alone; X1 is no customer."""
    rows: list[tuple[Key, Row]] = [
        (("C1", "customer", ""), customer()),
        (("C9", "customer", ""), customer()),
        (("P1", "customer", ""), customer()),
        (("P1", "account", "A1"), account()),
        *balances("P1", "A1", {day(0): 12_345_67}),
        (("P1", "referral", "R1"), referral("C1", day(1), converted_on=day(4))),
        ((odd, "referral", "R2"), referral("C1", day(2))),
        (("P3", "referral", "R3"), referral(odd, day(3))),
        (("P4", "referral", "R4"), referral("X1", day(3))),
    ]
    return Book.from_rows(rows)


def circle() -> Book:
    """A and B stand for each other, C for A; A's deposits cover half of what it gave."""
    return Book.from_rows(
        [
            (("A", "customer", ""), customer()),
            (("A", "account", "AA"), account()),
            *balances("A", "AA", {day(0): 100_00}),
            (("B", "guarantee", "G1"), guarantee("A", 150_00)),
            (("B", "guarantee", "G2"), guarantee("A", 50_00, loan_id="L2")),
            (("A", "guarantee", "G3"), guarantee("B", 70_00)),
            (("A", "guarantee", "G4"), guarantee("C", 1_00)),
        ]
    )


def pairs(count: int, mutual: int = 0) -> Book:
    """Return a book of so many guarantees, each between two whom nobody else is linked to.

    The first `mutual` pairs stand for each other: they are circles.
    """
    rows: list[tuple[Key, Row]] = [
        ((f"B{n}", "guarantee", f"G{n}"), guarantee(f"A{n}", 100_00)) for n in range(count)
    ]
    rows += [((f"A{n}", "guarantee", f"H{n}"), guarantee(f"B{n}", 100_00)) for n in range(mutual)]
    return Book.from_rows(rows)


def forest(count: int) -> Book:
    """Return a book of trees, deep and broad, the same each time."""
    chance = random.Random(7)  # noqa: S311 - a made forest, nothing secret
    rows: list[tuple[Key, Row]] = [(("C0", "customer", ""), customer())]
    for n in range(1, count):
        rows.append(((f"C{n}", "customer", ""), customer()))
        above = int(n * chance.random() ** 2) if n % 5 else n - 1
        converted = day(99) if n % 2 else None
        on = day(n % 90)
        rows.append(
            ((f"C{n}", "referral", f"R{n}"), referral(f"C{above}", on, converted_on=converted))
        )
    return Book.from_rows(rows)


def network(book: Book, top: str | None = None) -> Page:
    rows = network_rows(book, day(100), CURRENCY, all_referrers=True)
    return network_page(rows, day(100), CURRENCY, top)


def data_of(text: str) -> Any:  # noqa: ANN401 - any JSON document
    [found] = re.findall(
        r'<script type="application/json" id="graph">(.*?)</script>', text, re.DOTALL
    )
    return json.loads(found)


def test_a_page_of_the_network_has_every_tree_of_two_and_more() -> None:
    made = network(family())
    assert [node[0] for node in made.nodes] == ["C1", "P1", "P2", "P3", "X1", "P4"]
    ends = [(made.nodes[a][0], made.nodes[b][0]) for a, b, *_ in made.links]
    assert ends == [("C1", "P1"), ("C1", "P2"), ("P2", "P3"), ("X1", "P4")]
    assert "1 not shown" in made.about  # C9


def test_a_page_of_one_customer_has_all_below_and_nobody_else() -> None:
    made = network(family(), "P2")
    assert [node[0] for node in made.nodes] == ["P2", "P3"]
    assert "not shown" not in made.about
    assert [node[0] for node in network(family(), "C9").nodes] == ["C9"]


def test_a_node_tells_its_figures_and_whether_it_was_converted() -> None:
    made = network(family())
    told = {
        node[0]: (KINDS[node[4]], dict(zip(made.figures, node[6], strict=True)))
        for node in made.nodes
    }
    assert [told[id_][0] for id_ in ("C1", "P1", "P2", "X1")] == [
        "Not referred",
        "Converted",
        "Referred, not converted",
        "Not referred",
    ]
    assert told["C1"][1] == {
        "Depth": "0",
        "Brought": "2",
        "Below in all": "3",
        "Of those converted": "1",
        "Drawn below": "0.00",
        "Deposits below": "12,345.67",
        "Introduced": "",
        "Converted": "",
    }
    assert told["P1"][1]["Converted"] == str(day(4))
    assert told["X1"][1]["Below in all"] == "1"  # who refers before being a customer


def test_the_largest_trees_are_shown_where_there_is_no_room_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infra.pages.network.NODES_MAX", 5)
    made = network(family())
    assert [node[0] for node in made.nodes] == ["C1", "P1", "P2", "P3", "X1"]
    assert "2 not shown" in made.about


def test_an_arrow_leads_from_the_guarantor_to_the_borrower_with_the_exposure_on_it() -> None:
    made = circles_page(circle(), day(1), CURRENCY)
    arrows = [(made.nodes[a][0], made.nodes[b][0], told) for a, b, _, told in made.links]
    assert sorted(arrows) == [("A", "B", "200.00 in 2"), ("B", "A", "70.00"), ("C", "A", "1.00")]
    told = {node[0]: (node[4], node[5]) for node in made.nodes}
    assert told == {"A": (0, 2.0), "B": (0, 2.0), "C": (1, 2.0)}  # B and C have no deposits
    [own] = [node[6] for node in made.nodes if node[0] == "A"]
    assert own == ["200.00", "2", "71.00", "2", "100.00", "100.00", "A", "A"]


def test_a_page_of_nobody_is_a_page() -> None:
    empty = Book.from_rows([])
    for made in (network(empty), circles_page(empty, day(1), CURRENCY)):
        assert (list(made.nodes), list(made.links)) == ([], [])
        assert data_of(html(made))["nodes"] == []


def test_no_id_ends_a_block_of_the_page() -> None:
    text = html(network(family(odd=ODD), ODD))
    assert [node[0] for node in data_of(text)["nodes"]] == [ODD, "P3"]
    assert "window.broken" in text
    assert "<script>window.broken" not in text
    assert "\u2028" not in data_block(text)


def data_block(text: str) -> str:
    return text.split('id="graph">')[1].split("</script>", maxsplit=1)[0]


def test_a_page_names_no_address_and_allows_only_itself() -> None:
    text = html(network(family()))
    assert not re.findall(r"(?:https?:)?//[a-z0-9]", re.sub(r"// .*", "", text), re.IGNORECASE)
    assert "default-src 'none'" in text
    assert "unsafe" not in text
    assert "@import" not in text


def test_the_same_answer_makes_the_same_page() -> None:
    assert html(network(forest(300))) == html(network(forest(300)))
    once, again = (html(circles_page(circle(), day(1), CURRENCY)) for _ in range(2))
    assert once == again


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    write_page(network(family()), tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(FileNotFoundError):
        write_page(network(family()), tmp_path / "nowhere" / "page.html")
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


parents = st.integers(1, 60).flatmap(
    lambda size: st.tuples(*(st.integers(0, n - 1) if n else st.just(-1) for n in range(size)))
)


@given(parents)
def test_a_tree_stands_on_rings_and_no_two_nodes_on_one_place(tree: tuple[int, ...]) -> None:
    places = ringed(tree)
    depths = [0] * len(tree)
    for node, parent in enumerate(tree[1:], 1):
        depths[node] = depths[parent] + 1
    rings: dict[int, float] = {}
    for place, depth in zip(places, depths, strict=True):
        assert hypot(*place) == pytest.approx(rings.setdefault(depth, hypot(*place)))
    for depth in set(depths):
        own = sorted(place for place, at in zip(places, depths, strict=True) if at == depth)
        assert all(dist(a, b) > 0.6 for n, a in enumerate(own) for b in own[n + 1 :])
    assert all(inner + 1 <= outer + 1e-9 for inner, outer in pairwise(sorted(rings.values())))


def test_who_brought_others_stands_in_their_middle() -> None:
    places = ringed([-1, 0, 0, 1, 1, 1, 2, 4])
    angles = [atan2(y, x) for x, y in places]
    assert angles[1] == pytest.approx((angles[3] + angles[5]) / 2)
    assert [angles[2], angles[4]] == pytest.approx([angles[6], angles[7]])


def test_a_long_chain_is_a_straight_line() -> None:
    _, *places = ringed([-1, *range(5_000)])
    assert len({round(atan2(y, x), 6) for x, y in places}) == 1
    assert hypot(*places[-1]) == pytest.approx(5_000)


def test_pictures_side_by_side_do_not_overlap() -> None:
    pictures = [[(0.0, 0.0), (float(n), float(n % 7))] for n in range(1, 40)]
    moved = side_by_side(pictures, 1)
    boxes = [(*map(min, *own), *map(max, *own)) for own in moved]
    for n, (left, top, right, bottom) in enumerate(boxes):
        for other_left, other_top, other_right, other_bottom in boxes[n + 1 :]:
            apart_across = right < other_left or other_right < left
            assert apart_across or bottom < other_top or other_bottom < top


@given(sizes=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=30, max_size=90))
def test_pictures_of_any_sizes_come_near_to_the_shape_of_the_page(
    sizes: list[tuple[int, int]],
) -> None:
    moved = side_by_side([[(0.0, 0.0), (float(w), float(h))] for w, h in sizes], 2)
    assert 0.6 * BREADTH < shape(chain.from_iterable(moved)) < 1.7 * BREADTH


@pytest.mark.parametrize("count", [20, 80, 840])
def test_pairs_that_lie_flat_fill_rows_and_columns(count: int) -> None:
    pairs = [[(0.0, 0.0), (150.0, 0.0)]] * count
    moved = side_by_side(pairs, 130)
    assert len({corner for (corner, _) in moved}) == count
    assert 0.7 * BREADTH < shape(chain.from_iterable(moved)) < 1.4 * BREADTH


def shape(points: Iterable[tuple[float, float]]) -> float:
    """Return how broad points are against their height."""
    xs, ys = zip(*points, strict=True)
    return float((max(xs) - min(xs)) / (max(ys) - min(ys)))


@pytest.mark.parametrize("size", [2, 3, 40, 400])
def test_linked_nodes_stand_apart(size: int) -> None:
    places = linked(size, [(n, (n * 7 + 1) % n if n else 1) for n in range(size)])
    assert len({(round(x, 3), round(y, 3)) for x, y in places}) == size
    assert linked(size, [(n, (n * 7 + 1) % n if n else 1) for n in range(size)]) == places


def test_the_files_of_a_page_are_part_of_the_package() -> None:
    assert {"page.html", "page.css", "drawing.js", "acting.js"} <= {
        each.name for each in page.OWN.iterdir()
    }
