"""Files of rules: where they lie, which there are, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.rules.reading import DATA, FILES, RulesError, agenda_rules, value_rules
from tests.surfaces.cli import guanxi

if TYPE_CHECKING:
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


def test_the_command_line_refuses_a_folder_that_is_not_there(
    demo_ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUANXI_LEDGER", f"sqlite:{demo_ledger}")
    monkeypatch.setenv("GUANXI_RULES", str(demo_ledger.parent / "nothing"))
    answer = guanxi("show", "agenda")
    assert answer.status == 1
    assert "bad-rules" in answer.err
