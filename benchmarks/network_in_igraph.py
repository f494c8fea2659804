"""The peer of the network exports: a plain pass over CSV files, with igraph's answers.

It knows the nodes with their own sums, the referrals and the guarantees of one day, and writes
the same columns.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

import igraph

from projections.guarantee_network import CircleRow
from projections.referral_network import NetworkRow

if TYPE_CHECKING:
    from pathlib import Path


def export_network(folder: Path, out: Path) -> int:
    """Write the `network` export of a day; return the number of rows."""
    with (folder / "nodes.csv").open(encoding="utf-8", newline="") as file:
        _, *customers = csv.reader(file)
    with (folder / "referrals.csv").open(encoding="utf-8", newline="") as file:
        _, *referrals = csv.reader(file)
    own = {id_: (int(drawn), int(deposits)) for id_, drawn, deposits in customers}
    brought = {row[0]: row for row in referrals}
    members = own.keys() | brought.keys()
    ids = sorted(members | {row[1] for row in referrals})
    place = {id_: index for index, id_ in enumerate(ids)}
    graph = igraph.Graph(
        n=len(ids), edges=[(place[row[1]], place[row[0]]) for row in referrals], directed=True
    )
    order = graph.topological_sorting()
    component = graph.connected_components(mode="weak").membership
    children = graph.outdegree()
    depths, roots = [0] * len(ids), {}
    below = [[0] * len(ids) for _ in range(4)]
    descendants, converted, drawn, deposits = below
    parents = [-1] * len(ids)
    for source, target in graph.get_edgelist():
        parents[target] = source
    for index in order:
        if parents[index] < 0:
            roots[component[index]] = ids[index]
        else:
            depths[index] = depths[parents[index]] + 1
    for index in reversed(order):
        parent = parents[index]
        if parent < 0:
            continue
        mine = own.get(ids[index], (0, 0))
        descendants[parent] += descendants[index] + 1
        converted[parent] += converted[index] + (brought[ids[index]][3] != "")
        drawn[parent] += drawn[index] + mine[0]
        deposits[parent] += deposits[index] + mine[1]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NetworkRow._fields)
        for index, id_ in enumerate(ids):
            if id_ in members:
                _, referrer, introduced_on, converted_on = brought.get(id_, (None,) * 4)
                days = _days(introduced_on, converted_on)
                root, figures = roots[component[index]], [column[index] for column in below]
                told = (id_, referrer, root, depths[index], children[index], *figures)
                writer.writerow((*told, introduced_on, converted_on, days))
    return len(members)


def _days(introduced_on: str | None, converted_on: str | None) -> int | None:
    if not introduced_on or not converted_on:
        return None
    return (date.fromisoformat(converted_on) - date.fromisoformat(introduced_on)).days


def export_circles(folder: Path, out: Path) -> int:
    """Write the `circles` export of a day; return the number of rows."""
    with (folder / "guarantees.csv").open(encoding="utf-8", newline="") as file:
        _, *guarantees = csv.reader(file)
    ids = sorted({id_ for row in guarantees for id_ in row[:2]})
    place = {id_: index for index, id_ in enumerate(ids)}
    edges = [(place[row[0]], place[row[1]]) for row in guarantees]
    graph = igraph.Graph(n=len(ids), edges=edges, directed=True)
    component = graph.connected_components(mode="strong").membership
    count, exposure = defaultdict[int, int](int), defaultdict[int, int](int)
    for (source, target), row in zip(edges, guarantees, strict=True):
        if component[source] == component[target]:
            count[component[source]] += 1
            exposure[component[source]] += int(row[2])
    members = defaultdict[int, list[str]](list)
    for index, id_ in enumerate(ids):
        members[component[index]].append(id_)
    rows = 0
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CircleRow._fields)
        for number, found in members.items():
            if len(found) > 1:
                rows += 1
                told = (found[0], len(found), " ".join(found), count[number], exposure[number])
                writer.writerow(told)
    return rows
