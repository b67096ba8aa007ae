"""The refusal of an import that would break a requirement, with the verdicts that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twinfall.ontology.errors import Refused


class BreaksRequirement(Refused):
    """`findings` are the verdicts that would be worse than they are now, as GraphQL tells them."""

    code = "BREAKS_REQUIREMENT"

    def __init__(self, findings: Sequence[Mapping[str, Any]], snapshot: str) -> None:
        self.findings = tuple(findings)
        self.snapshot = snapshot
        count = len(self.findings)
        super().__init__(
            f"the import would break {count} requirement{'' if count == 1 else 's'}; nothing is "
            "imported",
            path="requirements",
            cure="`twinfall assert REQUIREMENTS --import FILE` says all about it",
        )
