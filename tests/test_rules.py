"""Files of rules: where they lie, which there are, and what is refused."""

from __future__ import annotations

import re
import tomllib
from calendar import monthrange
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.rules.entries import read_table
from infra.rules.page import rules_page
from infra.rules.reading import (
    DATA,
    FILES,
    RulesError,
    agenda_rules,
    check_rules,
    read_rules,
    value_rules,
)
from projections.allowed import MonthDay
from tests.surfaces.cli import guanxi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bank's own folder of rules, empty."""
    own = tmp_path / "rules"
    own.mkdir()
    monkeypatch.setenv("GUANXI_RULES", str(own))
    return own


def test_a_banks_own_file_replaces_that_of_its_name_alone(folder: Path) -> None:
    text = (DATA / "agenda.toml").read_text("utf-8")
    (folder / "agenda.toml").write_text(text.replace("after_days = 90", "after_days = 30"))
    (folder / ".git").mkdir()
    assert agenda_rules().cold.after_days == 30
    assert value_rules().contribution.days == 365


def test_every_file_of_rules_is_known_by_its_name() -> None:
    assert sorted(FILES) == list(FILES) == sorted(path.name for path in DATA.iterdir())


def test_a_file_that_no_rule_reads_is_refused_with_the_names_that_are_read(folder: Path) -> None:
    (folder / "agneda.toml").write_text("")
    for read in (agenda_rules, value_rules):
        with pytest.raises(RulesError) as refused:
            read()
        for name in (str(folder / "agneda.toml"), *FILES):
            assert name in str(refused.value)


def test_a_folder_of_rules_that_is_none_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "agenda.toml").write_text("")
    for path in (folder / "nothing", folder / "agenda.toml"):
        monkeypatch.setenv("GUANXI_RULES", str(path))
        with pytest.raises(RulesError, match=f"GUANXI_RULES .*{path.name}"):
            agenda_rules()


