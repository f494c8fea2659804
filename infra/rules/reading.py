"""Rules of agenda, judgement, customer value and networks, read from data files and checked.

Those that come with the program lie in `data/`; `GUANXI_RULES` may name a folder with a bank's
own, of which each replaces the one of its name whole. Nothing else may lie there, save what
begins with a dot: a file that no rule reads is misspelled. A policy pack may name some of them.
"""

from __future__ import annotations

import os
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from domain.telling import told
from infra.rules.entries import read_table
from projections.agenda_rules import AgendaFile, AgendaRules, FestivalDays, Festivals
from projections.judgement import JudgementRules
from projections.network_rules import NetworkRules, NetworkRulesFile, version_on
from projections.partner_rules import PartnerRules, PartnerRulesFile
from projections.referral_attribution import AttributionRules, AttributionRulesFile
from projections.referral_lapse import LapseRules
from projections.reward_plans import RewardPlans
from projections.value_rules import ValueRules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

RULES_FOLDER = "GUANXI_RULES"
DATA = Path(__file__).with_name("data")

FILES: Mapping[str, type[Any]] = {
    "agenda.toml": AgendaFile,
    "attribution.toml": AttributionRulesFile,
    "festivals.toml": Festivals,
    "judgement.toml": JudgementRules,
    "lapse.toml": LapseRules,
    "network.toml": NetworkRulesFile,
    "partner.toml": PartnerRulesFile,
    "rewards.toml": RewardPlans,
    "value.toml": ValueRules,
}
# The rules that a policy pack may name, each by the stem of its file.
NAMED: Mapping[str, type[Any]] = {
    name: FILES[f"{name}.toml"] for name in ("attribution", "rewards")
}

Rules = TypeVar("Rules")


class RulesError(Exception):
    """A file of rules that cannot be used; the message names the file and the entry."""

    code: ClassVar[str] = "bad-rules"


class NamedRules(NamedTuple):
    """The rules of a file in use, and the SHA-256 of its bytes."""

    rules: Any
    sha256: bytes


def check_rules() -> None:
    """Read every file of rules, so that a bad one is told before it is needed.

    Raises `RulesError`.
    """
    for name, cls in FILES.items():
        _rules(name, cls)
    agenda_rules()  # names festivals of another file


def agenda_rules() -> AgendaRules:
    """Return the rules of the contact agenda. Raises `RulesError`."""
    file = _rules("agenda.toml", AgendaFile)
    valid_days, greeted = value_rules().tier.valid_days, tuple(_greeted(file))
    return told(AgendaRules, file, tier_valid_days=valid_days, greeted=greeted)


def _greeted(file: AgendaFile) -> Iterator[FestivalDays]:
    """Yield the days of the festivals that the agenda names. Raises `RulesError`."""
    known = {each.name: each for each in _rules("festivals.toml", Festivals).festivals}
    for number, name in enumerate(file.festival.names):
        if name not in known:
            entry = f"{_path_of('agenda.toml')}: festival.names.{number}: {name!r}"
            message = f"{entry} is not one of {', '.join(known)} (festivals.toml)"
            raise RulesError(message)
        yield known[name]


def judgement_rules() -> JudgementRules:
    """Return the steps asked for before a first draw. Raises `RulesError`."""
    return _rules("judgement.toml", JudgementRules)


def value_rules() -> ValueRules:
    """Return the rules of customer value. Raises `RulesError`."""
    return _rules("value.toml", ValueRules)


def network_rules(on: date) -> NetworkRules:
    """Return the rules of the network's figures that count on a day. Raises `RulesError`."""
    return version_on(_rules("network.toml", NetworkRulesFile).versions, on)


def attribution_rules() -> Sequence[AttributionRules]:
    """Return all versions of the rules of attribution, in order. Raises `RulesError`."""
    return _rules("attribution.toml", AttributionRulesFile).versions


def lapse_rules() -> LapseRules:
    """Return when a referral lapses by time. Raises `RulesError`."""
    return _rules("lapse.toml", LapseRules)


def reward_plans() -> RewardPlans:
    """Return the reward plans. Raises `RulesError`."""
    return _rules("rewards.toml", RewardPlans)


def partner_rules() -> Sequence[PartnerRules]:
    """Return the versions of the rules of partners' admission. Raises `RulesError`."""
    return _rules("partner.toml", PartnerRulesFile).versions


def named_rules(name: str) -> NamedRules:
    """Return rules of `NAMED` as they are in use. Raises `RulesError`."""
    path = _path_of(f"{name}.toml")
    text = _bytes_of(path)
    return NamedRules(_parsed(path, text, NAMED[name]), sha256(text).digest())


def _rules(name: str, cls: type[Rules]) -> Rules:
    assert FILES[name] is cls, name
    return read_rules(_path_of(name), cls)


def _path_of(name: str) -> Path:
    """Return where the rules of this name lie: a bank's own, else those of the program."""
    own = os.environ.get(RULES_FOLDER)
    if not own:
        return DATA / name
    folder = Path(own)
    try:
        there = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    except OSError as error:
        message = f"{RULES_FOLDER} names no folder of rules: {error}"
        raise RulesError(message) from None
    for unknown in sorted(there - FILES.keys()):
        message = f"{folder / unknown}: a file of rules is one of {', '.join(FILES)}"
        raise RulesError(message)
    return (folder if name in there else DATA) / name


def read_rules(path: Path, cls: type[Rules]) -> Rules:
    """Return the rules of a TOML file.

    Raises `RulesError`, which names the file, the entry, its value and what is allowed.
    """
    return _parsed(path, _bytes_of(path), cls)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path}: {error}"
        raise RulesError(message) from error


def _parsed(path: Path, text: bytes, cls: type[Rules]) -> Rules:
    try:
        table = tomllib.loads(text.decode("utf-8-sig"))
    except ValueError as error:
        message = f"{path}: not TOML in UTF-8: {error}"
        raise RulesError(message) from error
    try:
        return read_table(table, cls)
    except ValueError as error:
        message = f"{path}: {error}"
        raise RulesError(message) from None
