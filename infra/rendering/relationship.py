"""One relationship (客户关系) in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.commitment import commitments_view
from infra.rendering.figures import money, pairs, told
from infra.rendering.findings import findings_line
from infra.rendering.headroom import headroom_view
from projections.headroom import headroom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from rich.console import RenderableType

    from projections.book import Book
    from projections.relationship_state import Relationship, RelationshipRow


def relationship_view(
    book: Book, found: Relationship, as_of: date, currency: str
) -> RenderableType:
    """Return a relationship's card, and where it has any its commitments with their headroom."""
    customer_id = found.row.customer_id
    title = Text(f"Relationship {customer_id} as of {as_of}", style="bold")
    findings = findings_line(book, customer_id, as_of)
    card = pairs((*_who(found), *_figures(found, currency), ("findings", findings)))
    agreed = [
        commitment_id
        for commitment_id in sorted(book.commitments_of.get(customer_id, ()))
        if book.commitments[commitment_id][1].agreed_on <= as_of
    ]
    if not agreed:
        return Group(title, card)
    strips = {commitment_id: headroom(book, commitment_id, as_of) for commitment_id in agreed}
    return Group(title, card, "", commitments_view(book, agreed, as_of), "", headroom_view(strips))


def _who(found: Relationship) -> Iterator[tuple[str, str]]:
    row = found.row
    closed = f", closed {found.closed_on}" if found.closed_on else ""
    joint = f", with {', '.join(found.joint_managers)}" if found.joint_managers else ""
    yield "customer", f"{row.kind}, {row.segment}, branch {row.branch}"
    yield "opened", f"{row.opened_on}{closed}"
    yield "manager", f"{told(row.manager)}{joint}"
    yield "tier", told(found.tier)
    yield "consents", told(", ".join(found.consents))
    yield "contacts", f"{row.contacts}, last {told(row.last_contact_on)}"
    yield "next contact", told(row.next_contact_on)


def _figures(found: Relationship, currency: str) -> Iterator[tuple[str, str | Text]]:
    row = found.row
    yield "deposits", f"{money(row.deposits, currency)} {currency}"
    yield "ADB 日均", _to_date(row, currency)
    yield "loans", _loans(row, currency)
    yield "commitments", _commitments(row)
    unnamed = ", asked not to be named: do not tell the customer"
    yield (
        "referrer",
        told(row.referrer_id) + (unnamed if found.referrer_may_be_named is False else ""),
    )
    own = "" if found.may_be_named else ", asked not to be named"
    yield "referrals", f"{row.referrals_made} made, {row.referrals_converted} converted{own}"


def _to_date(row: RelationshipRow, currency: str) -> str:
    month, quarter, year = (
        money(amount, currency) for amount in (row.adb_month, row.adb_quarter, row.adb_year)
    )
    return f"month {month}, quarter {quarter}, year {year}"


def _loans(row: RelationshipRow, currency: str) -> str:
    approved, drawn, outstanding = (
        money(amount, currency) for amount in (row.approved, row.drawn, row.outstanding)
    )
    return f"approved {approved}, drawn {drawn}, outstanding {outstanding}"


def _commitments(row: RelationshipRow) -> Text:
    return Text.assemble(
        f"{row.commitments}, ",
        (f"{row.commitments_at_risk} at risk", "bold yellow" if row.commitments_at_risk else ""),
        ", ",
        (f"{row.commitments_breached} breached", "bold red" if row.commitments_breached else ""),
    )