@pytest.mark.parametrize(
    ("name", "entry", "instead", "told"),
    [
        (
            "value",
            "year_days = 365",
            "year_days = 0",
            ("contribution.year_days", "0", "360 to 366"),
        ),
        ("value", "\ndays = 365", "\ndays = -5", ("contribution.days", "-5", "1 to 36500")),
        (
            "value",
            "bp = 150",
            "bp = -150",
            ("contribution.deposit_margin_bp", "-150", "0 to 10000"),
        ),
        ("value", "percent = 20\n", "percent = 200\n", ("top.percent", "200", "1 to 100")),
        ("value", "days = 90\nf", "days = 0\nf", ("drift.days", "0", "1 to 36500")),
        ("value", '"gold", top', '"platinum", top', ("tier.ladder", "'platinum' is there twice")),
        ("value", 'name = "gold"', 'name = " gold"', ("tier.ladder.1.name", "' gold'")),
        (
            "value",
            "busy_percent = 80",
            "busy_percent = 120",
            ("season.busy_percent", "120 is not below"),
        ),
        ("value", '"medium"', '"middling"', ("potential.otherwise", "'middling'", "'medium'")),
        ("agenda", "after_days = 90", "after_days = -5", ("cold.after_days", "-5", "1 to 36500")),
        ("agenda", "after_days = 90", "after_days = 9.0", ("cold.after_days", "9.0", "whole")),
        (
            "agenda",
            "around_days = 7",
            "around_days = 181",
            ("interest_date.around_days", "0 to 180"),
        ),
        ("agenda", '"12-20"]', '"02-29"]', ("interest_date.dates.3", "'02-29'", "MM-DD")),
        ("agenda", '"12-20"]', '"06-31"]', ("interest_date.dates.3", "'06-31'", "MM-DD")),
        ("agenda", '"21:00"', '"9:00"', ("quiet_hours.from_time", "'9:00'", "HH:MM")),
        ("agenda", '"phone", ', '"fone", ', ("quiet_hours.channels.0", "'fone'", "'phone'")),
        (
            "judgement",
            "within_days = 365",
            "within_days = -1",
            ("within_days", "-1", "0 to 36500"),
        ),
        ("attribution", "\nversion = 1", "\nversion = 0", ("versions.0.version", "0", "1 to")),
        ("attribution", "back_days = ", "back_days = -", ("versions.0.look_back_days", "-365")),
        (
            "attribution",
            "claim_days = ",
            "claim_days = -",
            ("versions.0.claim_days", "0 to 36500"),
        ),
        ("rewards", 'id = "friend"', 'id = ""', ("plans.0.id", "''", "without blanks")),
        ("rewards", 'id = "friend"', 'id = "a b"', ("plans.0.id", "'a b'", "without blanks")),
        ("rewards", "\nversion = 1", "\nversion = true", ("plans.0.version", "true", "1 to")),
        ("rewards", "\nversion = 1", "\nversion = -3", ("plans.0.version", "-3", "1 to")),
        ("rewards", '"PTS"', '"POINTS"', ("plans.0.currency", "'POINTS'", "three capital")),
        ("rewards", '"CNY"', '"cny"', ("plans.1.currency", "'cny'", "three capital")),
        (
            "rewards",
            '"PTS"',
            '"PTS"\nbase_currency = "yuan"',
            ("plans.0.base_currency", "'yuan'", "three capital"),
        ),
        (
            "rewards",
            "rate_ppm = 3000",
            "rate_ppm = 1000001",
            ("plans.1.bands.0.rate_ppm", "1000001", "from 0 to 1000000"),
        ),
        (
            "rewards",
            "rate_ppm = 3000",
            "rate_ppm = -1",
            ("plans.1.bands.0.rate_ppm", "-1", "from 0 to 1000000"),
        ),
        (
            "rewards",
            "above = 100000000",
            "above = 1000000000000001",
            ("plans.1.bands.1.above", "from 0 to 1000000000000000"),
        ),
        ("rewards", "above = 0", "above = 5", ("plans.1.bands", "lies above 5: write above = 0")),
        (
            "rewards",
            "amount = 10000",
            "amount = 1000000000000001",
            ("plans.0.amount", "1000000000000001", "from 0 to 1000000000000000"),
        ),
        (
            "attribution",
            "referrer = 100",
            "referrer = 101",
            ("versions.0.split.referrer", "101", "1 to 100"),
        ),
        ("rewards", "claim_days = ", "claim_days = -", ("plans.0.claim_days", "0 to 36500")),
        ("rewards", '["customer"]', "[]", ("plans.0.payees", "[]", "at least one")),
        (
            "rewards",
            "in_force_from = 1990-01-01",
            "in_force_from = 1990-01-01\nin_force_to = 1989-12-31",
            ("plans.0.in_force_to", "1989-12-31", "1990-01-01"),
        ),
        ("judgement", '"visited",', '"seen",', ("steps.1", "'seen'", "'visited'")),
        (
            "partner",
            "valid_months = 12",
            "valid_months = 0",
            ("versions.0.admission.0.valid_months",),
        ),
        (
            "network",
            "children_min = 2",
            "children_min = 0",
            ("versions.0.opinion_leader.referring_children_min", "0", "1 to 1000"),
        ),
        (
            "network",
            "half_life_days = 180",
            'half_life_days = "180"',
            ("versions.0.influence.half_life_days", "'180'", "whole number"),
        ),
        ("network", "version = 1", 'version = "1"', ("versions.0.version", "'1'", "whole number")),
        (
            "partner",
            "at_most = 70",
            'at_most = "70"',
            ("versions.0.admission.3.at_most", "'70'", "a whole number"),
        ),
        (
            "partner",
            "at_most = 70",
            "at_most = 70\nat_least = 71",
            ("versions.0.admission.3.at_least", "71 is above at_most 70"),
        ),
        ("lapse", "days = 180", "days = 0", ("days", "0", "1 to 36500")),
        (
            "lapse",
            '["guarantor"]',
            '["guarantor", "guarantor"]',
            ("exempt.1", "'guarantor'", "twice"),
        ),
        ("agenda", '"08:00"', '"21:00"', ("quiet_hours.from_time", "'21:00' is to_time too")),
        (
            "agenda",
            "every_days = 30",
            "every_days = 7",
            ("key_customer.ahead_days", "7 is not below every_days 7"),
        ),
        (
            "rewards",
            'via = ["partner"]',
            'via = ["campaign", "employee"]',
            ("plans.1.payees", "none of partner earns by via", "name customer or employee"),
        ),
        (
            "attribution",
            "referrer = 100",
            "referrer = 60",
            ("versions.0.split.referrer", "60, teller 0 and contact 0", "100"),
        ),
        (
            "rewards",
            "above = 100000000",
            "above = 0",
            ("plans.1.bands", "above 0 follows 0", "rise"),
        ),
        ("value", "[top]\npercent = 20", "", ("top", "is missing", "a table of percent")),
        ("value", "percent = 20\n", "", ("top.percent", "is missing", "from 1 to 100")),
        ("value", '{ name = "gold", ', "{ ", ("tier.ladder.1.name", "is missing", "a name")),
        ("rewards", "above = 0, ", "", ("plans.1.bands.0.above", "is missing", "from 0 to")),
        (
            "lapse",
            '["guarantor"]',
            '"guarantor"',
            ("exempt", "'guarantor'", "a list, of each: one"),
        ),
        ("lapse", '["guarantor"]', '[["guarantor"]]', ("exempt.0", "['guarantor']", "'campaign'")),
        (
            "network",
            "[[versions]]",
            "[versions]",
            (
                "versions",
                "{version = 1, ",
                "… is not a list ([[…]]), of each: a table of version,",
            ),
        ),
        ("agenda", "[cold]", "[[cold]]", ("cold", "[{after_days = 90}]", "a table of after_days")),
        (
            "value",
            "by_segment = {",
            "by_segment = 1 # {",
            ("potential.by_segment", "1", "a table"),
        ),
        ("value", '"none" }', "0 }", ("potential.by_segment.project", "0", "'none'")),
        (
            "judgement",
            "within_days = 365",
            f"within_days = 0x{'f' * 6_000}",
            ("within_days", "0xfff", "… is not a whole number from 0 to 36500"),
        ),
        *(
            (
                "network",
                "in_force_from = 1990-01-01",
                f"in_force_from = {told}",
                ("versions.0.in_force_from", f"{shown} is not a date without quotes or a time"),
            )
            for told, shown in (
                ('"1990-01-01"', "'1990-01-01'"),
                ("1990-01-01T00:00:00Z", "1990-01-01T00:00:00+00:00"),
                ("1990-01-01T00:00:00", "1990-01-01T00:00:00"),
                ("00:00:00", "00:00:00"),
                ("19900101", "19900101"),
            )
        ),
    ],
)
def test_a_value_that_an_entry_may_not_hold_is_refused_with_what_is_allowed(
    folder: Path, name: str, entry: str, instead: str, told: tuple[str, ...]
) -> None:
    path = folder / f"{name}.toml"
    text = (DATA / path.name).read_text("utf-8")
    assert entry in text
    path.write_text(text.replace(entry, instead, 1), "utf-8")
    with pytest.raises(RulesError) as refused:
        read_rules(path, FILES[path.name])
    assert str(refused.value).startswith(f"{path}: {told[0]}: ")
    for each in told:
        assert each in str(refused.value)


