"""The kinds of feed files, in the order in which they are taken (DESIGN section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.commands import FORMS, MULTILINE
from infra.feeds.rows import Columns

if TYPE_CHECKING:
    from infra.commands import Form


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file, and the command each of its rows is."""

    name: str
    form: Form

    @property
    def columns(self) -> Columns:
        """The columns its header may have."""
        return Columns(self.form.required, self.form.optional, MULTILINE)


_COMMANDS = {
    "relationships": "open-relationship",
    "accounts": "open-account",
    "loans": "approve-loan",
    "commitments": "agree-commitment",
    "draws": "draw-loan",
    "repayments": "repay-loan",
    "balances": "record-balance",
    "guarantees": "give-guarantee",
    "referrals": "introduce-referral",
    "contacts": "record-contact",
}
KINDS = tuple(Kind(name, FORMS[command]) for name, command in _COMMANDS.items())
