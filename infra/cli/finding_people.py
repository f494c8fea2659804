"""`guanxi find`: who has a name or a phone number, by keyed hashes; nothing is shown in clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.failures import BadCallError, persisting
from infra.cli.settings import Settings, with_settings
from infra.composition import opened

if TYPE_CHECKING:
    from collections.abc import Sequence


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("find")(find)


@with_settings
def find(
    settings: Settings,
    phone: Annotated[
        str | None, typer.Option(help="Digits are compared; `+` and a leading 00 are the same.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The whole name, in any case.")] = None,
) -> None:
    """Find the ids of the customers and prospects who have a phone number or a name.

    It asks an index of keyed hashes, so it needs the keys. The forgotten are not found.
    """
    if (phone is None) == (name is None):
        message = "name one of --phone and --name"
        raise BadCallError(message)

    def search() -> Sequence[str]:
        with opened(settings) as parts:
            index = parts.personal_index()
            return index.found("phone", phone) if phone else index.found("name", name or "")

    found = persisting(search)
    settings.answer(
        {"customer_ids": list(found)},
        lambda: typer.echo("\n".join(found) or "nobody", err=not found),
    )
