"""Policy packs, read from their data files and checked before anything is judged by them.

A pack is a TOML file: those that come with the program lie in `data/`, and a bank may name a
file of its own. `none` holds what the ledger itself flags and goes with every other pack. A rule
may be about other rules in use, such as the reward plans: its parameters name them.
"""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, fields
from datetime import date
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    create_model,
)

from domain.finding import Severity  # noqa: TC001 - pydantic reads it at run time
from infra.policy.faults import fault
from infra.rules.reading import NAMED, NamedRules, named_rules
from projections.policy.checks import CHECKS
from projections.policy.rules import Pack, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DATA = Path(__file__).with_name("data")
LEDGERS_OWN = "none"
DEFAULT: Sequence[str] = ("cn",)  # packs that judge where none is named
VERSION_MAX = 1_000_000  # of a rule
NAMES: Sequence[str] = sorted(path.stem for path in DATA.glob("*.toml"))


class PackError(Exception):
    """A pack that is not there, or not of the form of one; the message says where and why."""

    code: ClassVar[str] = "pack-unreadable"
    exit_status: ClassVar[int] = 2  # the call was wrong


class PacksOverlapError(PackError):
    """Two packs share a rule or a jurisdiction: two named together, or one and a built-in one."""

    code: ClassVar[str] = "packs-overlap"


