"""Commands about the networks: who brings customers, how the network grows; and the exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from infra.answers import currency_of
from infra.cli.failures import BadCallError
from infra.cli.moments import AsOf, KnownAt  # noqa: TC001 - Typer reads them at run time
from infra.cli.questions import Currency, asked
from infra.cli.settings import Settings, with_settings
from infra.documents import row_document
from infra.rendering.contagion import contagion_view
from infra.rendering.leaders import figures_view, leaders_view
from infra.rendering.partners import partners_view
from infra.rules.reading import network_rules, partner_rules
from projections.bursts import BurstRow, burst_rows
from projections.contagion import ContagionRow, contagion_rows, riskiest
from projections.leaders import LEADER_BY, LeaderRow, best, leader_rows
from projections.network_figures import FigureRow, figure_rows
from projections.partners import PartnerRow, partner_rows
from projections.projection import NETWORK, RELATIONSHIP
from projections.referral_network import network_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from projections.book import Book

LEADERS_SHOWN = 10
AT_RISK_SHOWN = 20


def _leaders(book: Book, as_of: date, currency: str) -> Iterator[LeaderRow]:
    network = list(network_rows(book, as_of, currency, all_referrers=True))
    return leader_rows(book, network, as_of, network_rules(as_of))


def _figures(book: Book, as_of: date, currency: str) -> Iterator[FigureRow]:
    return figure_rows(book, list(network_rows(book, as_of, currency)), as_of)


def _bursts(book: Book, as_of: date, _: str) -> Iterator[BurstRow]:
    return burst_rows(book, as_of, network_rules(as_of).burst)


def _partners(book: Book, as_of: date, currency: str) -> Iterator[PartnerRow]:
    return partner_rows(book, as_of, currency, partner_rules())


def _contagion(book: Book, as_of: date, currency: str) -> Iterator[ContagionRow]:
    return contagion_rows(book, as_of, currency, network_rules(as_of))


EXPORTS: dict[str, Any] = {
    "leaders": (NETWORK, LeaderRow, _leaders),
    "network-figures": (NETWORK, FigureRow, _figures),
    "bursts": (NETWORK, BurstRow, _bursts),
    "contagion": (RELATIONSHIP, ContagionRow, _contagion),
    "partners": (RELATIONSHIP, PartnerRow, _partners),
}
WITHOUT_AMOUNTS = frozenset({"network-figures", "bursts"})


def register(show: typer.Typer) -> None:
    """Add what can be shown."""
    show.command("leaders")(show_leaders)
    show.command("network-figures")(show_figures)
    show.command("contagion")(show_contagion)
    show.command("partners")(show_partners)


@with_settings
def show_leaders(
    settings: Settings,
    by: Annotated[str, typer.Option(help=" | ".join(LEADER_BY))] = "conversions",
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = LEADERS_SHOWN,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    currency: Currency = None,
) -> None:
    """Show who brings customers, best first: by conversions, sums or influence."""
    chosen_by = next((known for known in LEADER_BY if known == by), None)
    if chosen_by is None:
        message = f"--by {by!r} is not one of {', '.join(LEADER_BY)}"
        raise BadCallError(message)
    on, book = asked(settings, NETWORK, as_of, known_at)
    chosen = currency_of(book, currency)
    rows = best(_leaders(book, on, chosen), chosen_by, limit)
    document = {
        "as_of": str(on),
        "currency": chosen,
        "by": by,
        "leaders": [row_document(row) for row in rows],
    }
    settings.answer(document, lambda: Console().print(leaders_view(rows, on, chosen)))


@with_settings
def show_figures(settings: Settings, as_of: AsOf = None, known_at: KnownAt = None) -> None:
    """Show the observed K and days to convert by cohort, branch and depth; and bursts."""
    on, book = asked(settings, NETWORK, as_of, known_at)
    rows, bursts = list(_figures(book, on, "")), list(_bursts(book, on, ""))
    document = {
        "as_of": str(on),
        "figures": [row_document(row) for row in rows],
        "bursts": [row_document(row) for row in bursts],
    }
    settings.answer(document, lambda: Console().print(figures_view(rows, bursts, on)))


@with_settings
def show_contagion(
    settings: Settings,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = AT_RISK_SHOWN,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    currency: Currency = None,
) -> None:
    """Show whose default would cost the most, beside what the same people brought."""
    on, book = asked(settings, RELATIONSHIP, as_of, known_at)
    chosen = currency_of(book, currency)
    rows = riskiest(_contagion(book, on, chosen), limit)
    document = {
        "as_of": str(on),
        "currency": chosen,
        "rows": [row_document(row) for row in rows],
    }
    settings.answer(document, lambda: Console().print(contagion_view(rows, on, chosen)))


@with_settings
def show_partners(
    settings: Settings, as_of: AsOf = None, known_at: KnownAt = None, currency: Currency = None
) -> None:
    """Show the cooperating firms: admission, agreement, what they brought and its quality."""
    on, book = asked(settings, RELATIONSHIP, as_of, known_at)
    chosen = currency_of(book, currency)
    rows = list(_partners(book, on, chosen))
    document = {
        "as_of": str(on),
        "currency": chosen,
        "partners": [row_document(row) for row in rows],
    }
    settings.answer(document, lambda: Console().print(partners_view(rows, on, chosen)))
