"""Packs as data: what comes with the program, and what is refused at load with its place."""

from __future__ import annotations

import re
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import get_type_hints

import pytest

from infra.policy.packs import (
    DATA,
    NAMES,
    PackError,
    PacksOverlapError,
    load_pack,
    load_packs,
)
from infra.policy.page import EXAMPLE, packs_page
from infra.rules.reading import DATA as RULES
from infra.rules.reading import RulesError, attribution_rules, reward_plans
from projections.policy.checks import CHECKS
from projections.policy.rewards import AsPlanned
from projections.referral_attribution import AttributionRulesFile

SOUND = """\
jurisdiction = "xx"
title = "Nowhere"
notice = "Not legal advice."

[[rules]]
id = "XX-01"
version = 1
check = "deposit_after_draw"
in_force_from = 2020-01-01
in_force_to = 2020-12-31
severity = "high"
source = "A law"
title = "A title"
title_zh = "标题"
looks_for = "Something."
[rules.parameters]
days = 7
percent = 20
placed_kinds = ["term"]
"""


def told(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(PackError) as error:
        load_pack(told(folder, text))
    return str(error.value)


def test_a_bank_s_own_pack_is_a_file(tmp_path: Path) -> None:
    path = told(tmp_path, SOUND)
    own, pack = load_packs([str(path)])
    assert (own.jurisdiction, pack.jurisdiction) == ("none", "xx")
    assert [rule.id for rule in pack.rules] == ["XX-01"]


def test_the_ledger_s_own_flags_go_with_every_pack_once() -> None:
    assert [pack.jurisdiction for pack in load_packs(["cn", "us", "kr"])] == [
        "none",
        "cn",
        "us",
        "kr",
    ]
    assert [pack.jurisdiction for pack in load_packs(["none", "cn", "cn"])] == ["none", "cn"]
    assert set(NAMES) == {"none", "cn", "us", "kr"}


def test_each_rule_that_comes_with_the_program_names_its_source_in_two_languages() -> None:
    rules = [rule for pack in load_packs(NAMES) for rule in pack.rules]
    assert len(rules) > 20
    assert {id(rule.check) for rule in rules} == {id(check) for check in CHECKS.values()}
    for rule in rules:
        assert rule.source
        assert rule.looks_for
        assert re.search(r"[\u4e00-\u9fff]", rule.title_zh)
    for pack in load_packs(NAMES):
        assert pack.notice.startswith("Not legal advice.")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            'severity = "high"',
            'severity = "grave"',
            "rule 1: severity = 'grave': write one of",
        ),
        ('source = "A law"\n', "", "own.toml: rule 1: source is missing: add it"),
        (
            'id = "XX-01"',
            'id = "first"',
            "rule 1: id = 'first': write capital letters, a",
        ),
        (
            "version = 1",
            'version = "1"',
            "rule 1: version = '1': write a whole number",
        ),
        (
            'check = "deposit_after_draw"',
            'check = "deposits"',
            "own.toml: XX-01 version 1: check = 'deposits': write one of commitment_agreed_",
        ),
        (
            "days = 7",
            'days = "7"',
            "own.toml: XX-01 version 1: parameters: days = '7': write a whole number without",
        ),
        ("days = 7", "days = -1", "parameters: days = -1: write 0 or more"),
        ("days = 7", "days = 36501", "parameters: days = 36501: write 36500 or less"),
        ("percent = 20", "percent = 1000001", "percent = 1000001: write 1000000 or less"),
        ("version = 1", "version = 1000001", "rule 1: version = 1000001: write 1000000 or less"),
        ("days = 7", f"days = 0x{'f' * 6_000}", "f…: write 36500 or less"),
        ("days = 7", f"days = {'9' * 5_000}", "own.toml: not TOML in UTF-8: Exceeds the limit"),
        ("days = 7\n", "", "parameters: days is missing: add it"),
        (
            "days = 7",
            "days = 7\nweeks = 1",
            "parameters: weeks is no key of this place:",
        ),
        ('["term"]', '["trem"]', "parameters: placed_kinds = 'trem': write one of 'current',"),
        ('["term"]', "[]", "parameters: placed_kinds = []: name at least one"),
        (
            "in_force_to = 2020-12-31",
            "in_force_to = 2019-12-31",
            "XX-01 version 1: in_force_to 2019-12-31 is before in_force_from 2020-01-01: correct",
        ),
        (
            "in_force_from = 2020-01-01",
            "in_force_from = 2020",
            "in_force_from = 2020: write a date without",
        ),
        ('"xx"', '"XX"', "own.toml: jurisdiction = 'XX': write small letters alone, such as ours"),
        ('["term"]', '"term"', "parameters: placed_kinds = 'term': write a list, such as"),
        ('title = "Nowhere"', 'title = ""', "own.toml: title = '': write something"),
        ('title = "Nowhere"', "title = 7", "own.toml: title = 7: write a text in quotes"),
        ("jurisdiction", "[[", "own.toml: not TOML in UTF-8: "),
    ],
)
def test_a_pack_is_refused_with_the_place_and_the_reason(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    assert SOUND.count(before) == 1
    assert message in refused(tmp_path, SOUND.replace(before, after))


def test_what_is_wrong_is_shown_as_the_file_tells_it(tmp_path: Path) -> None:
    for told_there, shown in (
        ("true", "true"),
        ("2000-01-01T00:00:00", "2000-01-01T00:00:00"),
        ("2000-01-01", "2000-01-01"),
        ("07:32:00", "07:32:00"),
        ("[1, true]", "[1, true]"),
        ("{ a = 2000-01-01 }", "{a = 2000-01-01}"),
        ("1.5", "1.5"),
    ):
        message = refused(tmp_path, SOUND.replace("days = 7", f"days = {told_there}"))
        assert f"days = {shown}: write a whole number without quotes" in message


@pytest.mark.parametrize("blank", ["", " ", "\u3000"])
def test_a_blank_word_is_refused(tmp_path: Path, blank: str) -> None:
    words = SOUND[: SOUND.index("days = 7")]
    for check, name in (("penal_rate", "reasons"), ("credit_withdrawal_threat", "codes")):
        pack = words.replace("deposit_after_draw", check)
        message = refused(tmp_path, f'{pack}{name} = ["adb", "{blank}"]\n')
        assert f"{name} = ['adb', {blank!r}]: write something in each" in message
    assert "title = " in refused(tmp_path, SOUND.replace('"A title"', f'"{blank}"'))


def test_a_pack_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    plain, marked = load_pack(told(tmp_path, SOUND)), load_pack(told(tmp_path, f"\ufeff{SOUND}"))
    assert marked.rules == plain.rules


def test_every_number_of_a_check_has_its_bounds() -> None:
    for check in CHECKS.values():
        hints = get_type_hints(check.parameters, include_extras=True)
        for name, hint in hints.items():
            assert hint is not int, f"{check.parameters.__name__}.{name}"


# Rules in use that a pack names.

ABOUT_PLANS = SOUND[: SOUND.index("days = 7")].replace("deposit_after_draw", "reward_outside_plan")
NAMING = f'{ABOUT_PLANS}plans = "rewards"\nattribution = "attribution"\n'


def digest(*files: Path) -> str:
    pack, *rules = (file.read_bytes() for file in files)
    return sha256(pack + b"".join(sha256(text).digest() for text in rules)).hexdigest()


def test_a_rule_judges_by_the_plans_and_the_attribution_in_use(tmp_path: Path) -> None:
    [rule] = load_pack(told(tmp_path, NAMING)).rules
    assert rule.parameters == AsPlanned(
        plans=reward_plans(),
        attribution=AttributionRulesFile(versions=tuple(attribution_rules())),
    )


def test_a_pack_has_the_hash_of_its_file_and_of_the_rules_it_names(tmp_path: Path) -> None:
    assert load_pack(DATA / "us.toml").sha256 == digest(DATA / "us.toml")
    named = [RULES / "attribution.toml", RULES / "rewards.toml"]
    own = told(tmp_path, NAMING)
    assert load_pack(own).sha256 == digest(own, *named)
    assert load_pack(DATA / "none.toml").sha256 == digest(DATA / "none.toml", *named)


def test_a_bank_s_own_plans_are_those_that_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_pack(DATA / "none.toml")
    own = tmp_path / "rewards.toml"
    own.write_text((RULES / "rewards.toml").read_text("utf-8").replace("friend", "amigo"), "utf-8")
    monkeypatch.setenv("GUANXI_RULES", str(tmp_path))
    after = load_pack(DATA / "none.toml")
    assert before.sha256 != after.sha256
    assert after.sha256 == digest(DATA / "none.toml", RULES / "attribution.toml", own)
    [rule] = [rule for rule in after.rules if rule.id == "LEDGER-05"]
    assert rule.parameters.plans.version("amigo", 1)  # type: ignore[attr-defined]  # of the check


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            '"reward"',
            "parameters: plans = 'reward': write the name of rules of this kind: rewards",
        ),
        ('"attribution"', "parameters: plans = 'attribution': write the name of rules of this"),
        ("7", "parameters: plans = 7: write the name of rules of this kind: rewards"),
    ],
)
def test_rules_of_another_name_are_refused(tmp_path: Path, name: str, message: str) -> None:
    assert message in refused(tmp_path, NAMING.replace('"rewards"', name))
    assert "plans is missing: add it" in refused(
        tmp_path, NAMING.replace('plans = "rewards"\n', "")
    )


