"""What the routes answer, for `/openapi.json`: made from the rows' own columns."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeAlias, get_type_hints

from pydantic import BaseModel, create_model

from domain.close import Balances, PackUsed
from domain.commitment import Metric
from domain.compliance import Status
from domain.finding import Severity
from domain.reward import RewardPayee
from domain.values import Minor, Ppm
from projections.agenda_rules import Reason
from projections.bursts import BurstRow
from projections.contact_agenda import AgendaRow
from projections.contagion import ContagionRow
from projections.deposit_compliance import ComplianceRow
from projections.explained_window import AccountDay, ExplainedDay
from projections.facts import FindingStatus, Report
from projections.findings import FindingRow
from projections.guarantee_network import CircleRow, ExposureRow, GroupRow
from projections.leaders import LeaderRow
from projections.loss_walk import Call, Default
from projections.network_figures import FigureRow, GroupBy
from projections.partners import AgreementStatus, PartnerRow
from projections.referral_attribution import Attribution, Share
from projections.referral_network import NetworkRow
from projections.relationship_state import RelationshipRow
from projections.rewards import RewardRow, RewardStatus


class Problem(BaseModel):
    """RFC 9457 problem details; `code` is stable, see docs/errors.md."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None


class Recorded(BaseModel):
    """Where a command stands in the ledger."""

    command: str
    position: int
    recorded: bool


def _columns(row_type: type) -> dict[str, Any]:
    names = {"date": date, "Minor": Minor, "Metric": Metric, "Status": Status}
    names |= {
        "Severity": Severity,
        "FindingStatus": FindingStatus,
        "Reason": Reason,
        "GroupBy": GroupBy,
        "AgreementStatus": AgreementStatus,
        "RewardStatus": RewardStatus,
        "RewardPayee": RewardPayee,
        "Ppm": Ppm,
    }
    hints = get_type_hints(row_type, localns=names)  # imported there for the checker alone
    return {name: (hint, ...) for name, hint in hints.items()}


_WHEN: dict[str, Any] = {"as_of": (date, ...), "currency": (str, ...)}
_Window = create_model("Window", **_columns(ComplianceRow))
_Node = create_model("Node", **_columns(NetworkRow))