NO_ENTRY_HOLDS: tuple[Any, ...] = (1.5, True, datetime(1990, 1, 1, tzinfo=UTC), [[]], {"a": []})


def entries(table: dict[str, Any], within: str = "") -> Iterator[tuple[dict[str, Any], str, str]]:
    """Yield each entry of a table and of those in it: where it stands, its name, and both."""
    for name, value in table.items():
        yield table, name, within + name
        for number, inner in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(inner, dict):
                part = f"{name}.{number}" if isinstance(value, list) else name
                yield from entries(inner, f"{within}{part}.")


@pytest.mark.parametrize("name", FILES)
def test_a_value_of_a_type_that_no_entry_has_is_refused_wherever_it_stands(name: str) -> None:
    rules = tomllib.loads((DATA / name).read_text("utf-8"))
    read_table(rules, FILES[name])
    for table, entry, place in entries(rules):
        value = table[entry]
        for wrong in NO_ENTRY_HOLDS:
            table[entry] = wrong
            with pytest.raises(ValueError, match=rf"^{re.escape(place)}(\.\w+)*:? .*is not .+"):
                read_table(rules, FILES[name])
        table[entry] = value


@pytest.mark.parametrize("name", ["attribution.toml", "network.toml", "partner.toml"])
def test_rules_that_have_versions_have_at_least_one(folder: Path, name: str) -> None:
    path = folder / name
    path.write_text("versions = []")
    with pytest.raises(RulesError) as refused:
        read_rules(path, FILES[name])
    assert str(refused.value) == f"{path}: versions: [] is empty; there is at least one"


