"""A projection: a name, a version, and the kinds of facts its view keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Projection:
    """A new version is built beside the old one: raise it when a fold or a kind changes."""

    name: str
    version: int
    kinds: frozenset[str]


_DEPOSITS = frozenset({"account", "balances"})

RELATIONSHIP = Projection(
    "relationship",
    8,
    _DEPOSITS
    | {"customer", "consent", "contact", "follow_up", "loan", "commitment", "referral", "partner"}
    | {
        "guarantee",
        "hold",
        "gift",
        "payment",
        "sale",
        "settlement",
        "reward",
        "finding",
        "cross_check",
    }
    | {"equity_check"},
)
FINDINGS = Projection("findings", 1, frozenset({"finding"}))
COMPLIANCE = Projection("compliance", 8, _DEPOSITS | {"loan", "commitment", "tested"})
NETWORK = Projection("network", 6, _DEPOSITS | {"customer", "loan", "referral"})
# Of the view of compliance what its windows come from, which is not what closes have reported.
WINDOWS = replace(COMPLIANCE, kinds=COMPLIANCE.kinds - {"tested"})
GUARANTEES = Projection("guarantees", 3, _DEPOSITS | {"loan", "guarantee"})

PROJECTIONS = (RELATIONSHIP, COMPLIANCE, NETWORK, GUARANTEES, FINDINGS)
BY_NAME = {projection.name: projection for projection in PROJECTIONS}