Relationship = create_model(
    "Relationship",
    **_WHEN,
    **_columns(RelationshipRow),
    joint_managers=(list[str], ...),
    tier=(str | None, ...),
    consents=(list[str], ...),
    open_findings=(list[str], ...),
    may_be_named=(bool, ...),
    referrer_may_be_named=(bool | None, ...),
    closed_on=(date | None, ...),
)
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
_AccountDay = create_model("AccountDay", **_columns(AccountDay), position=(int | None, ...))
_Day = create_model(
    "Day",
    **_columns(ExplainedDay) | {"accounts": (list[_AccountDay], ...)},  # type: ignore[valid-type]  # as above
)
_Explained = create_model(
    "Explained",
    window_start=(date, ...),
    window_end=(date, ...),
    status=(Status, ...),
    days=(list[_Day], ...),  # type: ignore[valid-type]  # as above
)
_Report = create_model("Report", **_columns(Report))
_ReportOfWindow = create_model(
    "ReportOfWindow", __base__=_Report, window_start=(date, ...), test_id=(str, ...)
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
Commitment = create_model(
    "Commitment",
    **_WHEN,
    commitment_id=(str, ...),
    customer_id=(str, ...),
    loan_id=(str | None, ...),
    agreed_on=(date, ...),
    released_on=(date | None, ...),
    starts_on=(date, ...),
    ends_on=(date, ...),
    metric=(str, ...),
    window=(str, ...),
    requirement_kind=(str, ...),
    requirement_value=(int, ...),
    waivers=(list[_Waiver], ...),  # type: ignore[valid-type]  # a model made above
    windows=(list[_Window], ...),  # type: ignore[valid-type]  # as above
    consequences=(list[_Cost], ...),  # type: ignore[valid-type]  # as above
    explained=(_Explained | None, None),  # type: ignore[arg-type]  # as above
    reported=(list[_ReportOfWindow] | None, None),  # type: ignore[valid-type]  # as above
)
_WindowAsked = create_model("WindowAsked", __base__=_Window, reported=(_Report | None, None))
Windows = create_model(
    "Windows",
    **_WHEN,
    windows=(list[_WindowAsked], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
Nodes = create_model("Nodes", **_WHEN, nodes=(list[_Node], ...))  # type: ignore[valid-type]  # as above
_Leader = create_model("Leader", **_columns(LeaderRow))
Leaders = create_model("Leaders", **_WHEN, leaders=(list[_Leader], ...))  # type: ignore[valid-type]  # as above
_Figure = create_model("Figure", **_columns(FigureRow))
_Burst = create_model("Burst", **_columns(BurstRow))
Figures = create_model(
    "Figures",
    as_of=(date, ...),
    figures=(list[_Figure], ...),  # type: ignore[valid-type]  # as above
)
Bursts = create_model(
    "Bursts",
    as_of=(date, ...),
    bursts=(list[_Burst], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
_Reward = create_model("Reward", **_columns(RewardRow))
Rewards = create_model(
    "Rewards",
    as_of=(date, ...),
    rewards=(list[_Reward], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
_Share = create_model("Share", **_columns(Share))
Attributed = create_model(
    "Attributed",
    as_of=(date, ...),
    **_columns(Attribution) | {"shares": (list[_Share], ...)},  # type: ignore[valid-type]  # as above
)
_Contagion = create_model("Contagion", **_columns(ContagionRow))
Contagions = create_model(
    "Contagions",
    **_WHEN,
    rows=(list[_Contagion], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
_Partner = create_model("Partner", **_columns(PartnerRow))
Partners = create_model(
    "Partners",
    **_WHEN,
    partners=(list[_Partner], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
_Guarantee = create_model(
    "Guarantee",
    guarantee_id=(str, ...),
    guarantor_id=(str, ...),
    borrower_id=(str, ...),
    loan_id=(str, ...),
    amount=(int, ...),
    currency=(str, ...),
    given_on=(date, ...),
)
_Party = create_model("Party", **_columns(ExposureRow))
_Circle = create_model(
    "Circle",
    **_columns(CircleRow),
    edges=(list[_Guarantee], ...),  # type: ignore[valid-type]  # as above
    parties=(list[_Party], ...),  # type: ignore[valid-type]  # as above
)
Circles = create_model(
    "Circles",
    **_WHEN,
    circles=(list[_Circle], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
_Group = create_model("Group", **_columns(GroupRow))
Groups = create_model(
    "Groups",
    **_WHEN,
    groups=(list[_Group], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
JointLiabilityGroups = create_model(
    "JointLiabilityGroups", as_of=(date, ...), joint_liability_groups=(list[list[str]], ...)
)
_Default = create_model("Default", **_columns(Default))
_Call = create_model("Call", **_columns(Call))
Walk = create_model(
    "Walk",
    **_WHEN,
    defaults=(list[_Default], ...),  # type: ignore[valid-type]  # as above
    calls=(list[_Call], ...),  # type: ignore[valid-type]  # as above
    owed=(int, ...),
    paid=(int, ...),
    lost=(int, ...),
)
_Finding = create_model(
    "Finding",
    **_columns(FindingRow),
    pack=(str, ...),
    offended_on=(date, ...),
    facts=(list[str], ...),
    events=(list[str], ...),
    detail=(str, ...),
    assigned_to=(str | None, ...),
)
Findings = create_model(
    "Findings",
    as_of=(date, ...),
    findings=(list[_Finding], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)


_PackUsed = create_model("PackUsed", **_columns(PackUsed))
_Close = create_model(
    "Close",
    business_date=(date, ...),
    balances=(Balances, ...),
    packs=(list[_PackUsed], ...),  # type: ignore[valid-type]  # as above
    through=(int, ...),
    started_at=(str, ...),
    closed_at=(str | None, ...),
    tested=(int | None, ...),
    reported=(int | None, ...),
)
Closes = create_model(
    "Closes",
    last_closed=(date | None, ...),
    open_day=(date | None, ...),
    closes=(list[_Close], ...),  # type: ignore[valid-type]  # as above
    next=(date | None, ...),
)
_AgendaRow = create_model("AgendaRow", **_columns(AgendaRow), rank=(int, ...))
Agenda = create_model(
    "Agenda",
    as_of=(date, ...),
    rows=(list[_AgendaRow], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)


class Event(BaseModel):
    """An event as it was stored; personal fields stay sealed."""

    position: int
    id: str
    type: str
    version: int
    stream: str
    stream_version: int
    occurred_on: date
    recorded_at: str
    actor: str
    source: str
    data: dict[str, Any]


class Timeline(BaseModel):
    """All that was recorded of one customer, in ledger order."""

    customer_id: str
    events: list[Event]


Responses: TypeAlias = dict[int | str, dict[str, Any]]


def answers(model: type[BaseModel]) -> Responses:
    """Return what a query answers: the model when all is well, else a problem."""
    found: Responses = {200: {"model": model}}
    return found | {"4XX": _problem("400: not as it was asked; 404: unknown"), 503: AGAIN}


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {"description": description, "content": content}


AGAIN = _problem("The ledger or the view is not there yet: try again after `Retry-After` seconds")
TOLD: Responses = {
    200: {"model": Recorded, "description": "It holds already, since this position"},
    201: {"model": Recorded, "description": "Recorded, at this position"},
    400: _problem("No `Idempotency-Key`, or no JSON object"),
    409: _problem("The id stands for something else, or writers were in each other's way"),
    422: _problem("The command is malformed or breaks a rule: `field` and `detail` say which"),
    503: AGAIN,
}
