"""Who is asking, and what that role may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "ingest", "operator", "admin"]


@dataclass(frozen=True, slots=True)
class Access:
    """A caller: the name of the key it showed, and its role.

    `viewer` reads; `ingest` only writes readings; `operator` reads and works with commands,
    alarms and work orders; `admin` does everything, the graph and its models included.
    """

    name: str
    role: Role

    @property
    def reads(self) -> bool:
        """May ask questions of the graph."""
        return self.role != "ingest"

    @property
    def operates(self) -> bool:
        """May work with alarms, work orders and commands."""
        return self.role in ("operator", "admin")

    @property
    def writes(self) -> bool:
        """May change twins, relationships and models."""
        return self.role == "admin"


LOCAL = Access("local", "admin")
"""Whoever sits at this machine, as long as no key exists."""
