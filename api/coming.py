"""A graph that may not be there yet: readings are taken while the store is still away.

What telemetry asks of a graph raises Unavailable until it has come; series that were known before
the restart are taken meanwhile, others are answered "send again".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinfall.ontology.errors import Unavailable

if TYPE_CHECKING:
    from twinfall.graph.graph import Graph


class GraphToCome:
    """Stands for a graph; set `graph` when it is open, None when it is gone again."""

    def __init__(self, graph: Graph | None = None) -> None:
        self.graph = graph

    def __getattr__(self, name: str) -> Any:
        """Ask the graph. Raises Unavailable while there is none."""
        graph = self.__dict__.get("graph")
        if graph is None:
            raise Unavailable("the store has not been reached yet", cure="send it again later")
        return getattr(graph, name)
