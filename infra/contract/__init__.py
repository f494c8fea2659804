"""The published contract, generated from the code and committed under `docs/`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from domain.catalogue import EVENT_TYPES
from infra.contract.asyncapi import document, schema_file
from infra.contract.events_page import events_page
from infra.contract.schemas import schema_of
from infra.contract.surfaces import cli_page, errors_page, metrics_page
from infra.policy.page import packs_page
from infra.rules.page import rules_page

if TYPE_CHECKING:
    from pathlib import Path

ASYNCAPI_FILE = "schemas/asyncapi.json"
EVENTS_FILE = "events.md"


def contract_files() -> dict[str, str]:
    """Return the content of every generated file, by its path under `docs/`."""
    schemas = {f"schemas/{schema_file(each)}": _json(schema_of(each)) for each in EVENT_TYPES}
    pages = {
        EVENTS_FILE: events_page(),
        "metrics.md": metrics_page(),
        "errors.md": errors_page(),
        "cli.md": cli_page(),
        "policy-packs.md": packs_page(),
        "rules.md": rules_page(),
    }
    return {**pages, ASYNCAPI_FILE: _json(document()), **schemas}


def stale_files(docs: Path) -> list[str]:
    """Return which files under a `docs/` folder are missing or differ from the code."""
    return [
        name
        for name, content in contract_files().items()
        if not (docs / name).exists() or (docs / name).read_text("utf-8") != content
    ]


def write_files(docs: Path) -> None:
    """Write the generated files under a folder; schemas of old versions stay as they are."""
    (docs / "schemas").mkdir(parents=True, exist_ok=True)
    for name, content in contract_files().items():
        (docs / name).write_text(content, "utf-8")


def _json(document: dict[str, object]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
