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
from projections.facts import FindingStatus
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


def columns(row_type: type) -> dict[str, Any]:
    """Return the fields of a model that has a row's columns."""
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


WHEN: dict[str, Any] = {"as_of": (date, ...), "currency": (str, ...)}
_Node = create_model("Node", **columns(NetworkRow))

Relationship = create_model(
    "Relationship",
    **WHEN,
    **columns(RelationshipRow),
    joint_managers=(list[str], ...),
    tier=(str | None, ...),
    consents=(list[str], ...),
    open_findings=(list[str], ...),
    may_be_named=(bool, ...),
    referrer_may_be_named=(bool | None, ...),
    closed_on=(date | None, ...),
)
Nodes = create_model("Nodes", **WHEN, nodes=(list[_Node], ...))  # type: ignore[valid-type]  # as above
_Leader = create_model("Leader", **columns(LeaderRow))
Leaders = create_model("Leaders", **WHEN, leaders=(list[_Leader], ...))  # type: ignore[valid-type]  # as above
_Figure = create_model("Figure", **columns(FigureRow))
_Burst = create_model("Burst", **columns(BurstRow))
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
_Reward = create_model("Reward", **columns(RewardRow))
Rewards = create_model(
    "Rewards",
    as_of=(date, ...),
    rewards=(list[_Reward], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
_Share = create_model("Share", **columns(Share))
Attributed = create_model(
    "Attributed",
    as_of=(date, ...),
    **columns(Attribution) | {"shares": (list[_Share], ...)},  # type: ignore[valid-type]  # as above
)
_Contagion = create_model("Contagion", **columns(ContagionRow))
Contagions = create_model(
    "Contagions",
    **WHEN,
    rows=(list[_Contagion], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
_Partner = create_model("Partner", **columns(PartnerRow))
Partners = create_model(
    "Partners",
    **WHEN,
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
_Party = create_model("Party", **columns(ExposureRow))
_Circle = create_model(
    "Circle",
    **columns(CircleRow),
    edges=(list[_Guarantee], ...),  # type: ignore[valid-type]  # as above
    parties=(list[_Party], ...),  # type: ignore[valid-type]  # as above
)
Circles = create_model(
    "Circles",
    **WHEN,
    circles=(list[_Circle], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
_Group = create_model("Group", **columns(GroupRow))
Groups = create_model(
    "Groups",
    **WHEN,
    groups=(list[_Group], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
)
JointLiabilityGroups = create_model(
    "JointLiabilityGroups", as_of=(date, ...), joint_liability_groups=(list[list[str]], ...)
)
_Default = create_model("Default", **columns(Default))
_Call = create_model("Call", **columns(Call))
Walk = create_model(
    "Walk",
    **WHEN,
    defaults=(list[_Default], ...),  # type: ignore[valid-type]  # as above
    calls=(list[_Call], ...),  # type: ignore[valid-type]  # as above
    owed=(int, ...),
    paid=(int, ...),
    lost=(int, ...),
)
_Finding = create_model(
    "Finding",
    **columns(FindingRow),
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


_PackUsed = create_model("PackUsed", **columns(PackUsed))
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
_AgendaRow = create_model("AgendaRow", **columns(AgendaRow), rank=(int, ...))
Agenda = create_model(
    "Agenda",
    as_of=(date, ...),
    rows=(list[_AgendaRow], ...),  # type: ignore[valid-type]  # as above
    next=(str | None, ...),
    warnings=(list[str], ...),
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