def test_rules_that_cannot_be_used_are_told_with_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rewards.toml").write_text("[[plans]]\nid = 7\n")
    monkeypatch.setenv("GUANXI_RULES", str(tmp_path))
    with pytest.raises(RulesError, match=r"rewards\.toml: plans\.0"):
        load_packs(["cn"])


def again(version: int, first: str) -> str:
    rule = SOUND[SOUND.index("[[rules]]") :].replace("version = 1", f"version = {version}")
    rule = rule.replace("2020-12-31", "2022-12-31").replace("2020-01-01", first)
    return f"{SOUND}\n{rule}"


def test_a_version_follows_the_one_before_it(tmp_path: Path) -> None:
    assert len(load_pack(told(tmp_path, again(2, "2021-01-01"))).rules) == 2
    assert refused(tmp_path, again(1, "2021-01-01")) == (
        "own.toml: XX-01 version 1 follows version 1: number them upwards"
    )
    still = "begins on 2020-12-31, with version 1 still in force: end that one before, by"
    assert still in refused(tmp_path, again(2, "2020-12-31"))
    open_end = again(2, "2021-01-01").replace("in_force_to = 2020-12-31\n", "")
    assert "with version 1 still in force" in refused(tmp_path, open_end)


def packs_told(folder: Path, *texts: str) -> list[str]:
    paths = [folder / f"pack{number}.toml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, "utf-8")
    return [*map(str, paths)]


def test_packs_named_together_share_no_rule(tmp_path: Path) -> None:
    one, other = packs_told(tmp_path, SOUND, SOUND)
    with pytest.raises(PacksOverlapError, match=r"rule XX-01 is in two packs, .*0.toml and .*1"):
        load_packs([one, other])
    assert load_packs([one, one]) == load_packs([one])
    (tmp_path / "more").mkdir()
    [apart] = packs_told(tmp_path / "more", SOUND.replace('"xx"', '"yy"').replace("XX-", "YY-"))
    assert len(load_packs([one, apart])) == 3


@pytest.mark.parametrize("beside", [[], ["cn"], ["us"]])
@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"xx"', '"cn"', "jurisdiction cn is in two packs, cn and "),
        ('"xx"', '"none"', "jurisdiction none is in two packs, none and "),
        ("XX-01", "CN-07", "rule CN-07 is in two packs, cn and "),
        ("XX-01", "LEDGER-01", "rule LEDGER-01 is in two packs, none and "),
    ],
)
def test_a_bank_s_own_pack_takes_no_name_of_a_built_in_one(
    tmp_path: Path, before: str, after: str, message: str, beside: list[str]
) -> None:
    [own] = packs_told(tmp_path, SOUND.replace(before, after))
    with pytest.raises(PacksOverlapError, match=message):
        load_packs([*beside, own])