Words = Annotated[str, Field(min_length=1, pattern=r"\S")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _RuleTold(_Strict):
    id: Annotated[str, Field(pattern=r"^[A-Z]+-[0-9]{2}$")]
    version: Annotated[int, Field(ge=1, le=VERSION_MAX)]
    check: str
    in_force_from: date
    in_force_to: date | None = None
    severity: Severity
    source: Words
    title: Words
    title_zh: Words
    looks_for: Words
    parameters: dict[str, Any] = {}


class _PackTold(_Strict):
    jurisdiction: Annotated[str, Field(pattern=r"^[a-z]+$")]
    title: Words
    notice: Words
    rules: list[_RuleTold]


def load_packs(names: Iterable[str]) -> Sequence[Pack]:
    """Return the packs named, each by its name or its file, after the ledger's own flags.

    Raises `PackError`, or `RulesError` where rules that one of them names cannot be used.
    """
    packs = {path: load_pack(path) for path in map(path_of, (LEDGERS_OWN, *names))}
    _check_apart(packs)
    return tuple(packs.values())


def path_of(name: str) -> Path:
    """Return the file of a pack. Raises `PackError`."""
    if name in NAMES:
        return DATA / f"{name}.toml"
    if name.endswith(".toml"):
        return Path(name).resolve()
    message = f"there is no pack {name!r}: name one of {', '.join(NAMES)}, or a file *.toml"
    raise PackError(message)


def load_pack(path: Path) -> Pack:
    """Return the pack of a file. Raises `PackError` and `RulesError`."""
    try:
        text = path.read_bytes()
        told = _PackTold.model_validate(tomllib.loads(text.decode("utf-8-sig")))
    except OSError as error:
        message = f"{path}: {error.strerror}: name a file that can be read"
        raise PackError(message) from error
    except ValidationError as error:
        raise PackError(fault(path.name, error)) from None
    except ValueError as error:  # a number of thousands of digits is a plain one
        message = f"{path.name}: not TOML in UTF-8: {error}"
        raise PackError(message) from error
    named: dict[str, NamedRules] = {}
    rules = tuple(_rule(path.name, rule, named) for rule in told.rules)
    _check_versions(path.name, rules)
    behind = b"".join(named[name].sha256 for name in sorted(named))
    return Pack(
        sha256=sha256(text + behind).hexdigest(),
        jurisdiction=told.jurisdiction,
        title=told.title,
        notice=told.notice,
        rules=rules,
    )


def _rule(file: str, told: _RuleTold, named: dict[str, NamedRules]) -> Rule:
    where = f"{file}: {told.id} version {told.version}"
    if told.check not in CHECKS:
        message = f"{where}: check = {told.check!r}: write one of {', '.join(sorted(CHECKS))}"
        raise PackError(message)
    if told.in_force_to is not None and told.in_force_to < told.in_force_from:
        message = (
            f"{where}: in_force_to {told.in_force_to} is before in_force_from"
            f" {told.in_force_from}: correct one of them"
        )
        raise PackError(message)
    check = CHECKS[told.check]
    parameters = _parameters(f"{where}: parameters", check.parameters, told.parameters, named)
    values = told.model_dump(exclude={"check", "parameters"})
    return Rule(check=check, parameters=parameters, **values)


def _parameters(
    where: str, cls: type[Any], values: dict[str, Any], named: dict[str, NamedRules]
) -> object:
    """Return a check's parameters: whole numbers within bounds, lists with something in them.

    Rules in use are told by their name; those that were read are added to `named`.
    """
    told = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    try:
        model = _model_of(cls)  # type: ignore[arg-type]  # mypy doubts that a class has a hash
        return cls(**dict(model.model_validate(told, context=named)))
    except ValidationError as error:
        raise PackError(fault(where, error)) from None


@cache
def _model_of(cls: type[Any]) -> type[_Strict]:
    types = get_type_hints(cls, include_extras=True)
    columns: dict[str, Any] = {
        field.name: (
            Annotated[types[field.name], *_checked(types[field.name])],
            ... if field.default is MISSING else field.default,
        )
        for field in fields(cls)
    }
    return create_model(cls.__name__, __base__=_Strict, **columns)


def _checked(hint: Any) -> Sequence[Any]:  # noqa: ANN401 - a type and how pydantic checks it
    if hint in NAMED.values():
        return [PlainValidator(partial(_in_use, hint))]
    for bounds in getattr(hint, "__metadata__", ()):
        return [Field(ge=bounds.low, le=bounds.high)]
    return [Field(min_length=1), AfterValidator(_none_blank)]


def _none_blank(several: tuple[str, ...]) -> tuple[str, ...]:
    """Return words and names, of which none is blank: that would stand in every text, or none."""
    if not all(map(str.strip, several)):
        message = "write something in each"
        raise ValueError(message)
    return several


def _in_use(form: type[Any], name: object, info: ValidationInfo) -> object:
    """Return the rules of a name, of which there must be some of the form."""
    names = [each for each, of in NAMED.items() if of is form]
    if name not in names:
        message = f"write the name of rules of this kind: {', '.join(names)}"
        raise ValueError(message)
    named: dict[str, NamedRules] = info.context  # type: ignore[assignment]  # as `_parameters` gives it
    if name not in named:
        named[name] = named_rules(name)
    return named[name].rules


def _check_versions(file: str, rules: Sequence[Rule]) -> None:
    """Refuse versions of one rule that are in force on one day, or not in order."""
    latest: dict[str, Rule] = {}
    for rule in rules:
        before = latest.get(rule.id)
        if before is not None:
            place = f"{file}: {rule.id} version {rule.version}"
            if rule.version <= before.version:
                message = f"{place} follows version {before.version}: number them upwards"
                raise PackError(message)
            if rule.in_force_from <= (before.in_force_to or date.max):
                message = (
                    f"{place} begins on {rule.in_force_from}, with version {before.version} still"
                    f" in force: end that one before, by its in_force_to"
                )
                raise PackError(message)
        latest[rule.id] = rule


def _check_apart(packs: Mapping[Path, Pack]) -> None:
    """Refuse packs that share a jurisdiction or a rule: in a finding each means one thing.

    Also with a pack of the program that is not named: a ledger is judged by it another time.
    """
    first = dict(_built_in())
    for path, pack in packs.items():
        name = path.stem if path.parent == DATA else str(path)
        for what in (*(f"rule {r.id}" for r in pack.rules), f"jurisdiction {pack.jurisdiction}"):
            if first.setdefault(what, name) != name:
                message = (
                    f"{what} is in two packs, {first[what]} and {name}: give it another name"
                    f" in a file of your own"
                )
                raise PacksOverlapError(message)


@cache
def _built_in() -> Mapping[str, str]:
    """Return the packs of the program by what each has for itself: its rules and jurisdiction."""
    found: dict[str, str] = {}
    for name in NAMES:
        told = tomllib.loads((DATA / f"{name}.toml").read_text("utf-8"))
        found |= {f"rule {rule['id']}": name for rule in told["rules"]}
        found[f"jurisdiction {told['jurisdiction']}"] = name
    return found
