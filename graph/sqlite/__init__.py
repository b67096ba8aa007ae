"""The embedded graph store: one SQLite file, nothing to install."""

from twinfall.graph.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
