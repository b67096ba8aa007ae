"""Dependency declarations: which relationships carry failure, and how."""

from __future__ import annotations

from twinfall.ontology.dependencies.reading import canonical_sidecar, read_dependencies

__all__ = ["canonical_sidecar", "read_dependencies"]
