"""Findings and what became of them."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from domain import finding
from domain.telling import told
from projections.facts import Disposed, Finding
from projections.folds.rules import changes, makes, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.catalogue import Event
    from projections.folds.rules import Rule


def _disposed(row: Finding, event: finding.Disposition) -> Finding:
    match event:
        case finding.FindingAssigned():
            disposed = Disposed(event.assigned_on, "assigned", event.assigned_to)
        case finding.FindingJustified():
            disposed = Disposed(event.justified_on, "justified", event.justified_by)
        case finding.FindingRemediated():
            disposed = Disposed(event.remediated_on, "remediated", event.by)
        case finding.FindingReported():
            disposed = Disposed(event.reported_on, "reported", event.by)
    return replace(row, dispositions=(*row.dispositions, disposed))


RULES: Mapping[type[Event], Rule] = {
    **rules(
        "finding",
        attrgetter("finding_id"),
        {
            finding.FindingRaised: makes(lambda event: told(Finding, event)),
            finding.FindingAssigned: changes(_disposed),
            finding.FindingJustified: changes(_disposed),
            finding.FindingRemediated: changes(_disposed),
            finding.FindingReported: changes(_disposed),
        },
    ),
}
