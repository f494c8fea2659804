"""The networks as other programs read them: networkx, igraph and pandas find what we find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import igraph
import networkx as nx
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from infra.graph_files import write_graph
from projections.book import Book
from projections.guarantee_network import circle_rows, group_rows
from projections.network_graph import edge_rows
from projections.referral_network import network_rows
from tests.books import CURRENCY, as_ofs, books, customer, day, guarantee, referral

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from projections.facts import Key, Row

ODD = "<&\"'>é"
Sets = set[frozenset[str]]


def of_networkx(path: Path) -> nx.MultiDiGraph:
    graph = nx.read_graphml(path)
    return nx.MultiDiGraph(graph)


def only(graph: nx.MultiDiGraph, relation: str) -> nx.MultiDiGraph:
    """Return all nodes with the edges of one relation."""
    kept: nx.MultiDiGraph = nx.MultiDiGraph()
    kept.add_nodes_from(graph)
    kept.add_edges_from((a, b) for a, b, told in graph.edges(data="relation") if told == relation)
    return kept


def larger_than_one(found: Iterable[Iterable[str]]) -> Sets:
    return {each for each in map(frozenset, found) if len(each) > 1}


def ours(rows: Iterable[Any]) -> Sets:
    return {frozenset(row.members.split(" ")) for row in rows}


def depths(book: Book, as_of: date) -> dict[str, int]:
    return {row.customer_id: row.depth for row in network_rows(book, as_of, CURRENCY)}


SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@SAME_FOLDER
@given(books, as_ofs)
def test_networkx_finds_the_same_circles_groups_and_depths(
    tmp_path: Path, book: Book, as_of: date
) -> None:
    path = tmp_path / "network.graphml"
    written = write_graph(book, as_of, CURRENCY, "graphml", path)
    graph = of_networkx(path)
    assert graph.number_of_edges() == written
    guarantees, referrals = only(graph, "guarantee"), only(graph, "referral")
    strong = nx.strongly_connected_components(guarantees)
    assert larger_than_one(strong) == ours(circle_rows(book, as_of, CURRENCY))
    weak = nx.weakly_connected_components(guarantees)
    assert larger_than_one(weak) == ours(group_rows(book, as_of, CURRENCY))
    roots = [node for node, parents in referrals.in_degree() if not parents]
    found = nx.multi_source_dijkstra_path_length(referrals, set(roots)) if roots else {}
    assert found == dict(graph.nodes(data="depth"))
    assert found.items() >= depths(book, as_of).items()
    for component in nx.weakly_connected_components(referrals):
        assert len({graph.nodes[node]["root_id"] for node in component}) == 1


@SAME_FOLDER
@given(books, as_ofs)
def test_igraph_finds_the_same_circles_groups_and_depths(
    tmp_path: Path, book: Book, as_of: date
) -> None:
    path = tmp_path / "network.graphml"
    write_graph(book, as_of, CURRENCY, "graphml", path)
    graph = igraph.Graph.Read_GraphML(str(path))
    assert graph.is_directed()
    if not graph.ecount():
        return
    guarantees = graph.subgraph_edges(graph.es.select(relation="guarantee"), delete_vertices=False)
    for mode, rows in (("strong", circle_rows), ("weak", group_rows)):
        found = guarantees.connected_components(mode=mode)
        names = ([graph.vs[place]["name"] for place in each] for each in found)
        assert larger_than_one(names) == ours(rows(book, as_of, CURRENCY))
    referrals = graph.subgraph_edges(graph.es.select(relation="referral"), delete_vertices=False)
    far = referrals.distances(
        source=[vertex.index for vertex in referrals.vs if not vertex.indegree()], mode="out"
    )
    nearest = [int(min(each)) for each in zip(*far, strict=True)]
    assert dict(zip(graph.vs["name"], nearest, strict=True)).items() >= depths(book, as_of).items()


@SAME_FOLDER
@given(books, as_ofs)
def test_the_edge_list_is_read_by_both(tmp_path: Path, book: Book, as_of: date) -> None:
    path = tmp_path / "edges.csv"
    write_graph(book, as_of, CURRENCY, "edges", path)
    table = pd.read_csv(path)
    graph = nx.from_pandas_edgelist(
        table[table["relation"] == "guarantee"], edge_attr=True, create_using=nx.MultiDiGraph
    )
    strong = nx.strongly_connected_components(graph)
    assert larger_than_one(strong) == ours(circle_rows(book, as_of, CURRENCY))
    read = igraph.Graph.DataFrame(table, directed=True, use_vids=False)
    assert read.ecount() == len(list(edge_rows(book, as_of, CURRENCY)))


@pytest.fixture
def story() -> Book:
    facts: list[tuple[Key, Row]] = [
        (("A", "customer", ""), customer()),
        (("B", "guarantee", "G1"), guarantee("A", 7, day(1))),
        (("B", "guarantee", "G2"), guarantee("A", 8, day(1), currency="EUR")),
        (("A", "guarantee", "G3"), guarantee("B", 9, day(2))),
        (("A", "guarantee", "G4"), guarantee(ODD, 1, day(9))),
        ((ODD, "referral", "R1"), referral("A", day(3))),
    ]
    return Book.from_rows(facts)


def test_edges_are_guarantees_and_then_referrals_of_the_day(story: Book, tmp_path: Path) -> None:
    path = tmp_path / "edges.csv"
    assert write_graph(story, day(5), CURRENCY, "edges", path) == 4
    odd = ODD.replace('"', '""')
    assert path.read_text("utf-8").splitlines() == [
        "source,target,relation,edge_id,since,amount",
        f"A,B,guarantee,G1,{day(1)},7",
        f"A,B,guarantee,G2,{day(1)},0",
        f"B,A,guarantee,G3,{day(2)},9",
        f'A,"{odd}",referral,R1,{day(3)},',
    ]


def test_graphml_keeps_parallel_edges_odd_ids_and_whoever_is_only_an_end(
    story: Book, tmp_path: Path
) -> None:
    path = tmp_path / "network.graphml"
    write_graph(story, day(5), CURRENCY, "graphml", path)
    for graph in (nx.read_graphml(path), of_networkx(path)):
        assert set(graph) == {"A", "B", ODD}
        assert graph.number_of_edges("A", "B") == 2
    assert graph.nodes["B"] == {"name": "B", "depth": 0, "root_id": "B", "circle_id": "A"}
    assert graph.nodes[ODD] == {"name": ODD, "depth": 1, "root_id": "A"}
    read = igraph.Graph.Read_GraphML(str(path))
    assert set(read.vs["name"]) == {"A", "B", ODD}
    assert sorted(read.es["edge_id"]) == ["G1", "G2", "G3", "R1"]
    assert sum(edge["amount"] for edge in read.es if edge["relation"] == "guarantee") == 16
