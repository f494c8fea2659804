"""What the routes about commitments answer, for `/openapi.json`."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import create_model

from domain.commitment import Terms
from domain.compliance import Status
from domain.reported import CommitmentTested
from infra.http.schemas import WHEN, columns
from projections.deposit_compliance import ComplianceRow
from projections.explained_window import AccountDay, ExplainedDay

_Window = create_model("Window", **columns(ComplianceRow))
_Cost = create_model(
    "Cost",
    window_start=(date, ...),
    kind=(str, ...),
    basis=(str, ...),
    base=(int, ...),
    rate=(int, ...),
    divisor=(int, ...),
    amount=(int, ...),
)
_AccountDay = create_model("AccountDay", **columns(AccountDay), position=(int | None, ...))
_Day = create_model(
    "Day",
    **columns(ExplainedDay) | {"accounts": (list[_AccountDay], ...)},  # type: ignore[valid-type]  # as above
)
_Explained = create_model(
    "Explained",
    window_start=(date, ...),
    window_end=(date, ...),
    status=(Status, ...),
    surplus=(int, ...),
    days=(list[_Day], ...),  # type: ignore[valid-type]  # as above
)
_TESTED = columns(CommitmentTested)
del _TESTED["customer_id"], _TESTED["commitment_id"]
_Report = create_model(
    "Report",
    test_id=(str, ...),
    **_TESTED,
    applied=(int | None, ...),
    standing=(int | None, ...),
)
_Waiver = create_model(
    "Waiver",
    waiver_id=(str, ...),
    waived_on=(date, ...),
    windows_from=(date, ...),
    windows_to=(date, ...),
    requested_by=(str, ...),
    approved_by=(str, ...),
    reason=(str, ...),
)
_Terms = create_model("Terms", **columns(Terms))
_DAYS: dict[str, Any] = {"from": (date, ...), "to": (date, ...)}  # the first is no name in Python
_Stretch = create_model(
    "Stretch",
    __base__=_Terms,
    **_DAYS,
    told_on=(date, ...),
    reason=(str | None, ...),
)
_Change = create_model("Change", field=(str, ...), before=(Any, ...), after=(Any, ...))
_Amendment = create_model(
    "Amendment",
    told_on=(date, ...),
    effective_on=(date, ...),
    reason=(str, ...),
    changes=(list[_Change], ...),  # type: ignore[valid-type]  # a model made above
)
Commitment = create_model(
    "Commitment",
    __base__=_Terms,
    as_of=(date, ...),
    commitment_id=(str, ...),
    customer_id=(str, ...),
    loan_id=(str | None, ...),
    agreed_on=(date, ...),
    released_on=(date | None, ...),
    agreed=(_Terms, ...),
    terms=(list[_Stretch], ...),  # type: ignore[valid-type]  # as above
    amendments=(list[_Amendment], ...),  # type: ignore[valid-type]  # as above
    waivers=(list[_Waiver], ...),  # type: ignore[valid-type]  # as above
    windows=(list[_Window], ...),  # type: ignore[valid-type]  # as above
    consequences=(list[_Cost], ...),  # type: ignore[valid-type]  # as above
    explained=(_Explained | None, None),  # type: ignore[arg-type]  # as above
    reported=(list[_Report] | None, None),  # type: ignore[valid-type]  # as above
)
_WindowAsked = create_model("WindowAsked", __base__=_Window, reported=(_Report | None, None))
Windows = create_model(
    "Windows",
    **WHEN,
    windows=(list[_WindowAsked], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
