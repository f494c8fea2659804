"""What closes reported of a commitment's windows in the terminal, beside what is known now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.commitment import status_text
from infra.rendering.figures import NOTHING, money, pairs, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from domain.compliance import WindowResult
    from domain.reported import CommitmentTested
    from infra.reports import ReportTold

CAUSES_SHOWN_MAX = 5  # of one test


def reported_view(
    reports: Sequence[ReportTold], known: Iterable[WindowResult], currency: str
) -> RenderableType:
    """Return the reports beside the windows that are known now, then what each test rests on."""
    now = {(result.window_start, result.window_end): result for result in known}
    names = ("window", "tested on", "reported", "shortfall", "applied", "now known")
    made = table("As reported", names, right=frozenset({"shortfall", "applied"}))
    for report in reports:
        tested, result = report.tested, now.get(report.window)
        made.add_row(
            f"{tested.window_start} {tested.window_end}",
            str(tested.tested_on),
            tested.outcome.replace("_", " "),
            _amount(tested.shortfall, currency),
            _amount(report.applied, currency),
            status_text(result.status) if result else NOTHING,
        )
    tests = [part for report in reports for part in ("", _test(report, currency))]
    return Group(made, *tests)


def _test(report: ReportTold, currency: str) -> Table:
    return pairs((name, Text(value)) for name, value in _evidence(report, currency))


def _evidence(report: ReportTold, currency: str) -> Iterator[tuple[str, str]]:
    """Yield what somebody needs to check a test: which one it is, and what it rests on."""
    tested = report.tested
    yield "test", f"{report.test_id} of {tested.window_start}, {tested.tested_on}"
    if tested.restates is not None:
        yield "restates", tested.restates
    if tested.causes_count:
        yield "causes", _causes(tested)
    if tested.surplus:
        yield "carried in", money(tested.surplus, currency)
    yield "ledger", f"up to position {tested.through}, rules version {tested.rules_version}"
    yield "inputs", f"{tested.inputs_count}, SHA-256 {tested.inputs_sha256}"


def _causes(tested: CommitmentTested) -> str:
    shown = tested.causes[:CAUSES_SHOWN_MAX]
    lines = [f"position {cause.position}, {cause.event_id}" for cause in shown]
    if left := tested.causes_count - len(shown):
        lines.append(f"and {left} more")
    return "\n".join(lines)


def _amount(amount: int | None, currency: str) -> str:
    return NOTHING if amount is None else money(amount, currency)
