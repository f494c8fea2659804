"""Rewards (推荐奖励), attribution and referrals that lapsed, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from domain.referral_rules import LapseOverdueReferral
from domain.reward import AccrueReward
from domain.values import PERCENT
from infra.rendering.figures import money, pairs, table, told
from infra.rewarding import id_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from rich.console import RenderableType

    from infra.rewarding import Following, Run
    from projections.referral_attribution import Attribution
    from projections.rewards import RewardRow

STYLES = {"paid": "green", "clawed_back": "red", "accrued": "bold yellow"}


def run_view(run: Run, *, dry_run: bool) -> RenderableType:
    """Return what followed from the facts as a table, and what was recorded of it."""
    names = ("what", "id", "amount", "why", "state")
    made = table(f"What follows as of {run.as_of}", names, right=frozenset({"amount"}))
    for command in run.commands:
        state = "new" if dry_run else "known"
        if id_of(command) in run.recorded:
            state = "recorded"
        elif id_of(command) in run.refused:
            state = f"refused: {run.refused[id_of(command)].code}"
        made.add_row(*_cells(command), Text(state))
    done = "nothing was recorded" if dry_run else f"{len(run.recorded)} recorded"
    return Group(made, "", Text(f"{len(run.commands)} found, {done}, {len(run.refused)} refused."))


def _cells(command: Following) -> tuple[Text, ...]:
    if isinstance(command, LapseOverdueReferral):
        why = f"its time ran out on {command.lapsed_on}"
        why += f", not on {command.instead_of}" if command.instead_of else ""
        return Text("lapsed"), Text(command.referral_id), Text(""), Text(why)
    amount = Text(f"{money(command.amount, command.currency)} {command.currency}")
    if isinstance(command, AccrueReward):
        why = f"{command.plan} v{command.plan_version}, {command.milestone} {command.reached_on}:"
        why += f" {_share(command.share_ppm)} to {command.payee_role} {command.payee_id}"
        return Text("accrued"), Text(command.reward_id), amount, Text(why)
    return Text("clawed back"), Text(command.reward_id), amount, Text(f"{command.reason}, in all")


def rewards_view(rows: Iterable[RewardRow], as_of: date) -> RenderableType:
    """Return rewards by id, which approving and paying ask for, each with its formula."""
    made = table(f"Rewards as of {as_of}", ("reward", "what"))
    made.columns[0].no_wrap = True
    for row in rows:
        what = Text(f"{money(row.amount, row.currency)} {row.currency} ", style="bold")
        what.append(f"{_status(row)}\n", style=STYLES.get(row.status, ""))
        what.append(f"to {row.payee_role} {row.payee_id} for {row.customer_id}\n", "not bold")
        what.append(f"{row.plan} v{row.plan_version}, {row.referral_id}: ", "not bold")
        what.append(f"{row.formula}, of which {_share(row.share_ppm)}", "not bold")
        made.add_row(Text(row.reward_id), what)
    return made


def _status(row: RewardRow) -> str:
    """Return how far a reward came and what was taken back of it, each with its day."""
    taken = f"{money(row.clawed_back, row.currency)} clawed back {row.clawed_back_on}"
    taken += f" ({row.claw_back_reason})"
    if row.status == "clawed_back":
        return taken
    came = f"{row.status} {row.paid_on or row.approved_on or row.accrued_on}"
    if row.paid_on:
        came = f"{money(row.paid, row.currency)} {came}"
    return f"{came}, {taken}" if row.clawed_back else came


def attribution_view(owed: Attribution, as_of: date) -> RenderableType:
    """Return to whom a conversion is owed, or why to nobody."""
    head = pairs(
        (
            ("prospect", owed.prospect_id),
            ("converted on", told(owed.converted_on)),
            ("referral", told(owed.referral_id)),
            ("branch", told(owed.branch)),
            ("rule version", told(owed.rule_version)),
            ("as of", told(as_of)),
        )
    )
    if owed.nobody:
        return Group(head, "", Text(f"Owed to nobody: {owed.nobody}."))
    made = table("Owed to", ("party", "role", "share"), right=frozenset({"share"}))
    for share in owed.shares:
        made.add_row(Text(share.party_id), Text(share.role), Text(_share(share.share_ppm)))
    return Group(head, "", made)


def _share(ppm: int) -> str:
    return f"{ppm / PERCENT:g}%"
