"""An order of nodes that is the same whenever the same text is read: blank nodes have other
names each time, so they go by what is said of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from rdflib import BNode, Graph
from rdflib.term import Node

LEVELS = 4
"""Of blank nodes within each other that are looked into."""


def ordered(graph: Graph, nodes: Iterable[Node]) -> list[Node]:
    """The nodes, each once: IRIs and literals by their text, then blank nodes by their content."""
    return sorted(set(nodes), key=lambda node: (isinstance(node, BNode), _told(graph, node, 0)))


def _told(graph: Graph, node: Node, level: int) -> str:
    if not isinstance(node, BNode):
        return node.n3()
    if level == LEVELS:
        return "[]"
    said = sorted(f"{p} {_told(graph, o, level + 1)}" for p, o in graph.predicate_objects(node))
    return f"[{'; '.join(said)}]"
