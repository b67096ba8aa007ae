"""Twins between the inner form (a node per component) and the outer one (components nested)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twinfall.graph.twins import JSON, Edge, Node


def outer_values(twin: Node, nodes: Mapping[str, Node]) -> dict[str, JSON]:
    """The twin's values with its components' nested; `nodes` holds them by address."""
    values = dict(twin.values)
    for part in components_of(twin, nodes):
        assert part.component is not None
        values[part.component] = dict(part.values)
    return values


def components_of(twin: Node, nodes: Mapping[str, Node]) -> list[Node]:
    """The twin's components among these nodes, in order of address."""
    return sorted((node for node in nodes.values() if node.owner == twin.id), key=lambda n: n.id)


def by_owner(nodes: Iterable[Node]) -> dict[str, dict[str, Node]]:
    """Nodes grouped by the twin they belong to (a twin belongs to itself), by id."""
    grouped: dict[str, dict[str, Node]] = {}
    for node in nodes:
        grouped.setdefault(node.owner or node.id, {})[node.id] = node
    return grouped


def outer_edge(edge: Edge) -> dict[str, JSON]:
    """A relationship as the change feed shows it."""
    return {
        "id": edge.id,
        "source": edge.source,
        "name": edge.name,
        "target": edge.target,
        "properties": dict(edge.properties),
    }


def merged(target: JSON, patch: JSON) -> JSON:
    """JSON merge patch (RFC 7396): the target with the patch applied; neither is changed."""
    if not isinstance(patch, Mapping):
        return patch
    result: dict[str, Any] = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