def test_a_list_that_names_a_festival_twice_is_refused(folder: Path) -> None:
    text = (DATA / "agenda.toml").read_text("utf-8")
    first = tomllib.loads(text)["festival"]["names"][0]
    (folder / "agenda.toml").write_text(
        text.replace(f'"{first}"', f'"{first}", "{first}"'), "utf-8"
    )
    with pytest.raises(RulesError, match=r"festival\.names\.1: .* is there twice"):
        agenda_rules()


def test_a_segment_with_a_blank_around_its_name_is_refused(folder: Path) -> None:
    path = folder / "value.toml"
    text = (DATA / path.name).read_text("utf-8")
    path.write_text(text.replace("supplier =", '" supplier" ='), "utf-8")
    with pytest.raises(RulesError, match=r"potential\.by_segment\. supplier: .*no blanks"):
        value_rules()


def test_a_file_may_begin_with_a_byte_order_mark(folder: Path) -> None:
    text = (DATA / "value.toml").read_text("utf-8")
    (folder / "value.toml").write_text(text, "utf-8-sig")
    assert value_rules() == read_rules(DATA / "value.toml", FILES["value.toml"])


@given(st.integers(0, 11), st.integers(1, 31))
def test_a_day_of_every_year_is_one_of_the_calendar_but_29_february(month: int, day: int) -> None:
    [spelled] = get_args(MonthDay)[1:]
    there = day <= monthrange(2001, month + 1)[1]
    assert spelled.allows(f"{month + 1:02}-{day:02}") == there


def test_every_entry_of_the_built_in_files_is_on_the_page_of_rules() -> None:
    page = rules_page()
    for path in DATA.iterdir():
        for name, value in tomllib.loads(path.read_text("utf-8")).items():
            entries = [f"{name}.{each}" for each in value] if isinstance(value, dict) else [name]
            assert [entry for entry in entries if entry not in page] == []


@pytest.mark.parametrize("name", [*FILES, "festivals"])
def test_a_check_reads_every_file(folder: Path, name: str) -> None:
    check_rules()
    if name == "festivals":  # sound by itself, but the agenda names what it does not hold
        (folder / "festivals.toml").write_text(
            '[[festivals]]\nname = "May Day"\ndays = [2024-05-01]\n'
        )
    else:
        (folder / name).write_text("nothing = 1")
    with pytest.raises(RulesError):
        check_rules()


def test_the_page_of_rules_says_what_counts_where_an_entry_is_left_out() -> None:
    lapse = rules_page().partition("## lapse.toml")[2].partition("\n## ")[0]
    assert "; left out: none | `guarantor` |" in lapse
    assert "left out" not in lapse.partition("`exempt` |")[0]


def test_the_command_line_refuses_a_folder_that_is_not_there(
    demo_ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUANXI_LEDGER", f"sqlite:{demo_ledger}")
    monkeypatch.setenv("GUANXI_RULES", str(demo_ledger.parent / "nothing"))
    answer = guanxi("show", "agenda")
    assert answer.status == 1
    assert "bad-rules" in answer.err
