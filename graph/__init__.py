"""What exists: twins and relationships, their stores, bulk in and out."""

from twinfall.graph.graph import Graph, WriteReport
from twinfall.graph.models import LoadReport

__all__ = ["Graph", "LoadReport", "WriteReport"]
