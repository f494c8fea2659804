"""The networks for other programs: GraphML, or a list of edges as CSV.

GraphML is directed and has an id on every edge, so that two between the same ends stay two. The
edge list begins with source and target, as igraph's and pandas' readers like it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args
from xml.sax.saxutils import escape, quoteattr

from infra.exports import opened_sink, utf8, write_export
from projections.network_graph import EdgeRow, NodeRow, edge_rows, node_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from projections.book import Book

GraphFormat: TypeAlias = Literal["graphml", "edges"]
GRAPH_FORMATS: tuple[GraphFormat, ...] = get_args(GraphFormat)

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
_TYPES = {"depth": "int", "amount": "long"}


def write_graph(
    book: Book, as_of: date, currency: str, chosen: GraphFormat, out: Path | None = None
) -> int:
    """Write both networks to a file, or to stdout; return the number of edges.

    Raises `OSError`; the file is then as it was before.
    """
    edges = list(edge_rows(book, as_of, currency))
    if chosen == "edges":
        return write_export(EdgeRow, edges, "csv", out)
    with opened_sink(out) as sink, utf8(sink) as text:
        text.write(_HEAD)
        text.writelines(_keys("node", NodeRow._fields))
        text.writelines(_keys("edge", EdgeRow._fields[2:]))
        text.write('<graph edgedefault="directed">\n')
        for node in node_rows(book, as_of, currency, edges):
            text.write(f"<node id={quoteattr(node.name)}>{_data(node, 0)}</node>\n")
        for edge in edges:
            ends = f"source={quoteattr(edge.source)} target={quoteattr(edge.target)}"
            unique = quoteattr(f"{edge.relation}:{edge.edge_id}")
            text.write(f"<edge id={unique} {ends}>{_data(edge, 2)}</edge>\n")
        text.write("</graph>\n</graphml>\n")
    return len(edges)


def _keys(of: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        kind = _TYPES.get(name, "string")
        yield f'<key id="{name}" for="{of}" attr.name="{name}" attr.type="{kind}"/>\n'


def _data(row: Any, first: int) -> str:  # noqa: ANN401 - a row of nodes or edges
    told = zip(row._fields[first:], row[first:], strict=True)
    return "".join(
        f'<data key="{name}">{escape(str(value))}</data>'
        for name, value in told
        if value is not None
    )
