"""A graph as one HTML file: its data, its styles and its script inside, nothing from elsewhere.

The content security policy allows the page's own style and script by their hashes and no
connection at all. The data are JSON in a block that no browser runs.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from infra.exports import opened_sink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OWN = files(__package__)
NODES_MAX = 10_000  # of a page; more are neither fluent nor legible

# id, x, y, radius, place of its kind, how much of its means is used (-1: not told), figures
Node: TypeAlias = tuple[str, float, float, float, int, float, list[str]]
# place of the source, place of the target, width of the line, what stands on it
Link: TypeAlias = tuple[int, int, float, str]


class Page(NamedTuple):
    """What a page shows. Coordinates, radii and widths are pixels before any zoom, y downwards.

    `kinds` and `figures` name what a node has; `gauge` names the arc around it, empty for none;
    `into` and `out_of` head the lists of those beside a node.
    """

    title: str
    about: str
    kinds: Sequence[str]
    gauge: str
    figures: Sequence[str]
    into: str
    out_of: str
    arrows: bool
    nodes: Sequence[Node]
    links: Sequence[Link]


def write_page(page: Page, out: Path) -> None:
    """Write a page to a file. Raises `OSError`; the file is then as it was before."""
    with opened_sink(out) as sink:
        sink.write(html(page).encode())


def html(page: Page) -> str:
    """Return a page as the text of an HTML file."""
    style, script = _own("page.css"), _own("drawing.js") + _own("acting.js")
    return Template(_own("page.html")).substitute(
        title=escape(page.title),
        about=escape(page.about),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        graph=_json(page._asdict()),
    )


def _own(name: str) -> str:
    return OWN.joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(document: object) -> str:
    """Return JSON that ends no block of a page: ASCII without `<`."""
    return json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")
