"""Turtle that keeps numbers as they are: rdflib's own writes doubles with seven digits."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from rdflib import XSD, Graph, Literal
from rdflib.plugins.serializers.turtle import TurtleSerializer

_IN_FULL = (XSD.double, XSD.float, XSD.decimal)


class _Exact(TurtleSerializer):
    def label(self, node: Any, position: int) -> str:
        """A literal with its datatype where the short form would change it."""
        if isinstance(node, Literal) and node.datatype in _IN_FULL:
            return str(node.n3())
        return str(super().label(node, position))


def turtle(graph: Graph) -> str:
    """The triples as Turtle."""
    out = BytesIO()
    _Exact(graph).serialize(out, encoding="utf-8")
    return out.getvalue().decode()