def test_a_pack_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="there is no pack 'uk': name one of cn, kr, none, us"):
        load_packs(["uk"])
    with pytest.raises(PackError, match=r"missing\.toml: No such file"):
        load_packs([str(tmp_path / "missing.toml")])


def test_the_example_on_the_page_is_a_pack(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", packs_page(), re.DOTALL)
    assert example == EXAMPLE
    pack = load_pack(told(tmp_path, example))
    assert [(rule.id, rule.version) for rule in pack.rules] == [("OURS-01", 1), ("OURS-01", 2)]
    assert len(load_packs([*NAMES, str(tmp_path / "own.toml")])) == len(NAMES) + 1


def test_the_page_tells_every_key_of_a_pack_and_every_parameter_of_a_check() -> None:
    page = packs_page()
    rule = load_packs([])[0].rules[0]
    for key in ("jurisdiction", "title", "notice", *(f.name for f in fields(rule))):
        assert key == "parameters" or f"`{key}`" in page
    for name, check in CHECKS.items():
        section = page.split(f"\n* `{name}`")[1].split("\n* ")[0]
        for field in fields(check.parameters):
            assert f"\n  * `{field.name}`" in section


def test_the_page_tells_every_version_of_every_rule() -> None:
    page = packs_page()
    for pack in load_packs(NAMES):
        for rule in pack.rules:
            section = page.split(f"\n### {rule.id} version {rule.version}: ")[1].split("\n#")[0]
            assert rule.source in section
            assert str(rule.in_force_from) in section
    assert page == (Path(__file__).parent.parent / "docs" / "policy-packs.md").read_text("utf-8")
