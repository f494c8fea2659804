from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

import pytest
from rich.console import Console

from domain.commitment import Terms, TermsFrom
from domain.compliance import Status
from infra.rendering import (
    circles_view,
    commitment_view,
    commitments_view,
    leaders_view,
    loss_walk_view,
    network_view,
    relationship_view,
)
from infra.rendering.circles import CIRCLES_MAX, ROWS_MAX
from infra.rendering.commitment import STYLES
from infra.rendering.figures import NOTHING, money
from infra.rendering.leaders import figures_view
from infra.rendering.network import TREE_NODES_MAX
from infra.rules.reading import network_rules
from projections.book import Book
from projections.bursts import BurstRow
from projections.facts import Commitment, Draw, Waiver
from projections.guarantee_network import circles, group_rows
from projections.leaders import leader_rows
from projections.loss_walk import loss_walk
from projections.network_figures import figure_rows
from projections.network_node import nodes
from projections.referral_network import Network
from projections.relationship_state import relationship
from tests.books import (
    CURRENCY,
    account,
    balances,
    customer,
    day,
    guarantee,
    loan,
    referral,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from projections.facts import Key, Row

BURST = BurstRow("C1", day(1), day(4), 6, 2)
RULES = network_rules(day(30))
ODD = "[red]C[/blue]"  # an id may look like markup


def story() -> Book:
    """C1 owes two windows of 100.00 a day and held 50.00; it brought two prospects."""
    terms = Terms(
        starts_on=day(0),
        ends_on=day(45),
        metric="average",
        window="month",
        requirement_kind="amount",
        requirement_value=100_00,
        currency=CURRENCY,
        cure_days=0,
        consequence_kind="none",
        consequence_value=0,
        missing_days=99,
    )
    told = (TermsFrom(day(0), day(0), terms),)
    rows: list[tuple[Key, Row]] = [
        (("C1", "customer", ""), customer()),
        (("C1", "account", "A1"), account()),
        *balances("C1", "A1", {day(0): 50_00}),
        (("C1", "commitment", "K1"), Commitment(loan_id=None, agreed_on=day(0), terms=told)),
        (("C1", "loan", "L1"), loan(Draw("D1", day(0), 90_00))),
        (("C1", "guarantee", "G1"), guarantee(ODD, 70_00)),
        ((ODD, "guarantee", "G2"), guarantee("C1", 60_00, loan_id="L2")),
        (("P1", "guarantee", "G3"), guarantee("C1", 5_00, loan_id="L3")),
        (("P1", "referral", "R1"), referral("C1", day(1), converted_on=day(4))),
        ((ODD, "referral", "R2"), referral("P1", day(2))),
    ]
    return Book.from_rows(rows)


def printed(view: RenderableType, width: int = 120, *, colour: bool = False) -> str:
    out = io.StringIO()
    system: Literal["truecolor"] | None = "truecolor" if colour else None
    console = Console(file=out, width=width, force_terminal=colour, color_system=system)
    console.print(view)
    return out.getvalue()


def views() -> list[RenderableType]:
    book = story()
    found = relationship(book, "C1", day(30), CURRENCY)
    assert found is not None
    network = Network(nodes(book, day(30), CURRENCY))
    rows = list(network.rows())
    return [
        relationship_view(book, found, day(30), CURRENCY),
        commitment_view(book, "K1", day(30)),
        commitments_view(book, ["K1"], day(30)),
        network_view(network.tree("C1"), day(30), CURRENCY),
        leaders_view(leader_rows(book, rows, day(30), RULES), day(30), CURRENCY),
        circles_view(
            list(circles(book, day(30), CURRENCY)),
            list(group_rows(book, day(30), CURRENCY)),
            [("C1", ODD)],
            day(30),
            CURRENCY,
        ),
        loss_walk_view(loss_walk(book, "C1", day(30), CURRENCY), day(30), CURRENCY),
        figures_view(list(figure_rows(book, rows, day(30))), [BURST], day(30)),
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (123_456_789, "CZK", "1,234,567.89"),
        (-5, "CZK", "-0.05"),
        (1500, "JPY", "1,500"),
        (-1_234_567, "KWD", "-1,234.567"),
        (0, "CNY", "0.00"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(amount: int, currency: str, text: str) -> None:
    assert money(amount, currency) == text


def test_a_commitment_shows_who_forgave_which_windows_and_why() -> None:
    book = story()
    customer_id, held = book.commitments["K1"]
    book.commitments["K1"] = (
        customer_id,
        replace(
            held,
            waivers=(
                Waiver(day(5), day(0), day(2), "W1", "RM-1", "HQ-1", "flood"),
                Waiver(day(31), day(30), day(30), "W2", "RM-1", "HQ-1", "later"),
            ),
        ),
    )
    text = printed(commitment_view(book, "K1", day(30)))
    for word in ("W1", "RM-1", "HQ-1", "flood", str(day(5)), f"{day(0)} {day(2)}"):
        assert word in text
    assert "W2" not in text
    assert "Waivers" not in printed(commitment_view(story(), "K1", day(30)))


def test_every_status_has_a_colour() -> None:
    assert STYLES.keys() == set(get_args(Status))


def test_a_relationship_shows_its_figures_and_commitments() -> None:
    text = printed(views()[0])
    for word in ("C1", "RM-1", "50.00 CZK", "1 breached", "1 made, 1 converted", "K1", "at risk"):
        assert word in text


def test_a_relationship_that_has_ended_shows_a_dash_for_its_manager() -> None:
    over = replace(customer(), closed_on=day(9))
    book = Book.from_rows([(("C1", "customer", ""), over)])
    found = relationship(book, "C1", day(30), CURRENCY)
    assert found is not None
    text = printed(relationship_view(book, found, day(30), CURRENCY))
    [line] = [each for each in text.splitlines() if each.startswith("manager")]
    assert line.split() == ["manager", NOTHING]


def test_a_commitment_shows_each_window_begun() -> None:
    text = printed(views()[1])
    assert "average 100.00 (amount), CZK" in text
    windows = [line for line in text.splitlines() if "2023-12-10" in line or "2024-01-01" in line]
    assert ["breached" in line for line in windows if " to " not in line] == [True, False]


def test_a_tree_shows_who_brought_whom_and_who_converted() -> None:
    *_, top, first, second = printed(views()[3]).splitlines()
    assert "2 below, 1 converted" in top
    assert first.startswith("└── P1  converted 2023-12-14")
    assert second.startswith(f"    └── {ODD}  introduced 2023-12-12")


def test_circles_show_who_stands_for_whom_with_the_exposure_on_each_edge() -> None:
    lines = printed(views()[5]).splitlines()
    [edge] = [line for line in lines if "→ C1" in line]
    assert edge.split() == [ODD, "→", "C1", "70.00", "L1", str(day(0))]
    [member] = [line for line in lines if line.split()[-1:] == ["15.00"]]
    assert member.split() == ["C1", "65.00", "70.00", "50.00", "15.00"]
    [group] = [line for line in lines if line.endswith("135.00")]
    assert group.split() == ["C1", "3", "3", "135.00"]
    assert f"each stands for every other: C1, {ODD}" in lines[-1]


def test_many_circles_guarantees_and_groups_say_how_many_are_left_out() -> None:
    many: list[tuple[Key, Row]] = []
    for n in range(CIRCLES_MAX + 2):
        a, b = f"A{n:03}", f"B{n:03}"
        many += [
            ((a, "guarantee", f"G{n}"), guarantee(b)),
            ((b, "guarantee", f"H{n}"), guarantee(a)),
        ]
    many += [(("A000", "guarantee", f"I{n}"), guarantee("B000")) for n in range(ROWS_MAX)]
    book = Book.from_rows(many)
    found = list(circles(book, day(0), CURRENCY))
    text = printed(circles_view(found, [], [], day(0), CURRENCY))
    assert "and 2 more circles" in text
    assert "and 2 more guarantees" in text
    walk = printed(loss_walk_view(loss_walk(story(), "C1", day(30), CURRENCY), day(30), CURRENCY))
    assert "more" not in walk


def test_a_loss_walk_shows_each_step_and_what_is_lost() -> None:
    lines = printed(views()[6]).splitlines()
    assert lines[0] == f"If C1 defaults on {day(30)}, {CURRENCY}"
    [call] = [line for line in lines if "L1" in line]
    assert call.split() == ["0", ODD, "C1", "L1", "70.00", "0.00"]
    assert lines[-1] == "owed 90.00, paid by guarantors 0.00, lost 90.00"


def test_a_large_tree_says_how_many_it_leaves_out() -> None:
    many: list[tuple[Key, Row]] = [
        ((f"P{n:03}", "referral", f"R{n}"), referral("C1", day(0))) for n in range(TREE_NODES_MAX)
    ]
    book = Book.from_rows([(("C1", "customer", ""), customer()), *many])
    found = Network(nodes(book, day(0), CURRENCY)).tree("C1")
    _, *lines, more = printed(network_view(found, day(0), CURRENCY)).splitlines()
    assert (len(lines), more) == (TREE_NODES_MAX, "and 1 more")


def test_colours_only_repeat_what_words_say() -> None:
    for view in views():
        assert "\x1b" not in printed(view)
    assert "\x1b" in printed(views()[0], colour=True)


def test_a_narrow_terminal_loses_no_line_to_overflow_and_no_figure() -> None:
    for view in views():
        lines = printed(view, width=48).splitlines()
        assert max(map(len, lines)) <= 48
    assert "50.00 CZK" in printed(views()[0], width=48)
    assert "breached" in printed(views()[1], width=48)


def test_an_id_that_looks_like_markup_is_text() -> None:
    assert ODD in printed(views()[3])
